"""The grade phase: the previous run's predictions against what happened, and what all graded days teach the next."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from nba.queries import query
from nba.source import key_day
from nba.spread import SHARES, Spread, level, read_spread
from shotclock.context import Context
from shotclock.outcomes import Empty, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

RECENT = timedelta(days=60)
"""How far back misses and errors count for the intervals and the ensemble: teams and roles change over a season."""

TABLES = ("summary", "daily_error", "calibration", "groups", "beside_line")
"""What is written of all graded days, one file each."""

CAVEAT = "The line knows more than any plain system here; none of this is a claim of profit."


def yesterday(ctx: Context) -> Succeeded | Empty:
    """Grade the predictions of the run before, now that its outcomes are in; `Empty` where there were none.

    Outputs: `file`, the graded rows; `graded_day`; how many players `did_not_play` and so have no outcome.
    """
    given = ctx.inputs["predictions"]
    file = given.result.get("predictions")
    if given.absent or not file or not given.result.get("rows"):
        return Empty(reason="no predictions of an earlier day to grade")
    target, joined = ctx.stage("graded.parquet"), ctx.stage("outcomes.parquet")
    boxes = [str(ctx.path(box)) for box in ctx.output("raw", "player_box")["boxes"]]
    with scratch() as connection:
        write_parquet(connection, query("joined"), joined, {"predictions": str(ctx.path(file)), "boxes": boxes})
        spread = read_spread(connection, ctx.path(given.result["spread"]))
        judged = _judged(connection, joined, spread)
        rows = write_parquet(connection, query("graded"), target, {"joined": str(joined), **judged})
        asked = {"file": str(target)}
        day, players, out = connection.execute(query("graded_day"), asked).fetchall()[0]
    said = {"graded_day": day.isoformat(), "players": players, "did_not_play": out}
    return Succeeded(rows=rows, outputs={"file": ctx.relative(target), **said})


def _judged(connection: Any, joined: Path, spread: Spread) -> dict[str, object]:  # noqa: ANN401 - a DuckDB connection
    """Return of each row the narrowest interval that holds its outcome, and the level of its prediction."""
    found = connection.execute(query("judged"), {"joined": str(joined)}).fetchall()
    within = [None if row[3] is None else spread.holding(row[0], row[1], row[2], row[3]) for row in found]
    return {"within": within, "level": [level(row[0], row[2]) for row in found]}


def consolidate(ctx: Context) -> dict[str, Any]:
    """Keep the graded rows in the warehouse, once, and write what all days before this one teach.

    Returns the files of `TABLES`, the `misses` of the graded day, the `sources` of this run, what the next predictions
    need, `errors` and `spread`, and `show` for the screen.
    """
    graded = next((one.outputs for one in ctx.settled() if one.kind == "succeeded"), None)
    ctx.commit_once(lambda connection: _merge(ctx, connection, graded))
    files = {name: ctx.stage(f"{name}.parquet") for name in (*TABLES, "misses", "sources", "errors", "spread")}
    with ctx.warehouse.reading() as connection:
        _write_taught(ctx, connection, files)
        _write_misses(ctx, connection, files["misses"], graded)
        write_parquet(connection, query("sources"), files["sources"], _sources(ctx))
        shown = connection.execute(query("shown"), {"file": str(files["summary"])}).fetchall()
        lined = connection.execute(query("shown_line"), {"file": str(files["beside_line"])}).fetchall()
    said = {name: ctx.relative(path) for name, path in files.items()}
    return {**said, "graded_day": graded["graded_day"] if graded else None, "show": _show(graded, shown, lined)}


def _write_taught(ctx: Context, connection: Any, files: Mapping[str, Path]) -> None:  # noqa: ANN401 - a DuckDB connection
    day: dict[str, object] = {"day": key_day(ctx.key), "mode": ctx.mode}
    since: dict[str, object] = {"since": key_day(ctx.key) - RECENT}
    connection.execute(query("graded_so_far"), day)
    for name in TABLES:
        write_parquet(connection, query(name), files[name])
    write_parquet(connection, query("recent_errors"), files["errors"], since)
    asked = {**day, **since, "shares": list(SHARES)}
    write_parquet(connection, query("recent_spread"), files["spread"], asked)


def _merge(ctx: Context, connection: Any, graded: Mapping[str, Any] | None) -> None:  # noqa: ANN401 - a DuckDB connection
    connection.execute(query("grades"))
    connection.execute(query("grade_days"))
    if graded is None:
        return
    values = {"mode": ctx.mode, "file": str(ctx.path(graded["file"]))}
    for table in ("grades", "grade_days"):
        connection.execute(query("grades_clear").format(table=table), values)
        connection.execute(query(f"{table}_merge"), values)


def _write_misses(ctx: Context, connection: Any, target: Path, graded: Mapping[str, Any] | None) -> None:  # noqa: ANN401 - a DuckDB connection
    if graded is None:
        write_parquet(connection, query("no_misses"), target)
    else:
        write_parquet(connection, query("misses"), target, {"file": str(ctx.path(graded["file"]))})


def _sources(ctx: Context) -> dict[str, object]:
    """Return, column by column, what each raw member gave."""
    members = sorted(ctx.inputs["raw"].members.items())
    told = [one.outputs for _, one in members]
    return {
        "source": [name for name, _ in members],
        "rows": [one.rows or 0 for _, one in members],
        "set_aside": [said.get("set_aside", 0) for said in told],
        "state": [one.kind for _, one in members],
        "as_of": [None if one.as_of is None else one.as_of.isoformat() for _, one in members],
        "changed": [sum(said.get(name, 0) for name in ("new", "changed", "removed")) for said in told],
    }


def _show(graded: Mapping[str, Any] | None, rows: Sequence[Any], lined: Sequence[Any]) -> str:
    if graded is None:
        return "nothing to grade: no predictions of an earlier day"
    head = f"graded {graded['players']} players of {graded['graded_day']}"
    if graded["did_not_play"]:
        head += f", {graded['did_not_play']} of them did not play and have no outcome"
    if not rows:
        return f"{head}; nobody of them had 10 games before yet"
    titles = f"{'season to date':<14} {'system':<12} {'n':>7} {'error':>6} {'bias':>6} {'80 % holds':>10}"
    return "\n".join([head, titles, *(_line(*row) for row in rows), *_beside(lined)])


def _line(stat: str, system: str, n: int, mae: float, bias: float, coverage: float | None) -> str:
    held = "" if coverage is None else f"{100 * coverage:>8.1f} %"
    return f"{stat:<14} {system:<12} {n:>7} {mae:>6.3f} {bias:>+6.2f} {held}".rstrip()


def _beside(lined: Sequence[Any]) -> list[str]:
    """Say how the line compares, on the rows that have one."""
    if not lined:
        return []
    told = [
        f"{stat} line {line:.2f}, season mean {mean:.2f}, best system {best:.2f}" for stat, line, mean, best in lined
    ]
    return [f"where there is a line: {'; '.join(told)}", CAVEAT]
