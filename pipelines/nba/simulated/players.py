"""The league's people: what they can do and how that drifts, injuries, trades, and those who join late."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from msgspec import Struct

from nba.simulated.calendar import FIRST_DAY, LAST_DAY
from nba.simulated.luck import shuffled, swing
from nba.simulated.names import TEAMS, person

SQUAD = 17
LATE = 20
"""Players who join a team during the season, and are known to nobody before."""

_ROLES = (35.0, 34.0, 32.0, 30.0, 28.0, 24.0, 21.0, 18.0, 15.0, 12.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0)
_POSITIONS = ("G", "F", "C", "G", "F", "G-F", "F-C", "G", "C-F", "F", "G", "F-G", "C", "G", "F", "G", "F")
_TRADES = {date(2024, 12, 28): 2, date(2025, 1, 19): 2, date(2025, 2, 6): 11}
_DRIFT = 0.03
_INJURED = 0.025
_RESTED = 0.12
_STAR = 31.0
"""Whoever is due more minutes than this is rested now and then on the second evening in a row."""


class Skill(Struct):
    """What a player does in a minute; it drifts a little with every game."""

    shots: float
    threes: float
    """The share of shots from afar."""
    accuracy: float
    fouled: float
    boards: float
    passes: float


class Player(Struct):
    """An invented player; `team` changes when he is traded, `role` is the minutes his coach has for him."""

    number: int
    team: int
    position: str
    role: float
    skill: Skill
    joins: date
    back: date = FIRST_DAY
    """The first day on which he is fit again."""

    @property
    def id(self) -> int:
        """The league's number of the player."""
        return 90_000_001 + self.number

    @property
    def name(self) -> str:
        """His name as the league writes it."""
        return person(self.number)


class Side(Struct):
    """A team's ways, the same all season: how fast it plays, and how much it lets each position do."""

    pace: float
    defence: float
    allowed: dict[str, float]


def recruited(luck: Random) -> list[Player]:
    """Return everybody who plays in the season; the last of them join during it."""
    squads = [_player(luck, number, *divmod(number, SQUAD), FIRST_DAY) for number in range(SQUAD * len(TEAMS))]
    teams = shuffled(luck, range(len(TEAMS)))
    days = (LAST_DAY - FIRST_DAY).days // (LATE + 2)
    for late in range(LATE):
        joins = FIRST_DAY + timedelta(days=days * (late + 1))
        squads.append(_player(luck, len(squads), teams[late], 5 + late % 5, joins))
    return squads


def sides(luck: Random) -> list[Side]:
    """Return the ways of every team."""
    return [
        Side(pace=swing(luck, 0.05), defence=swing(luck, 0.06), allowed={name: swing(luck, 0.15) for name in "GFC"})
        for _ in TEAMS
    ]


def trade(luck: Random, players: Sequence[Player], day: date) -> None:
    """Exchange players between teams on the days on which that happens: two of equal standing each."""
    for _ in range(_TRADES.get(day, 0)):
        one, other = shuffled(luck, range(len(TEAMS)))[:2]
        place = int(luck.random() * (SQUAD - 7))
        first, second = (_squad(players, team, day)[place] for team in (one, other))
        first.team, second.team = second.team, first.team


def available(luck: Random, players: Sequence[Player], team: int, day: date, *, tired: bool) -> list[Player]:
    """Return who is fit and willing this evening, those first who are due the most minutes."""
    fit = [player for player in _squad(players, team, day) if player.back <= day]
    return [player for player in fit if not (tired and player.role > _STAR and luck.random() < _RESTED)]


def after_game(luck: Random, player: Player, day: date) -> None:
    """Let a game change the player: skill and role drift, and now and then he is hurt for days or weeks."""
    skill = player.skill
    skill.shots = _near(skill.shots * swing(luck, _DRIFT), 0.18, 0.72)
    skill.accuracy = _near(skill.accuracy * swing(luck, _DRIFT / 3), 0.38, 0.56)
    skill.boards = _near(skill.boards * swing(luck, _DRIFT), 0.05, 0.42)
    skill.passes = _near(skill.passes * swing(luck, _DRIFT), 0.02, 0.32)
    player.role = _near(player.role * swing(luck, 2 * _DRIFT), 1.0, 37.0)
    if luck.random() < _INJURED:
        player.back = day + timedelta(days=3 + int(60 * luck.random() * luck.random()))


def _squad(players: Sequence[Player], team: int, day: date) -> list[Player]:
    squad = [player for player in players if player.team == team and player.joins <= day]
    return sorted(squad, key=lambda player: (-player.role, player.number))


def _player(luck: Random, number: int, team: int, place: int, joins: date) -> Player:
    position = _POSITIONS[place]
    lead = max(0.0, 0.20 - 0.06 * place)
    skill = Skill(
        shots=0.26 + 0.20 * luck.random() + lead,
        threes={"G": 0.46, "F": 0.38, "C": 0.12}[position[0]] * swing(luck, 0.5),
        accuracy=0.42 + 0.10 * luck.random(),
        fouled=0.03 + 0.06 * luck.random() + lead / 4,
        boards={"G": 0.11, "F": 0.18, "C": 0.30}[position[0]] * swing(luck, 0.35),
        passes={"G": 0.16, "F": 0.08, "C": 0.07}[position[0]] * swing(luck, 0.5) + lead / 3,
    )
    return Player(
        number=number, team=team, position=position, role=_ROLES[place] * swing(luck, 0.1), skill=skill, joins=joins
    )


def _near(value: float, least: float, most: float) -> float:
    return min(most, max(least, value))
