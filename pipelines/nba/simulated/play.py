"""A season as it is played: who enters each game, for how long, and what he does there."""

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from nba.simulated.calendar import Game, games
from nba.simulated.luck import count, hits, shuffled, swing
from nba.simulated.players import Player, Side, after_game, available, recruited, sides, trade

SEED = 20241022

_SHOTS = 0.38
"""What a side shoots in a minute and place; when one of its best is away, the others shoot more."""
_AT_HOME = 1.025
_TIRED = 0.97
_OVERTIME = 0.06
_ROTATION = (8, 5)
"""A coach plays at least so many, and up to so many more."""
_STARTERS = 5
_MOST_MINUTES = 46
"""What a coach gives a player at most, whoever is away, and what a bookmaker reckons with."""
_FOUL_OUT = 6
_CORRECTED = (date(2025, 1, 26), date(2025, 2, 3))
"""On these days the first edition of the log gave somebody an assist too few."""


class Line(Struct, frozen=True, kw_only=True):
    """What a player did in a game; one who was fit and did not enter it has no `minutes`."""

    player: int
    name: str
    position: str
    team: int
    minutes: int | None = None
    made: int = 0
    tried: int = 0
    threes: int = 0
    threes_tried: int = 0
    free: int = 0
    free_tried: int = 0
    offensive: int = 0
    defensive: int = 0
    assists: int = 0
    steals: int = 0
    blocks: int = 0
    turnovers: int = 0
    fouls: int = 0
    difference: int = 0
    starter: bool = False
    due: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Points, rebounds and assists that one who knew everything would have expected; what a bookmaker is near to."""

    @property
    def points(self) -> int:
        """Points scored."""
        return 2 * self.made + self.threes + self.free

    @property
    def rebounds(self) -> int:
        """Rebounds at both ends."""
        return self.offensive + self.defensive


class Played(Struct, frozen=True):
    """A game that was played: the lines of the home side, then those of the visitors."""

    game: Game
    home: list[Line]
    away: list[Line]

    @property
    def scores(self) -> tuple[int, int]:
        """Points of home and visitors."""
        return sum(line.points for line in self.home), sum(line.points for line in self.away)


class Evening(Struct):
    """A side in a game: its factors on shots, passes and accuracy, what the other side allows, the minutes to give."""

    pace: float
    passing: float
    edge: float
    allowed: dict[str, float]
    minutes: int


def played() -> list[Played]:
    """Return the whole season, the same each time."""
    luck = Random(SEED)  # noqa: S311 - a game, not a secret
    calendar, players, teams = games(luck), recruited(luck), sides(luck)
    last: dict[int, date] = {}
    found, today = [], None
    for game in calendar:
        if game.day != today:
            trade(luck, players, game.day)
            today = game.day
        found.append(_game(luck, game, players, teams, last))
        last.update({game.home: game.day, game.away: game.day})
    return found


def first_edition(season: Sequence[Played]) -> list[Played]:
    """Return the season as it was first published: up to the last corrected day, with what was corrected later."""
    return [_uncorrected(game) for game in season if game.game.day <= _CORRECTED[-1]]


def _uncorrected(played: Played) -> Played:
    if played.game.day not in _CORRECTED:
        return played
    place = next(at for at, line in enumerate(played.home) if line.assists)
    lines = list(played.home)
    lines[place] = replace(lines[place], assists=lines[place].assists - 1)
    return Played(played.game, lines, played.away)


def _game(luck: Random, game: Game, players: Sequence[Player], teams: Sequence[Side], last: dict[int, date]) -> Played:
    minutes = 265 if luck.random() < _OVERTIME else 240
    lines = []
    for own, other in ((game.home, game.away), (game.away, game.home)):
        tired = own in last and (game.day - last[own]).days == 1
        edge = teams[other].defence * (_TIRED if tired else 1.0) * (_AT_HOME if own == game.home else 1.0)
        pace = (teams[own].pace + teams[other].pace) / 2
        evening = Evening(pace, pace, edge, teams[other].allowed, minutes)
        fit = available(luck, players, own, game.day, tired=tired)
        lines.append(list(_side(luck, fit, evening, game.day)))
    _settle(luck, lines)
    margin = sum(line.points for line in lines[0]) - sum(line.points for line in lines[1])
    home, away = (
        [_told(luck, line, margin * sign) for line in side] for side, sign in zip(lines, (1, -1), strict=True)
    )
    return Played(game, home, away)


def _settle(luck: Random, lines: list[list[Line]]) -> None:
    """Give a free throw to one side where both have the same score."""
    scores = [sum(line.points for line in side) for side in lines]
    if scores[0] == scores[1]:
        side = lines[int(luck.random() * 2)]
        side[0] = replace(side[0], free=side[0].free + 1, free_tried=side[0].free_tried + 1)


def _told(luck: Random, line: Line, margin: int) -> Line:
    if line.minutes is None:
        return line
    return replace(line, difference=round(margin * line.minutes / 48 + 12 * (luck.random() - 0.5)))


def _side(luck: Random, fit: Sequence[Player], evening: Evening, day: date) -> Iterator[Line]:
    rotation = _ROTATION[0] + int(luck.random() * (_ROTATION[1] + 1))
    playing, rest = fit[:rotation], fit[rotation:]
    shares = [player.role * swing(luck, 0.35) for player in playing]
    scale = evening.minutes / sum(shares)
    expected = evening.minutes / sum(player.role for player in playing)
    usual = sum(player.role * expected * player.skill.shots for player in playing)
    busy = replace(evening, pace=evening.pace * evening.minutes * _SHOTS / usual)
    for place, (player, share) in enumerate(zip(playing, shares, strict=True)):
        seconds_only = place == rotation - 1 and luck.random() < 2 * _OVERTIME
        minutes = 0 if seconds_only else min(_MOST_MINUTES, round(share * scale))
        usually = min(_MOST_MINUTES, player.role * expected)
        yield _line(luck, player, busy, minutes, (usually, place < _STARTERS))
        after_game(luck, player, day)
    for player in shuffled(luck, rest):
        yield Line(player=player.number, name=player.name, position=player.position, team=player.team)


def _line(luck: Random, player: Player, evening: Evening, minutes: int, known: tuple[float, bool]) -> Line:
    skill, expected = player.skill, known[0]
    shots = skill.shots * evening.pace
    boards = skill.boards * evening.allowed[player.position[0]]
    passes = skill.passes * evening.passing
    accuracy = skill.accuracy * evening.edge
    tried = count(luck, shots * minutes * swing(luck, 0.25))
    threes_tried = hits(luck, tried, skill.threes)
    threes = hits(luck, threes_tried, accuracy - 0.10)
    free_tried = 2 * count(luck, skill.fouled * minutes / 2)
    means = (0.3 * boards, 0.7 * boards, passes, 0.033, 0.02, 0.03 + passes / 4, 0.085)
    rest = [count(luck, mean * minutes) for mean in means]
    points = shots * (2 * accuracy + 0.12 + skill.threes * (accuracy - 0.42)) + 0.78 * skill.fouled
    return Line(
        player=player.number,
        name=player.name,
        position=player.position,
        team=player.team,
        minutes=minutes,
        made=threes + hits(luck, tried - threes_tried, accuracy + 0.06),
        tried=tried,
        threes=threes,
        threes_tried=threes_tried,
        free=hits(luck, free_tried, 0.78),
        free_tried=free_tried,
        offensive=rest[0],
        defensive=rest[1],
        assists=rest[2],
        steals=rest[3],
        blocks=rest[4],
        turnovers=rest[5],
        fouls=min(rest[6], _FOUL_OUT),
        starter=known[1],
        due=(points * expected, boards * expected, passes * expected),
    )
