"""What the report tells, read from the inputs of the publish phase; none of it depends on when or where it was made."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct, convert

from nba.queries import query
from nba.source import described, key_day
from nba.systems import STATS, Stat
from shotclock.context import Context, Input
from shotclock.model import Opening
from shotclock.warehouse.duckdb import scratch


class Expected(Struct, frozen=True):
    """What a system expects of a player; the interval and the market's line where there are any."""

    value: float
    low: float | None = None
    high: float | None = None
    line: float | None = None


class PlayerDay(Struct, frozen=True):
    """A player of the day and what is expected of him, by stat, by the headline system."""

    player_id: int
    name: str
    team: str
    opponent: str
    venue: str
    games: int
    basis: str
    expected: dict[Stat, Expected]


class Score(Struct, frozen=True):
    """How good a system has been at a stat over the season; for a band of minutes where one is named."""

    stat: str
    system: str
    n: int
    mae: float
    bias: float | None = None
    coverage: float | None = None
    minutes_band: str = ""


class DayError(Struct, frozen=True):
    """A system's mean error on a graded day."""

    game_date: date
    stat: str
    system: str
    n: int
    mae: float


class Calibration(Struct, frozen=True):
    """How often the outcome lay within an interval that should hold it `nominal` per cent of the time."""

    stat: str
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
    stat: str
    value: float
    outcome: float
    error: float
    low80: float | None = None
    high80: float | None = None
    line: float | None = None


class BesideLine(Struct, frozen=True):
    """A system's error and the line's, on the rows that have a line."""

    stat: str
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
    as_of: Any = None


class Gate(Struct, frozen=True):
    """How the gate of a phase opened, without its instants."""

    phase: str
    previous: bool
    """Whether it is a phase of the run before."""
    reason: str
    partial: bool
    missing: tuple[str, ...]
    satisfied: int
    members: int


class Facts(Struct, frozen=True, kw_only=True):
    """Everything the report tells."""

    day: date
    mode: str
    source: str
    terms: str
    simulated: bool
    partial: bool
    missing: dict[str, list[str]]
    headline: str
    players: list[PlayerDay]
    graded_day: date | None
    summary: list[Score]
    daily: list[DayError]
    calibration: list[Calibration]
    misses: list[Miss]
    groups: list[Score]
    beside_line: list[BesideLine]
    sources: list[SourceState]
    gates: list[Gate]

    @property
    def systems(self) -> list[str]:
        """The systems that were graded, the headline first."""
        found = ({row.system for row in self.summary} | {row.system for row in self.daily}) - {"line"}
        return sorted(found, key=lambda name: (name != self.headline, name))

    @property
    def games(self) -> int:
        """How many games the day has."""
        return len({frozenset((player.team, player.opponent)) for player in self.players})

    def of(self, system: str, stat: str) -> Score | None:
        """Return how good a system has been at a stat."""
        return next((row for row in self.summary if (row.system, row.stat) == (system, stat)), None)


def read(ctx: Context) -> Facts:
    """Read everything the report tells; what an input does not have is left empty, and the page says so."""
    result = ctx.inputs["predictions"].result
    grade = ctx.inputs["grade"].result if "grade" in ctx.inputs else {}
    headline = str(result["headline"])
    box = ctx.inputs["raw"].members["player_box"].outputs
    said = {name: box[name] for name in ("source", "terms", "simulated")} if "source" in box else described(ctx.params)
    graded = grade.get("graded_day")
    return Facts(
        **said,
        day=key_day(ctx.key),
        mode=ctx.mode,
        partial=ctx.partial,
        missing={phase: sorted(names) for phase, names in sorted(ctx.missing.items())},
        headline=headline,
        players=_players(ctx, result, headline),
        graded_day=date.fromisoformat(graded) if graded else None,
        summary=_rows(ctx, grade, "summary", list[Score]),
        daily=_rows(ctx, grade, "daily_error", list[DayError]),
        calibration=_rows(ctx, grade, "calibration", list[Calibration]),
        misses=_rows(ctx, grade, "misses", list[Miss]),
        groups=_rows(ctx, grade, "groups", list[Score]),
        beside_line=_rows(ctx, grade, "beside_line", list[BesideLine]),
        sources=_rows(ctx, grade, "sources", list[SourceState]),
        gates=[_gate(given, ctx.run) for given in ctx.inputs.values()],
    )


def _rows(ctx: Context, result: Mapping[str, Any], name: str, kind: Any) -> Any:  # noqa: ANN401 - a list of one of the structs above
    found = records(ctx.path(result[name])) if name in result else []
    return convert(found, kind, strict=False)


def records(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file in its order, by column."""
    with scratch() as connection:
        found = connection.execute(query("records"), {"file": str(file)})
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _players(ctx: Context, result: Mapping[str, Any], headline: str) -> list[PlayerDay]:
    spread: dict[int, dict[Stat, Expected]] = {}
    for row in records(ctx.path(result["predictions"])):
        if row["system"] == headline:
            told = Expected(row["value"], row["low80"], row["high80"], row["line"])
            spread.setdefault(row["player_id"], {})[row["stat"]] = told
    rows = records(ctx.path(result["file"]))
    return [_player(row, spread.get(row["player_id"], {})) for row in rows]


def _player(row: Mapping[str, Any], expected: Mapping[Stat, Expected]) -> PlayerDay:
    return PlayerDay(
        player_id=row["player_id"],
        name=row["player"],
        team=row["team"],
        opponent=row["opponent"],
        venue=row["venue"],
        games=row["games"],
        basis=row["basis"],
        expected={stat: expected.get(stat) or Expected(row[stat]) for stat in STATS},
    )


def _gate(given: Input, run: str) -> Gate:
    opening: Opening | None = given.opening
    counts = given.counts
    return Gate(
        phase=given.phase,
        previous=bool(given.run) and _without_generation(given.run) != _without_generation(run),
        reason="absent" if given.absent else "all" if opening is None else opening.reason,
        partial=given.partial,
        missing=tuple(sorted(given.missing)),
        satisfied=counts.satisfied,
        members=counts.expected,
    )


def _without_generation(run: str) -> str:
    return run.partition("#")[0]


def best(rows: Sequence[Score]) -> Score | None:
    """Return the row with the least error, the line aside."""
    return min((row for row in rows if row.system != "line"), key=lambda row: (row.mae, row.system), default=None)
