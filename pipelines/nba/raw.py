"""The raw phase: published player game logs, checked once per file, and the day's card."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nba.columns import lines
from nba.queries import query
from nba.source import Season, Source, check_covered, described, find, key_day
from shotclock.context import Context
from shotclock.files import unwritable
from shotclock.model import digest
from shotclock.outcomes import Empty, Permanent, Succeeded
from shotclock.warehouse.duckdb import scratch, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def player_box(ctx: Context) -> Succeeded | Empty:
    """Take in the season's player game logs and list the day's card; `Empty` on a day without games.

    Outputs: `boxes`, the checked files as Parquet, which hold later days too and are read up to the day only; `card`,
    the day's players from identity columns; what every output says about its `source`.
    """
    day = key_day(ctx.key)
    cache = ctx.home / "cache"
    source = find(ctx.params, cache, day)
    boxes = [taken_in(season, cache) for season in source.seasons]
    with scratch() as connection:
        aside = _set_aside(ctx, connection, source, boxes, day)
        first, last = _coverage(connection, boxes)
        check_covered(source, day, first, last)
        card = ctx.stage("card.parquet")
        values = {"boxes": [str(box) for box in boxes], "day": day}
        players = write_parquet(connection, query("card"), card, values)
    if not players:
        return Empty(reason=f"no games on {day} ({source.seasons[-1].path.name} covers {first} to {last})")
    files = {"boxes": [ctx.relative(box) for box in boxes], "card": ctx.relative(card), "set_aside": aside}
    as_of = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Succeeded(rows=players, outputs={**described(ctx.params, source.names), **files}, as_of=as_of)


def taken_in(season: Season, cache: Path) -> Path:
    """Return a season's file as checked Parquet, made once for its content and kept under a name made of it."""
    name = season.path.name
    try:
        content = season.path.read_bytes()
    except OSError as error:
        message = f"{season.path} cannot be read ({error.strerror}): put the file there, readable"
        raise Permanent(message) from error
    rule = query("macros") + query("box")
    target = cache / "player_box" / f"{digest(content, str(season.start).encode(), rule.encode())}.parquet"
    if not target.exists():
        _take_in(content, name, season.start, target)
    return target


def _take_in(content: bytes, name: str, start: int, target: Path) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines(content, name))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent) as folder, scratch() as connection:
            plain = Path(folder, "plain.csv")
            plain.write_text(text.getvalue(), encoding="utf-8", newline="")
            connection.execute(query("macros"))
            write_parquet(connection, query("box"), target, {"csv": str(plain), "start": str(start)})
    except OSError as error:
        raise unwritable(target, error) from error


def _set_aside(ctx: Context, connection: "DuckDBPyConnection", source: Source, boxes: Sequence[Path], day: date) -> int:
    number, first = 0, ""
    for season, box in zip(source.seasons, boxes, strict=True):
        found = connection.execute(query("unfit"), {"box": str(box), "day": day}).fetchall()[0]
        if found[0]:
            number += found[0]
            first = first or f"{season.path.name} line {found[2]}: {found[1]}"
    if number <= int(ctx.params.get("set_aside", 0)):
        return number
    more = f" (and {number - 1} more such rows)" if number > 1 else ""
    message = f"{first}{more}: correct the file, or allow rows to be left out with the parameter set_aside"
    raise Permanent(message)


def _coverage(connection: "DuckDBPyConnection", boxes: Sequence[Path]) -> tuple[date | None, date | None]:
    first, last = connection.execute(query("coverage"), {"boxes": [str(box) for box in boxes]}).fetchall()[0]
    return first, last
