"""A second opinion on rules and clocks: computed from what the simulation saw, sharing no code with the gate."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from math import ceil, floor

from shotclock.model import Amount, Halt, Need
from shotclock.testing.records import Record, expected, pending, satisfied, unsatisfied

Halts = Collection[Halt]


def halts_of(record: Record, halts: Halts) -> list[Halt]:
    """Return the halts that hold for a phase's run; one of a run without a generation is of all its generations."""
    run = record.run
    every = run.id.partition("#")[0]
    return [halt for halt in halts if halt.scope in {"*", run.pipeline, run.id, every}]


def is_halted(record: Record, halts: Halts, now: datetime) -> bool:
    """Say whether the phase is halted at `now`."""
    return any(halt.until is None or halt.since <= now < halt.until for halt in halts_of(record, halts))


def awake(record: Record, halts: Halts, since: datetime, now: datetime) -> timedelta:
    """Return the time from `since` to `now` that was not halted."""
    total, reached = timedelta(0), since
    for halt in sorted(halts_of(record, halts), key=lambda halt: halt.since):
        total += max(min(halt.since, now) - reached, timedelta(0))
        reached = max(reached, now if halt.until is None else min(halt.until, now))
    return total + max(now - reached, timedelta(0))


def too_old(record: Record, halts: Halts, now: datetime) -> bool:
    """Say whether the run has reached `max_age`."""
    return awake(record, halts, record.run.started_at, now) >= record.plan.max_age


# --- clocks ---


def anchor(record: Record, now: datetime) -> datetime | None:
    """Return the instant the deadline counts from, if it has come."""
    deadline = record.own.gate.deadline
    assert deadline is not None
    assert record.started_at is not None
    if deadline.anchor.kind == "run_start":
        return record.run.started_at
    if deadline.anchor.kind == "clock":
        assert deadline.anchor.at is not None
        shown = datetime.combine(date.fromisoformat(record.run.key), deadline.anchor.at, UTC)
        return max(shown, record.started_at)
    came = record.first_at if deadline.anchor.kind == "first_report" else record.signal_at
    latest = record.started_at + (record.own.gate.expected_by or deadline.after)
    if came is None:
        return latest if now >= latest else None
    return min(max(came, record.started_at), latest)


def deadline_due(record: Record, now: datetime) -> datetime | None:
    """Return when the deadline is due, if its anchor has come."""
    deadline = record.own.gate.deadline
    since = None if deadline is None else anchor(record, now)
    return None if since is None or deadline is None else since + deadline.after


def stall_due(record: Record, halts: Halts, now: datetime) -> bool:
    """Say whether the declared stall clock has run out."""
    stall = record.own.gate.stall
    if stall is None:
        return False
    resumed = [halt.until for halt in halts_of(record, halts) if halt.until is not None and halt.until <= now]
    moments = (record.started_at, record.progress_at, record.retry_until, *resumed)
    last = max(moment for moment in moments if moment is not None)
    return awake(record, halts, last, now) >= stall.after


def need_at(record: Record, now: datetime) -> Need | None:
    """Return the need that is in force."""
    gate = record.own.gate
    since = record.started_at if gate.deadline is None else anchor(record, now)
    in_force = [tier.need for tier in gate.tiers if since is not None and since + tier.after <= now]
    return in_force[-1] if in_force else gate.need


# --- rules ---


def at_most(amount: Amount, base: int) -> int:
    """Return how many may be missing."""
    return (amount.count or 0) if amount.percent is None else floor(amount.percent * base / 100)


def at_least(amount: Amount, base: int) -> int:
    """Return how many must be there."""
    return (amount.count or 0) if amount.percent is None else ceil(amount.percent * base / 100)


def critical_missing(record: Record) -> int:
    """Count the critical members that are not satisfied."""
    return expected(record.critical) - satisfied(record.critical)


def spared(record: Record) -> bool:
    """Say whether no more required members are unsatisfied than are tolerated."""
    return unsatisfied(record.required) <= at_most(record.own.gate.tolerate, expected(record.kinds))


def everyone(record: Record) -> bool:
    """Say whether critical and required members have settled as they must."""
    return not critical_missing(record) and not pending(record.required) and spared(record)


def partial(record: Record, *, incomplete: bool) -> bool:
    """Say whether an opening now is partial."""
    return incomplete or not everyone(record)


def all_holds(record: Record, now: datetime) -> bool:
    """Say whether the rule `all` holds, optional members aside."""
    need = need_at(record, now)
    lacking = expected(record.optional) - satisfied(record.optional)
    return everyone(record) and not (need is not None and need.of == "optional" and lacking)


def need_holds(record: Record, need: Need) -> bool:
    """Say whether a need is met."""
    if need.of == "optional":
        base = expected(record.optional)
        return everyone(record) and satisfied(record.optional) >= at_least(need.amount, base)
    members = record.critical + record.required
    return satisfied(members) >= at_least(need.amount, expected(members))


def rule_holds(record: Record, now: datetime) -> bool:
    """Say whether `all` or the need in force holds."""
    need = need_at(record, now)
    known = record.complete and expected(record.kinds) > 0
    return known and (all_holds(record, now) or (need is not None and need_holds(record, need)))
