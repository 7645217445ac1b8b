"""What a phase remembers of the dispatch of its tasks: breakers, recoveries, limits that were nearly reached."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

FRUITLESS_MOST = 2
"""Recoveries that change nothing after which no further one is made."""


class Failure(Struct, frozen=True, kw_only=True):
    """One failed attempt."""

    at: datetime
    error: str


class Breaker(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds up a member, or the items of a fan-out, that fails with the same error over and over."""

    recent: tuple[Failure, ...] = ()
    """Failures within the window, their errors normalised; none while it is open."""
    error: str | None = None
    """The error that opened it; None while it is closed."""
    until: datetime | None = None
    """When one attempt may try whether it may close; None while it is closed."""


LimitKind = Literal["timeout", "deadline", "check"]


class Near(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The nearest that a phase has come to one of its limits, where it used most of it."""

    who: str
    """The member, the items, or the function that did."""
    used: timedelta
    limit: timedelta
    at: datetime


class Recovery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a kind of recovery, such as queueing a stuck phase's tasks again, has done so far."""

    fruitless: int = 0
    """How often in a row it changed nothing."""

    @property
    def suspended(self) -> bool:
        """Whether no further one is made, until something else changes or an operator asks."""
        return self.fruitless >= FRUITLESS_MOST


class Ramp(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many tasks of a fan-out may be in flight over all workers, as they have answered so far."""

    window: int | None
    """The number at `since`; None: as many as the workers take."""
    since: datetime
    """When the window was last changed, or the end of the pause that a refusal brought."""
    acknowledged: int = 0
    """Tasks that were answered since then."""
    refusals: int = 0
    """Refusals in a row, those of tasks that were in flight together counted once."""
    refused_at: datetime | None = None
