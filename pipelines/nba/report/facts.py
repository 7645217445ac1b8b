"""What the report tells, read from the inputs of the publish phase; none of it depends on when or where it was made."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.json import decode
from msgspec.structs import asdict

from nba.scores import BesideLine, Calibration, DayError, Miss, Score, Scores, SourceState
from nba.source import described, key_day
from nba.systems import STATS, Stat
from shotclock.context import Context, Input
from shotclock.model import Opening


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
    log_ends: date | None = None
    """The last day of the log, where it ends before the day and no schedule says what comes after."""
    graded_day: date | None
    summary: Sequence[Score]
    daily: Sequence[DayError]
    calibration: Sequence[Calibration]
    misses: Sequence[Miss]
    groups: Sequence[Score]
    beside_line: Sequence[BesideLine]
    sources: Sequence[SourceState]
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


def read(ctx: Context, rows: Sequence[Mapping[str, Any]]) -> Facts:
    """Read everything the report tells beside the rows of the day's players; what is not there is left empty."""
    result = ctx.inputs["predictions"].result
    grade = ctx.inputs["grade"].result if "grade" in ctx.inputs else {}
    box = ctx.inputs["raw"].members["player_box"].outputs
    said = {name: box[name] for name in ("source", "terms", "simulated")} if "source" in box else described(ctx.params)
    graded = grade.get("graded_day")
    return Facts(
        **said,
        **asdict(_scores(ctx, grade)),
        day=key_day(ctx.key),
        mode=ctx.mode,
        partial=ctx.partial,
        missing={phase: sorted(names) for phase, names in sorted(ctx.missing.items())},
        headline=str(result["headline"]),
        players=[_player(row) for row in rows],
        log_ends=_log_ends(ctx),
        graded_day=date.fromisoformat(graded) if graded else None,
        gates=[_gate(given, ctx.run) for given in ctx.inputs.values()],
    )


def _log_ends(ctx: Context) -> date | None:
    sources = ctx.inputs["raw"].members
    last = date.fromisoformat(sources["player_box"].outputs["last"])
    return last if last < key_day(ctx.key) and sources["schedule"].kind != "succeeded" else None


def _scores(ctx: Context, grade: Mapping[str, Any]) -> Scores:
    return decode(ctx.path(grade["scores"]).read_bytes(), type=Scores) if "scores" in grade else Scores()


def _player(row: Mapping[str, Any]) -> PlayerDay:
    return PlayerDay(
        player_id=row["player_id"],
        name=row["player"],
        team=row["team"],
        opponent=row["opponent"],
        venue=row["venue"],
        games=row["games"],
        basis=row["basis"],
        expected={
            stat: Expected(row[stat], row[f"{stat}_low"], row[f"{stat}_high"], row[f"{stat}_line"]) for stat in STATS
        },
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
