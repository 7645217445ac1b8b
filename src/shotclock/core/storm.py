"""Storm control: a breaker that stops a member which fails with the same error over and over, and recoveries that stop.

State table of a breaker::

    closed    -> open       the same error came so many times within the window: one alert
    open      -> half open  a wait has passed: one attempt may try
    half open -> closed     it succeeded
              -> open       it failed, with whatever error: the wait starts anew, nobody is told again

A recovery, such as queueing a stuck phase's tasks again, is suspended when it has changed nothing twice in a row.
"""

import re
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from shotclock.model import Breaker, Failure, Phase, Recovery, spans

ERROR_LENGTH = 100
"""Characters by which errors are compared."""

_VARYING = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b(?=[a-f]*[0-9])[0-9a-f]{4,}\b|[0-9]+",
    re.IGNORECASE,
)


class Limits(Struct, frozen=True, kw_only=True):
    """When a breaker opens, and how long it stays open."""

    same: int
    """How often the same error."""
    within: timedelta
    """In which time."""
    wait: timedelta
    """How long until one attempt may try again."""


class Step(Struct, frozen=True, kw_only=True):
    """A breaker after a failure, and what operators are told, if anything."""

    breaker: Breaker
    alert: str | None = None


def normalised(error: str) -> str:
    """Return an error's text with numbers, addresses and ids folded, so that repeats are seen as the same."""
    return " ".join(_VARYING.sub("#", error).split())[:ERROR_LENGTH]


def may_try(breaker: Breaker, now: datetime) -> bool:
    """Say whether an attempt may start: always while closed, one for each wait while open."""
    return breaker.until is None or now >= breaker.until


def tried(breaker: Breaker, now: datetime, limits: Limits) -> Breaker:
    """Return the breaker after an attempt started; while it is open, the next one must wait as long again.

    So one that is never heard of again holds it up for one wait, not for ever.
    """
    return breaker if breaker.until is None else replace(breaker, until=now + limits.wait)


def failed(breaker: Breaker, failure: Failure, limits: Limits) -> Step:
    """Return the breaker after a failure; the alert is given when it opens, not when it stays open."""
    until = failure.at + limits.wait
    if breaker.until is not None:
        return Step(breaker=replace(breaker, until=until))
    error = normalised(failure.error)
    recent = (*breaker.recent, replace(failure, error=error))
    recent = tuple(old for old in recent if failure.at - old.at < limits.within)
    same = [old.at for old in recent if old.error == error]
    if len(same) < limits.same:
        return Step(breaker=Breaker(recent=recent))
    cost = f"{len(same)} attempts within {spans.words(failure.at - same[0])} have failed with the same error"
    return Step(
        breaker=Breaker(error=error, until=until),
        alert=f"{cost}, one may try again in {spans.words(limits.wait)}: {error}",
    )


def recovered(recovery: Recovery, *, changed: bool) -> Recovery:
    """Return the recovery after it was made once more."""
    return Recovery() if changed else replace(recovery, fruitless=recovery.fruitless + 1)


def unsticking(phase: Phase) -> Recovery:
    """Return how the queueing again of a stuck phase's tasks has done, now that it is due once more."""
    if phase.stalled_at is None:
        return Recovery()
    moved = phase.progress_at is not None and phase.progress_at > phase.stalled_at
    return recovered(phase.recovery, changed=moved)
