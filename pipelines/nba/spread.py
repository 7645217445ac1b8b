"""Intervals around a prediction: how far outcomes have lain from predictions of that level, on earlier days only."""

from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from msgspec import Struct

from nba.queries import query
from nba.systems import Stat, System

LEVELS: Mapping[Stat, tuple[float, ...]] = {
    "points": (4.0, 6.0, 8.0, 10.0, 12.5, 15.5, 20.0),
    "rebounds": (1.5, 2.5, 3.5, 4.5, 6.0, 8.0),
    "assists": (0.8, 1.3, 2.0, 2.8, 4.0, 5.5),
}
"""Where levels of a prediction begin; within one, misses are alike."""

SHARES = tuple(share / 100 for share in range(5, 100, 5))
"""The shares of misses that are kept: enough for intervals of 10, 20, … 90 %."""

FEWEST = 100
"""Graded predictions below which a level borrows from all levels of the system, and a system from a rule of thumb."""

_NORMAL = 1.2816
"""Standard deviations that hold 80 % of a normal distribution."""


class Misses(Struct, frozen=True, kw_only=True):
    """The quantiles, at `SHARES`, of outcome minus prediction for a level of a system's predictions; -1 is all levels."""

    stat: Stat
    system: System
    level: int
    rows: int
    quantiles: tuple[float, ...]


def level(stat: Stat, value: float) -> int:
    """Return which level a prediction is of."""
    return sum(value >= edge for edge in LEVELS[stat])


class Spread:
    """The misses known so far, asked for one prediction at a time."""

    def __init__(self, misses: Sequence[Misses]) -> None:
        self._known = {(one.stat, one.system, one.level): one for one in misses if one.rows >= FEWEST}

    def interval(self, stat: Stat, system: System, value: float, nominal: int = 80) -> tuple[float, float]:
        """Return the interval that should hold the outcome in `nominal` of 100 games."""
        known = self._known.get((stat, system, level(stat, value))) or self._known.get((stat, system, -1))
        if known is None:
            # Counts spread with the root of their mean, and somewhat more, because minutes vary too.
            wide = _NORMAL * sqrt(0.5 + 2.2 * max(value, 0.0)) * nominal / 80
            return max(0.0, value - wide), value + wide
        low, high = SHARES.index((100 - nominal) / 200), SHARES.index((100 + nominal) / 200)
        return max(0.0, value + known.quantiles[low]), value + known.quantiles[high]

    def holding(self, stat: Stat, system: System, value: float, outcome: float) -> int:
        """Return the narrowest interval, 10 to 90, that holds the outcome, 100 if none does."""
        for nominal in range(10, 100, 10):
            low, high = self.interval(stat, system, value, nominal)
            if low <= outcome <= high:
                return nominal
        return 100


def read_spread(connection: Any, file: Path) -> Spread:  # noqa: ANN401 - a DuckDB connection
    """Read the misses as a day's grading wrote them."""
    found = connection.execute(query("known_spread"), {"file": str(file)}).fetchall()
    return Spread(
        [Misses(stat=row[0], system=row[1], level=row[2], rows=row[3], quantiles=tuple(row[4])) for row in found]
    )
