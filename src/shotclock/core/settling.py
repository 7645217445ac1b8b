"""What a report means: how it is answered, and what it makes of its member's standing.

Answers, first that fits: parked (unknown run, phase or member), fenced (an old token, a superseded generation named),
withdrawn, duplicate, late (the phase or run is over), conflict, accepted. Parked is answered where names are looked up.

Standings of a member (satisfied is final)::

    pending      -> satisfied    succeeded, empty, skipped
                 -> unsatisfied  failed, timed_out, abandoned, suspect
                 -> withdrawn    an operator takes it out of the roll
    unsatisfied  -> satisfied    better news before the close; the old settlement goes to history
                 -> pending      a re-run before the close; likewise
                 -> withdrawn
    withdrawn    -> pending      re-admitted
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from shotclock.model import (
    ACCEPTING,
    CODE,
    KINDS,
    Answer,
    Batch,
    Contract,
    Importance,
    Kind,
    Note,
    Phase,
    Report,
    Run,
    Task,
    standing_of,
)

V = TypeVar("V")

_NOTHING = Note()


class Subject(Struct, frozen=True, kw_only=True):
    """The member a report speaks of, as the store knows it."""

    run: Run
    names_generation: bool
    """Whether the report named the generation, rather than meaning the newest."""
    phase: Phase
    task: Task
    ordinal: int
    late: tuple[Report, ...] = ()
    """Late reports kept for this member, the oldest first."""
    contract: Contract = Contract()

    @property
    def kind(self) -> Kind:
        """How the member stands."""
        return kind_of(self.task, self.ordinal)

    @property
    def note(self) -> Note:
        """What it said when it settled."""
        return self.task.notes.get(self.ordinal, _NOTHING)


def kind_of(task: Task, ordinal: int) -> Kind:
    """Return how a member of a task's range stands."""
    return KINDS[task.kinds[ordinal - task.lo]]


def answer(subject: Subject, report: Report) -> Answer:
    """Say how a report about a known member is taken."""
    if subject.names_generation and subject.run.superseded:
        return Answer(kind="fenced", detail=f"{subject.run.id} is superseded by a newer generation")
    fence = _fence(subject, report)
    if fence is not None:
        return fence
    if subject.kind == "withdrawn":
        return Answer(kind="withdrawn", detail="the member is not in the roll; the report is kept for its re-admission")
    if _repeats(subject, report):
        return Answer(kind="duplicate", detail=f"the same was stored before; the member is {subject.kind}")
    if subject.phase.state not in ACCEPTING or subject.run.state != "running":
        return Answer(kind="late", detail=f"the phase is {subject.phase.state}; stored, and changes nothing")
    return _standing_answer(subject, report)


def _fence(subject: Subject, report: Report) -> Answer | None:
    """Refuse a token that is not the current one, and a report past a worker without an operator's word."""
    if report.token is not None and report.token != subject.task.token:
        return Answer(kind="fenced", detail=f"token {report.token} is not the current one, {subject.task.token}")
    if subject.task.work != "outside" and report.token is None and not report.override:
        return Answer(kind="fenced", detail="a worker settles this member; an operator may override it")
    return None


def _repeats(subject: Subject, report: Report) -> bool:
    """Say whether the same content has been stored already, as settlement, part or late report."""
    if subject.late and any(_content(earlier) == _content(report) for earlier in subject.late):
        return True
    if report.part is not None:
        known = subject.task.parts.get(report.part.number)
        said = known is not None and (known.kind, known.reason, known.rows, known.outputs)
        return said == (report.outcome, report.reason, report.rows, report.outputs)
    if subject.kind == "pending":
        return False
    note, kind = subject.note, settled_kind(report, subject.contract)
    reasons = {report.reason, broken(report.rows, subject.contract)} if kind == "suspect" else {report.reason}
    said_so = note.reason in reasons and (note.rows, note.outputs) == (report.rows, report.outputs)
    return subject.kind == kind and said_so


def _content(report: Report) -> tuple[object, ...]:
    """Return what makes two reports the same: never times, tokens or who sent them."""
    return (report.outcome, report.reason, report.rows, report.outputs, report.retry, report.part)


def _standing_answer(subject: Subject, report: Report) -> Answer:
    """Take a first report, a part, and better news about an unsatisfied member; the rest is a contradiction."""
    stands = standing_of(subject.kind)
    better = report.part is not None or standing_of(settled_kind(report, subject.contract)) == "satisfied"
    if stands == "pending" or (stands == "unsatisfied" and better):
        return Answer(kind="accepted")
    return Answer(kind="conflict", detail=f"the member is {subject.kind} already; the other content is kept beside it")


def settled_kind(report: Report, contract: Contract) -> Kind:
    """Return the kind a report without parts settles its member at.

    It is `pending` for a mere note, `suspect` for a success that breaks the contract.
    """
    if report.outcome == "failed" and report.retry:
        return "pending"
    return judged(report.outcome, report.rows, contract)


