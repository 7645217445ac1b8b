"""The systems that predict: what each expects of a player, from what is known before the day."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Stat = Literal["points", "rebounds", "assists"]
System = Literal["season_mean", "last_ten", "weighted", "lightgbm", "ensemble"]

STATS: tuple[Stat, ...] = ("points", "rebounds", "assists")
SYSTEMS: tuple[System, ...] = ("season_mean", "last_ten", "weighted", "lightgbm", "ensemble")
SINGLE: tuple[System, ...] = SYSTEMS[:-1]

SHARPNESS = 20
"""Power of the inverse error by which the ensemble weighs: errors lie so close that the first power hardly tells."""

_LEAST = 0.01
"""No error counts as smaller: a system that happened to be right a few times is not right for ever."""


class Known(Struct, frozen=True, kw_only=True):
    """What the plain systems need of a player; a mean is unset where he has no game it could be of."""

    season_points: float | None
    season_rebounds: float | None
    season_assists: float | None
    ten_points: float | None
    ten_rebounds: float | None
    ten_assists: float | None
    fast_minutes: float | None
    points_rate: float | None
    rebounds_rate: float | None
    assists_rate: float | None


def expected(known: Known, stat: Stat, newcomer: Mapping[str, float], learned: float | None) -> dict[System, float]:
    """Return what each single system expects; whoever has no history is expected to do what newcomers did."""
    if known.fast_minutes is None or known.points_rate is None:
        plain = newcomer[stat]
        return {"season_mean": plain, "last_ten": plain, "weighted": plain}
    ten, season = getattr(known, f"ten_{stat}"), getattr(known, f"season_{stat}")
    found: dict[System, float] = {
        "season_mean": ten if season is None else season,
        "last_ten": ten,
        "weighted": known.fast_minutes * getattr(known, f"{stat}_rate"),
    }
    return found if learned is None else {**found, "lightgbm": max(0.0, learned)}


def ensemble(values: Mapping[System, float], errors: Mapping[System, float]) -> float:
    """Return the mean of the systems' values, weighted by the inverse of their errors so far; alike without errors."""
    if any(system not in errors for system in values):
        return sum(values.values()) / len(values)
    known = {system: max(errors[system], _LEAST) for system in values}
    least = min(known.values())
    weights = {system: (least / known[system]) ** SHARPNESS for system in values}
    return sum(weights[system] * value for system, value in values.items()) / sum(weights.values())
