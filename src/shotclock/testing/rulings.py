"""Checks of a decision and its opening: by what right, how it counts, whom it names."""

from datetime import datetime

from shotclock.model import KINDS, UNSATISFIED, Opening, Ruling
from shotclock.testing import oracle
from shotclock.testing.oracle import Halts
from shotclock.testing.records import Record, expected, pending
from shotclock.testing.violation import require

TOLD = frozenset({"deadline", "stall", "hopeless", "forced"})
"""Reasons of openings that operators are always told of."""


def check_ruling(record: Record, ruling: Ruling, halts: Halts, now: datetime) -> None:
    """Check by what right a phase was closed at `now`."""
    where = f"{record.where} was ruled {ruling.reason} ({ruling.rule})"
    require(not oracle.is_halted(record, halts, now), "halt", f"{where} under a halt")
    incomplete = not record.phase.sealed or record.phase.enumeration_failed or ruling.roll_incomplete
    short = oracle.partial(record, incomplete=incomplete)
    require(ruling.partial == short, "I4", f"{where} as {'partial' if ruling.partial else 'whole'}, which it is not")
    forced = ruling.reason == "forced"
    require(forced == (record.phase.force is not None), "I4", f"{where}, force is {record.phase.force}")
    if forced:
        return
    require(not oracle.critical_missing(record), "I4", f"{where}, and a critical member is missing")
    _check_vote(record, where)
    _check_reason(record, ruling, halts, now, where)


def _check_vote(record: Record, where: str) -> None:
    vote = record.phase.vote
    if record.own.gate.check is not None:
        asked = vote is not None and vote.yes and vote.worse == record.phase.worse
        require(asked, "veto", f"{where} without a valid yes of its check: {vote}")


def _check_reason(record: Record, ruling: Ruling, halts: Halts, now: datetime, where: str) -> None:
    match ruling.reason:
        case "all":
            sure = record.complete and oracle.everyone(record) and oracle.all_holds(record, now)
            require(sure, "I3", f"{where}, and it does not hold")
            _check_grace(record, now, where)
        case "quorum":
            need = oracle.need_at(record, now)
            sure = record.complete and need is not None and oracle.need_holds(record, need)
            require(sure, "I3", f"{where}, and the need in force is not met: {need}")
            _check_grace(record, now, where)
        case "deadline":
            due, deadline = oracle.deadline_due(record, now), record.own.gate.deadline
            sure = due is not None and due <= now and deadline is not None and deadline.then == "open"
            require(sure, "I4", f"{where} at {now}, it is due at {due}")
        case "stall":
            stall = record.own.gate.stall
            sure = stall is not None and stall.need is not None and oracle.need_holds(record, stall.need)
            require(sure and record.complete, "I4", f"{where}, and its need is not met")
            require(oracle.stall_due(record, halts, now), "I4", f"{where} at {now}, before it was due")
        case "hopeless":
            waiting = pending(record.critical) + pending(record.required)
            may = record.own.gate.hopeless == "open" or record.phase.budget_spent
            require(may and not waiting, "I4", f"{where}, and {waiting} are pending")
            require(not oracle.rule_holds(record, now), "I4", f"{where}, and the rule holds")
        case _:
            empty = record.complete and not expected(record.kinds)
            may = record.own.gate.empty == "open"
            require(empty and may, "I3", f"{where}, and it is not")


def _check_grace(record: Record, now: datetime, where: str) -> None:
    """Check that optional members had their grace."""
    if not pending(record.optional) or not record.own.gate.grace:
        return
    ends = (record.held_since or now) + record.own.gate.grace
    due = oracle.deadline_due(record, now)
    over = now >= ends or (due is not None and now >= due)
    require(over, "I4", f"{where} at {now}, and the grace for optional members ends at {ends}")


def check_failure(record: Record, halts: Halts, now: datetime) -> None:
    """Check that a phase that a clock failed had reached it."""
    why = record.phase.failure or ""
    if why.startswith("max_age"):
        require(oracle.too_old(record, halts, now), "I4", f"{record.where} failed at {now}, before its max_age: {why}")
    if why.startswith("deadline"):
        due = oracle.deadline_due(record, now)
        require(due is not None and due <= now, "I4", f"{record.where} failed at {now}, it is due at {due}: {why}")
    if why.startswith("hopeless"):
        waiting = pending(record.required) and not record.phase.enumeration_failed
        require(not waiting, "I4", f"{record.where} failed as hopeless, and {waiting} required members are pending")


def check_opening(record: Record, opening: Opening, alerts: int) -> None:
    """Check what an opening says, against what was counted at the close."""
    where = f"the opening of {record.where}"
    require(opening.counts == record.counted, "I2", f"{where} has {opening.counts}, at the close were {record.counted}")
    require(
        opening.closed_at == record.closed_at, "I2", f"{where} closed at {opening.closed_at}, not {record.closed_at}"
    )
    ruling = record.phase.ruling
    kept = ruling is not None and (ruling.reason, ruling.partial) == (opening.reason, opening.partial)
    require(kept, "I2", f"{where} says {opening.reason}, it was ruled {ruling}")
    lacking = [ordinal for ordinal, code in enumerate(record.kinds) if _lacks(code, record.ranks[ordinal])]
    require(
        opening.missing_count == len(lacking), "I4", f"{where} counts {opening.missing_count} missing, not {lacking}"
    )
    if record.own.items is None:
        names = tuple(record.own.members[ordinal].name for ordinal in lacking)
        require(opening.missing == names, "I4", f"{where} names {opening.missing} as missing, not {names}")
    told = int((opening.partial or opening.reason in TOLD) and not record.phase.folded)
    require(alerts == told, "I4", f"{where} came with {alerts} alerts instead of {told}")


def _lacks(code: int, rank: int) -> bool:
    kind = KINDS[code]
    return rank < 2 and (kind == "pending" or kind in UNSATISFIED)  # noqa: PLR2004 - the rank of optional members
