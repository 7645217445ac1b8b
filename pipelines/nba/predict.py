"""The predictions phase: one item for each player of the day, staged in chunks, merged once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from nba.features import Player, known_players
from nba.models import matrix, predicted
from nba.queries import query
from nba.scores import Lessons
from nba.source import key_day
from nba.spread import Spread
from nba.systems import STATS, SYSTEMS, Stat, System, ensemble, expected
from shotclock.context import Context
from shotclock.files import write_whole
from shotclock.outcomes import Item, Outcome, Permanent, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

SYSTEM = (
    "ensemble of season mean, last ten games, exponentially weighted form and, where fitted, gradient-boosted trees"
)


class Predicted(msgspec.Struct, frozen=True):
    """What one system expects of a player in one stat; one row of what a chunk stages."""

    player_id: int
    games_before: int
    minutes_before: float | None
    games: int
    minutes: float
    basis: str
    stat: Stat
    system: System
    value: float
    low80: float
    high80: float
    line: float | None


class Past(msgspec.Struct, frozen=True):
    """What the days graded so far teach: each system's error, and how far misses spread."""

    errors: Mapping[Stat, Mapping[System, float]]
    spread: Spread


def players(ctx: Context) -> Iterator[Item]:
    """Yield one item for each player of the day's card, named by the player's id, with who it is; none on a day off."""
    if ctx.inputs["features"].members["players"].kind == "empty":
        return
    for one in known_players(ctx):
        yield Item(str(one.player_id), {"player": one.player, "team": one.team})


def predict_many(ctx: Context, items: Sequence[Item]) -> Mapping[str, Outcome]:
    """Predict a chunk of players by every system and stage the rows; one without history gets the newcomers' mean."""
    features = ctx.output("features", "players")
    asked = {int(item.id) for item in items}
    chunk = [one for one in known_players(ctx) if one.player_id in asked]
    learned, past = _learned(ctx, features["features"], asked), _past(ctx)
    rows = [row for place, one in enumerate(chunk) for row in _rows(one, features["newcomer"], learned, place, past)]
    write_whole(ctx.stage("predictions.json"), msgspec.json.Encoder().encode_lines(rows))
    return {item.id: Succeeded(rows=len(rows) // max(1, len(chunk))) for item in items}


def _learned(ctx: Context, features: str, players: Collection[int]) -> dict[Stat, list[float]]:
    """Return what the models expect of players, in the order of the card; nothing where there are no models."""
    given = ctx.inputs["models"].members["lightgbm"]
    if given.kind != "succeeded":
        return {}
    asked = {"file": str(ctx.path(features)), "day": key_day(ctx.key), "players": sorted(players)}
    with scratch() as connection:
        rows = connection.execute(matrix(query("chunk")), asked).fetchall()
    return predicted(ctx.path(given.outputs["folder"]), rows)


def _past(ctx: Context) -> Past:
    lessons = msgspec.json.decode(ctx.path(ctx.inputs["grade"].result["lessons"]).read_bytes(), type=Lessons)
    return Past(lessons.errors, Spread(lessons.misses))


def _rows(
    one: Player, newcomer: Mapping[str, float], learned: Mapping[Stat, Sequence[float]], place: int, past: Past
) -> Iterator[Predicted]:
    old = one.fast_minutes is not None and one.points_rate is not None
    minutes = one.fast_minutes if old and one.fast_minutes is not None else newcomer["minutes"]
    who = (one.player_id, one.games_before, one.minutes_before, one.games or 0, round(minutes, 2))
    basis = "history" if old else "no history"
    for stat in STATS:
        values = expected(one, stat, newcomer, learned[stat][place] if learned else None)
        values["ensemble"] = ensemble(values, past.errors[stat])
        for system in SYSTEMS:
            if system in values:
                value = round(values[system], 2)
                low, high = past.spread.interval(stat, system, value)
                line = getattr(one, f"{stat}_line")
                yield Predicted(*who, basis, stat, system, value, round(low, 2), round(high, 2), line)


def consolidate(ctx: Context) -> dict[str, Any]:
    """Merge the settled players' rows into the warehouse, once, and write the day's snapshots.

    Returns `predictions`, a row for each player, stat and system; `file`, a row for each player with what the
    `headline` system expects; `rows`, how many players; `opening`, how the gate opened; and for the grading to come
    the `day` and the `lessons` the intervals were made from.
    """
    files = _staged(ctx)
    ctx.commit_once(lambda connection: _merge(ctx, connection, files))
    day = {"day": key_day(ctx.key), "mode": ctx.mode}
    long, wide = ctx.stage("predictions.parquet"), ctx.stage("day.parquet")
    with ctx.warehouse.reading() as connection:
        write_parquet(connection, query("day").format(**day), long)
        rows = write_parquet(connection, query("wide").format(**day, headline="ensemble"), wide)
    said = {"rows": rows, "headline": "ensemble", "opening": _opening(ctx), "day": ctx.key}
    said["lessons"] = ctx.inputs["grade"].result.get("lessons")
    return {"file": ctx.relative(wide), "predictions": ctx.relative(long), **said}


def _staged(ctx: Context) -> dict[int, str]:
    """Return the file that holds each settled player's rows."""
    files: dict[int, str] = {}
    seen: set[str] = set()
    for settlement in ctx.settled():
        if settlement.kind != "succeeded":
            continue
        named = settlement.staged[0] if settlement.staged else "nothing was staged"
        file = str(ctx.path(named))
        if file not in seen and not Path(file).exists():
            raise _again(ctx, f"the staged rows of player {settlement.name} are gone ({named})")
        seen.add(file)
        files[int(settlement.name)] = file
    return files


def _merge(ctx: Context, connection: Any, files: Mapping[int, str]) -> None:  # noqa: ANN401 - a DuckDB connection
    day = {"day": ctx.key, "mode": ctx.mode}
    connection.execute(query("predictions"))
    connection.execute(query("clear"), day)
    if not files:
        return
    chosen = {"files": list(files.values()), "players": list(files), "staged": sorted(set(files.values()))}
    card, source = ctx.output("analytics", "card"), ctx.output("raw", "player_box")
    named = {"card": str(ctx.path(card["card"])), "source": source["source"]}
    connection.execute(query("merge"), {**day, **chosen, **named})
    merged = [row[0] for row in connection.execute(query("merged"), day).fetchall()]
    if sorted(merged) != sorted(files):
        player = next(iter(set(files) ^ set(merged)), None)
        raise _again(ctx, f"{len(files)} players settled, {len(merged)} rows were staged (look at player {player})")


def _again(ctx: Context, why: str) -> Permanent:
    return Permanent(f"{why}: shotclock rerun {ctx.run} {ctx.phase}")


def _opening(ctx: Context) -> dict[str, Any]:
    opening = ctx.opening
    if opening is None:
        return {}
    return {
        "reason": opening.reason,
        "partial": opening.partial,
        "rule": opening.rule,
        "at": opening.at.isoformat(),
        "missing": opening.missing_count,
        "late_by": None if opening.late_by is None else opening.late_by.total_seconds(),
    }
