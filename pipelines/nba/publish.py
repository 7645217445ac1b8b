"""The publish phase: the day's predictions as JSON, and as a table for the screen."""

import json
from collections.abc import Mapping
from typing import Any

from nba.predict import SYSTEM
from nba.queries import query
from nba.source import described, key_day
from shotclock.context import Context
from shotclock.errors import FencedError
from shotclock.files import write_whole
from shotclock.outcomes import Succeeded
from shotclock.warehouse.duckdb import scratch

SHOWN = 15
"""Rows of the table on the screen."""

FIELDS = (
    "game_id", "team", "opponent", "venue", "player_id", "player", "games", "season_games", "basis", "minutes",
    "points", "rebounds", "assists",
)  # fmt: skip


def report(ctx: Context) -> Succeeded:
    """Publish ``predictions.json``, the same bytes for the same predictions, and ``about.json``, how they came about.

    Outputs: `file` and `about`, `table`, its top rows, and `show`, the text for the screen.
    """
    rows = _rows(ctx)
    said = _said(ctx)
    document = _document(ctx, said, rows)
    if ctx.stop:
        message = f"{ctx.run} {ctx.phase}: no longer the owner of this task, or halted; nothing was published"
        raise FencedError(message)
    file, about = ctx.published / "predictions.json", ctx.published / "about.json"
    write_whole(file, _json(document))
    write_whole(about, _json(_about(ctx, said)))
    top = sorted(rows, key=lambda row: (-row["points"], row["player_id"]))[:SHOWN]
    files = {"file": ctx.relative(file), "about": ctx.relative(about)}
    return Succeeded(rows=len(rows), outputs={**files, "table": top, "show": table(document, top)})


def table(document: Mapping[str, Any], top: list[dict[str, Any]]) -> str:
    """Return the day's highest predictions as plain text, below 4 KB."""
    label = "SIMULATED: " if document["simulated"] else ""
    day, source = document["game_date"], document["source"]
    if not top:
        return f"{label}no games on {day} ({source})"
    head = f"{label}{len(document['predictions'])} players predicted for {day} ({source})"
    if document["partial"]:
        head += ", PARTIAL"
    titles = f"{'player':<26} {'team':<4} {'against':<8} {'games':>5} {'points':>6} {'rebounds':>8} {'assists':>7}"
    return "\n".join([head[:200], titles, *(_line(row) for row in top)])


def _line(row: Mapping[str, Any]) -> str:
    where = {"home": "", "away": "@ ", "neutral": "n "}[row["venue"]]
    numbers = f"{row['season_games']:>5} {row['points']:>6.1f} {row['rebounds']:>8.1f} {row['assists']:>7.1f}"
    mark = "" if row["basis"] == "history" else f"  {row['basis']}"
    return f"{row['player'][:26]:<26} {row['team']:<4} {where + row['opponent']:<8} {numbers}{mark}"


def _rows(ctx: Context) -> list[dict[str, Any]]:
    file = str(ctx.path(ctx.inputs["predictions"].result["file"]))
    with scratch() as connection:
        found = connection.execute(query("published"), {"file": file}).fetchall()
    return [dict(zip(FIELDS, row, strict=True)) for row in found]


def _said(ctx: Context) -> dict[str, Any]:
    """Return what every output says about its source; on a day off nothing was read from it."""
    box = ctx.inputs["raw"].members["player_box"]
    if box.kind == "empty":
        return described(ctx.params)
    return {name: box.outputs[name] for name in ("source", "terms", "simulated")}


def _document(ctx: Context, said: Mapping[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **said,
        "game_date": key_day(ctx.key).isoformat(),
        "mode": ctx.mode,
        "system": SYSTEM,
        "partial": ctx.partial,
        "missing": {phase: sorted(names) for phase, names in ctx.missing.items()},
        "predictions": rows,
    }


def _about(ctx: Context, said: Mapping[str, Any]) -> dict[str, Any]:
    result = ctx.inputs["predictions"].result
    raw = ctx.inputs["raw"].members["player_box"].outputs
    return {
        **said,
        "run": ctx.run,
        "generation": ctx.generation,
        "attempt": ctx.attempt,
        "opening": result.get("opening", {}),
        "made_from": {"boxes": raw.get("boxes", []), "snapshot": result["file"], "set_aside": raw.get("set_aside", 0)},
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
