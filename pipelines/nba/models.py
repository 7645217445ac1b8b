"""The models phase: gradient-boosted trees, fitted anew each week on the games before it, kept with what made them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from nba.features import every_game
from nba.history import CITIES
from nba.queries import query
from nba.source import key_day
from nba.systems import STATS, Stat
from shotclock.context import Context
from shotclock.files import write_whole
from shotclock.model import digest
from shotclock.outcomes import Permanent, Skipped, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

TREES = 60
FEWEST = 3000
"""Games of players below which nothing is fitted."""

PARAMS: Mapping[str, Any] = {
    "objective": "regression",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "min_data_in_leaf": 60,
    "max_bin": 63,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "seed": 20241022,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Fixed seed and threads, so that equal rows make equal models."""

COLUMNS = (
    "games", "games_before", "minutes_before", "season_points", "season_rebounds", "season_assists", "last_minutes",
    "ten_minutes", "ten_points", "ten_rebounds", "ten_assists", "five_minutes", "fast_minutes", "middle_minutes",
    "slow_minutes", "points_rate", "rebounds_rate", "assists_rate", "shots_rate", "threes_rate", "free_rate",
    "turnovers_rate", "offensive_rate", "fouls_rate", "difference_rate", "points_middle_rate", "used_share",
    "middle_points", "middle_rebounds", "middle_assists", "most_minutes", "least_minutes", "rest", "team_rest",
    "opponent_rest", "travel", "games_in_week", "offence", "defence", "pace", "opponent_offence", "opponent_defence",
    "opponent_pace", "points_allowed", "rebounds_allowed", "assists_allowed", "side_fast_minutes", "side_slow_minutes",
    "side_shots", "side_position_minutes", "side_players", "place",
)  # fmt: skip
"""The features a model sees, beside venue, position and whether the player changed teams, as numbers."""


def lightgbm(ctx: Context) -> Succeeded | Skipped:
    """Give the week's models: those kept if they were fitted on the very same rows, else fitted now.

    A week sees the games before its Monday. Outputs: `folder` of the models, `week`, `rows`, `digest` of the rows and
    settings they stand for. Skipped where models are not wanted, not installed or have too little to learn from.
    """
    reason = _not_now(ctx)
    if reason:
        return Skipped(reason)
    day = key_day(ctx.key)
    monday = day - timedelta(days=day.weekday())
    history = ctx.output("analytics", "history")
    known = ctx.home / "cache" / "models" / f"{_asked(history['key'], monday)}.json"
    if not known.exists():
        write_whole(known, _json(_fitted(ctx, history, monday)))
    card = json.loads(known.read_bytes())
    if not card["folder"]:
        return Skipped(f"{card['rows']} games of players before {monday}, too few to learn from")
    return Succeeded(rows=card["rows"], outputs=card)


def predicted(folder: Path, rows: Sequence[Sequence[float | None]]) -> dict[Stat, list[float]]:
    """Return what the models in a folder expect of rows of features in the order of `matrix.sql`."""
    import numpy as np  # noqa: PLC0415 - heavy, and an extra

    matrix = np.array(rows, dtype=np.float64)
    return {stat: _booster(folder / f"{stat}.txt").predict(matrix, num_threads=1).tolist() for stat in STATS}


@lru_cache(maxsize=6)
def _booster(file: Path) -> Any:  # noqa: ANN401 - a LightGBM model
    import lightgbm as library  # noqa: PLC0415 - heavy, and an extra

    return library.Booster(model_str=file.read_text(encoding="utf-8"))


def _not_now(ctx: Context) -> str | None:
    wanted = str(ctx.params.get("models", "none"))
    if wanted not in {"weekly", "none"}:
        message = f"models {wanted!r} is not known: choose weekly or none"
        raise Permanent(message)
    if wanted == "none":
        return "models: none"
    if ctx.inputs["analytics"].members["card"].kind == "empty":
        return "no games today"
    return None if _installed() else "LightGBM is not installed: pip install 'shotclock[nba]'"


def _installed() -> bool:
    try:
        import lightgbm  # noqa: F401, PLC0415 - asked for only where it is wanted
    except ImportError:
        return False
    return True


def _asked(history: str, monday: date) -> str:
    import lightgbm as library  # noqa: PLC0415 - heavy, and an extra

    rules = [query(name) for name in ("feature_macros", "features", "training", "matrix")]
    settings = [json.dumps(dict(PARAMS), sort_keys=True), str(TREES), str(COLUMNS), str(library.__version__)]
    return digest(*(text.encode() for text in (history, monday.isoformat(), *rules, *settings)), CITIES.read_bytes())


def _fitted(ctx: Context, history: Mapping[str, Any], monday: date) -> dict[str, Any]:
    """Fit on the games before the Monday, unless models of the very same rows are there; return their card."""
    months = [str(file) for file in sorted(every_game(ctx, history).glob("*.parquet"))]
    training = ctx.stage("training.parquet")
    with scratch() as connection:
        values = {"features": months, "games": str(ctx.path(history["games"])), "before": monday}
        rows = write_parquet(connection, query("training"), training, values)
        said = {"week": monday.isoformat(), "rows": rows}
        if rows < FEWEST:
            return {**said, "folder": "", "digest": ""}
        content = digest(training.read_bytes(), _asked("", monday).encode())
        folder = ctx.home / "cache" / "models" / content
        card = {**said, "folder": ctx.relative(folder), "digest": content, "params": dict(PARAMS), "trees": TREES}
        if not (folder / "model.json").exists():
            _fit(connection, training, folder)
            write_whole(folder / "model.json", _json({**card, "columns": matrix_columns()}))
    return card


def matrix_columns() -> list[str]:
    """Return the names of a model's inputs, in order."""
    return [*COLUMNS, "at_home", "back_to_back", "position_number", "moved_number"]


def matrix(source: str) -> str:
    """Return the query for the models' inputs from a table of features."""
    return query("matrix").format(columns=", ".join(f"{name}::DOUBLE AS {name}" for name in COLUMNS), source=source)


def _fit(connection: Any, training: Path, folder: Path) -> None:  # noqa: ANN401 - a DuckDB connection
    import lightgbm as library  # noqa: PLC0415 - heavy, and an extra
    import numpy as np  # noqa: PLC0415 - likewise

    file = {"file": str(training)}
    inputs = connection.execute(matrix("read_parquet($file)"), file).fetchnumpy()
    columns = [np.ma.filled(inputs[name].astype(np.float64), np.nan) for name in matrix_columns()]
    outcomes = connection.execute(query("outcomes"), file).fetchnumpy()
    data = library.Dataset(np.column_stack(columns), params=dict(PARAMS), free_raw_data=False)
    for stat in STATS:
        data.set_label(np.asarray(outcomes[stat], dtype=np.float64))
        model = library.train(dict(PARAMS), data, TREES)
        write_whole(folder / f"{stat}.txt", model.model_to_string().encode())


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
