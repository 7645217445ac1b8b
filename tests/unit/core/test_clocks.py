"""Instants: wall clocks on the days they are changed, and time that is not counted because it was halted."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.core import clocks
from shotclock.model import Anchor, Halt
from tests.unit.core.scenes import START, a_halt, at, minutes

MINUTE = timedelta(minutes=1)
CHANGED = [
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("America/Sao_Paulo", date(2018, 2, 17)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("UTC", date(2025, 1, 15)),
]


@pytest.mark.parametrize(("zone", "day"), CHANGED)
def test_a_wall_clock_is_its_first_instant_or_the_first_after_a_gap_in_every_minute_of_the_day(
    zone: str, day: date
) -> None:
    there = ZoneInfo(zone)
    first = datetime.combine(day, time(), UTC) - timedelta(hours=30)
    instants = [first + number * MINUTE for number in range(100 * 60)]
    shown = list(accumulate((instant.astimezone(there).replace(tzinfo=None) for instant in instants), max))
    for minute in range(24 * 60):
        wall = time(minute // 60, minute % 60)
        expected = instants[bisect_left(shown, datetime.combine(day, wall))]
        assert clocks.wall_clock(day, wall, there) == expected, wall


def test_a_skipped_time_with_seconds_is_the_gaps_end_to_the_microsecond() -> None:
    found = clocks.wall_clock(date(2025, 3, 9), time(2, 30, 15, 7), ZoneInfo("America/New_York"))
    assert found == datetime(2025, 3, 9, 7, tzinfo=UTC)


@pytest.mark.parametrize("minute", range(-30, 31))
def test_a_clock_anchor_is_on_the_keys_date_and_days_around_midnight(minute: int) -> None:
    local = datetime(2025, 1, 15) + minutes(minute)  # noqa: DTZ001 - what a clock on the wall shows
    day = -1 if minute < 0 else 0
    anchor = Anchor(kind="clock", at=local.time(), day=day)
    began = datetime(2025, 1, 1, tzinfo=UTC)
    midnight = datetime(2025, 1, 15, 5, tzinfo=UTC)
    assert clocks.clock_anchor(anchor, "2025-01-15", "America/New_York", began) == midnight + minutes(minute)


def test_a_clock_anchor_that_has_passed_is_the_phases_start() -> None:
    anchor = Anchor(kind="clock", at=time(5))
    assert clocks.clock_anchor(anchor, "2025-01-15", "America/New_York", START) == START


# --- halts ---------------------------------------------------------------------------------------------------------

instants = st.integers(0, 60).map(at)


@st.composite
def halts(draw: st.DrawFn) -> tuple[Halt, ...]:
    drawn = draw(st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 30)), max_size=4))
    return tuple(a_halt(since, None if length is None else since + length) for since, length in drawn)


def halted_minutes(given_halts: tuple[Halt, ...], since: datetime, now: datetime) -> int:
    """Count halted minutes one by one."""
    spans = [(halt.since, halt.until or now) for halt in given_halts]
    count = int((now - since) / MINUTE)
    return sum(any(start <= since + n * MINUTE < end for start, end in spans) for n in range(count))


@given(instants, instants, halts())
def test_awake_time_is_counted_minute_by_minute_and_once_under_several_halts(
    since: datetime, now: datetime, given_halts: tuple[Halt, ...]
) -> None:
    expected = max(now - since, timedelta(0)) - halted_minutes(given_halts, since, now) * MINUTE
    assert clocks.awake(since, now, given_halts) == expected


@given(instants, st.integers(0, 40).map(minutes), halts())
def test_awake_and_after_awake_are_each_others_inverse(
    since: datetime, span: timedelta, given_halts: tuple[Halt, ...]
) -> None:
    now = at(400)
    reached = clocks.after_awake(since, span, given_halts, now)
    if reached <= now:
        assert clocks.awake(since, reached, given_halts) == span
    if span and reached <= now:
        assert clocks.awake(since, reached - MINUTE, given_halts) == span - MINUTE


@given(instants, instants, st.integers(0, 40).map(minutes), halts())
def test_a_span_has_passed_exactly_when_so_much_time_was_awake(
    since: datetime, now: datetime, span: timedelta, given_halts: tuple[Halt, ...]
) -> None:
    if since <= now:
        passed = clocks.awake(since, now, given_halts) >= span
        assert passed == (clocks.after_awake(since, span, given_halts, now) <= now)


def test_a_halt_holds_from_its_start_and_no_longer_at_its_end() -> None:
    halt = a_halt(1, 9)
    assert clocks.halted([halt], at(0)) is None
    assert clocks.halted([halt], at(1)) == halt
    assert clocks.halted([halt], at(9)) is None


def test_a_halt_without_end_holds_even_if_another_machines_clock_is_ahead() -> None:
    assert clocks.halted([a_halt(1)], at(0)) == a_halt(1)


def test_the_last_resume_is_the_end_of_the_last_halt_that_is_over() -> None:
    assert clocks.last_resume([a_halt(1, 3), a_halt(2, 5), a_halt(6)], at(8)) == at(5)
    assert clocks.last_resume([a_halt(1)], at(8)) is None
