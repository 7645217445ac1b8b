"""How a run that is over is told: its outcome, what it published and wants shown, and the next commands."""

from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct

from shotclock.cli import wording
from shotclock.cli.shell import Shell, one_line
from shotclock.engine import rolls, views
from shotclock.engine.views import RunView
from shotclock.model import DEFAULT_MODE, Phase, Plan, Run, RunState
from shotclock.ports import Snapshot
from shotclock.settings import Settings

EXIT: Final[dict[RunState, int]] = {"running": 1, "complete": 0, "partial": 3, "failed": 1}
"""What a command that waited for a run exits with."""
FILES: Final = 20
"""Published files that are named; the folder has the rest."""
SHOWN: Final = 20
"""Texts that members want shown."""


class Ending(Struct, frozen=True, kw_only=True):
    """A run that is over, as it is told."""

    event: str = "run.ended"
    run: str
    state: RunState
    exit: int
    at: datetime
    reason: str | None
    partial: tuple[str, ...]
    missing: tuple[str, ...]
    """The first few of them, as ``phase.member``."""
    missing_count: int
    folder: str | None
    published: tuple[str, ...]
    show: tuple[str, ...]
    next: tuple[str, ...]
    superseded_by: str | None = None
    """The generation that has taken over."""


def ending(shell: Shell, view: Snapshot, run: Run, settings: Settings, now: datetime) -> Ending:
    """Return all there is to tell of a run that is over."""
    seen, plan = views.run_view(view, run, settings, now), view.plan(run.id)
    newest = view.newest(run.identity)
    heir = newest.id if newest is not None and newest.generation > run.generation else None
    folder = _folder(run, settings)
    files = _files(folder) if run.state != "failed" else ()
    return Ending(
        run=run.id,
        state=run.state,
        exit=EXIT[run.state],
        at=run.ended_at or now,
        reason=run.reason,
        partial=tuple(phase.name for phase in seen.phases if phase.partial),
        missing=tuple(f"{phase.name}.{name}" for phase in seen.phases for name in phase.missing),
        missing_count=sum(phase.missing_count for phase in seen.phases),
        folder=str(folder) if files else None,
        published=files,
        show=tuple(islice((text for phase in view.phases(run.id) for text in _shown(view, plan, phase)), SHOWN)),
        next=tuple(shell.command(command) for command in ([f"shotclock status {heir}"] if heir else _next(seen))),
        superseded_by=heir,
    )


def _folder(run: Run, settings: Settings) -> Path:
    mode = "" if run.mode == DEFAULT_MODE else f".{run.mode}"
    return settings.home / "published" / run.pipeline / f"{run.key}{mode}"


def _files(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    found = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(islice((name for name in found if not name.startswith(".")), FILES))


def _shown(view: Snapshot, plan: Plan, phase: Phase) -> list[str]:
    """Return what named members and the consolidation of a phase put under `show` in their outputs."""
    outputs = []
    if plan.phase(phase.name).items is None:
        outputs = [task.notes[task.lo].outputs for task in rolls.tasks(view, phase) if task.lo in task.notes]
    then = view.task(rolls.facts(phase), "then", 0)
    if then is not None:
        outputs.append(then.result)
    return [str(given["show"]) for given in outputs if given.get("show")]


def _next(run: RunView) -> list[str]:
    """Return the commands that help with a run that is not complete."""
    if run.state not in {"partial", "failed"} or run.superseded:
        return []
    short = next((phase for phase in run.phases if phase.state == "failed"), None)
    short = short or next((phase for phase in run.phases if phase.partial), None)
    commands = [f"shotclock missing {run.id}"] if any(phase.missing_count for phase in run.phases) else []
    if short is not None:
        commands.append(f"shotclock explain {run.id} {short.name}")
    return [*commands, f"shotclock rerun {run.id}"]


def tell(shell: Shell, told: Ending, run: Run) -> int:
    """Say how a run ended and return the exit code."""
    shell.document(told)
    took = f" in {wording.span(run.ended_at - run.started_at)}" if run.ended_at is not None else ""
    for text in told.show:
        shell.say(text)
    shell.say(f"{run.id}: {run.state}{took}" + (f": {one_line(told.reason)}" if told.reason else ""))
    if told.superseded_by:
        shell.say(f"{run.id} is superseded by {told.superseded_by}, which goes on")
    if told.missing:
        more = told.missing_count - len(told.missing)
        shell.say(f"missing: {', '.join(map(one_line, told.missing))}{f' and {more} more' if more > 0 else ''}")
    if told.folder:
        shell.say(f"published in {_near(told.folder)}: {', '.join(map(one_line, told.published))}")
    for command in told.next:
        shell.say(f"next: {command}")
    return told.exit


def _near(folder: str) -> str:
    """Return a path as seen from here, if it lies below."""
    path, here = Path(folder), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else folder
