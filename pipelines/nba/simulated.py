"""A small simulated league in the published layout: invented players, teams and games, the same on every machine."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from msgspec import Struct

from nba.columns import COLUMNS
from shotclock.files import write_whole
from shotclock.model import digest

FIRST_DAY = date(2024, 10, 22)
LAST_DAY = date(2025, 4, 13)
SEED = 20241022

_BREAK = (date(2025, 2, 14), date(2025, 2, 18))
_HOLIDAYS = (date(2024, 11, 28), date(2024, 12, 24))
_NEUTRAL = (date(2024, 12, 14), date(2024, 12, 17))
_TEAMS = (
    ("AMB", "Amberford Anvils"), ("BRK", "Brackwater Badgers"), ("CIN", "Cinderhill Crows"), ("DUN", "Dunmere Drovers"),
    ("EAS", "Easterly Embers"), ("FAL", "Fallowdale Foxes"), ("GLA", "Glasswick Gulls"), ("HOL", "Holbrook Herons"),
)  # fmt: skip
_FIRST = (
    "Aldo", "Bexley", "Corin", "Dashel", "Evrard", "Fenno", "Gant", "Hollis", "Ivor", "Jory", "Kelso", "Lorne",
    "Mato", "Nevin", "Ossian", "Pell", "Quade", "Rurik", "Soren", "Tavin", "Ulric", "Vesper", "Wend", "Yorick", "Zélan",
)  # fmt: skip
_LAST = (
    "Ashgrove", "Birchwell", "Copperfen", "Duskwater", "Elmscar", "Frostholm", "Gorsefield", "Hawksmere", "Inkwell",
    "Junipero", "Kestrelby", "Larkspire", "Mossgate", "Nettleton", "Oakenshaw", "Pinecroft", "Quillby", "Rookhaven",
    "Stonebeck", "Thornwick", "Umberleigh", "Vetchling", "Willowmark", "Yarrowby", "Zinnerfeld",
)  # fmt: skip
_SQUAD = 13
_PLAYING = 10
_TRADE = date(2025, 2, 6)


Row = list[object]
"""One line of the file, in the published order of columns."""


class Player(Struct):
    """An invented player and his ways; `team` changes when he is traded."""

    id: int
    name: str
    team: int
    minutes: float
    shots: float
    threes: float
    accuracy: float
    boards: float
    passes: float


class Line(Struct):
    """What a player did in one game, before the game's outcome is known."""

    player: Player
    minutes: int
    made: int
    tried: int
    threes: int
    threes_tried: int
    free: int
    free_tried: int
    rest: tuple[int, ...]
    """Offensive and defensive rebounds, assists, steals, blocks, turnovers, fouls."""

    @property
    def points(self) -> int:
        """Points scored."""
        return 2 * self.made + self.threes + self.free


def league(cache: Path) -> Path:
    """Return the folder that holds the league's file, written there if it is not yet."""
    folder = cache / f"simulated-{digest(Path(__file__).read_bytes())[:12]}"
    file = folder / "player_box_2024-25.csv.gz"
    if not file.exists():
        write_whole(file, gzip.compress(season().encode(), mtime=0))
    return folder


