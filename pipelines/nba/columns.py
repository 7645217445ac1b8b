"""The two published layouts of a player game log: their columns, and reading them as text, line by line."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal

from shotclock.outcomes import Permanent

COLUMNS = (
    "SEASON_ID", "PLAYER_ID", "PLAYER_NAME", "TEAM_ID", "TEAM_ABBREVIATION", "TEAM_NAME", "GAME_ID", "GAME_DATE",
    "MATCHUP", "WL", "MIN", "FGM", "FGA", "FG_PCT", "FG3M", "FG3A", "FG3_PCT", "FTM", "FTA", "FT_PCT", "OREB", "DREB",
    "REB", "AST", "STL", "BLK", "TOV", "PF", "PTS", "PLUS_MINUS", "FANTASY_PTS", "VIDEO_AVAILABLE",
)  # fmt: skip
"""The 32 columns of the ``leaguegamelog`` result of stats.nba.com for players, in their published order."""

ESPN_COLUMNS = (
    "game_id", "season", "season_type", "game_date", "game_date_time", "athlete_id", "athlete_display_name", "team_id",
    "team_display_name", "team_abbreviation", "home_away", "opponent_team_abbreviation",
    "athlete_position_abbreviation", "did_not_play", "team_winner",
    "minutes", "field_goals_made", "field_goals_attempted",
    "three_point_field_goals_made", "three_point_field_goals_attempted", "free_throws_made", "free_throws_attempted",
    "offensive_rebounds", "defensive_rebounds", "rebounds", "assists", "steals", "blocks", "turnovers", "fouls",
    "plus_minus", "points",
)  # fmt: skip
"""Those of the 57 columns of ESPN's log, as hoopR and wehoop publish it, that are read; the others may be missing."""

IDENTITY = frozenset(COLUMNS[:9])
"""The columns that say who plays whom and when; all that may be known of a game before it is played."""

ESPN_IDENTITY = frozenset(ESPN_COLUMNS[:13])
"""The same of ESPN's: who is listed, but not who entered the game."""

Layout = Literal["nba", "espn"]

_GZIP = 16
"""Added to the window size, it says that what follows is a gzip file."""
_HEADER = 4096
"""Bytes that hold the header of either layout."""

_READ: dict[Layout, tuple[str, ...]] = {"nba": COLUMNS, "espn": ESPN_COLUMNS}


def layout_of(content: bytes) -> Layout:
    """Return the layout of a gzipped file by its header: ESPN's writes its columns in small letters."""
    try:
        start = zlib.decompressobj(zlib.MAX_WBITS | _GZIP).decompress(content, _HEADER)
    except zlib.error:
        return "nba"  # whatever reads it says what it is not
    return "espn" if b"athlete_id" in start.split(b"\n", 1)[0] else "nba"


def lines(content: bytes, name: str, layout: Layout = "nba") -> Iterator[list[str]]:
    """Yield every row of a gzipped CSV file as text: its line number, then the values of the layout's columns in order.

    Raises `Permanent` that names the file, the line and the next step if the file is not whole or not in this layout.
    """
    yield from table(_text(content, name), name, _READ[layout])


def table(text: str, name: str, columns: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield every row of a CSV text: its line number, then the values of `columns`, which are found by name."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        order = _order(header, name, columns)
        for row in reader:
            if len(row) != len(header):
                raise broken(name, reader.line_num, f"{len(row)} values where the header names {len(header)}")
            yield [str(reader.line_num), *(row[place] for place in order)]
    except csv.Error as error:
        raise broken(name, reader.line_num, str(error)) from error


def decoded(raw: bytes, name: str) -> str:
    """Return the text of a file; raises `Permanent` that names the line if it is not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise broken(name, raw.count(b"\n", 0, error.start) + 1, f"not UTF-8 ({error.reason})") from error


def unpacked(content: bytes, name: str) -> bytes:
    """Return what a gzip file holds; raises `Permanent` that names it if it is not whole."""
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        message = f"{name}: not a whole gzip file ({error}): fetch it again"
        raise Permanent(message) from error


def broken(name: str, line: int, why: str) -> Permanent:
    """Say where a file is not what it should be, and what to do."""
    return Permanent(f"{name} line {line}: {why}: correct the file or fetch it again")


def _text(content: bytes, name: str) -> str:
    return decoded(unpacked(content, name), name)


def _order(header: list[str], name: str, columns: tuple[str, ...]) -> list[int]:
    for column in columns:
        if header.count(column) != 1:
            unknown = [given for given in header if given not in columns]
            near = get_close_matches(column, unknown, n=1, cutoff=0.4) or unknown[:1]
            hint = f", {near[0]} is there instead" if near else ""
            why = f"column {column} is named twice" if column in header else f"there is no column {column}{hint}"
            raise broken(name, 1, why)
    return [header.index(column) for column in columns]
