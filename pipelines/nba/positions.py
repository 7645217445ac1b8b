"""The optional source of positions: players by season, from the archive as published."""

import re
from collections.abc import Iterator

from nba.columns import decoded, table
from nba.published import checked, files, noted, tables
from shotclock.context import Context
from shotclock.outcomes import Empty, Succeeded

COLUMNS = ("PLAYER_ID", "POSITION", "TeamID", "POSITION_SIMPLE")

_SEASON = re.compile(r"player_positions_(\d{4})-\d{2}[.]csv")


def positions(ctx: Context) -> Succeeded | Empty:
    """Take in who plays where; `Empty` without the archive: then only a log that says so knows positions."""
    found = files(ctx, "player_positions_*.tar.xz")
    if not found:
        return Empty(reason="no player_positions archive in the folder")
    file = checked(ctx, found[-1], "positions", rows)
    outputs = noted(ctx, "positions", file, ("season", "player_id"))
    return Succeeded(rows=outputs["rows"], outputs=outputs)


def rows(content: bytes, name: str) -> Iterator[list[str]]:
    """Yield the rows of every season's table, numbered through, with the year in which the season ends."""
    number = 0
    for part, raw in tables(content, name):
        season = _SEASON.fullmatch(part)
        if season is None:
            continue
        for row in table(decoded(raw, part), part, COLUMNS):
            number += 1
            yield [str(number), str(int(season[1]) + 1), *row[1:]]
