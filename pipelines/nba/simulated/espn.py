"""The season in the ESPN layout that hoopR publishes: other numbers, other spellings, and rows of who did not play."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC

from nba.simulated.names import TEAMS, team_name
from nba.simulated.play import Line, Played
from nba.simulated.schedule import tip

ESPN_COLUMNS = (
    "game_id", "season", "season_type", "game_date", "game_date_time", "athlete_id", "athlete_display_name", "team_id",
    "team_name", "team_location", "team_short_display_name", "minutes", "field_goals_made", "field_goals_attempted",
    "three_point_field_goals_made", "three_point_field_goals_attempted", "free_throws_made", "free_throws_attempted",
    "offensive_rebounds", "defensive_rebounds", "rebounds", "assists", "steals", "blocks", "turnovers", "fouls",
    "plus_minus", "points", "starter", "ejected", "did_not_play", "reason", "active", "athlete_jersey",
    "athlete_short_name", "athlete_headshot_href", "athlete_position_name", "athlete_position_abbreviation",
    "team_display_name", "team_uid", "team_slug", "team_logo", "team_abbreviation", "team_color",
    "team_alternate_color", "home_away", "team_winner", "team_score", "opponent_team_id", "opponent_team_name",
    "opponent_team_location", "opponent_team_display_name", "opponent_team_abbreviation", "opponent_team_logo",
    "opponent_team_color", "opponent_team_alternate_color", "opponent_team_score",
)  # fmt: skip
"""The 57 columns of hoopR's `player_box_<end year>`, in their published order."""

_FIRST_ATHLETE, _FIRST_GAME = 4_000_001, 401_700_000
_POSITIONS = {"G": "Guard", "F": "Forward", "C": "Center"}
_COACH = "COACH'S DECISION"
_FIGURES = 17
_LISTED = 15
"""At most so many of a side are listed, players who did not enter the game last."""

Row = list[object]


def box_text(season: Sequence[Played]) -> str:
    """Return the season as CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ESPN_COLUMNS)
    writer.writerows(row for game in reversed(season) for row in _game(game))
    return text.getvalue()


def _game(played: Played) -> Iterator[Row]:
    game, scores = played.game, played.scores
    utc = tip(game, game.day).astimezone(UTC)
    start: Row = [_FIRST_GAME + game.number, 2025, 2, game.day, f"{utc:%Y-%m-%dT%H:%M:%SZ}"]
    for place, side in ((1, played.away), (0, played.home)):
        own, other = (game.home, game.away)[:: 1 - 2 * place]
        won = _flag(scores[place] > scores[1 - place])
        result: Row = [("home", "away")[place], won, scores[place], *_opponent(other), scores[1 - place]]
        for line in side[:_LISTED]:
            yield [*start, *_athlete(line, own), *_played(line), *_person(line), *_team(own), *result]


def _athlete(line: Line, team: int) -> Row:
    _, city, nickname = TEAMS[team]
    return [_FIRST_ATHLETE + line.player, _plain(line.name), team + 1, nickname, city, nickname]


def _played(line: Line) -> Row:
    # The reason is filled in for those who played too, and `active` does not tell them apart.
    if line.minutes is None:
        return [*[""] * _FIGURES, "FALSE", "FALSE", "TRUE", _COACH, "TRUE"]
    shots = [line.made, line.tried, line.threes, line.threes_tried, line.free, line.free_tried]
    rest = [line.offensive, line.defensive, line.rebounds, line.assists, line.steals, line.blocks, line.turnovers]
    figures: Row = [line.minutes, *shots, *rest, line.fouls, f"{line.difference:+}", line.points]
    return [*figures, _flag(line.starter), "FALSE", "FALSE", _COACH, _flag(line.player % 3 > 0)]


def _person(line: Line) -> Row:
    first, last = _plain(line.name).split(" ", 1)
    letter = line.position[0]
    return [line.player % 56, f"{first[0]}. {last}", "", _POSITIONS[letter], letter]


def _team(team: int) -> Row:
    letters, city, nickname = TEAMS[team]
    slug = f"{city}-{nickname}".lower().replace(" ", "-")
    return [team_name(team), f"s:40~l:46~t:{team + 1}", slug, "", letters, "404040", "c0c0c0"]


def _opponent(team: int) -> Row:
    letters, city, nickname = TEAMS[team]
    return [team + 1, nickname, city, team_name(team), letters, "", "404040", "c0c0c0"]


def _flag(value: bool) -> str:  # noqa: FBT001 - the value is what is written
    return "TRUE" if value else "FALSE"


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name.replace("ø", "o")).encode("ascii", "ignore").decode()
