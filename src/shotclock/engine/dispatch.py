"""How many tasks of a phase go out, and when: room for workers, the ramp of a fan-out, breakers on repeated errors."""

from datetime import datetime

from msgspec.structs import replace

from shotclock.core import ramp, storm
from shotclock.core.leases import Change
from shotclock.engine.desk import Desk
from shotclock.model import SATISFIED, Again, Breaker, Failure, Phase, PhasePlan, Ramp, Task, TaskReport
from shotclock.ports import Snapshot

AT_WORK = frozenset({"active", "opened"})
"""States of a phase in which tasks of it are leased."""
ITEMS = -1
"""The breaker of all items of a fan-out; those of named members go by their ordinals."""
WIDE = 16
"""Windows of one worker at which a ramp ends, where the phase has no `max_in_flight`."""


def room(desk: Desk, phase: Phase, own: PhasePlan, busy: int) -> int:
    """Return how many more tasks of a phase a worker may hold that holds `busy` of them."""
    free = own.execution.max_workers - busy
    bound = _window(desk, phase, own)
    if free <= 0 or bound is None:
        return free
    return min(free, bound - _in_flight(desk, phase)) if bound > 0 else 0


def _window(desk: Desk, phase: Phase, own: PhasePlan) -> int | None:
    """Return how many tasks of a phase all workers may hold together; None without a bound."""
    bounds = [own.execution.max_in_flight] if own.execution.max_in_flight else []
    if phase.state == "active" and phase.ramp is not None:
        ramped = ramp.window(phase.ramp, desk.now, _ramp_limits(desk, own))
        bounds += [] if ramped is None else [ramped]
    return min(bounds, default=None)


def _in_flight(desk: Desk, phase: Phase) -> int:
    return sum(_is_held(desk, phase, task) for task in desk.tx.leased(phase_id=phase.id))


def _is_held(desk: Desk, phase: Phase, task: Task) -> bool:
    """Say whether a leased task is in flight: its lease has not run out, and its phase still wants it."""
    wanted = (task.work == "then") == (phase.state == "opened")
    return wanted and task.lease_until is not None and task.lease_until > desk.now


def leasable(desk: Desk, phase: Phase, limit: int, tags: frozenset[str]) -> list[Task]:
    """Return tasks that may be leased by a worker with these tags.

    Of an opened phase that is only its consolidation, whatever else is queued. Of a fan-out whose items all fail with
    the same error it is the listing, and now and then one task that tries whether the error is over. Tags are asked
    for by the work on members and items, not by listing and consolidation.
    """
    if phase.state == "opened":
        return _single(desk.tx, phase, "then", desk.now)
    if phase.state not in AT_WORK:
        return []
    own = desk.plan_of(phase)
    if own.items is None:
        return _members(desk, phase, own, limit, tags)
    breaker = phase.breakers.get(ITEMS)
    fitting = tags.issuperset(own.execution.tags)
    if fitting and (breaker is None or breaker.until is None):
        return desk.tx.leasable(phase.id, desk.now, limit)
    listing = _single(desk.tx, phase, "enumerate", desk.now)
    if listing or not fitting or (breaker is not None and not storm.may_try(breaker, desk.now)):
        return listing
    return desk.tx.leasable(phase.id, desk.now, 1)


def _members(desk: Desk, phase: Phase, own: PhasePlan, limit: int, tags: frozenset[str]) -> list[Task]:
    """Return tasks of named members that these tags are enough for; all are looked at only where any asks for one."""
    if not own.asks:
        return desk.tx.leasable(phase.id, desk.now, limit)
    fitting = {lo for lo in range(len(own.members)) if tags >= own.tags_of(lo)}
    found = desk.tx.leasable(phase.id, desk.now, len(own.members))
    return [task for task in found if task.lo in fitting][:limit]


def _single(tx: Snapshot, phase: Phase, work: str, now: datetime) -> list[Task]:
    task = tx.task(phase.id, work, 0)  # type: ignore[arg-type]  # the callers pass literals
    if task is None or task.state not in {"queued", "leased"}:
        return []
    since = task.ready_at if task.state == "queued" else task.lease_until
    return [task] if since is None or since <= now else []


