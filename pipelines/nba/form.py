"""The analytics phase: every player's form from the games before the day."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from nba.queries import query
from nba.source import key_day
from shotclock.context import Context
from shotclock.outcomes import Empty, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WEIGHTS = {
    "minutes_half_life": 3.0,  # in games: minutes follow the coach and change fast
    "rate_half_life": 15.0,  # in games: what a player does in a minute changes slowly
    "window": 90,  # games; older ones weigh next to nothing
    "scale": 2**30,  # the weight of the last game
}
"""How games are weighted: of the settings compared, mostly on 2024-25, these had the least error of points."""

UNKNOWN = {"minutes": 22.8, "points": 10.7, "rebounds": 4.1, "assists": 2.4}
"""The mean game of a player in the seasons 2021-22 to 2023-24: for the very first day, when no game is known."""


def player_form(ctx: Context) -> Succeeded | Empty:
    """Write one row for each player with a game before the day; `Empty` on a day without games.

    Outputs: `file`, the rows; `newcomer`, what to expect of a player without any.
    """
    if ctx.inputs["raw"].members["player_box"].kind == "empty":
        return Empty(reason="no games today")
    day = key_day(ctx.key)
    raw = ctx.output("raw", "player_box")
    boxes = [str(ctx.path(box)) for box in raw["boxes"]]
    target = ctx.stage("player_form.parquet")
    with scratch() as connection:
        values = {"boxes": boxes, "day": day, "season": _season(connection, ctx.path(raw["card"])), **WEIGHTS}
        players = write_parquet(connection, query("form"), target, values)
        newcomer = _newcomer(connection, boxes, day)
    return Succeeded(rows=players, outputs={"file": ctx.relative(target), "newcomer": newcomer})


def _season(connection: "DuckDBPyConnection", card: Path) -> str:
    return str(connection.execute(query("season"), {"card": str(card)}).fetchall()[0][0])


def _newcomer(connection: "DuckDBPyConnection", boxes: list[str], day: date) -> dict[str, float]:
    found = connection.execute(query("newcomer"), {"boxes": boxes, "day": day}).fetchall()[0]
    if not found[0]:
        return UNKNOWN
    return {name: round(value, 3) for name, value in zip(UNKNOWN, found[1:], strict=True)}
