"""What a store has opened in one process, closed for the moment of a fork.

SQLite notes its locks in memory, which a child inherits, while the locks themselves stay with the parent: a child that
inherits an open connection believes in locks that it does not hold, even for connections it opens itself. So none is
open when a process forks; where that cannot be had, the child refuses the file.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident, local
from typing import Final
from weakref import WeakSet

from shotclock.errors import StoreUnavailableError
from shotclock.stores.sqlite_file import StoreFile
from shotclock.stores.sqlite_view import Plans
from shotclock.stores.sqlite_writer import Writer
from shotclock.stores.statements import SQL

IDLE_READERS: Final = 8
"""Connections for reading that are kept open while nobody reads."""

_WATCHES = 1 << 32
"""Most commits that one watching connection can tell apart."""


class Opened:
    """The connections of one process to one file: one that writes, some that read, one that watches."""

    def __init__(self, file: StoreFile, backlog: int) -> None:
        self.plans = Plans()
        self.writer = Writer(file, self.plans, backlog)
        self._file = file
        self._idle: list[sqlite3.Connection] = []
        self._lent: list[int] = []
        """The threads that read, once for each connection they hold."""
        self._place = file.mark()
        self._watcher: sqlite3.Connection | None = None
        self._watchers = 0
        self._turn = Condition()
        self._closed = False
        if self._place in _inherited:
            why = "this process was forked while its parent used it: start processes by spawn or forkserver"
            raise file.refused(why)
        _living.add(self)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in a transaction that sees one moment."""
        thread = get_ident()
        connection = self._borrow(thread)
        try:
            connection.execute(SQL["begin_read"])
            yield connection
        except sqlite3.Error as error:
            raise self._file.unavailable(error) from error
        finally:
            self._give_back(connection, thread)

    def version(self) -> int:
        """Return a number that differs after every commit of another connection."""
        with self._turn:
            if self._closed:
                raise self._refused()
            if self._watcher is None:
                self._watcher = self._file.connect()
                self._watchers += 1
            try:
                number: int = self._watcher.execute(SQL["data_version"]).fetchone()[0]
            except sqlite3.Error as error:
                raise self._file.unavailable(error) from error
            return self._watchers * _WATCHES + number

    def close(self) -> None:
        """Close what is idle now, and what is in use once it is not."""
        with self._turn:
            self._closed = True
            self._drop_idle()
        self.writer.close()

    def pause(self) -> bool:
        """Close every connection and keep new ones from being opened until `resume`; say whether that was possible."""
        if get_ident() in self._lent or not self.writer.pause(self._file.patience):
            return False
        if not self._turn.acquire(timeout=self._file.patience):
            self.writer.resume()
            return False
        if not self._turn.wait_for(lambda: not self._lent, timeout=self._file.patience):
            self.resume()
            return False
        self._drop_idle()
        return True

    def resume(self) -> None:
        """Let connections be opened again."""
        self._turn.release()
        self.writer.resume()

    def disinherit(self) -> None:
        """In a child: refuse the file of a parent that had it open."""
        _inherited.add(self._place)

    def _drop_idle(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _borrow(self, thread: int) -> sqlite3.Connection:
        with self._turn:
            if self._closed:
                raise self._refused()
            connection = self._idle.pop() if self._idle else self._file.connect()
            self._lent.append(thread)
            return connection

    def _give_back(self, connection: sqlite3.Connection, thread: int) -> None:
        if connection.in_transaction:
            connection.execute(SQL["rollback"])
        with self._turn:
            self._lent.remove(thread)
            if self._closed or len(self._idle) >= IDLE_READERS:
                connection.close()
            else:
                self._idle.append(connection)
            self._turn.notify_all()

    def _refused(self) -> StoreUnavailableError:
        return self._file.refused("the store is closed: open it again")


_living: WeakSet[Opened] = WeakSet()
_inherited: set[tuple[int, int]] = set()
_fork = local()
"""What the fork that this thread is about to make, or has just made, found: `paused` and still `open` ones."""


def _before_fork() -> None:
    _fork.paused, _fork.open = [], []
    for opened in list(_living):
        (_fork.paused if opened.pause() else _fork.open).append(opened)


def _after_fork() -> None:
    for opened in _fork.paused:
        opened.resume()


def _after_fork_in_child() -> None:
    for opened in _fork.open:
        opened.disinherit()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
