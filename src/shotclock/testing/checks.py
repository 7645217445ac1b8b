"""Checks the invariants at each commit, on the phases it touched, against the simulation's own account."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from shotclock.model import (
    IMPORTANCES,
    KINDS,
    SATISFIED,
    UNSATISFIED,
    Counts,
    Halt,
    Kind,
    Note,
    Outgoing,
    Phase,
    PhaseState,
    Report,
    Run,
    Tally,
    Task,
)
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings
from shotclock.testing import oracle
from shotclock.testing.lateness import Lateness
from shotclock.testing.records import Record, ordinal_of
from shotclock.testing.rulings import check_failure, check_opening, check_ruling
from shotclock.testing.tap import Change
from shotclock.testing.violation import require

NEXT: dict[PhaseState, frozenset[PhaseState]] = {
    "waiting": frozenset({"waiting", "active", "closing", "opened", "done", "failed", "skipped"}),
    "active": frozenset({"active", "closing", "opened", "done", "failed"}),
    "closing": frozenset({"closing", "opened", "done", "failed"}),
    "opened": frozenset({"opened", "done", "failed"}),
    "done": frozenset({"done"}),
    "failed": frozenset({"failed"}),
    "skipped": frozenset({"skipped"}),
}
"""Which states a commit may take a phase to; it may take it several steps."""
SETTLED = SATISFIED | UNSATISFIED


class Checks:
    """The simulation's account of a store, and what must hold between the two after each commit."""

    def __init__(self, store: Store, settings: Settings, count: Callable[[str], None]) -> None:
        self._store = store
        self._count = count
        self.records: dict[int, Record] = {}
        self.began: Callable[[Snapshot, Run], None] = lambda _view, _run: None
        """Hears of each new generation."""
        self._runs: dict[str, None] = {}
        self.asked: dict[int, datetime] = {}
        """Phases that late reports ask a new generation of, and since when."""
        self.lateness = Lateness(self, settings, count)
        self.halts: dict[tuple[str, datetime], Halt] = {}
        self.superseded: dict[str, None] = {}
        self.keys: dict[str, None] = {}
        """Keys of all that was ever posted."""
        self.folded: dict[str, None] = {}
        """Phases whose end is told in the alert of a resume."""

    def committed(self, change: Change, now: datetime) -> None:
        """Look at what a commit wrote."""
        for halt in change.halts:
            self.halts[halt.scope, halt.since] = halt
        for message in change.posted:
            require(message.key not in self.keys, "I9", f"{message.key} was posted twice")
            self.keys[message.key] = None
            if message.key.startswith("alert:resumed:"):
                self._count("overdue told at once")
                self.folded.update(dict.fromkeys(name.partition(": ")[0] for name in message.body["names"]))
        self._store.read(lambda view: self._look(view, change, now))

    def _look(self, view: Snapshot, change: Change, now: datetime) -> None:
        fenced = [run for run in change.runs if run not in self.superseded and self._is_superseded(view, run)]
        for run_id in change.runs:
            self._run(view, run_id)
        for phase_id in change.phases:
            self._phase(view, phase_id, change, now)
        self._late(view, change, now)
        self.superseded.update(dict.fromkeys(fenced))

    def _run(self, view: Snapshot, run_id: str) -> None:
        run = view.run(run_id)
        if run is not None and run_id not in self._runs:
            self._runs[run_id] = None
            self.began(view, run)

    def _late(self, view: Snapshot, change: Change, now: datetime) -> None:
        """Follow what late reports from outside ask for."""
        for entry in change.entries:
            if entry.kind != "late" or "outcome" not in entry.body:
                continue
            phase = view.phase_of(entry.scope, entry.phase)
            assert phase is not None
            record, report = self.records[phase.id], msgspec.convert(entry.body, Report)
            ordinal = ordinal_of(view, record, entry.member)
            assert ordinal is not None
            self.lateness.reported(report, record, ordinal, now)

    def _is_superseded(self, view: Snapshot, run_id: str) -> bool:
        run = view.run(run_id)
        return run is not None and run.superseded

    def _phase(self, view: Snapshot, phase_id: int, change: Change, now: datetime) -> None:
        phase = view.phase(phase_id)
        record = self.records.get(phase_id) or self._new(view, phase, now)
        before, record.phase = record.phase, phase
        self._moved(record, before, change, now)
        moved = phase.source is None and phase.started_at is not None and self._roll(record, view, change, now)
        if record.closed_at is None and phase.state not in {"waiting", "active", "skipped"} and phase.source is None:
            self._closed(record, now)
        if phase.state == "failed" and phase.started_at is None:
            record.kinds = b"".join(task.kinds for task in view.tasks(phase_id))  # what it took over, if anything
        self._opened(record, view, change)
        if phase.state == "active":
            self._shut(record, now, moved=moved)

    def _new(self, view: Snapshot, phase: Phase, now: datetime) -> Record:
        run = view.run(phase.run)
        assert run is not None
        plan = view.plan(phase.run)
        known = Record(plan=plan, own=plan.phase(phase.name), run=run, phase=phase)
        self.records[phase.id] = known
        self.lateness.began(known, now)
        return known

    def _moved(self, record: Record, before: Phase, change: Change, now: datetime) -> None:
        """Check the step from one state to the next, and note the start and the signal."""
        phase = record.phase
        step = f"{record.where} went from {before.state} to {phase.state}"
        require(phase.state in NEXT[before.state], "I1", step)
        require(phase.run not in self.superseded or phase.state == before.state, "fence", f"{step}, though superseded")
        if phase.signal_at is not None and (record.signal_at is None or record.started_at is None):
            record.signal_at = now
        if record.started_at is None and phase.state not in {"waiting", "skipped"} and phase.source is None:
            self._started(record, change, now)

    def _started(self, record: Record, change: Change, now: datetime) -> None:
        phase = record.phase
        if phase.started_at is None:
            return
        record.started_at = now
        told = [message.key for message in change.posted if message.route == "handover"]
        require(f"handover:{phase.id}:1" in told, "I9", f"{record.where} started, and no hand-over was posted with it")

    def _roll(self, record: Record, view: Snapshot, change: Change, now: datetime) -> bool:
        """Recount the roll, follow who settled, and say whether anybody changed their standing."""
        tasks = view.tasks(record.phase.id)
        kinds, ranks = (
            b"".join(task.kinds for task in tasks),
            b"".join(bytes((task.rank,)) * len(task.kinds) for task in tasks),
        )
        self._whole(record, tasks, len(kinds))
        changed = kinds != record.kinds
        if changed:
            self._kinds(record, tasks, kinds, now)
        record.ranks = ranks
        self._parts(record, tasks, now)
        self._waits(record, change)
        counts = _recount(kinds, ranks)
        require(counts == record.phase.counts, "I6", f"{record.where} counts {record.phase.counts}, its rows {counts}")
        return changed

    def _whole(self, record: Record, tasks: list[Task], size: int) -> None:
        reached = 0
        for task in tasks:
            fits = task.lo == reached and len(task.kinds) == task.hi - task.lo
            require(fits, "I6", f"{record.where}: the ranges of its tasks do not follow each other at {task.lo}")
            reached = task.hi
        require(
            size == record.phase.size, "I6", f"{record.where} says it has {record.phase.size} members, it has {size}"
        )

    def _kinds(self, record: Record, tasks: list[Task], kinds: bytes, now: datetime) -> None:
        """Follow how members' standings changed; a satisfied one stays, and after the close nobody moves."""
        old = record.kinds
        require(
            record.closed_at is None, "I2", f"{record.where} has closed, and a member went on: {old!r} to {kinds!r}"
        )
        notes = {ordinal: note for task in tasks for ordinal, note in task.notes.items()}
        for ordinal, code in enumerate(kinds):
            was = KINDS[old[ordinal]] if ordinal < len(old) else "pending"
            kind = KINDS[code]
            if was in SATISFIED:
                same = was == kind and notes.get(ordinal) == record.notes.get(ordinal)
                require(same, "I7", f"{record.where}: member {ordinal} was {was} for ever, and is {kind}")
            elif not old and kind in UNSATISFIED and _said_at(notes.get(ordinal)) != now:
                require(held=False, name="I7", what=f"{record.where} took over member {ordinal} as {kind}")
            elif kind in SETTLED and kind != was and (old or _said_at(notes.get(ordinal)) == now):
                self._settled(record, now)
        record.kinds, record.notes = kinds, notes

    def _settled(self, record: Record, now: datetime) -> None:
        record.first_at = record.first_at or now
        record.progress_at = now

    def _parts(self, record: Record, tasks: list[Task], now: datetime) -> None:
        parts = tuple((task.lo, number, part.kind) for task in tasks for number, part in sorted(task.parts.items()))
        if record.started_at == now and record.run.generation > 1 and not record.parts:
            came = not self._older_parts(record).issuperset(parts)
        else:
            came = len(parts) >= len(record.parts) and parts != record.parts
        if came:
            self._settled(record, now)
        record.parts = parts

    def _older_parts(self, record: Record) -> frozenset[tuple[int, int, Kind]]:
        """Return the parts that older generations had of a phase: what is carried is no news, what was parked is."""
        every = record.run.id.partition("#")[0]
        older = (one for one in self.records.values() if one.run.id.partition("#")[0] == every and one is not record)
        return frozenset(part for one in older if one.own.name == record.own.name for part in one.parts)

    def _waits(self, record: Record, change: Change) -> None:
        waits = (task.ready_at for task in change.tasks if task.phase == record.phase.id)
        moments = [moment for moment in (record.retry_until, *waits) if moment is not None]
        record.retry_until = max(moments, default=None)

    def _closed(self, record: Record, now: datetime) -> None:
        """Check the decision, on what is known at the commit that made it."""
        phase, halts = record.phase, list(self.halts.values())
        record.closed_at = now
        record.counted = _recount(record.kinds, record.ranks)
        if phase.ruling is not None:
            self._count(f"ruled {phase.ruling.reason}{' partial' if phase.ruling.partial else ''}")
            check_ruling(record, phase.ruling, halts, now)
        else:
            self._count("failed")
            check_failure(record, halts, now)

    def _opened(self, record: Record, view: Snapshot, change: Change) -> None:
        """Check an opening when it is written, and that it stays."""
        opening = view.opening(record.phase.id)
        if record.opening is not None:
            require(opening == record.opening, "I1", f"the opening of {record.where} has changed")
            return
        over = record.phase.state in {"opened", "done"}
        require(
            opening is not None or not over, "I1", f"{record.where} is {record.phase.state}, and there is no opening"
        )
        record.opening = opening
        known = not record.phase.folded or record.where in self.folded
        require(known, "I4", f"the opening of {record.where} is told in no alert")
        if opening is not None and record.phase.source is None:
            check_opening(record, opening, _alerts(change.posted, record.phase.id))

    def _shut(self, record: Record, now: datetime, *, moved: bool) -> None:
        """Check that a gate whose rule has come to hold is not left shut, and note since when it holds."""
        holds = oracle.rule_holds(record, now) and not oracle.critical_missing(record)
        halts = list(self.halts.values())
        record.held_since = (record.held_since or now) if holds else None
        free = record.own.gate.check is None and not oracle.is_halted(record, halts, now)
        waited = bool(record.phase.counts.optional.pending)
        if moved and holds and free and not waited and not oracle.too_old(record, halts, now):
            require(held=False, name="I5", what=f"the rule of {record.where} holds, and its gate stays shut")


def _said_at(note: Note | None) -> datetime | None:
    """Return when a member settled, which tells those of now from those taken over from an earlier generation."""
    return None if note is None else note.at


def _alerts(posted: list[Outgoing], phase_id: int) -> int:
    return sum(message.key.startswith(f"alert:{phase_id}:opening") for message in posted)


def _recount(kinds: bytes, ranks: bytes) -> Counts:
    """Count members by importance and kind, from the rows alone."""
    tallies: list[dict[str, int]] = [{}, {}, {}]
    for code, rank in zip(kinds, ranks, strict=True):
        kind = KINDS[code]
        tallies[rank][kind] = tallies[rank].get(kind, 0) + 1
    return Counts(**{name: Tally(**tally) for name, tally in zip(IMPORTANCES, tallies, strict=True)})
