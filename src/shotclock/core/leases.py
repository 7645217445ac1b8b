"""The work on a task: leasing, losing, giving back, splitting, retrying, giving up.

A token grows at every lease and fences all earlier ones. A chunk that ended without outcomes is split in halves when
it is leased again, down to the single item, which alone can run out of attempts that way. Lost leases consume no
attempt, but are counted on their own. A request to be tried again consumes no attempt either, but the hourly bound.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from shotclock.core.settling import broken, ended, judged
from shotclock.model import CODE, KINDS, UNSATISFIED, Again, Batch, Contract, Kind, Note, Task, TaskReport

PENDING = CODE["pending"]
_WORSE = frozenset(CODE[kind] for kind in UNSATISFIED)
HOUR = timedelta(hours=1)
NOT_YET_MOST = 3
"""The answer "not yet" that settles as empty."""


class Limits(Struct, frozen=True, kw_only=True):
    """The bounds a task is worked on under."""

    attempts: int
    max_leases: int
    hourly: int
    retry_first: timedelta
    retry_most: timedelta


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """What became of a task: how many members went from `pending` to each kind, and who was given up on, and why."""

    task: Task
    settled: dict[Kind, int] = {}
    given_up: dict[int, str] = {}
    spawned: Task | None = None
    """The other half of a chunk that was split."""
    waits_until: datetime | None = None
    """When the next attempt may start, where one was put off."""


def pending(task: Task) -> list[int]:
    """Return the ordinals of a task's range that have not settled."""
    return [task.lo + place for place, code in enumerate(task.kinds) if code == PENDING]


def lease(task: Task, owner: str, now: datetime, until: datetime, limits: Limits) -> Change:
    """Take a task that is queued, or whose lease has run out.

    Returns it with its token raised; or ended, if it has now been lost too often, with its members given up on.
    """
    if task.state == "leased":
        task = lost(task)
    if task.losses >= limits.max_leases:
        return _give_up(task, "abandoned", f"its lease was lost {task.losses} times; last owner {task.owner}", now)
    half, rest = _halves(task) if task.halve else (task, None)
    hour = task.hour_at if task.hour_at is not None and now - task.hour_at < HOUR else None
    taken = replace(
        half,
        state="leased",
        token=task.token + 1,
        owner=owner,
        leased_at=now,
        lease_until=until,
        ready_at=None,
        halve=False,
        hour_at=hour or now,
        hour_leases=task.hour_leases + 1 if hour else 1,
    )
    return Change(task=taken, spawned=rest)


def lost(task: Task) -> Task:
    """Return a leased task as queued after its lease was lost; of a chunk only half will be leased next."""
    alone = len(pending(task)) <= 1
    return replace(task, state="queued", lease_until=None, losses=task.losses + 1, halve=not alone, ready_at=None)


def give_back(task: Task) -> Task:
    """Return a leased task as queued, nothing counted: its worker stops."""
    return replace(task, state="queued", owner=None, lease_until=None, ready_at=None)


