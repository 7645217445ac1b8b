"""A store copied to another place, row by row, and compared there."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby, islice, zip_longest
from operator import itemgetter
from typing import Final

from shotclock.errors import StoreError, UsageError
from shotclock.ports import Store
from shotclock.settings import Settings
from shotclock.stores import SERVED, file_of, open_store
from shotclock.stores.rows import Row

_BATCH: Final = 1_000
"""Rows that go to the new store at once."""


def copy(source: str, target: str, settings: Settings) -> dict[str, int]:
    """Copy a store into an empty one and compare both; return how many rows each table has.

    - The addresses are those of the setting `store`; the new store is on PostgreSQL made by ``shotclock store init``.
    - All or nothing is copied. Nothing may be written to either meanwhile: the caller sees to that.
    - Raises `UsageError` if the new store is not empty, `StoreError` if the two differ in the end.
    """
    old, new = replace(settings, store=source), replace(settings, store=target)
    with closing(open_store(old)) as here, closing(open_store(new)) as there:
        if next(there.dump(), None) is not None:
            message = "there is something in the store to copy to already: name an empty one"
            raise UsageError(message)
        _load(new, _tables(here), _last_entry(old))
        return _compared(here, there)


def _tables(store: Store) -> Iterator[tuple[str, Sequence[Row]]]:
    for table, rows in groupby(store.dump(), key=itemgetter(0)):
        values = (row for _, row in rows)
        while batch := list(islice(values, _BATCH)):
            yield table, batch


def _compared(here: Store, there: Store) -> dict[str, int]:
    counts: dict[str, int] = {}
    for old, new in zip_longest(here.dump(), there.dump()):
        if old != new:
            table, row = old or new
            message = f"the copy differs in table {table} at {row[:3]}: was something running? drop it and copy again"
            raise StoreError(message)
        counts[old[0]] = counts.get(old[0], 0) + 1
    return counts


def _load(settings: Settings, tables: Iterator[tuple[str, Sequence[Row]]], last: int) -> None:
    if settings.store.startswith(SERVED):
        from shotclock.postgres import Limits, address_of  # noqa: PLC0415 - only the store in use is loaded
        from shotclock.stores import postgres_load  # noqa: PLC0415 - likewise

        postgres_load.load(address_of(settings.store), Limits.of(settings), tables, last)
    else:
        from shotclock.stores import sqlite_load  # noqa: PLC0415 - likewise

        sqlite_load.load(file_of(settings), settings.store_busy, tables, last)


def _last_entry(settings: Settings) -> int:
    if settings.store.startswith(SERVED):
        from shotclock.postgres import Limits, address_of  # noqa: PLC0415 - only the store in use is loaded
        from shotclock.stores import postgres_load  # noqa: PLC0415 - likewise

        return postgres_load.last_entry(address_of(settings.store), Limits.of(settings))
    from shotclock.stores import sqlite_load  # noqa: PLC0415 - likewise

    return sqlite_load.last_entry(file_of(settings), settings.store_busy)
