"""Prop lines of two invented bookmakers for a part of the season, one file a day, with what such files have wrong."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date
from itertools import groupby
from random import Random

from nba.simulated.luck import swing
from nba.simulated.names import team_name
from nba.simulated.play import SEED, Line, Played
from nba.simulated.schedule import tip
from shotclock.model import digest

_DAYS = (date(2024, 11, 1), date(2025, 3, 2))
_WITHOUT = 9
"""Every so many days there is no file."""
_COLUMNS = (
    "player", "market", "bookmaker", "side", "line", "price", "home_team", "away_team", "game_id", "commence_time",
)  # fmt: skip
_MARKETS = (("player_points", 9.5), ("player_rebounds", 4.5), ("player_assists", 3.5))
"""Each with what a player must be due for a line on it."""
_BOOKS = ("PickBarn", "Overwell")
_USUAL, _EVEN, _JUNK = -137, 100, -10000
_ALTERNATE, _REPEATED, _SPOILT = 0.02, 0.001, 0.001
"""The shares of lines with a second line, with a row that is there twice, and with a price that is none."""

Row = list[object]


def prop_files(season: Sequence[Played]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each day's file of lines; the columns of the first are in another order."""
    luck = Random(SEED + 1)  # noqa: S311 - a game, not a secret
    days = groupby((game for game in season if _DAYS[0] <= game.game.day <= _DAYS[1]), key=lambda game: game.game.day)
    for number, (day, games) in enumerate(days):
        rows = [row for game in games for row in _game(luck, game)]
        if number % _WITHOUT == _WITHOUT - 1:
            continue
        text = io.StringIO()
        order = 1 if number else -1
        csv.writer(text, lineterminator="\n").writerows(row[::order] for row in (list[object](_COLUMNS), *rows))
        yield f"{day:%m_%d_%Y}.csv", text.getvalue()


def _game(luck: Random, played: Played) -> Iterator[Row]:
    game = played.game
    begins = tip(game, game.day).astimezone(UTC)
    end: Row = [
        team_name(game.home),
        team_name(game.away),
        digest(game.id.encode())[:32],
        f"{begins:%Y-%m-%dT%H:%M:%SZ}",
    ]
    for line in (*played.home, *played.away):
        if line.minutes is not None:
            for (market, least), due in zip(_MARKETS, line.due, strict=True):
                if due >= least:
                    yield from _offers(luck, [_plain(line), market], due, end)


def _offers(luck: Random, start: Row, due: float, end: Row) -> Iterator[Row]:
    """Yield both sides of a line near what is due; sometimes a second line, a junk price, or a row twice."""
    book = _BOOKS[int(luck.random() * 2)]
    line = int(due * swing(luck, 0.08)) + 0.5
    draw = luck.random()
    for side in ("Over", "Under"):
        yield [*start, book, side, line, _price(draw), *end]
    if draw < _ALTERNATE:
        yield [*start, book, "Over", line + 3.0, _EVEN, *end]
    elif draw > 1 - _REPEATED:
        yield [*start, book, "Under", line, _price(draw), *end]


def _price(draw: float) -> int:
    return _JUNK if 0 < draw - _ALTERNATE < _SPOILT else _USUAL


def _plain(line: Line) -> str:
    """Return the name as bookmakers write it: no accents, no full stop."""
    plain = unicodedata.normalize("NFKD", line.name.replace("ø", "o")).encode("ascii", "ignore").decode()
    return plain.replace("Jr.", "Jr")
