"""Late reports: whether one that came after the opening is only kept, told downstream, or makes a new generation.

Only a report that would have turned a missing member satisfied asks for anything. A new generation waits a settling
time from the first such report, so that those that follow are in it too; there are only so many automatic ones for a
key and mode.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from shotclock.model import SATISFIED, Importance, Kind, Late


class LateReport(Struct, frozen=True, kw_only=True):
    """A report that came late: whom it speaks of, how that member stood when the phase closed, and what it says now."""

    importance: Importance
    stood: Kind
    says: Kind
    """The kind it would have settled its member at, the contract judged."""
    first_at: datetime
    """When the first late report came that waits to be in the same new generation; its own time, if it is the first."""


class Limits(Struct, frozen=True, kw_only=True):
    """The bounds on what late reports may set off."""

    settling: timedelta
    most: int
    """Automatic generations for a key and mode."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What a late report asks for, why, and not before when."""

    act: Literal["record", "amend", "rerun"]
    reason: str
    at: datetime | None = None


def wanted(policy: Late, report: LateReport, automatic: int, limits: Limits) -> Wanted:
    """Decide about one late report; `automatic` is how many generations late reports have made so far."""
    if not would_help(report):
        return Wanted(
            act="record", reason=f"it would not have changed who was missing: {report.stood}, now {report.says}"
        )
    if policy == "rerun" and automatic >= limits.most:
        return Wanted(act="record", reason=f"late reports have made {automatic} generations, the most allowed")
    at = report.first_at + limits.settling if policy == "rerun" else None
    return Wanted(act=policy, reason=f"a missing member is {report.says}", at=at)


def would_help(report: LateReport) -> bool:
    """Say whether a report would have turned a missing member, critical or required, satisfied."""
    missing = report.importance != "optional" and report.stood not in SATISFIED and report.stood != "withdrawn"
    return missing and report.says in SATISFIED