def season() -> str:
    """Return the season as CSV text, in the published columns, sorted by day."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(Random(SEED)))  # noqa: S311 - a game, not a secret
    return text.getvalue()


def _rows(luck: Random) -> Iterator[Row]:
    squads = [_player(luck, number) for number in range(_SQUAD * len(_TEAMS))]
    number = 0
    for day in _days():
        if day == _TRADE:
            squads[0].team, squads[_SQUAD].team = squads[_SQUAD].team, squads[0].team
        for home, away in _pairs(luck, day):
            number += 1
            yield from _game(luck, squads, day, f"002240{number:04}", (home, away))


def _days() -> Iterator[date]:
    for ordinal in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=ordinal)
        if day not in _HOLIDAYS and not _BREAK[0] <= day <= _BREAK[1]:
            yield day


def _pairs(luck: Random, day: date) -> list[tuple[int, int]]:
    """Draw who plays whom: most evenings one to four games, on some of them none but the first and the last."""
    teams = _shuffled(luck, range(len(_TEAMS)))
    games = (0, 1, 2, 2, 3, 3, 4)[int(luck.random() * 7)]
    if day in (FIRST_DAY, LAST_DAY) or day.day in (1, 15):
        games = 4
    if day in _NEUTRAL:
        games = 1
    return [(teams[2 * game], teams[2 * game + 1]) for game in range(games)]


def _player(luck: Random, number: int) -> Player:
    team, place = divmod(number, _SQUAD)
    first, last = _FIRST[number % len(_FIRST)], _LAST[(number * 7 + number // len(_FIRST)) % len(_LAST)]
    return Player(
        id=90_000_001 + number,
        name=f"{first} {last}",
        team=team,
        minutes=max(6.0, 40.0 - 2.6 * place),
        shots=0.28 + 0.22 * luck.random(),
        threes=0.5 * luck.random(),
        accuracy=0.40 + 0.12 * luck.random(),
        boards=0.08 + 0.25 * luck.random(),
        passes=0.04 + 0.20 * luck.random(),
    )


def _game(luck: Random, squads: Sequence[Player], day: date, game: str, sides: tuple[int, int]) -> Iterator[Row]:
    lines = [[_line(luck, player) for player in _lineup(luck, squads, side)] for side in sides]
    while sum(line.points for line in lines[0]) == sum(line.points for line in lines[1]):
        extra = lines[int(luck.random() * 2)][0]
        extra.free, extra.free_tried = extra.free + 1, extra.free_tried + 1
    scores = [sum(line.points for line in side) for side in lines]
    for place in (0, 1):
        own, other = _TEAMS[sides[place]][0], _TEAMS[sides[1 - place]][0]
        sign = "vs." if place == 0 and day not in _NEUTRAL else "@"
        margin = scores[place] - scores[1 - place]
        for line in lines[place]:
            start: Row = ["22024", line.player.id, line.player.name, 9_000_000_001 + sides[place], own]
            yield [*start, _TEAMS[sides[place]][1], game, day, f"{own} {sign} {other}", *_figures(luck, line, margin)]


def _lineup(luck: Random, players: Sequence[Player], side: int) -> list[Player]:
    """Draw who enters the game; who does not has no row, as published."""
    squad = [player for player in players if player.team == side]
    out = set(_shuffled(luck, range(len(squad)))[: len(squad) - _PLAYING])
    return [player for place, player in enumerate(squad) if place not in out]


def _line(luck: Random, player: Player) -> Line:
    minutes = round(min(48.0, max(0.0, player.minutes + 16.0 * (luck.random() - 0.5))))
    tried = _draw(luck, player.shots * minutes)
    threes_tried = _hits(luck, tried, player.threes)
    threes = _hits(luck, threes_tried, player.accuracy - 0.08)
    free_tried = 2 * _draw(luck, 0.045 * minutes)
    means = (0.3 * player.boards, 0.7 * player.boards, player.passes, 0.03, 0.02, 0.06, 0.08)
    return Line(
        player=player,
        minutes=minutes,
        made=threes + _hits(luck, tried - threes_tried, player.accuracy + 0.06),
        tried=tried,
        threes=threes,
        threes_tried=threes_tried,
        free=_hits(luck, free_tried, 0.78),
        free_tried=free_tried,
        rest=tuple(_draw(luck, mean * minutes) for mean in means),
    )


def _figures(luck: Random, line: Line, margin: int) -> Row:
    offensive, defensive, assists, steals, blocks, turnovers, fouls = line.rest
    rebounds = offensive + defensive
    difference = round(margin * line.minutes / 48 + 12 * (luck.random() - 0.5))
    fantasy = line.points + 1.2 * rebounds + 1.5 * assists + 3 * steals + 3 * blocks - turnovers
    shots = [line.made, line.tried, _share(line.made, line.tried)]
    threes = [line.threes, line.threes_tried, _share(line.threes, line.threes_tried)]
    free = [line.free, line.free_tried, _share(line.free, line.free_tried)]
    boards = [offensive, defensive, rebounds, assists, steals, blocks, turnovers, min(fouls, 6)]
    end = [line.points, difference, round(fantasy, 1), 1]
    return ["W" if margin > 0 else "L", line.minutes, *shots, *threes, *free, *boards, *end]


def _share(made: int, tried: int) -> str:
    return str(round(made / tried, 3)) if tried else ""


def _draw(luck: Random, mean: float) -> int:
    """Return a whole number around `mean`, up to twice as much."""
    return _hits(luck, max(2, round(4 * mean)), 0.25) if mean > 0 else 0


def _hits(luck: Random, tries: int, chance: float) -> int:
    return sum(luck.random() < chance for _ in range(tries))


def _shuffled(luck: Random, numbers: Sequence[int]) -> list[int]:
    # Sorting by draws needs only `random()`, whose sequence is the same in every release of Python.
    return [number for _, number in sorted((luck.random(), number) for number in numbers)]
