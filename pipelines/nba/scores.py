"""How good the predictions of all graded days were: what the report tells, and what the next predictions learn."""

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

from nba.spread import Misses
from nba.systems import Stat, System


class Score(Struct, frozen=True):
    """How good a system has been at a stat over the season; for a band of minutes where one is named."""

    stat: Stat
    system: str
    n: int
    mae: float
    bias: float | None = None
    coverage: float | None = None
    minutes_band: str = ""


class DayError(Struct, frozen=True):
    """A system's mean error on a graded day."""

    game_date: date
    stat: Stat
    system: str
    n: int
    mae: float


class Calibration(Struct, frozen=True):
    """How often the outcome lay within an interval that should hold it `nominal` per cent of the time."""

    stat: Stat
    system: str
    nominal: float
    covered: float
    n: int


class Miss(Struct, frozen=True):
    """A prediction of the graded day that was far off."""

    game_date: date
    player_name: str
    team: str
    opponent: str
    stat: Stat
    value: float
    outcome: float
    error: float
    low80: float | None = None
    high80: float | None = None
    line: float | None = None


class BesideLine(Struct, frozen=True):
    """A system's error and the line's, on the rows that have a line."""

    stat: Stat
    system: str
    n: int
    mae: float
    line_mae: float


class SourceState(Struct, frozen=True):
    """What one source gave."""

    source: str
    state: str
    rows: int | None = None
    set_aside: int | None = None
    changed: int | None = None
    as_of: date | None = None


class Scores(Struct, frozen=True, kw_only=True):
    """What the report tells of the graded days, and of the sources of its own."""

    summary: Sequence[Score] = ()
    daily: Sequence[DayError] = ()
    calibration: Sequence[Calibration] = ()
    groups: Sequence[Score] = ()
    beside_line: Sequence[BesideLine] = ()
    misses: Sequence[Miss] = ()
    sources: Sequence[SourceState] = ()


class Lessons(Struct, frozen=True, kw_only=True):
    """What the next predictions learn: each system's error lately, and how far outcomes lay from predictions."""

    errors: Mapping[Stat, Mapping[System, float]]
    misses: Sequence[Misses]
