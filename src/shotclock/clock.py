"""The only door to time and randomness: everything else is given `now` or a clock."""

import random
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What tells the time and draws lots."""

    def now(self) -> datetime:
        """Return the current instant, in UTC, to the microsecond."""

    def jitter(self) -> float:
        """Return a number in [0, 1) that spreads what would otherwise happen at once."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant."""
        return datetime.now(UTC)

    def jitter(self) -> float:
        """Return a random number in [0, 1)."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing


def stopwatch() -> Callable[[], timedelta]:
    """Start measuring elapsed time; call the result for the time since, unaffected by clock changes."""
    start = time.monotonic()
    return lambda: timedelta(seconds=time.monotonic() - start)


def seconds() -> float:
    """Return the monotonic clock's reading, in seconds: for deadlines within this process."""
    return time.monotonic()


def secret(size: int) -> str:
    """Draw that many random bytes that nobody can guess, in hex: for what must stay secret, and for ids of such."""
    return secrets.token_hex(size)
