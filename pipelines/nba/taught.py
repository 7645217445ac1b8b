"""What all graded days teach, from the warehouse's sums of each day: whole hundredths, which add up exactly."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from nba.queries import query
from nba.scores import BesideLine, Calibration, DayError, Lessons, Score, Scores
from nba.spread import SHARES, Misses
from nba.systems import SINGLE, STATS, SYSTEMS, Stat, System

NOMINAL = range(10, 100, 10)
"""The intervals whose coverage is told, in per cent."""

_SHOWN = (*SYSTEMS, "line")

Sums = tuple[int, ...]
"""How many, the sum of absolute errors, that of signed errors, how many outcomes an interval of 80 % held."""


def taught(connection: Any, asked: Mapping[str, object], since: date) -> tuple[Scores, Lessons]:  # noqa: ANN401 - a DuckDB connection
    """Return what the days before the run's tell of the season, and what those since a date teach."""
    daily = connection.execute(query("daily_sums"), asked).fetchall()
    bands = connection.execute(query("band_sums"), asked).fetchall()
    lined = connection.execute(query("lined_sums"), asked).fetchall()
    recent = {**asked, "since": since, "shares": list(SHARES)}
    misses = connection.execute(query("recent_spread"), recent).fetchall()
    return _scores(daily, bands, lined), Lessons(errors=_errors(daily, since), misses=_misses(misses))


def _scores(daily: Sequence[Any], bands: Sequence[Any], lined: Sequence[Any]) -> Scores:
    whole = _added((row[:2], row[3:]) for row in bands)
    summary = [_score(stat, system, sums) for (stat, system), sums in whole.items()] + _lines(lined)
    return Scores(
        summary=sorted(summary, key=lambda one: (STATS.index(one.stat), _SHOWN.index(one.system))),
        daily=[DayError(day, stat, system, n, _mean(absolute, n)) for day, stat, system, n, absolute in daily],
        calibration=[
            Calibration(stat, system, nominal, held / sums[0], sums[0])
            for (stat, system), sums in whole.items()
            for nominal, held in zip(NOMINAL, sums[4:], strict=True)
        ],
        groups=[_score(row[0], row[1], row[3:], row[2]) for row in bands],
        beside_line=_beside(lined),
    )


def _score(stat: Stat, system: str, sums: Sums, band: str = "") -> Score:
    n, absolute, signed, covered = sums[:4]
    return Score(stat, system, n, _mean(absolute, n), _mean(signed, n), covered / n, band)


def _lines(lined: Sequence[Any]) -> list[Score]:
    """Return the line's own scores, on the same players as the systems'."""
    return [
        Score(stat, "line", n, _mean(absolute, n), _mean(signed, n))
        for stat, system, eligible, n, _, absolute, signed in lined
        if eligible and system == "weighted"
    ]


def _beside(lined: Sequence[Any]) -> list[BesideLine]:
    both = _added((row[:2], row[3:6]) for row in lined)
    return [
        BesideLine(stat, system, n, _mean(own, n), _mean(line, n)) for (stat, system), (n, own, line) in both.items()
    ]


def _errors(daily: Sequence[Any], since: date) -> dict[Stat, dict[System, float]]:
    recent = _added((row[1:3], row[3:]) for row in daily if row[0] >= since)
    errors: dict[Stat, dict[System, float]] = {stat: {} for stat in STATS}
    for (stat, system), (n, absolute) in recent.items():
        if system in SINGLE:
            errors[stat][system] = _mean(absolute, n)
    return errors


def _misses(rows: Sequence[Any]) -> list[Misses]:
    return [
        Misses(stat=stat, system=system, level=level, rows=n, quantiles=tuple(one / 100 for one in quantiles))
        for stat, system, level, n, quantiles in rows
    ]


def _added(rows: Iterable[tuple[Any, Sums]]) -> dict[Any, Sums]:
    """Add up the sums of equal names, the names in the order in which they come."""
    found: dict[Any, Sums] = {}
    for name, sums in rows:
        known = found.get(name)
        found[name] = sums if known is None else tuple(map(sum, zip(known, sums, strict=True)))
    return found


def _mean(hundredths: int, n: int) -> float:
    return hundredths / n / 100
