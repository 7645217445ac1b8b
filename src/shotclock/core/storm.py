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

FRUITLESS_MOST = 2
"""Recoveries that change nothing after which no further one is made."""

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


class Failure(Struct, frozen=True, kw_only=True):
    """One failed attempt."""

    at: datetime
    error: str


class Breaker(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The breaker of one member."""

    recent: tuple[Failure, ...] = ()
    """Failures within the window, their errors normalised; none while it is open."""
    error: str | None = None
    """The error that opened it; None while it is closed."""
    opened_at: datetime | None = None
    trying_since: datetime | None = None
    """Since when an attempt tries whether it may close."""


class Step(Struct, frozen=True, kw_only=True):
    """A breaker after a failure, and what operators are told, if anything."""

    breaker: Breaker
    alert: str | None = None


def normalised(error: str) -> str:
    """Return an error's text with numbers, addresses and ids folded, so that repeats are seen as the same."""
    return " ".join(_VARYING.sub("#", error).split())


def may_try(breaker: Breaker, now: datetime, limits: Limits) -> bool:
    """Say whether an attempt may start: always while closed, one for each wait while open."""
    return breaker.opened_at is None or now >= _opens_again(breaker, breaker.opened_at, limits)


def tried(breaker: Breaker, now: datetime) -> Breaker:
    """Return the breaker after an attempt started; while it is open, the next one must wait as long again."""
    return breaker if breaker.opened_at is None else replace(breaker, trying_since=now)


def succeeded() -> Breaker:
    """Return the breaker after a success: closed, with nothing remembered."""
    return Breaker()


def failed(breaker: Breaker, failure: Failure, limits: Limits) -> Step:
    """Return the breaker after a failure; the alert is given when it opens, not when it stays open."""
    if breaker.opened_at is not None:
        return Step(breaker=replace(breaker, opened_at=failure.at, trying_since=None))
    error = normalised(failure.error)
    recent = (*breaker.recent, replace(failure, error=error))
    recent = tuple(old for old in recent if failure.at - old.at < limits.within)
    same = sum(old.error == error for old in recent)
    if same < limits.same:
        return Step(breaker=Breaker(recent=recent))
    alert = f"the same error {same} times within {limits.within}, next attempt in {limits.wait}: {error}"
    return Step(breaker=Breaker(error=error, opened_at=failure.at), alert=alert)


def _opens_again(breaker: Breaker, opened_at: datetime, limits: Limits) -> datetime:
    """Return when one attempt may try; one that tries and is never heard of again holds for one wait."""
    return (breaker.trying_since or opened_at) + limits.wait


class Recovery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a kind of recovery has done so far."""

    fruitless: int = 0
    """How often in a row it changed nothing."""

    @property
    def suspended(self) -> bool:
        """Whether no further one is made, until something else changes or an operator asks."""
        return self.fruitless >= FRUITLESS_MOST


def recovered(recovery: Recovery, *, changed: bool) -> Recovery:
    """Return the recovery after it was made once more."""
    return Recovery() if changed else replace(recovery, fruitless=recovery.fruitless + 1)
