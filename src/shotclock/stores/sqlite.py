"""The SQLite store: one file, any number of threads and processes, a commit shared by all who wait for one."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import local
from typing import Any, TypeVar, cast

from shotclock.errors import UsageError
from shotclock.ports import Snapshot, Transaction
from shotclock.stores.sqlite_file import StoreFile
from shotclock.stores.sqlite_process import Opened
from shotclock.stores.sqlite_view import SqliteSnapshot
from shotclock.stores.statements import DUMPED, SQL

T = TypeVar("T")


class SqliteStore:
    """A store in one SQLite file, whole after any crash of a process or of the machine.

    - `work` of a `write` may run in the thread of another caller that commits for both.
    - Usable after a fork, but one from within a transaction: connections are closed for the moment of the fork.
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
        self._opened: dict[int, Opened] = {}
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

    def _here(self) -> Opened:
        # A child has no part in what threads of its parent wait for, so it starts with a queue of its own.
        found = self._opened.get(os.getpid())
        return found or self._opened.setdefault(os.getpid(), Opened(self._file, self._backlog))
