"""A SQLite store filled with the rows of another one."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from shotclock.stores.rows import Row
from shotclock.stores.sqlite_file import StoreFile
from shotclock.stores.statements import SQL, named

LOAD: Final = named(Path(__file__).with_name("sql") / "load.sql")
"""Statement by name."""


def last_entry(path: Path, busy: timedelta) -> int:
    """Return the last number that was given to an entry, whether it is still there or not."""
    with closing(StoreFile(path, busy).connect()) as db:
        number: int = db.execute(LOAD["last_entry"]).fetchone()[0]
    return number


def load(path: Path, busy: timedelta, tables: Iterable[tuple[str, Sequence[Row]]], last: int) -> None:
    """Fill an empty store in one transaction: all of it, or nothing."""
    with closing(StoreFile(path, busy).connect()) as db:
        db.execute(SQL["begin"])
        for table, rows in tables:
            db.executemany(LOAD[f"load_{table}"], rows)
        db.execute(LOAD["forget_entry"])
        db.execute(LOAD["note_entry"], (last,))
        db.execute(SQL["commit"])