def sent_out(desk: Desk, phase: Phase, own: PhasePlan, task: Task) -> Phase:
    """Note that a task was leased: a ramp begins with the first chunk, an open breaker waits for how this one ends."""
    slot = _slot(task)
    breaker = phase.breakers.get(slot) if slot is not None else None
    if breaker is not None and slot is not None and breaker.until is not None:
        trying = storm.tried(breaker, desk.now, _storm_limits(desk, slot))
        phase = desk.change(phase, breakers={**phase.breakers, slot: trying})
    if task.work == "chunk" and phase.ramp is None:
        phase = desk.change(phase, ramp=ramp.begin(own.execution.max_workers, desk.now))
    return phase


def heard(
    desk: Desk, phase: Phase, own: PhasePlan, report: TaskReport, change: Change, task: Task
) -> tuple[Phase, Task]:
    """Take from a worker's report how the dispatch goes on; return phase and task, whose next attempt may be put off.

    `task` is as it was leased. What costs nothing while all goes well: a ramp that is wide and a breaker that is closed
    are left alone.
    """
    wide = phase.ramp is None or phase.ramp.window is None
    if wide and not phase.breakers and report.whole is None and not report.again:
        return phase, change.task
    said = [*([report.whole] if report.whole else []), *report.again.values()]
    answered = not SATISFIED.isdisjoint(change.settled)
    if task.work == "chunk":
        phase = _ramped(
            desk, phase, own, task, refused=not change.settled and _causes(said, "retry"), answered=answered
        )
    return _guarded(desk, phase, change.task, _failure(said, change.task, desk.now), answered=answered)


def _causes(said: list[Again], *causes: str) -> bool:
    return any(again.cause in causes for again in said)


def _failure(said: list[Again], task: Task, now: datetime) -> Failure | None:
    """Return what went wrong in an attempt, where something did; a wish to be asked again is no failure."""
    wrong = next((again.reason for again in said if again.cause not in {"retry", "not_yet"}), None)
    return None if wrong is None or _slot(task) is None else Failure(at=now, error=wrong)


def _ramped(desk: Desk, phase: Phase, own: PhasePlan, task: Task, *, refused: bool, answered: bool) -> Phase:
    before = phase.ramp or Ramp(window=None, since=desk.now)
    after = before
    if refused:
        leased_at = task.leased_at or desk.now
        after = ramp.refused(before, leased_at, 1 + _in_flight(desk, phase), desk.now, _ramp_limits(desk, own))
    elif answered and before.window is not None:
        after = ramp.acknowledged(before, desk.now, _ramp_limits(desk, own))
    return phase if after == before else desk.change(phase, ramp=after)


def _guarded(desk: Desk, phase: Phase, task: Task, failure: Failure | None, *, answered: bool) -> tuple[Phase, Task]:
    """Feed the breaker of whoever the task is for; an attempt that it holds up is put off until it lets one through."""
    slot = _slot(task)
    if slot is None or (failure is None and slot not in phase.breakers):
        return phase, task
    if answered:
        return desk.change(phase, breakers=_without(phase.breakers, slot)), task
    if failure is None:
        return phase, task
    step = storm.failed(phase.breakers.get(slot, Breaker()), failure, _storm_limits(desk, slot))
    phase = desk.change(phase, breakers={**phase.breakers, slot: step.breaker})
    if step.alert is not None:
        name = "items" if slot == ITEMS else desk.plan_of(phase).members[slot].name
        command = f"shotclock explain {phase.run} {phase.name}"
        turn = f"{slot}:{desk.now.isoformat()}"
        desk.alert(phase, "breaker", f"{name}: {step.alert}", turn=turn, names=(name,), command=command)
    until = step.breaker.until
    if slot == ITEMS or until is None or task.state != "queued":
        return phase, task
    return phase, replace(task, ready_at=until if task.ready_at is None else max(task.ready_at, until))


def _without(breakers: dict[int, Breaker], slot: int) -> dict[int, Breaker]:
    return {other: breaker for other, breaker in breakers.items() if other != slot}


def _slot(task: Task) -> int | None:
    if task.work == "chunk":
        return ITEMS
    return task.lo if task.work == "member" else None


def _ramp_limits(desk: Desk, own: PhasePlan) -> ramp.Limits:
    most = own.execution.max_in_flight or WIDE * own.execution.max_workers
    return ramp.Limits(most=most, step=desk.settings.ramp)


def _storm_limits(desk: Desk, slot: int) -> storm.Limits:
    settings = desk.settings
    same = settings.breaker_items if slot == ITEMS else settings.breaker_same
    return storm.Limits(same=same, within=settings.breaker_within, wait=settings.breaker_wait)
