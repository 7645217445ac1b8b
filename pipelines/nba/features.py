"""The features phase: what is known of each player of the day's card before the day."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from nba.card import optional
from nba.history import CITIES, UNKNOWN
from nba.queries import query
from nba.source import key_day
from nba.systems import Known
from shotclock.context import Context
from shotclock.files import write_whole
from shotclock.model import digest
from shotclock.outcomes import Empty, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

_DONE = "complete"

LISTED = ("log", "log and schedule", "log, log and schedule")
"""Where a card comes from if the log lists all its players."""


class Player(Known, frozen=True, kw_only=True):
    """A player of the card, and what is known of him before the day."""

    player_id: int
    player: str
    team: str
    games: int | None
    games_before: int
    minutes_before: float | None
    points_line: float | None
    rebounds_line: float | None
    assists_line: float | None


def players(ctx: Context) -> Succeeded | Empty:
    """Write what is known of each player of the day's card, with his main lines; `Empty` on a day off.

    Outputs: `file`, the players; `features`, a table of all that is known of them, which may hold other days too;
    `newcomer`, what to expect of a player without a game.
    """
    if ctx.inputs["analytics"].members["card"].kind == "empty":
        return Empty(reason="no games today")
    day = key_day(ctx.key)
    history = ctx.output("analytics", "history")
    target = ctx.stage("players.json")
    with scratch() as connection:
        known = _known(ctx, connection, history, day)
        values = {"features": str(known), "lines": optional(ctx, "props"), "day": day}
        found = _players(connection, values)
        newcomer = _newcomer(connection, str(ctx.path(history["debuts"])), day)
    write_whole(target, msgspec.json.encode(found))
    outputs = {"file": ctx.relative(target), "features": ctx.relative(known), "newcomer": newcomer}
    return Succeeded(rows=len(found), outputs=outputs)


def known_players(ctx: Context) -> list[Player]:
    """Return the day's players as the features phase knows them, in the order of the card."""
    return msgspec.json.decode(ctx.path(ctx.output("features", "players")["file"]).read_bytes(), type=list[Player])


def _known(ctx: Context, connection: Any, history: Mapping[str, Any], day: date) -> Path:  # noqa: ANN401 - a DuckDB connection
    """Return the features of the day: among those of every game where the log lists all players, else made now."""
    card = ctx.output("analytics", "card")
    if card["basis"] in LISTED:
        return every_game(ctx, history) / f"{day:%Y-%m}.parquet"
    known = ctx.stage("features.parquet")
    write_features(connection, ctx, history, ctx.path(card["card"]), known)
    return known


def _players(connection: Any, values: Mapping[str, object]) -> list[Player]:  # noqa: ANN401 - a DuckDB connection
    names = [field.name for field in msgspec.structs.fields(Player)]
    connection.execute(query("spelling"))
    found = connection.execute(query("players").format(columns=", ".join(names)), values).fetchall()
    return [Player(**dict(zip(names, row, strict=True))) for row in found]


def every_game(ctx: Context, history: Mapping[str, Any]) -> Path:
    """Return the folder with the features of every game the files list, a file a month; made once for their content.

    Each row is what was known before its day: the day's own are among them, and models learn from the weeks before.
    """
    rules = [query(name) for name in ("feature_macros", "features")]
    key = digest(history["key"].encode(), *(text.encode() for text in rules), CITIES.read_bytes())
    folder = ctx.home / "cache" / "features" / key
    if not (folder / _DONE).exists():
        _write_months(ctx, history, folder)
        write_whole(folder / _DONE, b"")
    return folder


def _write_months(ctx: Context, history: Mapping[str, Any], folder: Path) -> None:
    """Write the months one by one, so that a day need not read a season."""
    with scratch() as connection:
        connection.execute(query("feature_macros"))
        every = f"CREATE OR REPLACE TEMP TABLE every AS\n{query('features')}"
        connection.execute(every, _tables(ctx, history, ctx.path(history["cards"])))
        for (month,) in connection.execute(query("months")).fetchall():
            write_parquet(connection, query("month"), folder / f"{month:%Y-%m}.parquet", {"month": month})


def write_features(connection: Any, ctx: Context, history: Mapping[str, Any], asked: Path, target: Path) -> int:  # noqa: ANN401 - a DuckDB connection
    """Write the features of the games asked for, each from what was known before its day; return how many."""
    connection.execute(query("feature_macros"))
    return write_parquet(connection, query("features"), target, _tables(ctx, history, asked))


def _tables(ctx: Context, history: Mapping[str, Any], asked: Path) -> dict[str, str]:
    tables = {name: str(ctx.path(history[name])) for name in ("players", "teams", "allowed", "cards")}
    return {**tables, "asked": str(asked), "cities": str(CITIES)}


def _newcomer(connection: Any, debuts: str, day: date) -> dict[str, float]:  # noqa: ANN401 - a DuckDB connection
    found = connection.execute(query("newcomer"), {"debuts": debuts, "day": day}).fetchall()[0]
    if not found[0]:
        return UNKNOWN
    return {name: round(value, 3) for name, value in zip(UNKNOWN, found[1:], strict=True)}
