"""How a ramp goes on: what the runs that are over add to its evidence, and what follows from it.

A flag that is drawn for units within runs is judged on each run's own units. One that is drawn for whole runs leaves
nothing to compare within a run: a run with the flag is then paired with the nearest earlier one without, of the same
pipeline and mode, and the pair says which of the two was worse.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from shotclock.core import evidence
from shotclock.core.bets import Harm
from shotclock.core.evidence import KNOWN, Bad, Design, Good, Verdict
from shotclock.model import BUCKETS, WATCHED, Arms, FlagRamp, Guard, Metric, RunFacts, Spare

COUNTED: Final = 1_000
"""Runs whose names a ramp remembers; older ones have long been counted."""
NAMED: Final = 20_000
"""Units of a run up to which a ramp remembers by name who went bad; in larger ones a single unit weighs nothing."""
SPARES: Final = 20
"""Runs without the flag that wait to be compared."""


class Advance(Struct, frozen=True):
    """The next stage."""


class Finish(Struct, frozen=True):
    """The last stage has been held."""


class RollBack(Struct, frozen=True):
    """It is bad, by this guard."""

    guard: Guard


class Stay(Struct, frozen=True):
    """It stays where it is."""


Step = Advance | Finish | RollBack | Stay


def design(ramp: FlagRamp, guard: Guard) -> Design:
    """Return the test of one guard: all of them together may err as often as one alone."""
    return Design(stages=ramp.compared, guards=len(ramp.guards), harm=Harm(worse=guard.worse))


def verdicts(ramp: FlagRamp) -> tuple[Verdict, ...]:
    """Judge each guard for the stage that the ramp is at."""
    stage = min(ramp.stage, ramp.compared - 1)
    return tuple(evidence.verdict(guard.evidence, stage, design(ramp, guard)) for guard in ramp.guards)


def decide(ramp: FlagRamp, now: datetime) -> Step:
    """Say what a ramp does at this instant."""
    found = verdicts(ramp)
    bad = next((guard for guard, one in zip(ramp.guards, found, strict=True) if isinstance(one, Bad)), None)
    match ramp.state:
        case "ramping" | "paused" if bad is not None:
            return RollBack(bad)
        case "ramping" if now >= ramp.since + ramp.hold and _passes(ramp, found):
            return Finish() if ramp.stage == len(ramp.stages) - 1 else Advance()
        case "ramping" | "paused" | "frozen" | "done" | "rolled_back" | "overtaken":
            return Stay()
        case _ as never:
            assert_never(never)


def _passes(ramp: FlagRamp, found: tuple[Verdict, ...]) -> bool:
    """Say whether a stage may be left: where every unit has the flag, nothing is left to be compared."""
    return ramp.stages[ramp.stage] == BUCKETS or all(isinstance(one, Good) for one in found)


def advanced(ramp: FlagRamp, now: datetime) -> FlagRamp:
    """Return a ramp at its next stage."""
    return replace(ramp, stage=ramp.stage + 1, since=now)


def stopped(ramp: FlagRamp, now: datetime, *, frozen: bool) -> FlagRamp:
    """Return a ramp that was paused or frozen."""
    stopped_at = ramp.stopped_at or now
    return replace(ramp, state="frozen" if frozen else "paused", stopped_at=stopped_at)


def resumed(ramp: FlagRamp, now: datetime) -> FlagRamp:
    """Return a ramp that goes on; while it was stopped the hold did not count."""
    if ramp.stopped_at is None:
        return ramp
    return replace(ramp, state="ramping", since=ramp.since + (now - ramp.stopped_at), stopped_at=None)


def count(ramp: FlagRamp, facts: Iterable[RunFacts]) -> FlagRamp:
    """Return a ramp that has counted further runs; one that it knows is not counted again."""
    for one in facts:
        if ramp.state in WATCHED and one.run not in ramp.counted:
            stage = ramp.stages.index(one.share) if one.share in ramp.stages else None
            ramp = ramp if stage is None or stage >= ramp.compared else _counted(ramp, one, stage)
            runs = ramp.runs + (one.share is not None)
            ramp = replace(ramp, runs=runs, counted=(*ramp.counted, one.run)[-COUNTED:])
    return ramp


def _counted(ramp: FlagRamp, facts: RunFacts, stage: int) -> FlagRamp:
    if facts.values:
        return _paired(ramp, facts, stage)
    guards = tuple(_within(ramp, guard, facts, stage) for guard in ramp.guards)
    return replace(ramp, guards=guards)


def _within(ramp: FlagRamp, guard: Guard, facts: RunFacts, stage: int) -> Guard:
    arms, known = facts.sums.get(guard.metric), guard.known
    if arms is None:
        arms, known = tally(facts.units.get(guard.metric, ()), guard.known, ramp.runs)
    if not arms.flagged or not arms.others:
        return replace(guard, known=known)
    return replace(guard, known=known, evidence=evidence.add(guard.evidence, stage, arms, design(ramp, guard)))


def tally(units: Iterable[tuple[str, bool, bool]], known: Mapping[str, int], run: int) -> tuple[Arms, dict[str, int]]:
    """Count a run's units but those that went bad lately; return that, and who is left out in runs to come."""
    left_out = {name: until for name, until in known.items() if until > run}
    every = list(units)
    bad = [name for name, _, went_bad in every if went_bad]
    after = dict(left_out)
    if evidence.tells_of_units(arms_of(every)):
        after |= dict.fromkeys(bad, run + KNOWN + 1)
    return arms_of(unit for unit in every if unit[0] not in left_out), after


def arms_of(units: Iterable[tuple[str, bool, bool]]) -> Arms:
    """Count the units of a run."""
    sums = Counter((has, went_bad) for _, has, went_bad in units)
    with_flag, without = sums[True, True], sums[False, True]
    return Arms(
        flagged=sums[True, False] + with_flag,
        flagged_bad=with_flag,
        others=sums[False, False] + without,
        others_bad=without,
    )


def _paired(ramp: FlagRamp, facts: RunFacts, stage: int) -> FlagRamp:
    """Compare a run that has the flag with the nearest one that has not; keep one that has not for later."""
    if not facts.flagged:
        spare = Spare(where=facts.where, values=facts.values)
        return replace(ramp, spares=(*ramp.spares, spare)[-SPARES:])
    other = next((spare for spare in reversed(ramp.spares) if spare.where == facts.where), None)
    if other is None:
        return ramp
    guards = tuple(_beside(ramp, guard, facts.values, other.values, stage) for guard in ramp.guards)
    return replace(ramp, guards=guards, spares=tuple(spare for spare in ramp.spares if spare is not other))


def _beside(
    ramp: FlagRamp, guard: Guard, mine: Mapping[Metric, float], other: Mapping[Metric, float], stage: int
) -> Guard:
    one, two = mine.get(guard.metric, 0.0), other.get(guard.metric, 0.0)
    arms = Arms(flagged=1, flagged_bad=int(one > two), others=1, others_bad=int(two > one))
    return replace(guard, evidence=evidence.add(guard.evidence, stage, arms, design(ramp, guard)))
