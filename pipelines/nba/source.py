"""Where a day's data comes from: which published files, or the simulated league."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct

from nba.simulated import FIRST_DAY, LAST_DAY, league
from shotclock.outcomes import Permanent

_FILE = re.compile(r"player_box_(\d{4})-(\d{2})[.]csv[.]gz")

PUBLISHED_TERMS = "published by their owners under terms of their own; nothing of them is part of this project"
SIMULATED = "simulated league"
SIMULATED_TERMS = "invented players, teams and games; simulated, not real results"


class Season(Struct, frozen=True):
    """One season's file; `start` is the year in which the season began."""

    start: int
    path: Path


class Source(Struct, frozen=True):
    """What a day is made from: the files, the oldest season first."""

    simulated: bool
    seasons: tuple[Season, ...]

    @property
    def names(self) -> str:
        """The files' names."""
        return ", ".join(season.path.name for season in self.seasons)


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


def find(params: Mapping[str, Any], cache: Path, day: date) -> Source:
    """Return the files that can hold the day, and those of the season before; raises `Permanent` if there is none."""
    if not params.get("data"):
        return _source(league(cache), day, simulated=True)
    folder = Path(str(params["data"])).expanduser()
    if not folder.is_dir():
        message = f"{folder} is not a folder: name the one with the player_box files, or none for the simulated league"
        raise Permanent(message)
    return _source(folder, day, simulated=False)


def _source(folder: Path, day: date, *, simulated: bool) -> Source:
    named = [(_FILE.fullmatch(path.name), path) for path in folder.iterdir()]
    every = {int(found[1]): Season(int(found[1]), path) for found, path in named if found}
    holding = [start for start in _starts(day) if start in every]
    if not holding:
        raise Permanent(_outside_simulation(day) if simulated else _nothing(folder, day, every))
    used = tuple(every[start] for start in sorted({holding[0] - 1, *holding}) if start in every)
    return Source(simulated, used)


def check_covered(source: Source, day: date, first: date | None, last: date | None) -> None:
    """Raise `Permanent` if the files do not reach the day, so that it cannot be said whether it has games."""
    if first is not None and last is not None and first <= day <= last:
        return
    if source.simulated:
        raise Permanent(_outside_simulation(day))
    covered = f"has days from {first} to {last}" if first else "has no usable rows"
    message = f"{source.seasons[-1].path} {covered}, none for {day}: fetch a newer file, or choose a day within"
    raise Permanent(message)


def _outside_simulation(day: date) -> str:
    season = f"{FIRST_DAY} to {LAST_DAY}"
    return f"the simulated league plays from {season}, not on {day}: choose such a day, or give a folder with --data"


def _starts(day: date) -> list[int]:
    # A season has begun in December and another has ended in October: from August on both may hold a day.
    july, october = 7, 10
    starts = [day.year - 1] if day.month <= october else []
    return [*starts, day.year] if day.month > july else starts


def _nothing(folder: Path, day: date, every: Mapping[int, Season]) -> str:
    wanted = " or ".join(f"player_box_{start}-{(start + 1) % 100:02}.csv.gz" for start in _starts(day))
    there = ", ".join(every[start].path.name for start in sorted(every)) or "no player_box file"
    return f"{folder}: {wanted} is missing for {day} (there: {there}): put it there, or choose another day"
