"""Freshness: how old the data behind a phase's inputs is when the phase starts, and whether that is too old.

An input's age is the time from its data to the phase's start. Only when all inputs whose data time is known are too
old is anything done: `flag` makes the run partial, `block` blocks the phase before its first lease.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from shotclock.model import Fresh


class DataTime(Struct, frozen=True, kw_only=True):
    """How recent the data behind one input is, where that is known."""

    name: str
    as_of: datetime | None


class Freshness(Struct, frozen=True, kw_only=True):
    """What the inputs' ages ask for."""

    action: Literal["fresh", "flag", "block"] = "fresh"
    stale: tuple[str, ...] = ()
    """Names of the inputs that are too old, also where one of the others is fresh."""
    unknown: tuple[str, ...] = ()
    """Names of the inputs whose data time nobody stated."""


def ages(inputs: Iterable[DataTime], started_at: datetime) -> dict[str, timedelta]:
    """Return how old each input was when the phase started; data from after the start has no age."""
    return {given.name: max(started_at - given.as_of, timedelta(0)) for given in inputs if given.as_of is not None}


def judge(policy: Fresh | None, inputs: Iterable[DataTime], started_at: datetime) -> Freshness:
    """Judge the inputs of a phase by its policy; without one, all are fresh."""
    given = tuple(inputs)
    known = ages(given, started_at)
    unknown = tuple(one.name for one in given if one.as_of is None)
    if policy is None:
        return Freshness(unknown=unknown)
    stale = tuple(name for name, age in known.items() if age > policy.within)
    action = policy.otherwise if known and len(stale) == len(known) else "fresh"
    return Freshness(action=action, stale=stale, unknown=unknown)
