"""The raw phase: published player game logs in either layout, checked once per file."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from nba.columns import Layout, layout_of, lines
from nba.editions import Changes, take_note
from nba.queries import query
from nba.source import Season, check_covered, described, find, key_day, newest
from shotclock.context import Context
from shotclock.files import unwritable
from shotclock.model import digest
from shotclock.outcomes import Permanent, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SELECTIONS = ("USA", "WNBASTARS", "EAST", "WEST", "LEB", "GIA", "DUR", "STE", "SHQ", "CAN", "CHK", "KEN", "WORLD")
"""How ESPN abbreviates teams that play no season: selections of stars, in games it files under the season."""

_RULES: dict[Layout, str] = {"nba": "box", "espn": "box_espn"}


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A season's file as checked Parquet, and what changed against the edition taken in before."""

    season: Season
    layout: Layout
    path: Path
    changes: Changes


def player_box(ctx: Context) -> Succeeded:
    """Take in the season's player game logs, on a day without games too: it may follow one whose outcomes are in.

    Outputs: `boxes`, the checked files as Parquet, which hold later days too and are read up to the day only;
    `rejected`, the rows that are left out and why; `new`, `changed` and `removed` rows against the edition before;
    what every output says about its `source`.
    """
    day = key_day(ctx.key)
    source = find(ctx, day)
    boxes = [_noted(season, ctx.home / "cache") for season in source.seasons]
    used = newest([box.season for box in boxes])
    boxes = [box for box in boxes if box.season in used]
    with scratch() as connection:
        values = {"boxes": [str(box.path) for box in boxes], "day": day}
        connection.execute(query("rejected"), {**values, "source": "player_box"})
        aside = _set_aside(ctx, connection, boxes)
        first, last, rows, listed, out = connection.execute(query("coverage"), values).fetchall()[0]
        check_covered(source, day, first, last)
        rejected = ctx.stage("rejected.parquet")
        write_parquet(connection, "FROM rejected", rejected)
    return Succeeded(
        rows=rows,
        outputs={
            **described(ctx.params, source.names),
            **_totals([box.changes for box in boxes]),
            "layout": boxes[-1].layout,
            "boxes": [ctx.relative(box.path) for box in boxes],
            "set_aside": aside,
            "rejected": ctx.relative(rejected),
            "listed": listed,
            "did_not_play": out,
            "last": last.isoformat(),
        },
        as_of=datetime.combine(min(day, last), time(), tzinfo=UTC),
    )


def taken_in(season: Season, cache: Path) -> Path:
    """Return a season's file as checked Parquet, made once for its content and kept under a name made of it."""
    return _taken_in(season, cache)[1]


def _noted(season: Season, cache: Path) -> Box:
    layout, path = _taken_in(season, cache)
    changes = take_note(cache, f"player_box-{layout}-{season.end}", path, ("player_id", "game_id"))
    return Box(season=season, layout=layout, path=path, changes=changes)


def _taken_in(season: Season, cache: Path) -> tuple[Layout, Path]:
    name = season.path.name
    content = read(season.path)
    layout = layout_of(content)
    rule = query("macros") + query(_RULES[layout]) + repr(SELECTIONS)
    target = cache / "player_box" / f"{digest(content, str(season.end).encode(), rule.encode())}.parquet"
    if not target.exists():
        values: dict[str, object] = {"end": str(season.end)}
        if layout == "espn":
            values["selections"] = list(SELECTIONS)
        check_in(lines(content, name, layout), query(_RULES[layout]), target, values)
    return layout, target


def read(path: Path) -> bytes:
    """Return a file's content; raises `Permanent` that names it if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}): put the file there, readable"
        raise Permanent(message) from error


def check_in(rows: Iterable[Sequence[object]], rule: str, target: Path, values: dict[str, object]) -> None:
    """Write rows of text, checked and cast by a query over them as the CSV file ``$csv``, to a Parquet file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent) as folder, scratch() as connection:
            plain = Path(folder, "plain.csv")
            plain.write_text(text.getvalue(), encoding="utf-8", newline="")
            connection.execute(query("macros"))
            write_parquet(connection, rule, target, {"csv": str(plain), **values})
    except OSError as error:
        raise unwritable(target, error) from error


def _totals(changes: Sequence[Changes]) -> dict[str, int]:
    names = ("new", "changed", "removed")
    return {name: sum(getattr(change, name) for change in changes) for name in names}


def _set_aside(ctx: Context, connection: "DuckDBPyConnection", boxes: Sequence[Box]) -> int:
    """Return how many rows are left out; raises `Permanent` that names the first if they are more than allowed."""
    found = connection.execute(query("unfit")).fetchall()
    if len(found) <= int(ctx.params.get("set_aside", 0)):
        return len(found)
    season, line, reason = found[0]
    file = next(box.season.path.name for box in boxes if box.season.end == season)
    more = f" (and {len(found) - 1} more such rows)" if len(found) > 1 else ""
    next_step = "correct the file, or allow rows to be left out with the parameter set_aside"
    message = f"{file} line {line}: {reason}{more}: {next_step}"
    raise Permanent(message)
