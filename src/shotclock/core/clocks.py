"""Instants: where a clock's anchor lies, what a halt takes away, what a wall clock means on the days it is changed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shotclock.model import Anchor, Halt

MINUTE = timedelta(minutes=1)


def wall_clock(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clocks of `zone` show `at` on `day`.

    A time that is shown twice is its first instant; one that is skipped is the first instant after the gap.
    """
    local = datetime.combine(day, at, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    return _gap_end(local, zone)


def _gap_end(local: datetime, zone: ZoneInfo) -> datetime:
    """Find the first instant after the gap that swallows `local`, by halving the span in which the offset changes."""
    low, high = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    after = high.astimezone(zone).utcoffset()
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == after else (middle, high)
    return high


def halted(halts: Iterable[Halt], now: datetime) -> Halt | None:
    """Return the halt in force at `now`, if any.

    One without an end holds even if another machine's clock, ahead of this one, wrote its start.
    """
    for halt in halts:
        if halt.until is None or halt.since <= now < halt.until:
            return halt
    return None


def awake(since: datetime, now: datetime, halts: Iterable[Halt]) -> timedelta:
    """Return how much of the time from `since` to `now` was not halted; overlapping halts count once."""
    return max(now - since, timedelta(0)) - sum((end - start for start, end in _spans(since, now, halts)), timedelta(0))


def after_awake(since: datetime, span: timedelta, halts: Iterable[Halt], now: datetime) -> datetime:
    """Return the instant at which `span` has passed since `since`, halted time up to `now` not counted."""
    end = since + span
    for start, stop in _spans(since, now, halts):
        if start < end:
            end += stop - start
    return end


def last_resume(halts: Iterable[Halt], now: datetime) -> datetime | None:
    """Return when the last halt before `now` ended."""
    return max((halt.until for halt in halts if halt.until is not None and halt.until <= now), default=None)


def _spans(since: datetime, now: datetime, halts: Iterable[Halt]) -> list[tuple[datetime, datetime]]:
    """Return the halted spans between two instants, merged and in order."""
    clipped = ((max(halt.since, since), min(halt.until or now, now)) for halt in halts)
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(span for span in clipped if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def clock_anchor(anchor: Anchor, key: str, timezone: str, phase_started_at: datetime) -> datetime:
    """Return the instant of a wall-clock anchor: its time on the key's date, or the phase's start if that is later."""
    assert anchor.at is not None
    day = date.fromisoformat(key) + timedelta(days=anchor.day)
    return max(wall_clock(day, anchor.at, ZoneInfo(timezone)), phase_started_at)
