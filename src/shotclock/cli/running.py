"""`run`: a pipeline for a key, from its start or from where it is, to its end."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from shotclock.cli.planning import check_plan, parameters, plan_of, shown
from shotclock.cli.shell import Shell, common, examples, tagged

if TYPE_CHECKING:
    from shotclock.model import Plan, Run
    from shotclock.ports import Store
    from shotclock.settings import Settings


@click.command(
    epilog=examples(
        "shotclock run pipelines/nba 2025-01-15",
        "shotclock run pipelines/nba 2025-01-15 --mode same_day --data FOLDER",
        "shotclock run scores 2025-01-15 --param limit=10 --json",
    ),
)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--mode", help="A mode the pipeline file declares.")
@parameters
@tagged
@common
@click.pass_obj
def run(shell: Shell, pipeline: Path, key: str, mode: str | None, params: dict[str, object]) -> int:
    """Run PIPELINE, a folder with a pipeline.yaml, for KEY, and wait for its end.

    A run that is there already is gone on with; one that is over tells how it ended. It waits through a block or a
    halt, and says which command helps. Ctrl-C gives the work back; the same command goes on.

    Exit codes: 0 complete, 3 partial, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.
    """
    from shotclock.cli import foreground  # noqa: PLC0415 - not for --help
    from shotclock.spec import check_key  # noqa: PLC0415 - likewise

    plan = plan_of(pipeline, mode, params)
    key = check_key(plan, key)
    settings = shell.settings()
    foreground.channels(settings)  # what cannot be used is said before anything begins
    mode_option = f" --mode {mode}" if mode else ""
    go_on = shell.command(f"shotclock run {quote(str(pipeline))} {key}{mode_option}{shown(params)}")
    with closing(shell.store(settings, make=True)) as store:
        return foreground.finish(shell, store, settings, _found(shell, store, settings, plan, key, params), go_on=go_on)


def _found(
    shell: Shell, store: "Store", settings: "Settings", plan: "Plan", key: str, params: dict[str, object]
) -> "Run":
    """Return the run of the key, started if it is not there; say which it is."""
    from shotclock.model import RunId  # noqa: PLC0415 - not for --help

    identity = RunId(pipeline=plan.pipeline, key=key, mode=plan.mode)
    known = store.read(lambda view: view.newest(identity))
    if known is None:
        check_plan(plan, settings)
        with shell.coordinator(store, settings) as coordinator:
            started, _ = coordinator.start(plan, key)
        shell.document({"event": "run.started", "run": started.id})
        return started
    frozen = store.read(lambda view: view.plan(known.id))
    for note in _notes(shell, known, frozen, plan, params):
        shell.note(f"note: {note}")
    shell.document({"event": "run.over" if known.ended_at else "run.attached", "run": known.id})
    return known


def _notes(shell: Shell, known: "Run", frozen: "Plan", plan: "Plan", params: dict[str, object]) -> Iterator[str]:
    """Yield what somebody may not expect of a run that is there already."""
    again = f"shotclock rerun {known.id} {plan.phases[0].name}"
    if known.ended_at is not None:
        yield f"{known.id} is over since {known.ended_at:%Y-%m-%d %H:%M:%S %Z}; to run it again: {shell.command(again)}"
    other = [name for name in params if frozen.params.get(name) != plan.params[name]]
    if other:
        kept = ", ".join(f"{name}={frozen.params.get(name)!r}" for name in other)
        command = shell.command(again + shown({name: params[name] for name in other}))
        yield f"{known.id} keeps the parameters it was started with ({kept}); others make a new generation: {command}"
    elif frozen.digest != plan.digest and known.ended_at is None:
        command = shell.command(again)
        yield f"{known.id} keeps the plan it was started with; the file of now makes a new generation: {command}"