def _halves(task: Task) -> tuple[Task, Task | None]:
    """Split a chunk so that each half has half of what is pending; both are fenced against its last lease."""
    left = pending(task)
    if len(left) < 2:  # noqa: PLR2004 - one cannot be halved
        return task, None
    middle = left[(len(left) + 1) // 2]
    place = middle - task.lo
    first = _part_of(task, task.lo, middle, task.kinds[:place])
    second = _part_of(task, middle, task.hi, task.kinds[place:])
    return first, replace(second, token=task.token + 1, state="queued", owner=None, leased_at=None, halve=False)


def apart(task: Task, ordinal: int) -> tuple[Task, ...]:
    """Return a range cut so that one member of it has a task of its own; the piece that keeps the start comes first."""
    edges = sorted({task.lo, ordinal, ordinal + 1, task.hi})
    return tuple(_part_of(task, lo, hi, task.kinds[lo - task.lo : hi - task.lo]) for lo, hi in pairwise(edges))


def _part_of(task: Task, lo: int, hi: int, kinds: bytes) -> Task:
    cut = tuple(batch for batch in (_within(batch, lo, hi) for batch in task.batches) if batch.ranges)
    return replace(
        task,
        lo=lo,
        hi=hi,
        kinds=kinds,
        batches=cut,
        notes={number: note for number, note in task.notes.items() if lo <= number < hi},
        tries={number: count for number, count in task.tries.items() if lo <= number < hi},
        not_yet={number: count for number, count in task.not_yet.items() if lo <= number < hi},
    )


def _within(batch: Batch, lo: int, hi: int) -> Batch:
    ranges = ((max(start, lo), min(stop, hi)) for start, stop in batch.ranges)
    return replace(batch, ranges=tuple(span for span in ranges if span[0] < span[1]))


def take_report(
    task: Task, report: TaskReport, limits: Limits, contract: Contract, now: datetime, jitter: float
) -> Change:
    """Apply what the holder of a task's current token says of its members.

    Whoever has settled already stays as it is. A member that an ended lease says nothing of has failed an attempt.
    """
    before = task
    task, settled = _settle(task, report, contract, now)
    if PENDING not in task.kinds:
        return Change(task=ended(task), settled=settled, given_up=_given_up(task, before))
    task, over = _count_attempts(task, report, limits, now)
    settled = {kind: settled.get(kind, 0) + over.get(kind, 0) for kind in (*settled, *over)}
    wait = _wait(task, report, limits, now, jitter)
    if PENDING in task.kinds and report.ended:
        task = replace(task, state="queued", owner=None, lease_until=None, ready_at=wait)
    return Change(task=ended(task), settled=settled, given_up=_given_up(task, before), waits_until=task.ready_at)


def _given_up(task: Task, before: Task) -> dict[int, str]:
    """Return who of those pending before has now settled unsatisfied, and why."""
    if _WORSE.isdisjoint(task.kinds):
        return {}
    lost_ones = (ordinal for ordinal in pending(before) if KINDS[task.kinds[ordinal - task.lo]] in UNSATISFIED)
    return {ordinal: task.notes.get(ordinal, Note()).reason or "no reason given" for ordinal in lost_ones}


def take_late(task: Task, report: TaskReport, contract: Contract, now: datetime) -> Task:
    """Return a task with what a worker's late report says of its pending members, as a new generation carries it."""
    return _settle(task, report, contract, now)[0]


def _settle(task: Task, report: TaskReport, contract: Contract, now: datetime) -> tuple[Task, dict[Kind, int]]:
    """Put every pending member that the report speaks of at its kind."""
    plain = not report.notes and not contract.min_rows
    if plain and len(report.kinds) == len(task.kinds) and PENDING not in report.kinds and not any(task.kinds):
        return _settle_all(task, report, now)
    kinds, notes = bytearray(task.kinds), dict(task.notes)
    settled: dict[Kind, int] = {}
    places = [place for place, code in enumerate(report.kinds) if code != PENDING and kinds[place] == PENDING]
    for place in places:
        ordinal = task.lo + place
        note = report.notes.get(ordinal)
        kind = judged(KINDS[report.kinds[place]], note.rows if note else None, contract)
        if kind == "suspect":
            note = replace(note or Note(), reason=broken(note.rows if note else None, contract))
        kinds[place] = CODE[kind]
        settled[kind] = settled.get(kind, 0) + 1
        if note is not None:
            notes[ordinal] = note
    if not places:
        return task, settled
    batch = Batch(
        token=report.token, at=now, ranges=_ranges(task.lo, places), outputs=report.outputs, flags=report.flags
    )
    changed = replace(
        task,
        kinds=bytes(kinds),
        notes=notes,
        tries=_still(task.tries, task.lo, kinds),
        not_yet=_still(task.not_yet, task.lo, kinds),
        batches=(*task.batches, batch),
        losses=0,
    )
    return changed, settled


def _settle_all(task: Task, report: TaskReport, now: datetime) -> tuple[Task, dict[Kind, int]]:
    """Put all members, pending every one, at kinds that nothing more is said of: what most reports come to."""
    settled = {KINDS[code]: report.kinds.count(code) for code in set(report.kinds)}
    batch = Batch(token=report.token, at=now, ranges=((task.lo, task.hi),), outputs=report.outputs, flags=report.flags)
    changed = replace(task, kinds=report.kinds, tries={}, not_yet={}, batches=(*task.batches, batch), losses=0)
    return changed, settled


def _still(counted: dict[int, int], lo: int, kinds: bytearray) -> dict[int, int]:
    """Keep what was counted for those that are still pending."""
    return {ordinal: count for ordinal, count in counted.items() if count and kinds[ordinal - lo] == PENDING}


def _ranges(lo: int, places: list[int]) -> tuple[tuple[int, int], ...]:
    """Fold rising places into half-open ranges of ordinals."""
    ranges: list[tuple[int, int]] = []
    for place in places:
        ordinal = lo + place
        if ranges and ranges[-1][1] == ordinal:
            ranges[-1] = (ranges[-1][0], ordinal + 1)
        else:
            ranges.append((ordinal, ordinal + 1))
    return tuple(ranges)


def _count_attempts(task: Task, report: TaskReport, limits: Limits, now: datetime) -> tuple[Task, dict[Kind, int]]:
    """Count a failed attempt for every member that had one, and give up on those that have no more."""
    failures = _failures(task, report)
    over: dict[Kind, int] = {}
    if not failures:
        return task, over
    kinds, notes, tries = bytearray(task.kinds), dict(task.notes), dict(task.tries)
    not_yet = dict(task.not_yet)
    alone = len(failures) == 1 or report.whole is None
    for ordinal, again in failures.items():
        counter = not_yet if again.cause == "not_yet" else tries
        counter[ordinal] = counter.get(ordinal, 0) + (again.cause != "retry")
        own = alone or ordinal in report.again or again.cause == "not_yet"
        kind = _end_of(again, counter[ordinal], limits) if own else None
        if kind is None:
            continue
        kinds[ordinal - task.lo] = CODE[kind]
        notes[ordinal] = Note(reason=again.reason, at=now)
        over[kind] = over.get(kind, 0) + 1
    halve = report.whole is not None and report.whole.cause not in {"retry", "not_yet"} and not alone
    error = next(iter(failures.values())).reason
    changed = replace(
        task,
        kinds=bytes(kinds),
        notes=notes,
        tries=_still(tries, task.lo, kinds),
        halve=halve,
        not_yet=_still(not_yet, task.lo, kinds),
        losses=0 if over else task.losses,
        error=error,
    )
    return changed, over


def _failures(task: Task, report: TaskReport) -> dict[int, Again]:
    """Return why each pending member of an attempt did not settle; without a word of its own, why the whole did not."""
    rest = report.whole or Again(cause="error", reason="no outcome was returned for it")
    unsettled = pending(task)
    if report.ended:
        return {ordinal: report.again.get(ordinal, rest) for ordinal in unsettled}
    return {ordinal: report.again[ordinal] for ordinal in unsettled if ordinal in report.again}


def _end_of(again: Again, tries: int, limits: Limits) -> Kind | None:
    """Return the kind at which a member without further attempts settles, or None if it may try again."""
    if again.cause == "not_yet":
        return "empty" if tries >= NOT_YET_MOST else None
    if again.cause == "retry" or tries < limits.attempts:
        return None
    return "timed_out" if again.cause == "timed_out" else "failed"


def _wait(task: Task, report: TaskReport, limits: Limits, now: datetime, jitter: float) -> datetime | None:
    """Return when the next attempt may start: as asked for, else after a wait that doubles; within the hourly bound."""
    failures = [again for ordinal, again in report.again.items() if ordinal in pending(task)]
    failures += [report.whole] if report.whole else []
    asked = [_asked(again, now) for again in failures if again.after is not None or again.not_before is not None]
    tries = max(task.tries.values(), default=0)
    back_off = min(limits.retry_first * 2 ** max(min(tries, 30) - 1, 0), limits.retry_most)
    wait = max(asked) if asked else now + back_off * (0.5 + jitter / 2)
    if task.hour_at is not None and task.hour_leases >= limits.hourly:
        wait = max(wait, task.hour_at + HOUR)
    return wait


def _asked(again: Again, now: datetime) -> datetime:
    return max(again.not_before or now, now + (again.after or timedelta(0)))


def _give_up(task: Task, kind: Kind, reason: str, now: datetime) -> Change:
    """Settle all that is pending in a task at `kind`, and end it."""
    left = pending(task)
    kinds = task.kinds.replace(bytes((PENDING,)), bytes((CODE[kind],)))
    notes = {**task.notes, **{ordinal: Note(reason=reason, at=now) for ordinal in left}}
    over = replace(task, kinds=kinds, notes=notes, state="ended", owner=None, lease_until=None, error=reason)
    return Change(task=over, settled={kind: len(left)} if left else {}, given_up=dict.fromkeys(left, reason))


def abandon(task: Task, reason: str, now: datetime) -> Change:
    """Give up on all that is pending in a task, as when the phase's budget is spent."""
    return _give_up(task, "abandoned", reason, now)


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of an enumeration or a consolidation: completed, to be tried again, or failed for good."""

    task: Task
    failed: str | None = None


def take_single(task: Task, report: TaskReport, limits: Limits, now: datetime, jitter: float) -> Verdict:
    """Apply what the holder of an enumeration's or consolidation's token says of it."""
    if report.whole is None and report.permanent is None:
        done = replace(task, state="ended", owner=None, lease_until=None, result=report.outputs, error=None)
        return Verdict(task=done)
    again = report.whole or Again(cause="error", reason="")
    tries = task.tries.get(task.lo, 0) + (again.cause not in {"retry", "not_yet"})
    if report.permanent is not None or tries >= limits.attempts:
        reason = report.permanent or again.reason
        over = replace(task, state="ended", owner=None, lease_until=None, error=reason)
        return Verdict(task=over, failed=reason)
    counted = replace(task, tries={task.lo: tries} if tries else {}, error=again.reason)
    wait = _wait(counted, report, limits, now, jitter)
    return Verdict(task=replace(counted, state="queued", owner=None, lease_until=None, ready_at=wait))
