"""Schedules: what is due when, on days like any other and on those on which clocks are changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shotclock.core import schedule
from shotclock.core.schedule import Timetable

NEW_YORK = "America/New_York"
SIX = Timetable(cron="0 6 * * *", timezone=NEW_YORK)
WEEK = timedelta(days=7)


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=UTC)


def keys(table: Timetable, after: datetime, until: datetime) -> list[str]:
    return [tick.key for tick in schedule.ticks(table, after, until)]


def test_a_tick_is_later_than_the_last_and_not_later_than_now() -> None:
    assert keys(SIX, utc(1, 15, 11), utc(1, 17, 11)) == ["2025-01-16", "2025-01-17"]
    assert keys(SIX, utc(1, 15, 11), utc(1, 16, 10, 59)) == []


def test_a_key_is_the_local_date_of_its_tick_plus_the_schedules_days() -> None:
    late = Timetable(cron="30 23 * * *", timezone=NEW_YORK, day=-1)
    [tick] = schedule.ticks(late, utc(1, 15, 12), utc(1, 16, 12))
    assert (tick.at, tick.key) == (utc(1, 16, 4, 30), "2025-01-14")


def test_of_several_ticks_of_a_day_the_first_gives_the_key() -> None:
    assert keys(Timetable(cron="*/20 6-9 * * *", timezone=NEW_YORK), utc(1, 14), utc(1, 16)) == [
        "2025-01-14",
        "2025-01-15",
    ]


def test_days_off_have_no_run() -> None:
    off = Timetable(cron="0 6 * * *", timezone=NEW_YORK, off=frozenset({"2025-01-16"}))
    assert keys(off, utc(1, 15), utc(1, 18)) == ["2025-01-15", "2025-01-17"]
    tick = schedule.next_tick(off, utc(1, 15, 11), utc(1, 30))
    assert tick is not None
    assert tick.key == "2025-01-17"


def test_the_next_tick_is_not_looked_for_beyond_the_horizon() -> None:
    assert schedule.next_tick(SIX, utc(1, 15, 11), utc(1, 16)) is None


def test_a_cron_that_never_comes_gives_nothing() -> None:
    never = Timetable(cron="0 6 */31 * MON#2", timezone=NEW_YORK)
    assert keys(never, utc(1, 15), utc(1, 16)) == []
    assert schedule.next_tick(never, utc(1, 15), utc(1, 16)) is None


def test_what_was_missed_is_caught_up_oldest_first_within_the_window_and_older_ones_are_gaps() -> None:
    found = schedule.due(SIX, utc(1, 1, 11), utc(1, 12, 11), WEEK)
    assert [tick.key for tick in found.starts] == [f"2025-01-{day:02}" for day in range(5, 13)]
    assert [tick.key for tick in found.gaps] == ["2025-01-02", "2025-01-03", "2025-01-04"]


@pytest.mark.parametrize(
    ("cron", "zone", "day", "expected"),
    [
        ("30 2 * * *", NEW_YORK, date(2025, 3, 9), utc(3, 9, 7)),
        ("30 1 * * *", NEW_YORK, date(2025, 11, 2), utc(11, 2, 5, 30)),
        ("30 2 * * *", "Europe/Berlin", date(2025, 3, 30), utc(3, 30, 1)),
        ("30 2 * * *", "Europe/Berlin", date(2025, 10, 26), utc(10, 26, 0, 30)),
        ("15 2 * * *", "Australia/Lord_Howe", date(2025, 10, 5), utc(10, 4, 15, 30)),
        ("45 1 * * *", "Australia/Lord_Howe", date(2025, 4, 6), utc(4, 5, 14, 45)),
        ("0 0 * * *", "America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ],
)
def test_a_time_is_due_once_on_the_days_the_clocks_are_changed(
    cron: str, zone: str, day: date, expected: datetime
) -> None:
    table = Timetable(cron=cron, timezone=zone)
    ticks = schedule.ticks(table, expected - timedelta(days=2), expected + timedelta(days=2))
    assert [tick.at for tick in ticks if tick.key == day.isoformat()] == [expected]


@pytest.mark.parametrize(
    "zone", [NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]
)
@pytest.mark.parametrize("cron", ["0 6 * * *", "30 2 * * *", "0 0 * * *", "*/30 * * * *", "59 23 * * *"])
@pytest.mark.parametrize("year", [2011, 2018])
def test_every_local_day_of_a_year_has_its_key_once(zone: str, cron: str, year: int) -> None:
    there = ZoneInfo(zone)
    first, last = datetime(year, 1, 1, tzinfo=there), datetime(year + 1, 1, 3, tzinfo=there)
    found = keys(Timetable(cron=cron, timezone=zone), first - timedelta(minutes=1), last)
    days = schedule.keys_between(date(year, 1, 1), date(year, 12, 31), {"2011-12-30"} if zone == "Pacific/Apia" else ())
    assert [key for key in found if key.startswith(str(year))] == days


def test_from_within_a_repeated_hour_nothing_is_due_twice() -> None:
    table = Timetable(cron="45 1 * * *", timezone=NEW_YORK)
    assert keys(table, utc(11, 2, 6, 30), utc(11, 3, 12)) == ["2025-11-03"]


def test_a_backfill_runs_every_day_but_those_off_the_oldest_first() -> None:
    found = schedule.keys_between(date(2025, 2, 27), date(2025, 3, 2), {"2025-03-01"})
    assert found == ["2025-02-27", "2025-02-28", "2025-03-02"]
    assert schedule.keys_between(date(2025, 3, 2), date(2025, 3, 1)) == []


def test_a_missed_tick_waits_for_the_one_that_is_caught_up_and_one_on_time_for_nobody() -> None:
    ticks = schedule.ticks(SIX, utc(1, 15, 12), utc(1, 17, 12))
    first = schedule.next_start(ticks, utc(1, 17, 12), catching_up=False)
    assert first == schedule.Start(tick=ticks[0], missed=True)
    assert schedule.next_start(ticks, utc(1, 17, 12), catching_up=True) is None
    assert schedule.next_start(ticks[1:], utc(1, 17, 13), catching_up=True) is None
    assert schedule.next_start(ticks[1:], utc(1, 17, 12), catching_up=True) == schedule.Start(tick=ticks[1])
    assert schedule.next_start([], utc(1, 17, 12), catching_up=False) is None
