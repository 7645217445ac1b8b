"""The published layout of a player game log: its columns, and reading them as text, line by line."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from difflib import get_close_matches

from shotclock.outcomes import Permanent

COLUMNS = (
    "SEASON_ID", "PLAYER_ID", "PLAYER_NAME", "TEAM_ID", "TEAM_ABBREVIATION", "TEAM_NAME", "GAME_ID", "GAME_DATE",
    "MATCHUP", "WL", "MIN", "FGM", "FGA", "FG_PCT", "FG3M", "FG3A", "FG3_PCT", "FTM", "FTA", "FT_PCT", "OREB", "DREB",
    "REB", "AST", "STL", "BLK", "TOV", "PF", "PTS", "PLUS_MINUS", "FANTASY_PTS", "VIDEO_AVAILABLE",
)  # fmt: skip
"""The 32 columns of the ``leaguegamelog`` result of stats.nba.com for players, in their published order."""

IDENTITY = frozenset(COLUMNS[:9])
"""The columns that say who plays whom and when; all that may be known of a game before it is played."""


def lines(content: bytes, name: str) -> Iterator[list[str]]:
    """Yield every row of a gzipped CSV file as text: its line number, then the values in the order of `COLUMNS`.

    Raises `Permanent` that names the file, the line and the next step if the file is not whole or not in this layout.
    """
    reader = csv.reader(io.StringIO(_text(content, name), newline=""), strict=True)
    try:
        header = next(reader, [])
        order = _order(header, name)
        for row in reader:
            if len(row) != len(header):
                raise _broken(name, reader.line_num, f"{len(row)} values where the header names {len(header)}")
            yield [str(reader.line_num), *(row[place] for place in order)]
    except csv.Error as error:
        raise _broken(name, reader.line_num, str(error)) from error


def _text(content: bytes, name: str) -> str:
    try:
        raw = gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        message = f"{name}: not a whole gzip file ({error}): fetch it again"
        raise Permanent(message) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken(name, raw.count(b"\n", 0, error.start) + 1, f"not UTF-8 ({error.reason})") from error


def _order(header: list[str], name: str) -> list[int]:
    for column in COLUMNS:
        if header.count(column) != 1:
            unknown = [given for given in header if given not in COLUMNS]
            near = get_close_matches(column, unknown, n=1, cutoff=0.4) or unknown[:1]
            hint = f", {near[0]} is there instead" if near else ""
            why = f"column {column} is named twice" if column in header else f"there is no column {column}{hint}"
            raise _broken(name, 1, why)
    return [header.index(column) for column in COLUMNS]


def _broken(name: str, line: int, why: str) -> Permanent:
    return Permanent(f"{name} line {line}: {why}: correct the file or fetch it again")
