"""The league's schedule as published before the season, in the layout of its `scheduleleaguev2`, with its oddities."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from nba.simulated.calendar import Game
from nba.simulated.names import TEAMS
from nba.simulated.play import Played
from nba.simulated.stats import FIRST_TEAM

EASTERN = ZoneInfo("America/New_York")
_HOURS = (time(19, 0), time(19, 30), time(20, 0), time(22, 0), time(19, 0), time(20, 30), time(22, 30), time(18, 0))
_FAKE_DAY = "1900-01-01"


def tip(game: Game, day: date) -> datetime:
    """Return when a game begins, in the league's own zone."""
    return datetime.combine(day, _HOURS[game.slot % len(_HOURS)], tzinfo=EASTERN)


def schedule(season: Sequence[Played]) -> dict[str, Any]:
    """Return the document: games by their announced day; those of the cup week, not known then, are not in it."""
    days: dict[date, list[dict[str, Any]]] = {}
    for game in sorted((played.game for played in season), key=lambda game: game.number):
        if game.announced is not None:
            days.setdefault(game.announced, []).append(_entry(game, game.announced))
    dates = [{"gameDate": f"{day:%m/%d/%Y} 00:00:00", "games": entries} for day, entries in sorted(days.items())]
    league = {"seasonYear": "2024-25", "leagueId": "00", "gameDates": dates, "weeks": [], "broadcasterList": []}
    meta = {"version": 1, "request": "simulated", "time": "2024-08-15T00:00:00Z"}
    return {"meta": meta, "leagueSchedule": league}


def _entry(game: Game, day: date) -> dict[str, Any]:
    begins = tip(game, day)
    utc = begins.astimezone(UTC)
    midnight = datetime.combine(day, time(0), tzinfo=EASTERN).astimezone(UTC)
    return {
        "gameId": game.id,
        "gameCode": f"{day:%Y%m%d}/{TEAMS[game.away][0]}{TEAMS[game.home][0]}",
        "gameStatus": 1,
        "gameStatusText": f"{begins.hour % 12 or 12}:{begins:%M} pm ET",
        "gameSequence": game.slot + 1,
        # The fields of Eastern time end in Z though they are not UTC, and the time of day has a day of its own.
        "gameDateEst": f"{day}T00:00:00Z",
        "gameTimeEst": f"{_FAKE_DAY}T{begins:%H:%M:%S}Z",
        "gameDateTimeEst": f"{begins:%Y-%m-%dT%H:%M:%S}Z",
        "gameDateUTC": f"{midnight:%Y-%m-%dT%H:%M:%S}Z",
        "gameTimeUTC": f"{_FAKE_DAY}T{utc:%H:%M:%S}Z",
        "gameDateTimeUTC": f"{utc:%Y-%m-%dT%H:%M:%S}Z",
        "day": f"{day:%a}",
        "monthNum": day.month,
        "ifNecessary": False,
        "isNeutral": game.neutral,
        "postponedStatus": "A",
        "homeTeam": _team(game.home),
        "awayTeam": _team(game.away),
    }


def _team(team: int) -> dict[str, Any]:
    letters, city, nickname = TEAMS[team]
    return {
        "teamId": FIRST_TEAM + team,
        "teamName": nickname,
        "teamCity": city,
        "teamTricode": letters,
        "teamSlug": nickname.lower(),
        "wins": 0,
        "losses": 0,
        "score": 0,
    }
