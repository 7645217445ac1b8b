"""The functions of the story: a table, a fan-out over seven items, and their consolidation."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shotclock.context import Context
from shotclock.files import write_whole
from shotclock.outcomes import Item, Outcome, Succeeded
from shotclock.testing import points

points.join("child")

ITEMS = 7
SATISFIED = frozenset({"succeeded", "empty", "skipped"})
END = "end"
"""The last line of a whole file."""


def lines(path: Path) -> list[str]:
    """Return what a file says; raises `ValueError` if it is not whole."""
    *found, last = path.read_text(encoding="utf-8").splitlines() or [""]
    if last != END:
        message = f"{path} is torn"
        raise ValueError(message)
    return found


def write(path: Path, found: Sequence[str]) -> None:
    """Write a file that says by its last line that it is whole."""
    write_whole(path, "".join(f"{line}\n" for line in (*found, END)).encode())


def table(ctx: Context) -> Succeeded:
    """Stage who has reported."""
    there = sorted(name for name, given in ctx.inputs["intake"].members.items() if given.kind in SATISFIED)
    path = ctx.stage("table.txt")
    write(path, there)
    return Succeeded(rows=len(there), outputs={"table": ctx.relative(path)})


def listed(ctx: Context) -> Iterator[Item]:
    """List the items, each with what the table says."""
    there = "".join(lines(ctx.path(ctx.output("make", "table")["table"])))
    for number in range(ITEMS):
        yield Item(f"i{number}", {"of": there, "number": number})


def score(ctx: Context, items: Sequence[Item]) -> Mapping[str, Outcome]:
    """Stage a line for each item."""
    write(ctx.stage("scores.txt"), [f"{item.id} {item.payload['of']} {item.payload['number'] ** 2}" for item in items])
    return {item.id: Succeeded(rows=1) for item in items}


def merge(ctx: Context) -> dict[str, int]:
    """Commit the staged lines once, and publish what the warehouse has then.

    An item that is done again has lines in two files; its settlement names the one that counts.
    """
    rows: dict[str, str] = {}
    for settlement in ctx.settled():
        (staged,) = settlement.staged
        found = dict(line.split(" ", 1) for line in lines(ctx.path(staged)))
        rows[settlement.name] = found[settlement.name]

    def effect(connection: Any) -> None:  # noqa: ANN401 - the warehouse's own
        connection.execute("CREATE TABLE IF NOT EXISTS scores (item VARCHAR, score VARCHAR)")
        connection.execute("CREATE TABLE IF NOT EXISTS owner (generation BIGINT, token BIGINT)")
        connection.execute("DELETE FROM scores")
        connection.execute("DELETE FROM owner")
        connection.executemany("INSERT INTO scores VALUES (?, ?)", list(rows.items()))
        connection.execute("INSERT INTO owner VALUES (?, ?)", [ctx.generation, ctx.token])

    ctx.commit_once(effect)
    with ctx.warehouse.reading() as connection:
        kept = connection.execute("SELECT item, score FROM scores ORDER BY item").fetchall()
    write(ctx.published / "scores.txt", [json.dumps(row) for row in kept])
    return {"rows": len(kept)}
