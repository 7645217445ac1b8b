"""Runs as a list shows them, and the words that lists and single views share."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from msgspec import Struct, field

from shotclock.core import rules
from shotclock.engine import rolls
from shotclock.model import UNSATISFIED, Kind, Phase, Plan, Run, RunState
from shotclock.ports import Snapshot

NAMED: Final = 5
"""Names a line of an overview carries."""
LACKING: Final[frozenset[Kind]] = UNSATISFIED | {"pending"}


class RunLine(Struct, frozen=True, kw_only=True):
    """A run in a list."""

    id: str
    state: RunState
    started_at: datetime
    ended_at: datetime | None = None
    phases_done: int = 0
    phases: int = 0
    partial: tuple[str, ...] = ()
    """Phases that opened partial."""
    marks: tuple[str, ...] = ()
    """Phases that are blocked, vetoed, halted or stalled, each with the word for it."""
    missing: tuple[str, ...] = ()
    """The first few who are missing, as ``phase.member``."""
    missing_count: int = 0
    reason: str | None = None
    halted: str | None = None
    """By whom and why new work is stopped, where it is."""
    timezone: str = "UTC"
    took: dict[str, timedelta] = field(default_factory=dict)
    """How long each phase took that is over and was not carried from an older generation."""


def run_lines(view: Snapshot, *, limit: int, pipeline: str | None = None) -> list[RunLine]:
    """Return the newest runs, the last started first."""
    return [_line(view, run) for run in view.runs(pipeline=pipeline, limit=limit)]


def _line(view: Snapshot, run: Run) -> RunLine:
    phases, plan = view.phases(run.id), view.plan(run.id)
    open_now = [phase for phase in phases if phase.started_at is not None and phase.carried_from is None]
    missing = [f"{phase.name}.{name}" for phase in open_now for name in missing_names(view, plan, phase)]
    return RunLine(
        id=run.id,
        state=run.state,
        started_at=run.started_at,
        ended_at=run.ended_at,
        phases_done=sum(phase.state == "done" for phase in phases),
        phases=len(phases),
        partial=tuple(phase.name for phase in phases if phase.ruling is not None and phase.ruling.partial),
        marks=tuple(f"{phase.name} {phase.mark.kind}" for phase in phases if phase.mark is not None),
        missing=tuple(missing[:NAMED]),
        missing_count=sum(rules.missing(phase.counts) for phase in open_now),
        reason=run.reason,
        halted=halted_words(view, run),
        timezone=plan.timezone,
        took={
            phase.name: phase.ended_at - phase.started_at for phase in open_now if phase.ended_at and phase.started_at
        },
    )


def halted_words(view: Snapshot, run: Run) -> str | None:
    """Say by whom and why new work of a run is stopped, if it is, whether or not the run is over."""
    halt = next((halt for halt in view.halts() if halt.until is None and halt.holds_for(run.identity)), None)
    return None if halt is None else f"halted by {halt.actor or 'an operator'}: {halt.reason}"


def missing_names(view: Snapshot, plan: Plan, phase: Phase, most: int = NAMED) -> tuple[str, ...]:
    """Name the first few critical and required members that are missing; items only where an opening names them."""
    if not rules.missing(phase.counts):
        return ()
    if phase.opened_at is not None:
        opening = view.opening(phase.id)
        return () if opening is None else opening.missing[:most]
    own = plan.phase(phase.name)
    if own.items is not None:
        return ()
    found = rolls.members(view, own, phase, lambda kind, importance: importance != "optional" and kind in LACKING)
    return tuple(name for name, *_ in islice(found, most))
