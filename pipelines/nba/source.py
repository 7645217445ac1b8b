"""Where a day's data comes from: which published files, or the simulated league."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct

from nba.simulated import FIRST_DAY, LAST_DAY, espn, league
from shotclock.context import Context
from shotclock.outcomes import Permanent

_STATS = re.compile(r"player_box_(\d{4})-(\d{2})[.]csv[.]gz")
_ESPN = re.compile(r"(?:nba_|wnba_)?player_box_(\d{4})(?:_[a-z]+_(\d{4}-\d{2}-\d{2}))?[.]csv[.]gz")

LAYOUTS = ("auto", "nba", "espn")

PUBLISHED_TERMS = "published by their owners under terms of their own; nothing of them is part of this project"
SIMULATED = "simulated league"
SIMULATED_TERMS = "invented players, teams and games; simulated, not real results"


class Season(Struct, frozen=True):
    """One season's file; `end` is the year in which the season ends, by which both layouts can be told.

    `edition` orders several editions of one season, where names carry a date.
    """

    end: int
    path: Path
    edition: str = ""


class Source(Struct, frozen=True):
    """What a day is made from: the files, the oldest season first, of each season the editions in their order."""

    simulated: bool
    folder: Path
    seasons: tuple[Season, ...]

    @property
    def names(self) -> str:
        """The files' names: of several editions of a season the last."""
        return ", ".join(season.path.name for season in newest(self.seasons))


def newest(seasons: Iterable[Season]) -> list[Season]:
    """Return the last edition of each season."""
    return list({season.end: season for season in seasons}.values())


def key_day(key: str) -> date:
    """Return the day a run is for; raises `Permanent` if the key is not one."""
    try:
        return date.fromisoformat(key)
    except ValueError as error:
        message = f"{key!r} is not a day: run a date such as 2024-12-15"
        raise Permanent(message) from error


def described(params: Mapping[str, Any], files: str = "published files") -> dict[str, Any]:
    """Return what every output says about its source: `source`, `terms`, and whether it is `simulated`."""
    if params.get("data"):
        return {"source": files, "terms": PUBLISHED_TERMS, "simulated": False}
    return {"source": SIMULATED, "terms": SIMULATED_TERMS, "simulated": True}


def folder_of(ctx: Context) -> Path:
    """Return the folder that holds the day's files; raises `Permanent` if there is none."""
    if not ctx.params.get("data"):
        cache = ctx.home / "cache"
        return espn(cache) if wanted(ctx.params) == "espn" else league(cache)
    folder = Path(str(ctx.params["data"])).expanduser()
    if not folder.is_dir():
        message = f"{folder} is not a folder: name the one with the player_box files, or none for the simulated league"
        raise Permanent(message)
    return folder


def wanted(params: Mapping[str, Any]) -> str:
    """Return the layout asked for; raises `Permanent` for one that is not known."""
    layout = str(params.get("layout", "auto"))
    if layout not in LAYOUTS:
        message = f"layout {layout!r} is not known: choose {', '.join(LAYOUTS)}"
        raise Permanent(message)
    return layout


def find(ctx: Context, day: date) -> Source:
    """Return the files that can hold the day, and those of the season before; raises `Permanent` if there is none."""
    folder, simulated = folder_of(ctx), not ctx.params.get("data")
    every = _seasons(folder, wanted(ctx.params))
    holding = [end for end in ends(day) if end in every]
    if not holding:
        raise Permanent(_outside_simulation(day) if simulated else _nothing(folder, day, every))
    used = tuple(season for end in sorted({max(holding) - 1, *holding}) for season in every.get(end, ()))
    return Source(simulated, folder, used)


def check_covered(source: Source, day: date, first: date | None, last: date | None) -> None:
    """Raise `Permanent` if the files begin after the day; whether a day after their end has games, a schedule says."""
    reached = first is not None and first <= day
    if reached and (not source.simulated or (last is not None and day <= last)):
        return
    if source.simulated:
        raise Permanent(_outside_simulation(day))
    covered = f"has days from {first} to {last}" if first else "has no usable rows"
    message = f"{source.seasons[-1].path} {covered}, none for {day}: choose a day within"
    raise Permanent(message)


def ends(day: date) -> list[int]:
    """Return the years in which a season that holds the day may end, the likelier first where two are possible."""
    # A season has begun in December and another has ended in October: from August on both may hold a day.
    july, october = 7, 10
    same = [day.year] if day.month <= october else []
    return [*same, day.year + 1] if day.month > july else same


def season_name(end: int) -> str:
    """Write a season as files of stats.nba.com do: ``2024-25``."""
    return f"{end - 1}-{end % 100:02}"


def _seasons(folder: Path, layout: str) -> dict[int, list[Season]]:
    every: dict[int, list[Season]] = {}
    for path in sorted(folder.iterdir()):
        season = _season(path, layout)
        if season is not None:
            every.setdefault(season.end, []).append(season)
    for seasons in every.values():
        seasons.sort(key=lambda season: (season.edition, season.path.name))
    return every


def _season(path: Path, layout: str) -> Season | None:
    stats, other = _STATS.fullmatch(path.name), _ESPN.fullmatch(path.name)
    if stats and layout != "espn":
        return Season(int(stats[1]) + 1, path)
    if other and layout != "nba":
        return Season(int(other[1]), path, other[2] or "")
    return None


def _outside_simulation(day: date) -> str:
    season = f"{FIRST_DAY} to {LAST_DAY}"
    return f"the simulated league plays from {season}, not on {day}: choose such a day, or give a folder with --data"


def _nothing(folder: Path, day: date, every: Mapping[int, list[Season]]) -> str:
    due = " or ".join(f"player_box_{season_name(end)}.csv.gz" for end in ends(day))
    there = ", ".join(season.path.name for end in sorted(every) for season in every[end]) or "no player_box file"
    return f"{folder}: {due} is missing for {day} (there: {there}): put it there, or choose another day"
