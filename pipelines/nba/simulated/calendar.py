"""Who plays whom and when: 82 games a team with days off, back-to-backs, neutral ground, a cup week and moved games."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from msgspec import Struct

from nba.simulated.luck import shuffled
from nba.simulated.names import TEAMS

FIRST_DAY = date(2024, 10, 22)
LAST_DAY = date(2025, 4, 13)

_OFF = (date(2024, 11, 5), date(2024, 11, 28), date(2024, 12, 24))
_BREAK = (date(2025, 2, 14), date(2025, 2, 18))
_WEIGHTS = (7, 6, 10, 3, 9, 7, 8)
"""How full an evening is, from Monday to Sunday."""
_FIXED = {FIRST_DAY: 2, date(2024, 12, 10): 2, date(2024, 12, 11): 2, date(2024, 12, 14): 2, date(2025, 2, 13): 4}
_CUP = (date(2024, 12, 10), date(2024, 12, 14))
_NEUTRAL = {date(2024, 11, 2): 1, date(2024, 12, 14): 2, date(2025, 1, 23): 1, date(2025, 1, 25): 1}
_MOVED = (date(2025, 1, 9), date(2025, 1, 11), date(2025, 1, 22))
_MOVED_FROM = date(2025, 3, 1)
_HALF = len(TEAMS) // 2
_NEXT = (1, 2)
"""Neighbours in their conference meet three times, others of it four times, those of the other conference twice."""
_STRETCH = (5, 3)
"""In so many days in a row a team plays at most so many games before the next."""


class Game(Struct, frozen=True):
    """A game; `announced` is its day in the schedule published before the season, if it was in it."""

    number: int
    day: date
    home: int
    away: int
    neutral: bool
    announced: date | None
    slot: int
    """Its place in the evening, by which its hour is told."""

    @property
    def id(self) -> str:
        """The league's number of the game, ten digits."""
        return f"002240{self.number:04}"


def games(luck: Random) -> list[Game]:
    """Return the season's 1,230 games in the order in which they are played."""
    planned = list(_planned(luck))
    evenings: dict[date, set[int]] = {}
    for day, home, away, _ in planned:
        evenings.setdefault(day, set()).update((home, away))
    moved = dict(_moves(planned, evenings))
    drawn = [_game(number, plan, moved.get(number)) for number, plan in enumerate(planned, 1)]
    return sorted(drawn, key=lambda game: (game.day, game.number))


def _game(number: int, plan: tuple[date, int, int, int], moved: date | None) -> Game:
    day, home, away, slot = plan
    return Game(
        number=number,
        day=moved or day,
        home=home,
        away=away,
        neutral=slot < _NEUTRAL.get(day, 0),
        announced=None if _CUP[0] <= day <= _CUP[1] else day,
        slot=slot,
    )


def _planned(luck: Random) -> Iterator[tuple[date, int, int, int]]:
    """Yield day, home, away and place in the evening of each game as planned, evening by evening."""
    finale = [(team, team + _HALF) for team in range(_HALF)]
    pool = shuffled(luck, [pair for pair in _matchups() if pair not in finale])
    left = [sum(team in pair for pair in pool) for team in range(len(TEAMS))]
    played: list[list[int]] = [[] for _ in TEAMS]
    days = _days()
    for at, day in enumerate(days[:-1]):
        for slot, pair in enumerate(_evening(luck, (pool, left, played), day, _wanted(pool, days[at:-1]))):
            yield day, *pair, slot
    yield from ((days[-1], *pair, slot) for slot, pair in enumerate([*pool, *finale]))


def _days() -> list[date]:
    whole = (FIRST_DAY + timedelta(days=ordinal) for ordinal in range((LAST_DAY - FIRST_DAY).days + 1))
    return [day for day in whole if day not in _OFF and not _BREAK[0] <= day <= _BREAK[1]]


def _matchups() -> Iterator[tuple[int, int]]:
    """Yield every meeting as home and away: 82 a team, 41 of them at home."""
    every = range(len(TEAMS))
    yield from ((home, away) for home in every for away in every if home != away)
    for conference in (0, _HALF):
        for place in range(_HALF):
            for step in range(1, _HALF):
                if step in _NEXT or _NEXT[-1] < step < _HALF - _NEXT[-1]:
                    yield conference + place, conference + (place + step) % _HALF


def _wanted(pool: list[tuple[int, int]], days: list[date]) -> int:
    today = days[0]
    if today in _FIXED:
        return _FIXED[today]
    whole = sum(_WEIGHTS[day.weekday()] for day in days if day not in _FIXED)
    open_games = len(pool) - sum(_FIXED.get(day, 0) for day in days)
    return min(_HALF, round(open_games * _WEIGHTS[today.weekday()] / whole))


Standing = tuple[list[tuple[int, int]], list[int], list[list[int]]]
"""The games not planned yet, how many each team has of them, and the days on which each has played."""


def _evening(luck: Random, standing: Standing, day: date, wanted: int) -> list[tuple[int, int]]:
    pool, left, played = standing
    today = day.toordinal()
    tired = [_tired(days, today) for days in played]
    worth = sorted(
        (tired[home] + tired[away] - left[home] - left[away] - 5 * luck.random(), place)
        for place, (home, away) in enumerate(pool)
        if tired[home] + tired[away] < _HALF
    )
    chosen: dict[int, tuple[int, int]] = {}
    busy: set[int] = set()
    for _, place in worth:
        if len(chosen) < wanted and busy.isdisjoint(pool[place]):
            chosen[place] = pool[place]
            busy.update(pool[place])
    for team in busy:
        left[team] -= 1
        played[team].append(today)
    pool[:] = [pair for place, pair in enumerate(pool) if place not in chosen]
    return list(chosen.values())


def _tired(days: list[int], today: int) -> float:
    """Return how little a team wants to play: some after yesterday's game, not at all after too many."""
    recent = [day for day in days[-_STRETCH[0] :] if today - day < _STRETCH[0]]
    yesterday = today - 1 in recent
    if len(recent) > _STRETCH[1] or (yesterday and today - 2 in recent):
        return _HALF
    return 2.0 if yesterday else 0.0


def _moves(planned: list[tuple[date, int, int, int]], evenings: dict[date, set[int]]) -> Iterator[tuple[int, date]]:
    """Yield the numbers of the games that were put off, each with the first later day on which both teams can play."""
    later = [day for day in evenings if day >= _MOVED_FROM]
    for day in _MOVED:
        games_then = [(number, plan[1:3]) for number, plan in enumerate(planned, 1) if plan[0] == day]
        new, number, pair = min((new, *game) for new in later for game in games_then if _free(evenings, new, game[1]))
        evenings[new].update(pair)
        yield number, new


def _free(evenings: dict[date, set[int]], day: date, pair: tuple[int, ...]) -> bool:
    """Say whether both teams are free on an evening with games, and would not play on both evenings around it."""
    around = [evenings.get(day + timedelta(days=step), set()) for step in (-1, 1)]
    tired = any(all(team in evening for evening in around) for team in pair)
    return evenings[day].isdisjoint(pair) and not tired
