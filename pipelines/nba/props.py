"""The optional source of lines: what bookmakers offered on players' points, rebounds and assists."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from nba.columns import decoded, table
from nba.published import checked, files, noted, tables
from nba.queries import query
from nba.source import key_day
from shotclock.context import Context
from shotclock.outcomes import Empty, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

COLUMNS = (
    "player", "market", "bookmaker", "side", "line", "price", "home_team", "away_team", "game_id", "commence_time",
)  # fmt: skip

ALIASES = Path(__file__).with_name("aliases.csv")
"""Players whom bookmakers call by another name than the logs do, beyond its spelling."""

_DAY = re.compile(r"(\d{2})_(\d{2})_(\d{4})[.]csv")
_EASTERN = ZoneInfo("America/New_York")
_SNAPSHOT = 21
"""The hour, in UTC, at which each day's file was drawn; lines of games begun by then are not taken."""


def props(ctx: Context) -> Succeeded | Empty:
    """Take in the lines and choose the day's main one for each player and stat; `Empty` if there are none.

    The main line is the one most books offer for the game, of several the one nearest to the middle of all, then the
    lower. A book's alternates count like any other: one a line. Spellings and aliases of a name are one player.
    """
    day = key_day(ctx.key)
    found = files(ctx, "props_*_daily.tar.xz")
    if not found:
        return Empty(reason="no props archive in the folder")
    file = checked(ctx, found[-1], "props", rows)
    outputs = noted(ctx, "props", file, ("file", "game", "bookmaker", "player", "market", "side", "offered"))
    main = ctx.stage("lines.parquet")
    with scratch() as connection:
        connection.execute(query("spelling"))
        lines = write_parquet(
            connection, query("lines"), main, {"file": str(file), "day": day, "aliases": str(ALIASES)}
        )
    if not lines:
        return Empty(reason=f"no lines for games of {day} in {found[-1].name}")
    return Succeeded(rows=lines, outputs={**outputs, "file": ctx.relative(main), "rows": lines})


def rows(content: bytes, name: str) -> Iterator[list[str]]:
    """Yield every line of every day's file, numbered through, with that day and the game's Eastern date."""
    number = 0
    for part, raw in tables(content, name):
        named = _DAY.fullmatch(part)
        if named is None:
            continue
        drawn = date(int(named[3]), int(named[1]), int(named[2]))
        for row in table(decoded(raw, part), part, COLUMNS):
            number += 1
            yield [str(number), drawn.isoformat(), *when(row[-1], drawn), *row[1:]]


@lru_cache(maxsize=4096)
def when(commence_time: str, drawn: date) -> tuple[str, str]:
    """Return the Eastern date of a tip given in UTC, and whether it was still to come when the lines were drawn."""
    try:
        tip = datetime.fromisoformat(commence_time)
    except ValueError:
        return "", ""
    if tip.tzinfo is None:
        return "", ""
    snapshot = datetime(drawn.year, drawn.month, drawn.day, _SNAPSHOT, tzinfo=UTC)
    return tip.astimezone(_EASTERN).date().isoformat(), "true" if tip > snapshot else "false"
