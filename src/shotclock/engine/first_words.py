"""Reports that came together, in order: first words on items are gathered and written by task, others one by one.

Nearly every report to a large roll is the first word on a pending item that reports from outside. Nothing about it
depends on the reports around it, so what many of them change is put down once: a task, a phase's counts. Whatever else
a report may be, the gathered ones are written before it is looked at, so that it finds the state it would have found.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, field

from shotclock.core import settling
from shotclock.engine import flow, recording, rolls
from shotclock.engine.desk import Desk
from shotclock.model import Answer, Contract, Importance, Kind, Note, Phase, Report, Task

_PENDING: Final = 0
"""The byte of a member that has not settled."""


def take_all(desk: Desk, reports: Sequence[Report], record: Callable[[Desk, Report], Answer]) -> list[Answer]:
    """Take reports, in order; `record` takes one that is no first word on an item."""
    recording.look_ahead(desk, reports)
    first, answers = _FirstWords(desk), list[Answer]()
    for report in reports:
        answer = first.take(report)
        if answer is None:
            first.write()
            answer = record(desk, report)
        answers.append(answer)
    first.write()
    return answers


class _Place(Struct, kw_only=True):
    """A phase at work whose items were looked for ahead, and what was said of them here."""

    phase: Phase
    contract: Contract
    absent: tuple[str, ...]
    task: Task | None = None
    """The one that was spoken of last: reports often follow the roll."""
    tasks: dict[int, Task] = field(default_factory=dict)
    said: dict[int, dict[int, tuple[Kind, Note]]] = field(default_factory=dict)
    """By start of the task, then by ordinal."""
    counts: Counter[tuple[Importance, Kind]] = field(default_factory=Counter)


class _FirstWords:
    """What was said of items that nobody had spoken of, until it is written."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._most = desk.settings.payload_bytes
        self._places: dict[int, _Place] = {}
        self._named: dict[tuple[str, str], _Place | None] = {}
        """The same places by what reports call them; a run goes by two names, with its generation and without."""

    def take(self, report: Report) -> Answer | None:
        """Take a report if it is a first word, and return its answer; None where it has to be recorded by itself."""
        place = self._place_of(report)
        if place is None or report.token is not None or report.part is not None or report.override or report.retry:
            return None
        ordinal = self._desk.found.get((place.phase.id, report.member))
        if ordinal is None or report.member in place.absent:
            return None
        task = self._task_at(place, ordinal)
        if task is None or task.kinds[ordinal - task.lo] != _PENDING or ordinal in place.said.get(task.lo, ()):
            return None
        if recording.unfit(report, self._most) is not None:
            return None
        kind = settling.settled_kind(report, place.contract)
        note = settling.note_of(report, kind, place.contract, self._desk.now)
        place.said.setdefault(task.lo, {})[ordinal] = kind, note
        place.counts[rolls.importance_of(task), kind] += 1
        return recording.accepted(report, kind)

    def write(self) -> None:
        """Write what was taken, as one change of each task and phase; have the phases' gates decided."""
        desk = self._desk
        for place in self._places.values():
            if not place.counts:
                continue
            for lo, said in place.said.items():
                task = place.tasks[lo]
                desk.put_task(settling.settle_first(task, said), task.token)
            phase = flow.mark_started(desk, place.phase)
            for (importance, kind), number in place.counts.items():
                phase = desk.put(settling.moved(phase, importance, "pending", kind, number, desk.now))
            desk.touch(phase)
        self._places.clear()
        self._named.clear()

    def _place_of(self, report: Report) -> _Place | None:
        key = report.run, report.phase
        if key not in self._named:
            self._named[key] = self._found(*key)
        return self._named[key]

    def _found(self, run_id: str, name: str) -> _Place | None:
        """Return the phase that reports name, if it has items, is at work, and counts what is said of it."""
        desk, phase = self._desk, recording.item_phase(self._desk, run_id, name)
        if phase is None or phase.state != "active":
            return None
        run, own = desk.run(phase.run), desk.plan_of(phase)
        if own.items is None or run.state != "running" or run.superseded:
            return None
        place = _Place(phase=phase, contract=own.items.contract, absent=own.absent)
        return self._places.setdefault(phase.id, place)

    def _task_at(self, place: _Place, ordinal: int) -> Task | None:
        """Return the task that holds an item, if its members report from outside."""
        task = place.task
        if task is None or not task.lo <= ordinal < task.hi:
            task = self._desk.task_at(rolls.facts(place.phase), ordinal)
            if task is None or task.work != "outside":
                return None
            place.task = place.tasks[task.lo] = task
        return task
