"""The optional source of games: the league's schedule as published before the season."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from nba.columns import decoded, unpacked
from nba.published import checked, files, noted
from nba.source import ends, key_day, season_name
from shotclock.context import Context
from shotclock.outcomes import Empty, Permanent, Succeeded


def schedule(ctx: Context) -> Succeeded | Empty:
    """Take in the season's schedule; `Empty` where there is none, then cards come from the logs."""
    day = key_day(ctx.key)
    names = [f"schedule_leaguev2_{season_name(end)}.json.gz" for end in ends(day)]
    found = [path for name in names for path in files(ctx, name)]
    if not found:
        return Empty(reason=f"no {' or '.join(names)} in the folder")
    file = checked(ctx, found[0], "schedule", rows)
    outputs = noted(ctx, f"schedule-{season_of(day)}", file, ("game_id",))
    return Succeeded(rows=outputs["rows"], outputs=outputs)


def season_of(day: date) -> str:
    """Return the likelier season of a day as files name it."""
    return season_name(ends(day)[0])


def rows(content: bytes, name: str) -> Iterator[list[object]]:
    """Yield the schedule's games, numbered through: the Eastern date and the tip in UTC, both as published text.

    Of the fields that end in ``Est`` only the date is read: their times carry a made-up day, and a Z that is not meant.
    """
    document = _document(content, name)
    try:
        games = [game for day in document["leagueSchedule"]["gameDates"] for game in day["games"]]
        for number, game in enumerate(games, 1):
            home, away = game["homeTeam"], game["awayTeam"]
            sides = [home["teamId"], home["teamTricode"], away["teamId"], away["teamTricode"]]
            yield [number, game["gameId"], game["gameDateEst"][:10], game["gameDateTimeUTC"], *sides]
    except (KeyError, TypeError) as error:
        message = f"{name}: not a schedule as scheduleleaguev2 publishes it ({error} is missing): fetch it again"
        raise Permanent(message) from error


def _document(content: bytes, name: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(decoded(unpacked(content, name), name))
    except json.JSONDecodeError as error:
        message = f"{name} line {error.lineno}: not JSON ({error.msg}): fetch it again"
        raise Permanent(message) from error
