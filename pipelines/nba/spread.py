"""Intervals around a prediction: how far outcomes have lain from predictions of that level, on earlier days only."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from math import ceil, sqrt

from msgspec import Struct

from nba.systems import Stat, System

LEVELS: Mapping[Stat, tuple[float, ...]] = {
    "points": (4.0, 6.0, 8.0, 10.0, 12.5, 15.5, 20.0),
    "rebounds": (1.5, 2.5, 3.5, 4.5, 6.0, 8.0),
    "assists": (0.8, 1.3, 2.0, 2.8, 4.0, 5.5),
}
"""Where levels of a prediction begin; within one, misses are alike."""

SHARES = tuple(share / 100 for share in range(5, 100, 5))
"""The shares of misses that are kept: enough for intervals of 10, 20, … 90 %."""

_MIDDLE = SHARES.index(0.5)

FEWEST = 100
"""Graded predictions below which a level borrows from all levels of the system, and a system from a rule of thumb."""

_NORMAL = 1.2816
"""Standard deviations that hold 80 % of a normal distribution."""


class Misses(Struct, frozen=True, kw_only=True):
    """The quantiles, at `SHARES`, of outcome minus prediction at a level of a system's predictions; -1 is all."""

    stat: Stat
    system: System
    level: int
    rows: int
    quantiles: tuple[float, ...]


def level(stat: Stat, value: float) -> int:
    """Return which level a prediction is of."""
    return bisect_right(LEVELS[stat], value)


class Spread:
    """The misses known so far, asked for one prediction at a time."""

    def __init__(self, misses: Sequence[Misses]) -> None:
        self._known = {(one.stat, one.system, one.level): one.quantiles for one in misses if one.rows >= FEWEST}

    def interval(self, stat: Stat, system: System, value: float, nominal: int = 80) -> tuple[float, float]:
        """Return the interval that should hold the outcome in `nominal` of 100 games."""
        known = self._quantiles(stat, system, value)
        if known is None:
            wide = _thumb(value) * nominal
            return max(0.0, value - wide), value + wide
        size = nominal // 10
        return max(0.0, value + known[_MIDDLE - size]), value + known[_MIDDLE + size]

    def holding(self, stat: Stat, system: System, value: float, outcome: float) -> int:
        """Return the narrowest interval, 10 to 90, that holds the outcome, 100 if none does."""
        known, miss = self._quantiles(stat, system, value), outcome - value
        if known is None:
            size = ceil(abs(miss) / _thumb(value) / 10)
        else:
            # An interval reaches as many quantiles down from the middle as up.
            size = max(_MIDDLE + 1 - bisect_right(known, miss), bisect_left(known, miss) - _MIDDLE)
        return 10 * min(max(size, 1), 10)

    def _quantiles(self, stat: Stat, system: System, value: float) -> tuple[float, ...] | None:
        return self._known.get((stat, system, level(stat, value))) or self._known.get((stat, system, -1))


def _thumb(value: float) -> float:
    """Return how much wider each percent makes an interval by the rule of thumb."""
    # Counts spread with the root of their mean, and somewhat more, because minutes vary too.
    return _NORMAL * sqrt(0.5 + 2.2 * max(value, 0.0)) / 80
