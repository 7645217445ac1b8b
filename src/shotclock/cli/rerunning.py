"""`rerun`: members again before their phase has closed, a new generation after it."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from shotclock.cli.planning import parameters
from shotclock.cli.shell import Shell, common, examples, tagged

if TYPE_CHECKING:
    from shotclock.engine.plans import Again


@click.command(
    epilog=examples(
        "shotclock rerun nba/2025-01-15",
        "shotclock rerun nba/2025-01-15 raw player_box",
        "shotclock rerun nba/2025-01-15 predictions --then",
    ),
)
@click.argument("run")
@click.argument("phase", required=False)
@click.argument("members", nargs=-1, metavar="[MEMBER]...")
@click.option("--then", "then", is_flag=True, help="Do only the consolidation of PHASE again, and what follows it.")
@click.option("--detach", is_flag=True, help="Only make the generation; `run` or another process works on it.")
@parameters
@tagged
@common
@click.pass_obj
def rerun(  # noqa: PLR0913 - the arguments and options of the command
    shell: Shell,
    run: str,
    phase: str | None,
    members: tuple[str, ...],
    params: dict[str, object],
    *,
    then: bool,
    detach: bool,
) -> int:
    """Do RUN again from PHASE (by default the first that failed or was partial), then wait for its end like `run`.

    Before PHASE has closed, its unsatisfied members (or the MEMBERs named) are tried again in place. After it, a new
    generation is made: with the pipeline file as it is now and the run's parameters, it keeps what does not stand on
    PHASE and, within PHASE, whoever is satisfied and not named.

    Exit codes: 0 complete, 3 partial, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.
    """
    from shotclock.cli import foreground  # noqa: PLC0415 - not for --help
    from shotclock.engine import naming, plans  # noqa: PLC0415 - likewise
    from shotclock.engine.explaining import run_command  # noqa: PLC0415 - likewise
    from shotclock.model import names_generation  # noqa: PLC0415 - likewise

    settings = shell.settings()
    foreground.channels(settings)  # what cannot be used is said before anything begins
    with closing(shell.store(settings)) as store:
        old = store.read(lambda view: naming.find_run(view, run))
        wish = plans.Repeat(
            run=old, explicit=names_generation(run), phase=phase, members=members, then=then, params=params
        )
        with shell.coordinator(store, settings) as coordinator:
            done = plans.again(coordinator, wish)
        _tell(shell, done, then=then)
        made = done.run
        shell.document({"event": "run.made" if made.id != old.id else "run.attached", "run": made.id})
        if detach:
            return 0
        go_on = shell.command(run_command(made, store.read(lambda view: view.plan(made.id))))
        return foreground.finish(shell, store, settings, made, go_on=go_on)


def _tell(shell: Shell, done: "Again", *, then: bool) -> None:
    """Say in which run it is done again."""
    if done.tried is not None:
        shell.say(f"{done.run.id} {done.phase}: trying again: {', '.join(done.tried) or 'nobody; none is unsatisfied'}")
    elif not done.made:
        shell.say(f"{done.run.id}: was made from {done.base} before; no other is made")
    else:
        shell.say(f"{done.run.id}: a new generation from {done.phase}{' (consolidation only)' if then else ''}")
