"""The features phase: what is known of each player of the day's card before the day."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from nba.card import optional
from nba.history import CITIES, UNKNOWN
from nba.queries import query
from nba.source import key_day
from shotclock.context import Context
from shotclock.outcomes import Empty, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet


def players(ctx: Context) -> Succeeded | Empty:
    """Write the day's features, a row for each player of the card with his main lines; `Empty` on a day off.

    Outputs: `file`, the rows; `newcomer`, what to expect of a player without a game.
    """
    if ctx.inputs["analytics"].members["card"].kind == "empty":
        return Empty(reason="no games today")
    day = key_day(ctx.key)
    history = ctx.output("analytics", "history")
    card = ctx.path(ctx.output("analytics", "card")["card"])
    target, known = ctx.stage("players.parquet"), ctx.stage("features.parquet")
    with scratch() as connection:
        connection.execute(query("spelling"))
        write_features(connection, ctx, history, card, known)
        values = {"features": str(known), "lines": optional(ctx, "props")}
        rows = write_parquet(connection, query("players"), target, values)
        newcomer = _newcomer(connection, str(ctx.path(history["games"])), day)
    return Succeeded(rows=rows, outputs={"file": ctx.relative(target), "newcomer": newcomer})


def write_features(connection: Any, ctx: Context, history: Mapping[str, Any], asked: Path, target: Path) -> int:  # noqa: ANN401 - a DuckDB connection
    """Write the features of the games asked for, each from what was known before its day; return how many."""
    tables = {name: str(ctx.path(history[name])) for name in ("players", "teams", "allowed", "cards")}
    connection.execute(query("feature_macros"))
    return write_parquet(connection, query("features"), target, {**tables, "asked": str(asked), "cities": str(CITIES)})


def _newcomer(connection: Any, games: str, day: date) -> dict[str, float]:  # noqa: ANN401 - a DuckDB connection
    found = connection.execute(query("newcomer"), {"games": games, "day": day}).fetchall()[0]
    if not found[0]:
        return UNKNOWN
    return {name: round(value, 3) for name, value in zip(UNKNOWN, found[1:], strict=True)}
