"""The predictions phase: one item for each player of the day, staged in chunks, merged once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from nba.models import matrix, predicted
from nba.queries import query
from nba.source import key_day
from nba.spread import Spread, read_spread
from nba.systems import STATS, SYSTEMS, Known, Stat, System, ensemble, expected
from shotclock.context import Context
from shotclock.outcomes import Item, Outcome, Permanent, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

SYSTEM = (
    "ensemble of season mean, last ten games, exponentially weighted form and, where fitted, gradient-boosted trees"
)

COLUMNS = (
    "player_id", "games_before", "minutes_before", "games", "minutes", "basis", "stat", "system", "value", "low80",
    "high80", "line",
)  # fmt: skip


class Player(Known, frozen=True, kw_only=True):
    """A player of the card as the features phase knows him."""

    player_id: int
    games: int | None
    games_before: int
    minutes_before: float | None
    points_line: float | None
    rebounds_line: float | None
    assists_line: float | None


class Past(msgspec.Struct, frozen=True):
    """What the days graded so far teach: each system's error, and how far misses spread."""

    errors: Mapping[Stat, Mapping[System, float]]
    spread: Spread


def players(ctx: Context) -> Iterator[Item]:
    """Yield one item for each player of the day's card, named by the player's id, with who it is; none on a day off."""
    if ctx.inputs["features"].members["players"].kind == "empty":
        return
    with scratch() as connection:
        file = str(ctx.path(ctx.output("features", "players")["file"]))
        for player_id, player, team in connection.execute(query("roll"), {"file": file}).fetchall():
            yield Item(str(player_id), {"player": player, "team": team})


def predict_many(ctx: Context, items: Sequence[Item]) -> Mapping[str, Outcome]:
    """Predict a chunk of players by every system and stage the rows; one without history gets the newcomers' mean."""
    features = ctx.output("features", "players")
    with scratch() as connection:
        asked = {"file": str(ctx.path(features["file"])), "players": [int(item.id) for item in items]}
        chunk = _players(connection, asked)
        learned = _learned(ctx, connection, asked)
        past = _past(ctx, connection)
        rows = [
            row for place, one in enumerate(chunk) for row in _rows(one, features["newcomer"], learned, place, past)
        ]
        staged = {name: [row[number] for row in rows] for number, name in enumerate(COLUMNS)}
        write_parquet(connection, query("staged"), ctx.stage("predictions.parquet"), staged)
    return {item.id: Succeeded(rows=len(rows) // max(1, len(chunk))) for item in items}


def _players(connection: Any, asked: Mapping[str, object]) -> list[Player]:  # noqa: ANN401 - a DuckDB connection
    names = [field.name for field in msgspec.structs.fields(Player)]
    found = connection.execute(query("known").format(columns=", ".join(names)), asked).fetchall()
    return [Player(**dict(zip(names, row, strict=True))) for row in found]


def _learned(ctx: Context, connection: Any, asked: Mapping[str, object]) -> dict[Stat, list[float]]:  # noqa: ANN401 - a DuckDB connection
    given = ctx.inputs["models"].members["lightgbm"]
    if given.kind != "succeeded":
        return {}
    return predicted(ctx.path(given.outputs["folder"]), connection.execute(matrix(query("chunk")), asked).fetchall())


def _past(ctx: Context, connection: Any) -> Past:  # noqa: ANN401 - a DuckDB connection
    result = ctx.inputs["grade"].result
    errors: dict[Stat, dict[System, float]] = {stat: {} for stat in STATS}
    file = str(ctx.path(result["errors"]))
    for stat, system, mae in connection.execute(query("known_errors"), {"file": file}).fetchall():
        errors[stat][system] = mae
    return Past(errors, read_spread(connection, ctx.path(result["spread"])))


def _rows(
    one: Player, newcomer: Mapping[str, float], learned: Mapping[Stat, Sequence[float]], place: int, past: Past
) -> Iterator[tuple[object, ...]]:
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
                yield (*who, basis, stat, system, value, round(low, 2), round(high, 2), line)


def consolidate(ctx: Context) -> dict[str, Any]:
    """Merge the settled players' rows into the warehouse, once, and write the day's snapshots.

    Returns `predictions`, a row for each player, stat and system; `file`, a row for each player with what the
    `headline` system expects; `rows`, how many players; `opening`, how the gate opened; and for the grading to come
    the `spread` the intervals were made from.
    """
    files = _staged(ctx)
    ctx.commit_once(lambda connection: _merge(ctx, connection, files))
    day = {"day": key_day(ctx.key), "mode": ctx.mode}
    long, wide = ctx.stage("predictions.parquet"), ctx.stage("day.parquet")
    with ctx.warehouse.reading() as connection:
        write_parquet(connection, query("day").format(**day), long)
        rows = write_parquet(connection, query("wide").format(**day, headline="ensemble"), wide)
    grade = ctx.inputs["grade"].result
    said = {"rows": rows, "headline": "ensemble", "opening": _opening(ctx), "spread": grade.get("spread")}
    return {"file": ctx.relative(wide), "predictions": ctx.relative(long), **said}


def _staged(ctx: Context) -> dict[int, str]:
    """Return the file that holds each settled player's row."""
    files: dict[int, str] = {}
    for settlement in ctx.settled():
        if settlement.kind != "succeeded":
            continue
        if not settlement.staged or not ctx.path(settlement.staged[0]).exists():
            named = settlement.staged[0] if settlement.staged else "nothing was staged"
            raise _again(ctx, f"the staged rows of player {settlement.name} are gone ({named})")
        files[int(settlement.name)] = str(ctx.path(settlement.staged[0]))
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
