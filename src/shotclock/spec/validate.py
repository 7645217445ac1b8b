"""Checks across the whole: clocks that cannot fit, tiers that do not fall, needs and tolerances no roll can meet."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from msgspec import Struct

from shotclock.amounts import words
from shotclock.model import Amount, Deadline, Member, Need, PhasePlan, Plan
from shotclock.spec.header import Modes
from shotclock.spec.nodes import Table, nearest, shown
from shotclock.spec.phases import Draft

Path = tuple[str | int, ...]
"""Keys within keys, and places in lists, under which something stands."""

_DAY = timedelta(days=1)


class Clock(Struct, frozen=True, kw_only=True):
    """A time that a phase writes, by the keys it stands under."""

    path: Path
    length: timedelta


class Roll(Struct, frozen=True, kw_only=True):
    """The named members of a phase, all of them or those a mode keeps."""

    members: tuple[Member, ...]
    mode: str | None = None

    def base(self, need: Need) -> int:
        """Return how many members a need is counted of."""
        optional = need.of == "optional"
        return sum((member.importance == "optional") == optional for member in self.members)


def check_phase(draft: Draft, plan: Plan, modes: Modes) -> None:
    """Add a problem for each clock and each number of the phase that cannot be as it is said."""
    _check_fit(draft, plan.max_age)
    _check_deadline(draft, plan)
    _check_tiers(draft)
    _check_stall(draft)
    if draft.plan.items:
        _check_items(draft)
    else:
        _check_rolls(draft, list(_rolls(draft.plan, modes)))


def _say(table: Table, path: Path, text: str) -> None:
    keys = (f"member {path[1]}", *path[2:]) if path[0] == "members" else path
    place = (f"number {key + 1}" if isinstance(key, int) else key for key in keys)
    table.problems.add(table.line_under(*path), table.where, *place, text)


def _check_fit(draft: Draft, max_age: timedelta) -> None:
    for clock in _clocks(draft):
        if clock.length >= max_age:
            text = f"{words(clock.length)} does not fit in max_age ({words(max_age)}): the run fails before"
            _say(draft.table, clock.path, text)


def _clocks(draft: Draft) -> Iterator[Clock]:
    plan, gate = draft.plan, draft.plan.gate
    for member in plan.members:
        if member.timeout:
            yield Clock(path=("members", member.name, "timeout"), length=member.timeout)
    execution = draft.table.inner("execution", None)
    if execution and "timeout" in execution:
        yield Clock(path=("execution", "timeout"), length=plan.execution.timeout)
    if plan.execution.budget:
        yield Clock(path=("execution", "budget"), length=plan.execution.budget)
    if gate.deadline:
        yield Clock(path=("gate", "deadline", "after"), length=gate.deadline.after)
    if gate.stall:
        yield Clock(path=("gate", "stall", "after"), length=gate.stall.after)
    if gate.expected_by:
        yield Clock(path=("gate", "expected_by"), length=gate.expected_by)
    yield Clock(path=("gate", "grace"), length=gate.grace)
    for number, tier in enumerate(gate.tiers):
        yield Clock(path=("gate", "tiers", number, "after"), length=tier.after)


def _check_deadline(draft: Draft, plan: Plan) -> None:
    gate = draft.plan.gate
    if gate.deadline is None:
        return
    if gate.deadline.flag is not None:
        _check_flag(draft, gate.deadline.flag, plan)
    if gate.deadline.anchor.kind == "clock":
        _check_wall_clock(draft, gate.deadline, plan)
    elif gate.expected_by and gate.expected_by < plan.max_age > gate.deadline.after:
        both = gate.expected_by + gate.deadline.after
        if both >= plan.max_age:
            text = (
                f"and the deadline after it make {words(both)}, which does not fit in max_age ({words(plan.max_age)})"
            )
            _say(draft.table, ("gate", "expected_by"), text)


def _check_flag(draft: Draft, name: str, plan: Plan) -> None:
    """Refuse a flag that is not there, or that is not the same for a whole generation."""
    path, flag = ("gate", "deadline", "flag"), plan.flags.get(name)
    if flag is None:
        _say(draft.table, path, f"there is no flag {shown(name)}{nearest(name, plan.flags)}")
    elif flag.binding != "run" or flag.key != "run" or flag.variants:
        _say(draft.table, path, f"{shown(name)} must bind a run, be for each run, and have no variants")


def _check_wall_clock(draft: Draft, deadline: Deadline, plan: Plan) -> None:
    """Refuse a wall-clock deadline later than `max_age` even for a run that starts at the end of its day."""
    path = ("gate", "deadline", "from")
    if plan.key_type == "text":
        _say(draft.table, path, "a time of day is that of the key's date, but key: type: is text")
        return
    anchor = deadline.anchor
    assert anchor.at is not None
    into_day = timedelta(hours=anchor.at.hour, minutes=anchor.at.minute, seconds=anchor.at.second)
    days = anchor.day + (plan.starts.day if plan.starts.cron else 0)
    earliest = (days - 1) * _DAY + into_day + deadline.after
    if earliest >= plan.max_age > deadline.after:
        text = f"{anchor.at:%H:%M} comes {words(earliest)} or more after the start, not within max_age"
        _say(draft.table, path, f"{text} ({words(plan.max_age)})")


def _check_tiers(draft: Draft) -> None:
    gate = draft.plan.gate
    deadline = gate.deadline
    for number, tier in enumerate(gate.tiers):
        if deadline and deadline.anchor.kind != "clock" and tier.after >= deadline.after:
            text = (
                f"{words(tier.after)} is not before the deadline ({words(deadline.after)}): it never comes into force"
            )
            _say(draft.table, ("gate", "tiers", number, "after"), text)
    for number, (one, other) in enumerate(pairwise(gate.tiers), 1):
        if other.after <= one.after:
            text = f"{words(other.after)} is not later than the {words(one.after)} of the tier before"
            _say(draft.table, ("gate", "tiers", number, "after"), text)
    _check_falling(draft)


def _check_falling(draft: Draft) -> None:
    gate, roll = draft.plan.gate, Roll(members=draft.plan.members)
    steps = [(0, gate.need)] if gate.need else []
    steps += [(number, tier.need) for number, tier in enumerate(gate.tiers)]
    for (_, one), (number, other) in pairwise(steps):
        if not _falls(one, other, roll):
            text = f"{other.amount} is not lower than the {one.amount} before it"
            _say(draft.table, ("gate", "tiers", number, "need"), text)


def _falls(one: Need, other: Need, roll: Roll) -> bool:
    """Say whether `other` is lower, or cannot be compared: other members, or a count beside a share of the unknown."""
    if one.of != other.of:
        return True
    if one.amount.percent is not None and other.amount.percent is not None:
        return other.amount.percent < one.amount.percent
    if one.amount.count is not None and other.amount.count is not None:
        return other.amount.count < one.amount.count
    base = roll.base(one)
    return not base or other.amount.rounded_up(base) < one.amount.rounded_up(base)


def _check_stall(draft: Draft) -> None:
    stall = draft.plan.gate.stall
    timeout = max(_timeouts(draft.plan), default=None)
    if stall and timeout and stall.after < timeout:
        text = f"{words(stall.after)} is shorter than the task timeout ({words(timeout)}): lengthen it"
        _say(draft.table, ("gate", "stall", "after"), text)


def _timeouts(plan: PhasePlan) -> Iterator[timedelta]:
    if plan.items and plan.items.run:
        yield plan.execution.timeout
    for member in plan.members:
        if not member.external:
            yield member.timeout or plan.execution.timeout


def _rolls(plan: PhasePlan, modes: Modes) -> Iterator[Roll]:
    yield Roll(members=plan.members)
    for mode, phases in modes.items():
        kept = phases[plan.name].members if plan.name in phases else None
        if kept:
            yield Roll(members=tuple(member for member in plan.members if member.name in kept), mode=mode)


def _check_items(draft: Draft) -> None:
    for path, need in _needs(draft):
        if need.of == "optional":
            _say(draft.table, path, "counts optional members, but items are never optional")


def _check_rolls(draft: Draft, rolls: Sequence[Roll]) -> None:
    for path, need in _needs(draft):
        _check_need(draft, path, need, rolls)
    bases = [(roll.mode, len(roll.members), "named") for roll in rolls]
    _check_amount(draft, ("gate", "tolerate"), draft.plan.gate.tolerate, bases)


def _needs(draft: Draft) -> list[tuple[Path, Need]]:
    gate, found = draft.plan.gate, list[tuple[Path, Need]]()
    if gate.need:
        table = draft.table.inner("gate", None)
        opens = ("opens",) if table and "opens" in table else ()
        found.append((("gate", *opens, "need"), gate.need))
    found += [(("gate", "tiers", number, "need"), tier.need) for number, tier in enumerate(gate.tiers)]
    if gate.stall and gate.stall.need:
        found.append((("gate", "stall", "need"), gate.stall.need))
    return found


def _check_need(draft: Draft, path: Path, need: Need, rolls: Sequence[Roll]) -> None:
    if need.of == "optional" and not rolls[0].base(need):
        _say(draft.table, path, "counts optional members, but no member is optional")
        return
    counted = "optional" if need.of == "optional" else "critical and required"
    _check_amount(draft, path, need.amount, [(roll.mode, roll.base(need), counted) for roll in rolls])


def _check_amount(draft: Draft, path: Path, amount: Amount, bases: Sequence[tuple[str | None, int, str]]) -> None:
    """Refuse a count larger than its base; the first mode in which it is stands for all."""
    for mode, base, counted in bases:
        if amount.count is not None and amount.count > base:
            where = f" in mode {mode}" if mode else ""
            _say(draft.table, path, f"{amount} is more than the {counted} members there are{where} ({base})")
            return
