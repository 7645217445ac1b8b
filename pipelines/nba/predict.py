"""The predictions phase: one item for each player of the day, staged in chunks, merged once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from nba.queries import query
from nba.source import key_day
from shotclock.context import Context
from shotclock.outcomes import Item, Outcome, Permanent, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

STATS = ("points", "rebounds", "assists")

SYSTEM = "exponentially weighted rate a minute, times exponentially weighted minutes"


class Form(Struct, frozen=True):
    """A player's form, as the analytics phase wrote it; rates are unset for one who never played a full minute."""

    games: int
    season_games: int
    minutes: float
    points_per_minute: float | None
    rebounds_per_minute: float | None
    assists_per_minute: float | None


class Prediction(Struct, frozen=True, kw_only=True):
    """What is expected of a player in the day's game; `basis` says what it rests on."""

    player_id: int
    points: float
    rebounds: float
    assists: float
    minutes: float
    games: int
    season_games: int
    basis: str


def players(ctx: Context) -> Iterator[Item]:
    """Yield one item for each player of the day's card, named by the player's id, with who it is; none on a day off."""
    if ctx.inputs["raw"].members["player_box"].kind == "empty":
        return
    with scratch() as connection:
        card = str(ctx.path(ctx.output("raw", "player_box")["card"]))
        for player_id, player, team in connection.execute(query("roll"), {"card": card}).fetchall():
            yield Item(str(player_id), {"player": player, "team": team})


def predict_many(ctx: Context, items: Sequence[Item]) -> Mapping[str, Outcome]:
    """Predict a chunk of players and stage the rows; one without history gets the newcomers' mean, and is marked."""
    analytics = ctx.output("analytics", "player_form")
    wanted = [int(item.id) for item in items]
    with scratch() as connection:
        values: dict[str, object] = {"form": str(ctx.path(analytics["file"])), "players": wanted}
        known = {row[0]: Form(*row[1:]) for row in connection.execute(query("known"), values).fetchall()}
        rows = [predicted(player, known.get(player), analytics["newcomer"]) for player in wanted]
        staged = {name: [getattr(row, name) for row in rows] for name in Prediction.__struct_fields__}
        write_parquet(connection, query("staged"), ctx.stage("predictions.parquet"), staged)
    return {item.id: Succeeded(rows=1) for item in items}


def predicted(player_id: int, form: Form | None, newcomer: Mapping[str, float]) -> Prediction:
    """Return what to expect of a player: minutes times what he does in one, each with its own memory."""
    if form is None or form.points_per_minute is None:
        games, season_games = (form.games, form.season_games) if form else (0, 0)
        expected = {name: round(newcomer[name], 2) for name in (*STATS, "minutes")}
        return Prediction(player_id=player_id, games=games, season_games=season_games, basis="no history", **expected)
    minutes = form.minutes
    expected = {name: round((getattr(form, f"{name}_per_minute") or 0.0) * minutes, 2) for name in STATS}
    return Prediction(
        player_id=player_id,
        minutes=round(minutes, 2),
        games=form.games,
        season_games=form.season_games,
        basis="history",
        **expected,
    )


def consolidate(ctx: Context) -> dict[str, Any]:
    """Merge the settled players' rows into the warehouse, once, and write the day's snapshot.

    Returns `file`, the snapshot as Parquet, `rows`, and `opening`, how the gate opened.
    """
    files = _staged(ctx)
    raw = {} if ctx.empty else ctx.output("raw", "player_box")
    ctx.commit_once(lambda connection: _merge(ctx, connection, files, raw))
    target = ctx.stage("day.parquet")
    rows = ctx.warehouse.export(query("day").format(day=key_day(ctx.key), mode=ctx.mode), target)
    return {"file": ctx.relative(target), "rows": rows, "opening": _opening(ctx)}


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


def _merge(ctx: Context, connection: Any, files: Mapping[int, str], raw: Mapping[str, Any]) -> None:  # noqa: ANN401 - a DuckDB connection
    day = {"day": ctx.key, "mode": ctx.mode}
    connection.execute(query("predictions"))
    connection.execute(query("clear"), day)
    if not files:
        return
    chosen = {"files": list(files.values()), "players": list(files), "staged": sorted(set(files.values()))}
    connection.execute(query("merge"), {**day, **chosen, "card": str(ctx.path(raw["card"])), "source": raw["source"]})
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
