"""Whether units with a flag do worse than units without: a sequential test whose unit of evidence is the run.

Every run of a ramp is a bet (`bets`), and what the bets have made of 1 is the evidence. If what a bet goes against is
true, its account ever reaches 1/error with a probability of at most that error, however often one looks (Ville's
inequality): looking after every run costs nothing, and no number of runs is fixed beforehand. State table::

    not_enough  -> good   `cleared` or `rare` of this stage reaches what `false_good` asks for
    not_enough  -> bad    what is put on `harm` and `struck` reaches what `false_bad` asks for
    good        -> bad    likewise: it is only good for as long as nothing else is seen

`false_bad` holds for the whole ramp, all of its stages and guards together. `false_good` holds for each stage.
"""

from math import exp, inf, log
from typing import Final

from msgspec import Struct

from shotclock.core import bets
from shotclock.core.bets import Harm
from shotclock.model import Arms, Evidence, Seen

STRUCK_WEIGHT: Final = 0.25
"""The part of the evidence that is put on the flag's side failing as a whole."""
KNOWN: Final = 8
"""A unit that went bad is left out until it did well for so many runs: what stays broken is one event."""
SHOCK: Final = 0.1
"""A run of which a larger share went bad says nothing of single units, and leaves none out."""
STRIKE: Final = 0.5
"""Nor does one of which a larger share of one side did."""
FEW: Final = 5
"""So many bad units are never the strike of a side, however few units that has."""


class Design(Struct, frozen=True, kw_only=True):
    """What a test looks for, and how often it may err."""

    stages: int
    """Stages that leave units without the flag to compare with."""
    guards: int = 1
    """Tests that run beside each other: each gets its part of `false_bad`."""
    harm: Harm = Harm()
    false_bad: float = 0.05
    """How often a flag that does nothing may be called bad in a whole ramp."""
    false_good: float = 0.05
    """How often a flag that does the harm may pass a stage."""


class Good(Struct, frozen=True):
    """The harm would have shown by now."""


class Bad(Struct, frozen=True):
    """Units with the flag go bad more often than chance explains."""


class NotEnough(Struct, frozen=True, kw_only=True):
    """Neither is shown yet; about so many runs and units more are needed, None where nothing can be said."""

    runs: int | None = None
    units: int | None = None


Verdict = Good | Bad | NotEnough


def tells_of_units(all_units: Arms) -> bool:
    """Say whether a run tells of single units that they are bad, so that these are left out for `KNOWN` runs."""
    bad, total = all_units.flagged_bad + all_units.others_bad, all_units.flagged + all_units.others
    sides = ((all_units.flagged_bad, all_units.flagged), (all_units.others_bad, all_units.others))
    return bad <= SHOCK * total and all(went_bad <= max(FEW, STRIKE * side) for went_bad, side in sides)


def begin(design: Design) -> Evidence:
    """Return what is known before the first run."""
    return Evidence(stages=(Seen(),) * design.stages)


def add(evidence: Evidence, stage: int, arms: Arms, design: Design) -> Evidence:
    """Return the evidence with one run more, which carried the flag's share of that stage."""
    moved = bets.place(arms, design.harm)
    after = evidence.stages[stage].plus(arms, moved)
    stages = (*evidence.stages[:stage], after, *evidence.stages[stage + 1 :])
    return Evidence(whole=evidence.whole.plus(arms, moved), stages=stages)


def verdict(evidence: Evidence, stage: int, design: Design) -> Verdict:
    """Judge a ramp that stands at that stage."""
    most = log(design.guards / design.false_bad)
    if against(evidence) >= most:
        return Bad()
    needed, seen = log(2 / design.false_good), evidence.stages[stage]
    if max(seen.accounts.cleared, seen.accounts.rare) >= needed:
        return Good()
    return _more(seen, needed, most, design)


def against(evidence: Evidence) -> float:
    """Return the logarithm of what speaks against the flag.

    One half is put on all runs together, the other on the stages, each by itself: a harm that begins with a later
    stage is not hidden by how good the earlier ones were.
    """
    shares = [(0.5, evidence.whole), *((0.5 / len(evidence.stages), seen) for seen in evidence.stages)]
    parts = [log(share * (1 - STRUCK_WEIGHT)) + seen.accounts.harm for share, seen in shares]
    parts += [log(share * STRUCK_WEIGHT) + seen.accounts.struck for share, seen in shares]
    top = max(parts)
    return top + log(sum(exp(part - top) for part in parts))


def _more(seen: Seen, needed: float, most: float, design: Design) -> NotEnough:
    """Say how much more is needed if runs go on as they were: until it is cleared, or until the harm has shown."""
    if not seen.runs:
        return NotEnough()
    wins, accounts = bets.expected(seen.runs, seen.arms, design.harm), seen.accounts
    waits = [(needed - accounts.cleared, wins.cleared), (needed - accounts.rare, wins.rare)]
    if accounts.harm > accounts.cleared:
        waits.append((most - accounts.harm, wins.harm))
    runs = min((lacks / wins for lacks, wins in waits if wins > 0), default=inf)
    if runs == inf:
        return NotEnough()
    more = int(runs) + 1
    return NotEnough(runs=more, units=more * (seen.arms.flagged + seen.arms.others) // seen.runs)
