"""A store on PostgreSQL filled with the rows of another one."""

from collections.abc import Iterable, Sequence

import psycopg

from shotclock.postgres import Address, Limits
from shotclock.stores.postgres_server import Server
from shotclock.stores.postgres_session import FREE_TEXT, Session, columns, held
from shotclock.stores.rows import Row, name_key


def last_entry(address: Address, limits: Limits) -> int:
    """Return the last number that was given to an entry, whether it is still there or not."""
    server = Server(address, limits)
    row = server.patiently(lambda: _ask(server, "entry_last"))
    return 0 if row is None else row[0]


def load(address: Address, limits: Limits, tables: Iterable[tuple[str, Sequence[Row]]], last: int) -> None:
    """Fill an empty store in one transaction: all of it, or nothing."""
    server = Server(address, limits)
    try:
        with server.session().connection as connection, connection.transaction():
            session = Session(connection)
            session.row("lock", (address.lock,))
            for table, rows in tables:
                session.change(f"load_{table}", columns([_row(table, row) for row in rows]))
            session.change("loaded", (last,))
    except psycopg.Error as error:
        raise server.unavailable(error) from error


def _ask(server: Server, name: str) -> Row | None:
    session = server.session()
    try:
        return session.row(name)
    finally:
        session.close()


def _row(table: str, row: Row) -> Row:
    """Return a row with what PostgreSQL keeps beside it: a hash of what may be too long for an index."""
    kept = held(row) if table in FREE_TEXT else row
    return (*kept, name_key(row[1])) if table in {"tally", "outbox"} else kept
