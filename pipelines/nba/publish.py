"""The publish phase: the day's predictions as JSON, Parquet, a report for people, and a table for the screen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import json

from nba.queries import query
from nba.report import Facts, about_page, page, read
from nba.systems import STATS
from shotclock.context import Context, Input
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
    """Publish the predictions as data and as a report, the same bytes for the same predictions.

    What differs from run to run, such as when a gate opened, goes to ``about.json`` and ``about.html`` alone.
    Outputs: `file`, `parquet`, `page` and `about`, `table`, its top rows, and `show`, the text for the screen.
    """
    rows = _rows(ctx)
    facts = read(ctx, rows)
    document = _document(facts, rows)
    about = _about(ctx, facts)
    files = {
        "predictions.json": _json(document),
        "predictions.parquet": _long(ctx).read_bytes(),
        "report.html": page(facts).encode(),
        "about.json": _json(about),
        "about.html": about_page(about).encode(),
    }
    if ctx.stop:
        message = f"{ctx.run} {ctx.phase}: no longer the owner of this task, or halted; nothing was published"
        raise FencedError(message)
    for name, content in files.items():
        write_whole(ctx.published / name, content)
    top = sorted(document["predictions"], key=lambda row: (-row["points"], row["player_id"]))[:SHOWN]
    named = {"file": "predictions.json", "parquet": "predictions.parquet", "page": "report.html", "about": "about.json"}
    outputs = {what: ctx.relative(ctx.published / name) for what, name in named.items()}
    return Succeeded(rows=len(rows), outputs={**outputs, "table": top, "show": table(facts, top)})


def table(facts: Facts, top: list[dict[str, Any]]) -> str:
    """Return the day's highest predictions as plain text, below 4 KB."""
    label = "SIMULATED: " if facts.simulated else ""
    day, source = facts.day.isoformat(), facts.source
    if not top:
        known = f"known on {day}: the log ends on {facts.log_ends}" if facts.log_ends else f"on {day}"
        return f"{label}no games {known} ({source})"
    head = f"{label}{len(facts.players)} players predicted for {day} ({source})"
    if facts.partial:
        head += ", PARTIAL"
    titles = f"{'player':<26} {'team':<4} {'against':<8} {'games':>5} {'points':>6} {'rebounds':>8} {'assists':>7}"
    return "\n".join([head[:200], titles, *(_line(row) for row in top)])


def _line(row: Mapping[str, Any]) -> str:
    where = {"home": "", "away": "@ ", "neutral": "n "}[row["venue"]]
    numbers = f"{row['season_games']:>5} {row['points']:>6.1f} {row['rebounds']:>8.1f} {row['assists']:>7.1f}"
    mark = "" if row["basis"] == "history" else f"  {row['basis']}"
    return f"{row['player'][:26]:<26} {row['team']:<4} {where + row['opponent']:<8} {numbers}{mark}"


def _rows(ctx: Context) -> list[dict[str, Any]]:
    """Return the day's players, one a row, with what the headline system expects of them."""
    with scratch() as connection:
        found = connection.execute(query("records"), {"file": str(ctx.path(ctx.inputs["predictions"].result["file"]))})
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _long(ctx: Context) -> Path:
    """Return the predictions with a row for each player, stat and system."""
    return ctx.path(ctx.inputs["predictions"].result["predictions"])


def _document(facts: Facts, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "source": facts.source,
        "terms": facts.terms,
        "simulated": facts.simulated,
        "game_date": facts.day.isoformat(),
        "mode": facts.mode,
        "system": facts.headline,
        "partial": facts.partial,
        "missing": facts.missing,
        "predictions": [{**{name: row[name] for name in FIELDS}, **_spread(row)} for row in rows],
    }


def _spread(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return each stat's interval and line beside its prediction, null where there is none."""
    intervals = {
        f"{stat}_80": None if row[f"{stat}_low"] is None else [row[f"{stat}_low"], row[f"{stat}_high"]]
        for stat in STATS
    }
    return {**intervals, **{f"{stat}_line": row[f"{stat}_line"] for stat in STATS}}


def _about(ctx: Context, facts: Facts) -> dict[str, Any]:
    result = ctx.inputs["predictions"].result
    raw = ctx.inputs["raw"].members["player_box"].outputs
    return {
        "source": facts.source,
        "terms": facts.terms,
        "simulated": facts.simulated,
        "run": ctx.run,
        "generation": ctx.generation,
        "attempt": ctx.attempt,
        "opening": result.get("opening", {}),
        "gates": {name: _opened(given) for name, given in ctx.inputs.items()},
        "made_from": {"boxes": raw.get("boxes", []), "snapshot": result["file"], "set_aside": raw.get("set_aside", 0)},
    }


def _opened(given: Input) -> dict[str, Any]:
    opening = given.opening
    if opening is None:
        return {}
    late = None if opening.late_by is None else opening.late_by.total_seconds()
    return {"reason": opening.reason, "at": opening.at.isoformat(), "late_by": late, "run": given.run}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.format(json.encode(document, order="sorted"), indent=1) + b"\n"
