"""Durations and instants as people read them, in every sentence of ours."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds of each unit."""


def words(span: timedelta) -> str:
    """Write a duration as settings read it: the two largest units, or milliseconds below a second."""
    total = span.total_seconds()
    if abs(total) < 1:
        return f"{round(total * 1000)}ms"
    sign, rest = ("-", -total) if total < 0 else ("", total)
    parts = []
    for unit in ("d", "h", "m", "s"):
        number, rest = divmod(rest, UNITS[unit])
        if number:
            parts.append(f"{int(number)}{unit}")
    return sign + "".join(parts[:2])


def local(at: datetime, timezone: str) -> str:
    """Write an instant as the clocks of a zone show it."""
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S %Z}"
