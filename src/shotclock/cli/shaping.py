"""`explain --plan`: what of a pipeline will run beside what, and why."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from shotclock.cli.shell import Shell, table

if TYPE_CHECKING:
    from shotclock.engine.beside import Lane, Lanes
    from shotclock.model import Plan
    from shotclock.settings import Settings


def tell(shell: Shell, place: str, mode: str | None) -> None:
    """Say how the phases of a pipeline's file, or of a run's frozen plan, will be worked on."""
    from shotclock.engine.beside import lanes  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    found = lanes(_plan(shell, settings, place, mode), settings)
    shell.document(found)
    for line in _lines(found):
        shell.say(line)


def _plan(shell: Shell, settings: "Settings", place: str, mode: str | None) -> "Plan":
    """Return the plan of a file that is there, else the one that a run keeps."""
    from shotclock.cli.planning import plan_of  # noqa: PLC0415 - likewise
    from shotclock.engine.naming import find_run  # noqa: PLC0415 - not for --help

    if Path(place).exists() or (not settings.store and not (settings.home / "shotclock.db").exists()):
        return plan_of(Path(place), mode, {})
    with closing(shell.store(settings)) as store:
        return store.read(lambda view: view.plan(find_run(view, place).id))


def _lines(found: "Lanes") -> Iterator[str]:
    waves = len(found.waves)
    held = f"one process holds {found.max_tasks} tasks at most, over all phases and runs (max_tasks)"
    yield f"{found.pipeline}: {len(found.phases)} phases in {waves} wave{'' if waves == 1 else 's'}; {held}"
    for number, names in enumerate(found.waves, 1):
        yield f"wave {number}"
        for lane in found.phases:
            if lane.name in names:
                yield f"  {lane.name}: {_at_once(lane)}; beside {', '.join(lane.beside) or 'no other phase'}"
                yield from table(((reason.key, reason.text) for reason in lane.reasons), indent="    ")


def _at_once(lane: "Lane") -> str:
    if lane.at_once == 0:
        return "nothing is worked on here"
    more = "any number over all" if lane.in_all is None else f"{lane.in_all} over all"
    return f"{lane.at_once} task{'' if lane.at_once == 1 else 's'} at once in a process, {more}"
