"""Editions of a source: each kept under a name made of its content, and what changed from one to the next."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from nba.queries import query
from shotclock.files import write_whole
from shotclock.warehouse.duckdb import scratch


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows an edition has that the one before had not, has with other values, and has no more."""

    new: int = 0
    changed: int = 0
    removed: int = 0


class _Known(msgspec.Struct, frozen=True):
    """An edition taken in, and what it changed."""

    name: str
    changes: Changes


def take_note(cache: Path, name: str, edition: Path, keys: Sequence[str]) -> Changes:
    """Note that this edition of a source was taken in, and return what changed against the one before.

    Asked again for the edition it saw last it answers the same, so a repeated attempt counts nothing twice.
    """
    file = cache / "editions" / f"{name}.json"
    known = msgspec.json.decode(file.read_bytes(), type=list[_Known]) if file.exists() else []
    if known and known[-1].name == edition.name:
        return known[-1].changes
    changes = compared(edition.with_name(known[-1].name) if known else None, edition, keys)
    write_whole(file, msgspec.json.encode([*known, _Known(edition.name, changes)]))
    return changes


def compared(before: Path | None, after: Path, keys: Sequence[str]) -> Changes:
    """Count the rows in which two editions differ, by their keys; lines do not count, the same row may move."""
    there = before is not None and before.exists()
    text = query("changes").format(keys=", ".join(keys), any="true" if there else "false")
    values = {"before": str(before if there else after), "after": str(after)}
    with scratch() as connection:
        new, changed, removed = connection.execute(text, values).fetchall()[0]
    return Changes(new=new, changed=changed, removed=removed)
