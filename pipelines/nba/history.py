"""The analytics phase: game summaries and what is known of players and teams after each game, made once per content.

Everything here is a table by date, and whoever asks for a day takes the last row before it. So a table made for one
day serves every other day of the same files, and no later game can change what an earlier day sees.
"""

from pathlib import Path
from typing import Any

from nba.card import sources
from nba.queries import query
from shotclock.context import Context
from shotclock.model import digest
from shotclock.outcomes import Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

FAST, MIDDLE, SLOW = 3.0, 8.0, 15.0
"""Half-lives in games. Minutes follow the coach and change fast; what a player does in a minute changes slowly. Of the
settings compared, mostly on 2024-25, these had the least error of points."""

WINDOW = 60
"""Games; older ones weigh next to nothing."""

CITIES = Path(__file__).with_name("cities.csv")

UNKNOWN = {"minutes": 22.8, "points": 10.7, "rebounds": 4.1, "assists": 2.4}
"""The mean game of a player in the seasons 2021-22 to 2023-24: for the very first day, when no game is known."""


def history(ctx: Context) -> Succeeded:
    """Write the tables of the files' games; outputs name each, and `key`, which stands for their content.

    `games` are the players' game summaries, `players`, `teams` and `allowed` what is known after each game, `cards`
    who was on every day's card, `debuts` everybody's first game.
    """
    given = sources(ctx)
    boxes, positions = given["boxes"], given["positions"]
    names = [Path(name).name for name in (*boxes, positions)]
    rules = [
        query(name)
        for name in ("history_macros", "player_games", "player_state", "team_state", "allowed", "cards", "debuts")
    ]
    key = digest(*(text.encode() for text in (*names, *rules)))
    folder = ctx.home / "cache" / "history" / key
    files = {name: folder / f"{name}.parquet" for name in ("cards", "games", "debuts", "allowed", "teams", "players")}
    if not files["players"].exists():
        _write(files, {"boxes": boxes, "positions": positions})
    outputs = {"key": key, **{name: ctx.relative(file) for name, file in files.items()}}
    return Succeeded(outputs=outputs)


def _write(files: dict[str, Path], published: dict[str, Any]) -> None:
    games: dict[str, object] = {"games": str(files["games"])}
    weights = {name: weights_of(half_life) for name, half_life in (("fast", FAST), ("middle", MIDDLE), ("slow", SLOW))}
    with scratch() as connection:
        connection.execute(query("history_macros"))
        write_parquet(connection, query("cards"), files["cards"], published)
        write_parquet(connection, query("player_games"), files["games"], published)
        write_parquet(connection, query("debuts"), files["debuts"], games)
        write_parquet(connection, query("allowed"), files["allowed"], games)
        write_parquet(connection, query("team_state"), files["teams"], games)
        write_parquet(connection, query("player_state"), files["players"], {**games, **weights})


def weights_of(half_life: float) -> list[float]:
    """Return the weights of a window's games, the last one's first of all being 1 at the end."""
    return [0.5 ** (ago / half_life) for ago in reversed(range(WINDOW))]
