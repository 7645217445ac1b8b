"""Clocks for tests: one that is set by hand, and a process's view of it that may run ahead or behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from shotclock.clock import Clock

START = datetime(2025, 1, 15, 11, 0, tzinfo=UTC)
"""Where a clock stands that was given no time."""


class FakeClock:
    """A clock that stands still until it is moved; it never goes back.

    Its jitter is what the given function says, zero by default, so that retries come at times a test can name.
    """

    def __init__(self, start: datetime = START, *, jitter: Callable[[], float] = float) -> None:
        self._now = start
        self._jitter = jitter

    def now(self) -> datetime:
        """Return the instant it was moved to."""
        return self._now

    def jitter(self) -> float:
        """Return what the function it was given says."""
        return self._jitter()

    def advance(self, by: timedelta) -> datetime:
        """Move it on by a span; raises `ValueError` for a negative one."""
        return self.move_to(self._now + by)

    def move_to(self, instant: datetime) -> datetime:
        """Move it on to an instant; raises `ValueError` for one that has passed."""
        if instant < self._now:
            message = f"a clock does not go back: it shows {self._now}, not {instant}"
            raise ValueError(message)
        self._now = instant
        return instant


class SkewedClock:
    """A clock that runs a constant span ahead of another one, or behind it."""

    def __init__(self, true: Clock, ahead: timedelta) -> None:
        self._true = true
        self._ahead = ahead

    def now(self) -> datetime:
        """Return what this clock shows."""
        return self._true.now() + self._ahead

    def jitter(self) -> float:
        """Return the other clock's jitter."""
        return self._true.jitter()
