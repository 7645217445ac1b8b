"""The SQLite store: one file, any number of threads and processes, a commit shared by all who wait for one."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock, local
from typing import Any, Final, TypeVar, cast

from shotclock.errors import UsageError
from shotclock.ports import Snapshot, Transaction
from shotclock.stores.sqlite_file import StoreFile
from shotclock.stores.sqlite_view import Plans, SqliteSnapshot
from shotclock.stores.sqlite_writer import Writer
from shotclock.stores.statements import DUMPED, SQL

T = TypeVar("T")

IDLE_READERS: Final = 8
"""Connections for reading that are kept open while nobody reads."""


class SqliteStore:
    """A store in one SQLite file, whole after any crash of a process or of the machine.

    - `work` of a `write` may run in the thread of another caller that commits for both.
    - Usable after a fork: a child opens connections of its own.
    - A file system that is shared over a network is not supported: its locks and shared memory do not hold.
    """

    def __init__(self, path: Path, *, busy: timedelta, backlog: int) -> None:
        """Open the file, making it if it is not there; `backlog` is how many writes may share one commit.

        Raises `StoreUnavailableError` if it cannot be used, `StoreVersionError` if a newer release wrote it.
        """
        self._file = StoreFile(path, busy)
        self._file.make()
        self._backlog = backlog
        self._inside = local()
        self._processes: dict[int, _Process] = {}
        self._here()

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once it is on disk."""
        with self._alone():
            return cast("T", self._here().writer.write(work))

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on what was committed when it first reads, and return its result."""
        with self._alone(), self._here().reading() as connection:
            return work(SqliteSnapshot(connection, self._here().plans))

    def version(self) -> int:
        """Return SQLite's count of commits by all connections but the one that asks."""
        return self._here().version()

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield every row of every table, in the order of its key, all of one moment."""
        with self._here().reading() as connection:
            for table in DUMPED:
                for row in connection.execute(SQL[f"dump_{table}"]):
                    yield table, row

    def close(self) -> None:
        """Close this process's connections; a repeat does nothing."""
        self._here().close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if getattr(self._inside, "work", False):
            message = "a transaction is running in this thread: use the one that was given instead of the store"
            raise UsageError(message)
        self._inside.work = True
        try:
            yield
        finally:
            self._inside.work = False

    def _here(self) -> "_Process":
        # What a parent opened is neither used nor closed in its child: SQLite's locks belong to the process.
        found = self._processes.get(os.getpid())
        return found or self._processes.setdefault(os.getpid(), _Process(self._file, self._backlog))


class _Process:
    """What a store has opened in one process."""

    def __init__(self, file: StoreFile, backlog: int) -> None:
        self.plans = Plans()
        self.writer = Writer(file, self.plans, backlog)
        self._file = file
        self._idle: list[sqlite3.Connection] = []
        self._watcher: sqlite3.Connection | None = None
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in a transaction that sees one moment."""
        connection = self._borrow()
        try:
            connection.execute(SQL["begin_read"])
            yield connection
        except sqlite3.Error as error:
            raise self._file.unavailable(error) from error
        finally:
            self._give_back(connection)

    def version(self) -> int:
        with self._lock:
            if self._closed:
                raise self._refused()
            if self._watcher is None:
                self._watcher = self._file.connect()
            try:
                number: int = self._watcher.execute(SQL["data_version"]).fetchone()[0]
            except sqlite3.Error as error:
                raise self._file.unavailable(error) from error
            return number

    def close(self) -> None:
        with self._lock:
            self._closed = True
            unused, self._idle = self._idle, []
            if self._watcher is not None:
                unused.append(self._watcher)
                self._watcher = None
        for connection in unused:
            connection.close()
        self.writer.close()

    def _borrow(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise self._refused()
            if self._idle:
                return self._idle.pop()
        return self._file.connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute(SQL["rollback"])
        with self._lock:
            keep = not self._closed and len(self._idle) < IDLE_READERS
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def _refused(self) -> Exception:
        return self._file.refused("the store is closed: open it again")
