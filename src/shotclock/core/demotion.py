"""Demotion: a member that has not been satisfied for ten runs in a row is no longer waited for, until it comes back.

Read when a run starts, from the member's standings in the runs before, and frozen in the run's plan::

    fewer than ten runs, or anything good in the last ten    as declared
    required, nothing good                                   optional for this run, and named
    optional, nothing good                                   as declared
    required or optional, nothing good, some of it failed    one attempt in this run, shown first
    critical, nothing good                                   as declared, only named

A good report, even one that came late, makes the next run take the member as declared again.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from shotclock.model import Member, PhasePlan

RUNS = 10
"""Consecutive runs without anything good after which a member is demoted."""


class Past(Struct, frozen=True, kw_only=True):
    """What became of a member in one earlier run of the same pipeline, phase and mode."""

    outcome: Literal["satisfied", "silent", "failed"]
    late_good: bool = False
    """Whether a report that came after the opening would have satisfied it."""


class Measure(Struct, frozen=True, kw_only=True):
    """What is done about a member for one run."""

    optional: bool = False
    """A required member is waited for only during the grace."""
    one_attempt: bool = False
    """It gets one attempt, and is shown first."""
    named: bool = False
    """Operators are told its name."""


class Demoted(Struct, frozen=True, kw_only=True):
    """A phase's plan after the measures, and the names they concern, in the roll's order."""

    plan: PhasePlan
    optional: tuple[str, ...] = ()
    """Required members that are optional in this run."""
    failing: tuple[str, ...] = ()
    """Members with one attempt, to be shown first."""
    critical: tuple[str, ...] = ()
    """Critical members that are only named."""


def measure(member: Member, past: Sequence[Past]) -> Measure:
    """Decide about one member from its earlier runs, the newest last."""
    last = past[-RUNS:]
    good = any(run.outcome == "satisfied" or run.late_good for run in last)
    if len(last) < RUNS or good:
        return Measure()
    if member.importance == "critical":
        return Measure(named=True)
    required = member.importance == "required"
    failing = any(run.outcome == "failed" for run in last)
    return Measure(optional=required, one_attempt=failing, named=required or failing)


def apply(plan: PhasePlan, past: Mapping[str, Sequence[Past]]) -> Demoted:
    """Take the measures for every member of a phase's roll; `past` is by the members' own names."""
    measures = {member.name: measure(member, past.get(member.name, ())) for member in plan.members}
    return Demoted(
        plan=replace(plan, members=tuple(_taken(member, measures[member.name]) for member in plan.members)),
        optional=tuple(name for name, taken in measures.items() if taken.optional),
        failing=tuple(name for name, taken in measures.items() if taken.one_attempt),
        critical=tuple(name for name, taken in measures.items() if taken == Measure(named=True)),
    )


def _taken(member: Member, taken: Measure) -> Member:
    if taken.optional:
        member = replace(member, importance="optional", demoted=True)
    return replace(member, attempts=1) if taken.one_attempt else member
