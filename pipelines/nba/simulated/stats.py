"""The season in the layout of stats.nba.com: the player game log, and the list of positions."""

import csv
import io
from collections.abc import Iterator, Sequence

from nba.columns import COLUMNS
from nba.simulated.names import TEAMS, team_name
from nba.simulated.play import Line, Played

FIRST_TEAM = 9_000_000_001
Row = list[object]


def box_text(season: Sequence[Played]) -> str:
    """Return the player game log as CSV text, in the published columns; who did not enter a game has no row."""
    return _csv(COLUMNS, (row for game in season for row in _game(game)))


def positions_text(season: Sequence[Played]) -> str:
    """Return every player's listed position as CSV text, with the team of his last game."""
    last = {line.player: line for game in season for line in (*game.home, *game.away) if line.minutes is not None}
    rows = sorted(last.values(), key=lambda line: (line.team, line.player))
    columns = ("PLAYER_ID", "POSITION", "TeamID", "POSITION_SIMPLE")
    return _csv(columns, ([player_id(line), line.position, FIRST_TEAM + line.team, line.position[0]] for line in rows))


def player_id(line: Line) -> int:
    """Return the league's number of a player."""
    return 90_000_001 + line.player


def _csv(columns: Sequence[str], rows: Iterator[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _game(played: Played) -> Iterator[Row]:
    game, scores = played.game, played.scores
    for place, side in enumerate((played.home, played.away)):
        own, other = (game.home, game.away)[:: 1 - 2 * place]
        sign = "vs." if place == 0 and not game.neutral else "@"
        matchup = f"{TEAMS[own][0]} {sign} {TEAMS[other][0]}"
        team: Row = [FIRST_TEAM + own, TEAMS[own][0], team_name(own), game.id, game.day, matchup]
        won = "W" if scores[place] > scores[1 - place] else "L"
        for line in side:
            if line.minutes is not None:
                yield ["22024", player_id(line), line.name, *team, won, *_figures(line)]


def _figures(line: Line) -> Row:
    fantasy = line.points + 1.2 * line.rebounds + 1.5 * line.assists + 3 * (line.steals + line.blocks) - line.turnovers
    return [
        line.minutes,
        *(line.made, line.tried, _share(line.made, line.tried)),
        *(line.threes, line.threes_tried, _share(line.threes, line.threes_tried)),
        *(line.free, line.free_tried, _share(line.free, line.free_tried)),
        *(line.offensive, line.defensive, line.rebounds, line.assists, line.steals, line.blocks, line.turnovers),
        *(line.fouls, line.points, line.difference, round(fantasy, 1), 1),
    ]


def _share(made: int, tried: int) -> str:
    return str(round(made / tried, 3)) if tried else ""
