"""The schema's migrations: numbered files, each made once, before or after the code that needs it is rolled out.

``NNNN_before_WORD.sql`` is made while processes of the release before still work: it only adds what they do not see.
``NNNN_after_WORD.sql`` takes away what only they needed, and is made once none of them is left.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from shotclock.errors import UsageError
from shotclock.postgres import Address, Limits, connect
from shotclock.stores.postgres_session import FOLDER

_NAME = re.compile(r"(?P<number>\d{4})_(?P<part>before|after)_\w+\.sql")

_TABLES: Final = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s))"
_LEDGER: Final = "SELECT to_regclass('ledger') IS NOT NULL"
_STATE: Final = "SELECT schema, finished FROM ledger"
_LOCK: Final = "SELECT pg_advisory_xact_lock(%s), set_config('statement_timeout', '0', true)"
_MADE: Final = "UPDATE ledger SET schema = greatest(schema, %s), finished = greatest(finished, %s)"

State = tuple[int, int]
"""Up to which number the before-parts are made, and the after-parts."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file."""

    number: int
    after: bool
    path: Path


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return all migrations, in the order in which they are made: those before the code's, then those after it."""
    found = [(name, path) for path in folder.iterdir() if (name := _NAME.fullmatch(path.name))]
    made = [Migration(number=int(name["number"]), after=name["part"] == "after", path=path) for name, path in found]
    return sorted(made, key=lambda migration: (migration.after, migration.number))


RELEASE: Final = max(migration.number for migration in migrations())
"""The newest schema this release understands."""


def state_of(connection: "psycopg.Connection[Any]") -> State | None:
    """Return how far a schema's migrations are made; None if there is no store."""
    row = connection.execute(_LEDGER).fetchone()
    if row is None or not row[0]:
        return None
    state: State | None = connection.execute(_STATE).fetchone()
    return state


def initialise(address: Address, limits: Limits, folder: Path = FOLDER) -> bool:
    """Make the store; False if it is there already. Raises `UsageError` for a schema that another program uses."""
    with _changing(address, limits) as connection:
        if state_of(connection) is not None:
            return False
        row = connection.execute(_TABLES, (address.schema,)).fetchone()
        if row is not None and row[0]:
            message = f"{address.shown}: the schema belongs to another program: name another with ?schema=NAME"
            raise UsageError(message)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(address.schema)))
        for migration in migrations(folder):
            _make(connection, migration)
        return True


def upgrade(address: Address, limits: Limits, *, after: bool, folder: Path = FOLDER) -> list[str]:
    """Make what is missing, each file with its note in one transaction; return their names.

    `after`: also those that take away what older releases need. Raises `UsageError` if there is no store.
    """
    names: list[str] = []
    for migration in migrations(folder):
        with _changing(address, limits) as connection:
            state = state_of(connection)
            if state is None:
                message = f"{address.shown}: there is no store: make it with `shotclock store init ADDRESS`"
                raise UsageError(message)
            if migration.number > state[migration.after] and (after or not migration.after):
                _make(connection, migration)
                names.append(migration.path.name)
    return names


def _make(connection: "psycopg.Connection[Any]", migration: Migration) -> None:
    connection.execute(migration.path.read_bytes(), prepare=False)
    before, after = (0, migration.number) if migration.after else (migration.number, 0)
    connection.execute(_MADE, (before, after))


@contextmanager
def _changing(address: Address, limits: Limits) -> Iterator["psycopg.Connection[Any]"]:
    """Give a connection in a transaction under the store's lock, so that nobody writes meanwhile."""
    with connect(address, limits) as connection, connection.transaction():
        connection.execute(_LOCK, (address.lock,))
        yield connection
