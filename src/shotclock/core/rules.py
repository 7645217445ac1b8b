"""What the counts of a roll satisfy: the rules `all` and `need`, tolerance, and what makes an opening partial.

Nothing here knows the time. None of these rules is asked on an unsealed roll.
"""

from shotclock.model import Counts, Gate, Need


def tolerated(gate: Gate, counts: Counts) -> int:
    """Return how many required members may be unsatisfied: a percentage is of the whole roll, rounded down."""
    return gate.tolerate.rounded_down(counts.expected)


def critical_missing(counts: Counts) -> int:
    """Return how many critical members are not satisfied."""
    return counts.critical.expected - counts.critical.satisfied


def missing(counts: Counts) -> int:
    """Return how many critical and required members are not satisfied."""
    return critical_missing(counts) + counts.required.expected - counts.required.satisfied


def partial(gate: Gate, counts: Counts, *, roll_incomplete: bool) -> bool:
    """Say whether opening now is partial.

    It is if a critical or required member is pending, a critical one unsatisfied, required ones unsatisfied beyond
    tolerance, or the roll incomplete. A shortfall of optional members is not partial.
    """
    waiting = counts.critical.pending + counts.required.pending
    beyond = counts.required.unsatisfied > tolerated(gate, counts)
    return roll_incomplete or waiting > 0 or counts.critical.unsatisfied > 0 or beyond


def everyone(gate: Gate, counts: Counts) -> bool:
    """Say whether every critical and required member has settled as it must: the rule `all`, optional members aside."""
    return not partial(gate, counts, roll_incomplete=False)


def met(need: Need, gate: Gate, counts: Counts) -> bool:
    """Say whether a need is met.

    It counts critical and required members, or optional ones beside `all` for the required; a critical member that is
    missing keeps the gate closed all the same, and is why it then is blocked.
    """
    if need.of == "optional":
        others = counts.required.pending == 0 and counts.required.unsatisfied <= tolerated(gate, counts)
        return others and counts.optional.satisfied >= need.amount.rounded_up(counts.optional.expected)
    base = counts.critical.expected + counts.required.expected
    return counts.critical.satisfied + counts.required.satisfied >= need.amount.rounded_up(base)


def all_met(gate: Gate, need: Need | None, counts: Counts) -> bool:
    """Say whether `all` holds.

    Where a need of optional members is in force, `everyone` is not enough: then every optional one must be satisfied
    too, or the need decides.
    """
    if need is not None and need.of == "optional" and counts.optional.satisfied < counts.optional.expected:
        return False
    return everyone(gate, counts)


def settled(needs: tuple[Need, ...], counts: Counts) -> bool:
    """Say whether nobody is left whose report could still change the rules.

    Optional members matter only where a need counts them.
    """
    optional = any(need.of == "optional" for need in needs)
    waiting = counts.critical.pending + counts.required.pending
    return waiting == 0 and (not optional or counts.optional.pending == 0)
