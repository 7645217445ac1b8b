"""The PostgreSQL store: a schema of its own, any number of threads, processes and hosts, commits that are shared."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from threading import Lock
from typing import Any, Final, TypeVar, cast

import psycopg

from shotclock.ports import Snapshot, Transaction
from shotclock.postgres import Limits, address_of, passing
from shotclock.stores.alone import Alone
from shotclock.stores.postgres_server import Patience, Server
from shotclock.stores.postgres_session import DUMPED, FREE_TEXT, Session, given
from shotclock.stores.postgres_view import PostgresSnapshot
from shotclock.stores.postgres_writer import Writer
from shotclock.stores.rows import Row
from shotclock.stores.sqlite_view import Plans

T = TypeVar("T")

IDLE_READERS: Final = 4
"""Sessions for reading that are kept open while nobody reads."""


class PostgresStore:
    """A store in one schema of a PostgreSQL database.

    - `work` of a `write` may run in the thread of another caller that commits for both.
    - `work` is run again if the connection is lost, or the server asks for it, for as long as `limits.busy`.
    - Usable after a fork: a child opens connections of its own.
    - A commit rings its address's channel if others have something to do; losing that delays, never harms.
    """

    def __init__(self, address: str, *, limits: Limits, backlog: int) -> None:
        """Connect; `backlog` is how many writes may share one commit.

        Raises `StoreUnavailableError` if the server cannot be used, `StoreVersionError` if the schema has no store, or
        one that this release cannot work with.
        """
        self._server = Server(address_of(address), limits)
        self._server.check()
        self._backlog = backlog
        self._alone = Alone()
        self._opened: dict[int, _Opened] = {}

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once the server has it on disk."""
        with self._alone.here():
            return cast("T", self._here().writer.write(work))

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on what was committed when it first reads, and return its result."""
        with self._alone.here():
            return self._here().read(work)

    def version(self) -> int:
        """Return the number of commits."""
        return self._here().version()

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield every row of every table, in the order of its key, all of one moment."""
        with self._here().reading() as session:
            for table in DUMPED:
                for row in _dumped(session, table):
                    yield table, row

    def close(self) -> None:
        """Close this process's connections; a repeat does nothing."""
        self._here().close()

    def _here(self) -> "_Opened":
        # A child has no part in what threads of its parent wait for, nor in its connections.
        found = self._opened.get(os.getpid())
        return found or self._opened.setdefault(os.getpid(), _Opened(self._server, self._backlog))


def _dumped(session: Session, table: str) -> Iterable[Row]:
    """Return a table's rows; text that is held another way also has another order."""
    rows = session.stream(f"dump_{table}")
    if table in FREE_TEXT:
        return map(given, rows) if table in {"entry", "outbox"} else sorted(map(given, rows), key=_ORDER[table])
    return rows


_ORDER: Final = {"tally": itemgetter(0, 1), "halt": itemgetter(1, 0)}


class _Opened:
    """The sessions of one process: one that writes, some that read."""

    def __init__(self, server: Server, backlog: int) -> None:
        self._server = server
        self._plans = Plans()
        self.writer = Writer(server, self._plans, backlog)
        self._idle: list[Session] = []
        self._turn = Lock()
        self._closed = False

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on a snapshot, again on another one if the connection is lost."""
        patience = Patience(self._server.limits)
        while True:
            try:
                with self._lent() as session:
                    return work(PostgresSnapshot(session, self._plans))
            except psycopg.Error as error:
                if not passing(error) or not patience.again():
                    raise self._server.unavailable(error) from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Lend a session in a transaction that sees one moment."""
        try:
            with self._lent() as session:
                yield session
        except psycopg.Error as error:
            raise self._server.unavailable(error) from error

    def version(self) -> int:
        """Return the number of commits."""
        return self._server.patiently(self._commits)

    def close(self) -> None:
        """Close what is idle now, and what is in use once it is not."""
        self.writer.close()
        with self._turn:
            self._closed = True
            self._drop_idle()

    def _commits(self) -> int:
        session = self._borrow()
        try:
            row = session.row("commits")
        finally:
            self._give_back(session)
        return 0 if row is None else row[0]

    @contextmanager
    def _lent(self) -> Iterator[Session]:
        session = self._borrow()
        try:
            session.begin_read()
            yield session
        finally:
            self._give_back(session)

    def _borrow(self) -> Session:
        with self._turn:
            if self._closed:
                why = "the store is closed: open it again"
                raise self._server.refused(why)
            if self._idle:
                return self._idle.pop()
        return self._server.session()

    def _give_back(self, session: Session) -> None:
        whole = session.rewind()
        with self._turn:
            if not whole:
                # What one session has lost, those that were idle meanwhile have lost too.
                self._drop_idle()
            if not whole or self._closed or len(self._idle) >= IDLE_READERS:
                session.close()
            else:
                self._idle.append(session)

    def _drop_idle(self) -> None:
        for session in self._idle:
            session.close()
        self._idle.clear()
