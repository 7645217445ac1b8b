"""What is told of a unit of work: gathered while it is done, heard once it is durable, by those who harm nobody."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, TypeVar

from msgspec import Struct

from shotclock.clock import Clock, seconds
from shotclock.errors import StoreError
from shotclock.model import PHASE_OVER, Answer, EntryKind, Fact, Opening, Phase, Report, Run, TaskReport

T = TypeVar("T")
_log = logging.getLogger("shotclock.telling")

Listen = Callable[[Sequence[Fact]], None]
"""Hears facts, in order, from whichever thread has committed them; it must be quick, for that thread waits."""

_KEPT: Final[Mapping[str, str]] = {
    "gap": "schedule.missed",
    "tick": "schedule.ticked",
    "audit": "operator.acted",
}
"""Entries whose being kept is a fact of its own; late, conflicting and parked reports are told by their answers."""
_ACTED: Final[Mapping[str, str]] = {"halt": "halt.begun", "resume": "halt.ended"}
_PHASES: Final[Mapping[str, str]] = {"active": "started", "closing": "closed"}


class Facts:
    """Gathers what one unit of work makes true."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._told: list[Fact] = []
        self._counts: dict[tuple[str, str, str, str], int] = {}

    def all(self) -> list[Fact]:
        """Return what was gathered, in order, with counted ones at the end."""
        counted = (
            Fact(name=name, at=self._now, run=run, phase=phase, reason=reason, number=number)
            for (name, run, phase, reason), number in self._counts.items()
        )
        return [*self._told, *counted]

    def tell(self, name: str, run: str = "", phase: str = "", **more: Any) -> None:  # noqa: ANN401 - fields of a fact
        """Gather one."""
        self._told.append(Fact(name=name, at=self._now, run=run, phase=phase, **more))

    def count(self, name: str, run: str, phase: str, reason: str = "", number: int = 1) -> None:
        """Gather one of many that are told together."""
        key = (name, run, phase, reason)
        self._counts[key] = self._counts.get(key, 0) + number

    def run_changed(self, before: Run | None, after: Run) -> None:
        """Gather what a run's new state says."""
        state = "running" if before is None else before.state
        if after.superseded and (before is None or not before.superseded):
            self.tell("run.superseded", after.id)
        elif after.state != state:
            took = None if after.ended_at is None else after.ended_at - after.started_at
            self.tell("run.ended", after.id, reason=after.state, took=took, more=_said(detail=after.reason))

    def phase_changed(self, before: Phase, after: Phase) -> None:
        """Gather what a phase's new state, mark and hand-over say."""
        if after.state is before.state and after.mark is before.mark and after.handover is before.handover:
            return  # as with nearly every report
        if after.state != before.state:
            self._state(after)
        kind = None if after.mark is None else after.mark.kind
        if kind is not None and (before.mark is None or before.mark.kind != kind):
            self.tell(f"phase.{kind}", after.run, after.name, more=_said(detail=after.mark and after.mark.reason))
        told = None if after.handover is None else after.handover.state
        if told is not None and (before.handover is None or before.handover.state != told):
            self.tell(f"handover.{told}", after.run, after.name)

    def _state(self, phase: Phase) -> None:
        if phase.state != "opened":
            name = f"phase.{_PHASES.get(phase.state, phase.state)}"
            over = phase.state in PHASE_OVER
            took = phase.ended_at - phase.started_at if over and phase.ended_at and phase.started_at else None
            self.tell(name, phase.run, phase.name, took=took, more=_said(detail=phase.failure))

    def opened(self, phase: Phase, opening: Opening) -> None:
        """Gather an opening, with how late it is in seconds where its deadline had passed."""
        late = None if opening.late_by is None else opening.late_by.total_seconds()
        more = _said(partial=opening.partial, rule=opening.rule, expected=opening.counts.expected, late_by=late)
        took = None if phase.started_at is None else opening.at - phase.started_at
        self.tell("gate.opened", opening.run, opening.name, reason=opening.reason, took=took, more=more)

    def kept(self, kind: EntryKind, scope: str, phase: str, member: str, body: Mapping[str, Any]) -> None:
        """Gather what an entry says that is kept."""
        if kind == "dead_letter":
            self.count("dead_letter.kept", scope, phase)
        elif kind in _KEPT:
            name = _ACTED.get(str(body.get("what")), _KEPT[kind])
            words = {key: body[key] for key in ("actor", "reason") if key in body}
            self.tell(name, scope, phase, member=member, reason=str(body.get("what", "")), more=_said(**words))

    def answered(self, reports: Iterable[Report], answers: Iterable[Answer]) -> None:
        """Count what reports from outside were answered."""
        found = Counter(
            (answer.kind, report.run, report.phase) for report, answer in zip(reports, answers, strict=True)
        )
        for (kind, run, phase), number in found.items():
            self.count(f"report.{kind}", run, phase, "outside", number)

    def worked(self, run_id: str, phase: str, report: TaskReport, answer: Answer) -> None:
        """Count what a worker's report was answered, and the members it wants to try again."""
        self.count(f"report.{answer.kind}", run_id, phase, "worker")
        if answer.kind == "accepted":
            for again in [*([report.whole] if report.whole else []), *report.again.values()]:
                self.count("task.retried", run_id, phase, again.cause)


def _said(**words: object) -> dict[str, Any]:
    return {name: value for name, value in words.items() if value is not None and value != ""}


class Failed(Struct, frozen=True, kw_only=True):
    """How often a listener has raised, and what it said last."""

    number: int
    error: str


class Audience:
    """Those who hear facts, by name: one that raises is counted and shown, and disturbs nobody, not even the next."""

    def __init__(self, listeners: Mapping[str, Listen]) -> None:
        self._listeners = dict(listeners)
        self._failed: dict[str, Failed] = {}
        self._lock = Lock()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def tell(self, facts: Sequence[Fact]) -> None:
        """Have everybody hear; raises nothing."""
        for name, listen in self._listeners.items() if facts else ():
            try:
                listen(facts)
            except Exception as error:  # noqa: BLE001 - whoever listens must not harm what it listens to
                self._fails(name, error)

    def _fails(self, name: str, error: Exception) -> None:
        with self._lock:
            before = self._failed.get(name)
            number = 1 if before is None else before.number + 1
            self._failed[name] = Failed(number=number, error=f"{type(error).__name__}: {error}"[:500])
        if before is None:
            _log.error("%s is broken: it raised on what it was told: %s", name, type(error).__name__)

    def failures(self) -> dict[str, Failed]:
        """Return who has raised, for health to show."""
        with self._lock:
            return dict(self._failed)


NOBODY: Final = Audience({})


def timed(audience: Audience, clock: Clock, name: tuple[str, str], number: int, work: Callable[[], T]) -> T:
    """Do something of which the time is told, as ``SUBJECT.DONE``, or ``SUBJECT.failed`` where the store failed.

    What else is raised is the caller's mistake, not something that has happened here.
    """
    if not audience:
        return work()
    began = seconds()

    def tell(done: str, error: str = "") -> None:
        took = timedelta(seconds=seconds() - began)
        audience.tell([Fact(name=f"{name[0]}.{done}", at=clock.now(), number=number, reason=error, took=took)])

    try:
        result = work()
    except StoreError as raised:
        tell("failed", type(raised).__name__)
        raise
    tell(name[1])
    return result
