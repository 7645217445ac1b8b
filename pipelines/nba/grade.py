"""The grade phase: the previous run's predictions against what happened, and what all graded days teach the next."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from nba.queries import query
from nba.scores import BesideLine, Lessons, Miss, Score, Scores, SourceState
from nba.source import key_day
from nba.spread import Spread, level
from nba.systems import STATS
from nba.taught import taught
from shotclock.context import Context
from shotclock.files import write_whole
from shotclock.outcomes import Empty, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

RECENT = timedelta(days=60)
"""How far back misses and errors count for the intervals and the ensemble: teams and roles change over a season."""

CAVEAT = "The line knows more than any plain system here; none of this is a claim of profit."


def yesterday(ctx: Context) -> Succeeded | Empty:
    """Grade the predictions of the run before, now that its outcomes are in; `Empty` where there were none.

    Outputs: `file`, the graded rows; `misses`, the biggest; `graded_day`; how many `players` were graded, and how many
    of them `did_not_play` and so have no outcome.
    """
    given = ctx.inputs["predictions"]
    file = given.result.get("predictions")
    if given.absent or not file or not given.result.get("rows"):
        return Empty(reason="no predictions of an earlier day to grade")
    graded, misses = ctx.stage("graded.parquet"), ctx.stage("misses.json")
    day = date.fromisoformat(given.result["day"])
    boxes = [str(ctx.path(box)) for box in ctx.output("raw", "player_box")["boxes"]]
    lessons = msgspec.json.decode(ctx.path(given.result["lessons"]).read_bytes(), type=Lessons)
    with scratch() as connection:
        connection.execute(query("joined"), {"predictions": str(ctx.path(file)), "boxes": boxes, "graded": day})
        found = connection.execute(query("judged")).fetchall()
        rows = write_parquet(connection, query("graded"), graded, _judged(found, Spread(lessons.misses)))
        missed = connection.execute(query("misses")).fetchall()
    write_whole(misses, msgspec.json.encode([Miss(*row) for row in missed]))
    files = {"file": ctx.relative(graded), "misses": ctx.relative(misses)}
    return Succeeded(rows=rows, outputs={**files, "graded_day": day.isoformat(), **_counted(found)})


def _judged(found: Sequence[Any], spread: Spread) -> dict[str, object]:
    """Return of each row the narrowest interval that holds its outcome, and the level of its prediction."""
    within = [None if row[3] is None else spread.holding(row[0], row[1], row[2], row[3]) for row in found]
    return {"within": within, "level": [level(row[0], row[2]) for row in found]}


def _counted(found: Sequence[Any]) -> dict[str, int]:
    out = {row[4] for row in found if row[3] is None}
    return {"players": len({row[4] for row in found}), "did_not_play": len(out)}


def consolidate(ctx: Context) -> dict[str, Any]:
    """Keep the graded rows in the warehouse, once, and write what all days before this one teach.

    Returns `scores`, what the report tells of them and of the `sources` of this run; `lessons`, what the next
    predictions need; and `show` for the screen.
    """
    graded = next((one.outputs for one in ctx.settled() if one.kind == "succeeded"), None)
    ctx.commit_once(lambda connection: _merge(ctx, connection, graded))
    day = key_day(ctx.key)
    with ctx.warehouse.reading() as connection:
        scores, lessons = taught(connection, {"day": day, "mode": ctx.mode}, day - RECENT)
    whole = msgspec.structs.replace(scores, misses=_misses(ctx, graded), sources=_sources(ctx))
    said = {"scores": _kept(ctx, "scores.json", whole), "lessons": _kept(ctx, "lessons.json", lessons)}
    return {**said, "graded_day": graded["graded_day"] if graded else None, "show": _show(graded, scores)}


def _kept(ctx: Context, name: str, content: Scores | Lessons) -> str:
    target = ctx.stage(name)
    write_whole(target, msgspec.json.encode(content))
    return ctx.relative(target)


def _merge(ctx: Context, connection: Any, graded: Mapping[str, Any] | None) -> None:  # noqa: ANN401 - a DuckDB connection
    connection.execute(query("grades"))
    connection.execute(query("grade_days"))
    if graded is None:
        return
    values = {"mode": ctx.mode, "file": str(ctx.path(graded["file"]))}
    for table in ("grades", "grade_days"):
        connection.execute(query("grades_clear").format(table=table), values)
        connection.execute(query(f"{table}_merge"), values)


def _misses(ctx: Context, graded: Mapping[str, Any] | None) -> list[Miss]:
    return [] if graded is None else msgspec.json.decode(ctx.path(graded["misses"]).read_bytes(), type=list[Miss])


def _sources(ctx: Context) -> list[SourceState]:
    """Return what each raw member gave."""
    return [
        SourceState(
            source=name,
            state=one.kind,
            rows=one.rows or 0,
            set_aside=one.outputs.get("set_aside", 0),
            changed=sum(one.outputs.get(kind, 0) for kind in ("new", "changed", "removed")),
            as_of=None if one.as_of is None else one.as_of.date(),
        )
        for name, one in sorted(ctx.inputs["raw"].members.items())
    ]


def _show(graded: Mapping[str, Any] | None, scores: Scores) -> str:
    if graded is None:
        return "nothing to grade: no predictions of an earlier day"
    head = f"graded {graded['players']} players of {graded['graded_day']}"
    if graded["did_not_play"]:
        head += f", {graded['did_not_play']} of them did not play and have no outcome"
    if not scores.summary:
        return f"{head}; nobody of them had 10 games before yet"
    titles = f"{'season to date':<14} {'system':<12} {'n':>7} {'error':>6} {'bias':>6} {'80 % holds':>10}"
    return "\n".join([head, titles, *map(_line, scores.summary), *_beside(scores.beside_line)])


def _line(one: Score) -> str:
    held = "" if one.coverage is None else f"{100 * one.coverage:>8.1f} %"
    return f"{one.stat:<14} {one.system:<12} {one.n:>7} {one.mae:>6.3f} {one.bias:>+6.2f} {held}".rstrip()


def _beside(rows: Sequence[BesideLine]) -> list[str]:
    """Say how the line compares, on the rows that have one."""
    if not rows:
        return []
    told = []
    for stat in STATS:
        own = {row.system: row for row in rows if row.stat == stat}
        if own:
            line, least = next(iter(own.values())).line_mae, min(row.mae for row in own.values())
            told.append(f"{stat} line {line:.2f}, season mean {own['season_mean'].mae:.2f}, best system {least:.2f}")
    return [f"where there is a line: {'; '.join(told)}", CAVEAT]
