"""The day's card: who plays whom and where, from the schedule, the day's log, or both, and which it was."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from nba.queries import query
from nba.source import key_day
from shotclock.context import Context
from shotclock.outcomes import Empty, Permanent, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AFTER = timedelta(days=7)
"""How long after its end a log without a schedule is taken for whole: runs after a season's end grade its last day."""

ROSTER_DAYS = 21
"""How long ago somebody's last game may be for him to be expected where only the schedule knows of a game."""


def card(ctx: Context) -> Succeeded | Empty:
    """List the day's games and players; `Empty` on a day without games.

    A log that reaches the day knows best who plays: games move, and cup games are not in the schedule. Where only the
    schedule knows a game, its players are those whose last game was for one of the two teams. Outputs: `card` as
    Parquet, `basis`, and the games that were `moved` away or are `unscheduled`.
    """
    day = key_day(ctx.key)
    target = ctx.stage("card.parquet")
    given = {**sources(ctx), "day": day}
    with scratch() as connection:
        connection.execute(query("games"), _some(given, "boxes", "schedule", "day"))
        games = dict(connection.execute(query("card_games")).fetchall())
        if not games:
            return Empty(reason=_why_none(ctx, connection, given))
        asked = _some(given, "boxes", "positions", "day")
        if "schedule" in games.values():
            listed, asked = query("card_expected"), {**asked, "roster_days": ROSTER_DAYS}
        else:
            listed = query("card_listed")
        rows = write_parquet(connection, query("card").format(players=listed), target, asked)
        planned = _planned(ctx, connection, given)
    return Succeeded(rows=rows, outputs={"card": ctx.relative(target), **_said(games, planned)})


def _why_none(ctx: Context, connection: "DuckDBPyConnection", given: dict[str, Any]) -> str:
    """Say why the card is empty; raises `Permanent` where log and schedule end too long before the day to tell."""
    day, last = given["day"], date.fromisoformat(ctx.output("raw", "player_box")["last"])
    planned = connection.execute(query("planned"), {"schedule": given["schedule"]}).fetchall()[0][0]
    if day <= max(last, planned or last):
        return f"no games on {day}"
    if day - last <= AFTER:
        return f"no games known on {day}: the log ends on {last}, and no schedule goes on"
    message = f"the log ends on {last}, and no schedule knows {day}: fetch a newer file or the schedule"
    raise Permanent(message)


def sources(ctx: Context) -> dict[str, Any]:
    """Return the raw files as queries take them; an optional one that is absent is an empty table of its shape."""
    boxes = [str(ctx.path(box)) for box in ctx.output("raw", "player_box")["boxes"]]
    return {"boxes": boxes, "positions": optional(ctx, "positions"), "schedule": optional(ctx, "schedule")}


def optional(ctx: Context, member: str) -> str:
    """Return the file of an optional source, or an empty one where it has none."""
    given = ctx.inputs["raw"].members.get(member)
    if given is not None and given.kind == "succeeded":
        return str(ctx.path(given.outputs["file"]))
    target = ctx.home / "cache" / "none" / f"{member}.parquet"
    if not target.exists():
        with scratch() as connection:
            write_parquet(connection, query(f"none_{member}"), target)
    return str(target)


def _some(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names}


def _planned(ctx: Context, connection: "DuckDBPyConnection", given: dict[str, Any]) -> list[str] | None:
    """Return the games the schedule has for the day; nothing where there is no schedule."""
    if ctx.inputs["raw"].members["schedule"].kind != "succeeded":
        return None
    return [row[0] for row in connection.execute(query("planned_day"), _some(given, "schedule", "day")).fetchall()]


def _said(games: dict[str, str], planned: list[str] | None) -> dict[str, Any]:
    return {
        "basis": ", ".join(sorted(set(games.values()))),
        "moved": [game for game in planned or () if game not in games],
        "unscheduled": [] if planned is None else [game for game, basis in games.items() if basis == "log"],
    }
