"""`rerun`: members again before their phase has closed, a new generation after it."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shotclock.cli.planning import check_plan, parameters, plan_of
from shotclock.cli.shell import Shell, common, examples, tagged

if TYPE_CHECKING:
    from shotclock.engine.coordinator import Coordinator
    from shotclock.model import Plan, Run
    from shotclock.ports import Snapshot, Store


@click.command(
    short_help="Do again what went wrong, in place or as a new generation.",
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
    from shotclock.cli import foreground, naming  # noqa: PLC0415 - not for --help
    from shotclock.engine.explaining import run_command  # noqa: PLC0415 - likewise
    from shotclock.model import names_generation  # noqa: PLC0415 - likewise

    settings = shell.settings()
    foreground.channels(settings)  # what cannot be used is said before anything begins
    with closing(shell.store(settings)) as store:
        old = store.read(lambda view: naming.find_run(view, run))
        _refuse_superseded(store, old, again=names_generation(run) and not then)
        first = phase or store.read(lambda view: _first(view, old))
        base = f"{old.id.partition('#')[0]}#{old.generation}" if names_generation(run) else old.id
        with shell.coordinator(store, settings) as coordinator:
            made = _again(shell, coordinator, old, base, first, members, params, then=then)
        shell.document({"event": "run.made" if made.id != old.id else "run.attached", "run": made.id})
        if detach:
            return 0
        go_on = shell.command(run_command(made, store.read(lambda view: view.plan(made.id))))
        return foreground.finish(shell, store, settings, made, go_on=go_on)


def _refuse_superseded(store: "Store", run: "Run", *, again: bool) -> None:
    """Refuse a generation that another has taken over from, but for the one that the same wish has made."""
    from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help

    newest = store.read(lambda view: view.newest(run.identity))
    ahead = 0 if newest is None else newest.generation - run.generation
    if newest is not None and ahead and not (again and ahead == 1 and newest.cause == "rerun"):
        message = f"{run.id} is superseded by {newest.id}: do that one again"
        raise UsageError(message)


def _first(view: "Snapshot", run: "Run") -> str:
    """Return the first phase that failed or was partial, or that has somebody to try again."""
    from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help

    phases = view.phases(run.id)
    for phase in phases:
        partial = phase.ruling is not None and phase.ruling.partial
        if phase.state == "failed" or partial or (phase.state == "active" and phase.counts.unsatisfied):
            return phase.name
    names = ", ".join(phase.name for phase in phases)
    message = f"{run.id} is {run.state} and no phase of it failed or was partial; name one to do again: {names}"
    raise UsageError(message)


def _again(  # noqa: PLR0913, PLR0917 - what is to be done again, and where
    shell: Shell,
    coordinator: "Coordinator",
    old: "Run",
    base: str,
    first: str,
    members: tuple[str, ...],
    params: dict[str, object],
    *,
    then: bool,
) -> "Run":
    """Return the run in which it is done again: the same one, or a new generation."""
    store = coordinator.store
    phase = store.read(lambda view: view.phase_of(old.id, first))
    if phase is not None and phase.state == "active" and not then and not params:
        tried = coordinator.retry(old.id, first, members)
        shell.say(f"{old.id} {first}: trying again: {', '.join(tried) or 'nobody; none is unsatisfied'}")
        return old
    plan = plan_again(coordinator, old, params)
    newest = store.read(lambda view: view.newest(old.identity))
    made = coordinator.rerun_then(old.id, plan, first) if then else coordinator.rerun(base, plan, first, members)
    if newest is not None and made.id == newest.id:
        shell.say(f"{made.id}: was made from {base} before; no other is made")
        return made
    shell.say(f"{made.id}: a new generation from {first}{' (consolidation only)' if then else ''}")
    return made


def plan_again(coordinator: "Coordinator", old: "Run", params: dict[str, object]) -> "Plan":
    """Return the plan of the file as it is now, with the run's parameters that it still declares, and the new ones."""
    frozen = coordinator.store.read(lambda view: view.plan(old.id))
    folder = Path(frozen.folder)
    declared = plan_of(folder, old.mode, {}).params
    kept = {name: value for name, value in frozen.params.items() if name in declared}
    plan = plan_of(folder, old.mode, kept | params)
    check_plan(plan, coordinator.settings)
    return plan
