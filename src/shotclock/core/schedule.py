"""Schedules: which keys are due by a cron in the pipeline's zone, what was missed, and which days a backfill runs.

A key is the local date of its tick, plus the schedule's days, however late the run starts. Of several ticks with one
key the first counts. Days off have no run. Cron times follow the clocks of the zone: one that is skipped is due at the
first minute after the gap, one that is shown twice is due once; steps shorter than a day run in elapsed time.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
ON_TIME = timedelta(hours=1)
"""How long after its instant a tick is still on time; later it is one that was missed."""


class Tick(Struct, frozen=True, kw_only=True, order=True):
    """An instant at which a run is due, in UTC, and the run's key."""

    at: datetime
    key: str


class Due(Struct, frozen=True, kw_only=True):
    """What a schedule asks for: the runs to start, the oldest first and one at a time, and those it is too late for."""

    starts: tuple[Tick, ...] = ()
    gaps: tuple[Tick, ...] = ()


class Start(Struct, frozen=True, kw_only=True):
    """The run to start now, and whether it is one that was missed."""

    tick: Tick
    missed: bool = False


class Timetable(Struct, frozen=True, kw_only=True):
    """A cron, its zone, the days from a tick's local date to its key, and the keys of days off."""

    cron: str
    timezone: str
    day: int = 0
    off: Collection[str] = ()


def ticks(table: Timetable, after: datetime, until: datetime) -> list[Tick]:
    """Return the ticks later than `after` and not later than `until`, one for each key that is not off."""
    found: list[Tick] = []
    for tick in _ticks(table, after):
        if tick.at > until:
            break
        if tick.key not in table.off:
            found.append(tick)
    return found


def next_tick(table: Timetable, after: datetime, until: datetime) -> Tick | None:
    """Return the first tick later than `after`, if there is one by `until`."""
    for tick in _ticks(table, after):
        if tick.at > until:
            break
        if tick.key not in table.off:
            return tick
    return None


def due(table: Timetable, last: datetime, now: datetime, window: timedelta) -> Due:
    """Return what has come due since the instant `last` up to which ticks were dealt with.

    What is older than `window` is not caught up: it is a gap, to be named.
    """
    missed = ticks(table, last, now)
    return Due(
        starts=tuple(tick for tick in missed if now - tick.at <= window),
        gaps=tuple(tick for tick in missed if now - tick.at > window),
    )


def next_start(ticks: Sequence[Tick], now: datetime, *, catching_up: bool) -> Start | None:
    """Return which of the ticks that are due is started now, the oldest first.

    One that was missed waits while another one that was missed is worked on; one on time waits for nobody.
    """
    if not ticks:
        return None
    missed = len(ticks) > 1 or now - ticks[0].at > ON_TIME
    return None if missed and catching_up else Start(tick=ticks[0], missed=missed)


def keys_between(first: date, last: date, off: Collection[str] = ()) -> list[str]:
    """Return the keys of a backfill, the oldest first: every day from `first` to and with `last`, minus days off."""
    days = (first + number * DAY for number in range((last - first).days + 1))
    return [day.isoformat() for day in days if day.isoformat() not in off]


def _ticks(table: Timetable, after: datetime) -> Iterator[Tick]:
    """Yield ticks later than `after`, the first of each local day."""
    from cronsim import CronSim  # noqa: PLC0415 - only schedules need it

    zone = ZoneInfo(table.timezone)
    cursor, day = after.astimezone(zone), date.min
    while True:
        instants = (local.astimezone(UTC) for local in CronSim(table.cron, cursor))
        at = next((at for at in instants if at > after and at.astimezone(zone).date() > day), None)
        if at is None:
            return
        day = at.astimezone(zone).date()
        yield Tick(at=at, key=(day + table.day * DAY).isoformat())
        cursor = datetime.combine(day + DAY, time(), zone) - SECOND
