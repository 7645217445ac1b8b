"""The clock for users' tests stands still until it is moved, and never goes back."""

from datetime import UTC, datetime, timedelta

import pytest

from shotclock.testing import FakeClock, SkewedClock

MINUTE = timedelta(minutes=1)


def test_a_clock_shows_what_it_was_moved_to() -> None:
    clock = FakeClock(datetime(2025, 1, 15, 6, tzinfo=UTC))
    clock.advance(MINUTE)
    assert clock.now() == datetime(2025, 1, 15, 6, 1, tzinfo=UTC)
    assert clock.now() == clock.now()
    clock.move_to(datetime(2025, 1, 16, tzinfo=UTC))
    assert clock.now() == datetime(2025, 1, 16, tzinfo=UTC)


def test_a_clock_does_not_go_back() -> None:
    clock = FakeClock()
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-MINUTE)


def test_jitter_is_nothing_unless_a_test_says_so() -> None:
    assert FakeClock().jitter() == 0
    assert FakeClock(jitter=lambda: 0.25).jitter() == 0.25


def test_a_skewed_clock_follows_the_other_one() -> None:
    clock = FakeClock(jitter=lambda: 0.5)
    ahead = SkewedClock(clock, MINUTE)
    clock.advance(MINUTE)
    assert ahead.now() - clock.now() == MINUTE
    assert ahead.jitter() == 0.5
