"""Small worlds to go through exhaustively: three members, two duplicates, a deadline, a death."""

from datetime import timedelta

from shotclock.model import (
    Amount,
    Deadline,
    Execution,
    Gate,
    Importance,
    Member,
    Need,
    OutcomeKind,
    PhasePlan,
    Plan,
    Report,
)
from shotclock.testing.exhaustive import KEY, SmallWorld

MINUTE = timedelta(minutes=1)
HALF_HOUR = Deadline(after=30 * MINUTE)
RANK: dict[str, Importance] = {"!": "critical", "?": "optional"}


def roll(*names: str, gate: Gate, run: str | None = None, then: str | None = None) -> PhasePlan:
    """Return the phase `raw`; a name that starts with ! is critical, with ? optional."""
    members = (Member(name=name.lstrip("!?"), importance=RANK.get(name[0], "required"), run=run) for name in names)
    return PhasePlan(name="raw", members=tuple(members), gate=gate, then=then, execution=Execution(max_workers=1))


def said(member: str, outcome: OutcomeKind = "succeeded") -> Report:
    """Return a report of a member."""
    return Report(run=f"p/{KEY}", phase="raw", member=member, outcome=outcome, rows=1)


def planned(*phases: PhasePlan) -> Plan:
    """Return a pipeline of these phases."""
    return Plan(pipeline="p", phases=phases)


THREE_AND_TWO_AGAIN = tuple(map(said, "abcab"))
NEXT = PhasePlan(name="next", needs=("raw",), members=(Member(name="d", run="x:d"),))
ONE_OF_THREE = Gate(need=Need(amount=Amount(count=1)), grace=5 * MINUTE, deadline=HALF_HOUR)

SMALL: dict[str, SmallWorld] = {
    "deadline": SmallWorld(
        plan=planned(roll("a", "b", "c", gate=Gate(deadline=HALF_HOUR))),
        reports=THREE_AND_TWO_AGAIN,
        passes=(31 * MINUTE,),
    ),
    "critical, then better news": SmallWorld(
        plan=planned(roll("!a", "b", "?c", gate=Gate(deadline=HALF_HOUR))),
        reports=(said("a", "failed"), said("a"), said("b"), said("c"), said("b")),
        passes=(31 * MINUTE,),
    ),
    "quorum with grace, and a phase after it": SmallWorld(
        plan=planned(roll("a", "b", "?c", gate=ONE_OF_THREE), NEXT),
        reports=THREE_AND_TWO_AGAIN,
        passes=(6 * MINUTE,),
    ),
    "late reports make a new generation": SmallWorld(
        plan=planned(roll("a", "b", gate=Gate(deadline=HALF_HOUR, late="rerun"))),
        reports=(said("a"), said("b"), said("b")),
        passes=(31 * MINUTE, 11 * MINUTE),
    ),
    "two workers and a lease that runs out": SmallWorld(
        plan=planned(roll("a", "b", gate=Gate(deadline=HALF_HOUR), run="x:y")),
        workers=("v", "w"),
        sends=2,
        leases=2,
        passes=(2 * MINUTE,),
    ),
    "a consolidation that is leased twice": SmallWorld(
        plan=planned(roll("a", gate=Gate(deadline=HALF_HOUR), then="x:y")),
        reports=(said("a"), said("a")),
        workers=("v", "w"),
        sends=2,
        passes=(2 * MINUTE,),
    ),
}

LARGER: dict[str, SmallWorld] = {
    "deadline, two deaths": SmallWorld(
        plan=planned(roll("a", "b", "c", gate=Gate(deadline=HALF_HOUR))),
        reports=(*THREE_AND_TWO_AGAIN, said("c", "failed")),
        passes=(31 * MINUTE,),
        deaths=2,
    ),
    "late reports make new generations": SmallWorld(
        plan=planned(roll("a", "b", "c", gate=Gate(deadline=HALF_HOUR, late="rerun"))),
        reports=THREE_AND_TWO_AGAIN,
        passes=(31 * MINUTE, 11 * MINUTE, 31 * MINUTE),
    ),
    "two workers, a lease that runs out, a deadline": SmallWorld(
        plan=planned(roll("a", "b", gate=Gate(deadline=HALF_HOUR), run="x:y")),
        workers=("v", "w"),
        sends=2,
        leases=2,
        passes=(2 * MINUTE, 31 * MINUTE),
    ),
}