def judged(kind: Kind, rows: int | None, contract: Contract) -> Kind:
    """Turn a success with fewer rows than the contract asks for, or unstated ones, into `suspect`."""
    if kind == "succeeded" and contract.min_rows > 0 and (rows is None or rows < contract.min_rows):
        return "suspect"
    return kind


def broken(rows: int | None, contract: Contract) -> str:
    """Say how a success breaks its contract."""
    return f"min_rows {contract.min_rows}, reported {'none' if rows is None else rows}"


class Settled(Struct, frozen=True, kw_only=True):
    """A task after a member of it changed its standing, and from which kind to which."""

    task: Task
    was: Kind
    kind: Kind


def settle(task: Task, ordinal: int, kind: Kind, note: Note) -> Settled:
    """Put one member of a task at a kind.

    A task whose members have all settled is ended; one of whom a member is pending again is queued again, and its
    attempts start anew.
    """
    was = kind_of(task, ordinal)
    place = ordinal - task.lo
    kinds = task.kinds[:place] + bytes((CODE[kind],)) + task.kinds[place + 1 :]
    notes = {**task.notes, ordinal: note} if note != _NOTHING else _less(task.notes, ordinal)
    tries, not_yet = _less(task.tries, ordinal), _less(task.not_yet, ordinal)
    batches = task.batches if was == "pending" else uncounted(task.batches, [ordinal])
    changed = replace(task, kinds=kinds, notes=notes, tries=tries, not_yet=not_yet, batches=batches)
    if kind == "pending" and task.state == "ended":
        changed = replace(changed, state="queued", losses=0)
    return Settled(task=ended(changed), was=was, kind=kind)


def settle_first(task: Task, said: Mapping[int, tuple[Kind, Note]]) -> Task:
    """Put members of a task from outside, all of them pending, at what was said of each, by ordinal."""
    kinds = bytearray(task.kinds)
    for ordinal, (kind, _) in said.items():
        kinds[ordinal - task.lo] = CODE[kind]
    notes = {**task.notes, **{ordinal: note for ordinal, (_, note) in said.items()}}
    return replace(task, kinds=bytes(kinds), notes=notes)


def note_of(report: Report, kind: Kind, contract: Contract, now: datetime) -> Note:
    """Return what is kept of a report that settles its member at `kind`."""
    reason = broken(report.rows, contract) if kind == "suspect" else report.reason
    return Note(reason=reason, rows=report.rows, outputs=report.outputs, as_of=report.as_of, at=now, by=report.actor)


def _less(said: dict[int, V], ordinal: int) -> dict[int, V]:
    """Return what is said of all members but one."""
    if ordinal not in said:
        return said
    return {other: value for other, value in said.items() if other != ordinal}


def uncounted(batches: Iterable[Batch], gone: Sequence[int]) -> tuple[Batch, ...]:
    """Return the batches without the members in `gone` (rising ordinals), whom they no longer settle."""
    left = (replace(batch, ranges=tuple(_without(batch.ranges, gone))) for batch in batches)
    return tuple(batch for batch in left if batch.ranges)


def _without(ranges: Iterable[tuple[int, int]], gone: Sequence[int]) -> Iterator[tuple[int, int]]:
    for low, high in ranges:
        start = low
        for ordinal in gone[bisect_left(gone, low) : bisect_left(gone, high)]:
            if start < ordinal:
                yield start, ordinal
            start = ordinal + 1
        if start < high:
            yield start, high


def ended(task: Task) -> Task:
    """Return the task, ended and free of its lease if nobody of its range is pending any more."""
    if task.work == "outside" or CODE["pending"] in task.kinds:
        return task
    return replace(task, state="ended", owner=None, lease_until=None, ready_at=None)


def fenced(task: Task) -> Task:
    """Return the task with its token raised, so that whoever holds it counts no longer."""
    if task.work == "outside":
        return task
    state = "queued" if task.state == "leased" else task.state
    return replace(task, token=task.token + 1, state=state, owner=None, lease_until=None)


def moved(phase: Phase, importance: Importance, was: Kind, kind: Kind, number: int, now: datetime) -> Phase:
    """Return the phase after `number` members of one importance went from one kind to another.

    Any settlement anchors the clocks that count from the first report; becoming unsatisfied is worse, and so is a
    change of the roll.
    """
    before, after = standing_of(was), standing_of(kind)
    worse = (before == "pending" and after == "unsatisfied") or "withdrawn" in {before, after}
    settles = after in {"satisfied", "unsatisfied"}
    return replace(
        phase,
        counts=phase.counts.move(importance, was, kind, number),
        first_at=phase.first_at or (now if settles else None),
        progress_at=now,
        changes=phase.changes + 1,
        worse=phase.worse + worse,
    )
