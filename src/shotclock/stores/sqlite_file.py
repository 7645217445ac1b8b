"""The SQLite file: opening and making it, refusing files of others and of newer releases, and errors in words."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Final

from shotclock.amounts import words
from shotclock.clock import stopwatch
from shotclock.errors import StoreUnavailableError, StoreVersionError
from shotclock.stores.statements import ADDITIONS, SQL, schema

APPLICATION: Final = int.from_bytes(b"SHCK")
"""What the header of every store's file says, so that no other program's file is taken for one."""
RELEASE: Final = 1
"""The newest schema this release understands."""
STATEMENTS: Final = 256
"""Prepared statements a connection keeps: more than there are."""

_ADVICE: Final = {
    "SQLITE_BUSY": "another process holds it longer than {busy}: end that process, or raise store_busy",
    "SQLITE_LOCKED": "another process holds it longer than {busy}: end that process, or raise store_busy",
    "SQLITE_FULL": "there is no room left: free some on its disk, then repeat",
    "SQLITE_READONLY": "it cannot be written: allow writing to the file and its folder",
    "SQLITE_PERM": "it cannot be written: allow writing to the file and its folder",
    "SQLITE_AUTH": "it cannot be written: allow writing to the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened: check that its folder exists and may be written to",
    "SQLITE_NOTADB": "it is not a SQLite file: move it away, or choose another with `store`",
    "SQLITE_CORRUPT": "it is damaged: stop all processes and restore a copy of it",
    "SQLITE_IOERR": "its disk failed ({error}): check the disk, then repeat",
}


class StoreFile:
    """Where a store's file is and how connections to it are made."""

    def __init__(self, path: Path, busy: timedelta) -> None:
        self.path = path.absolute()
        self._busy = busy
        self.patience = busy.total_seconds()
        """Seconds to wait for whoever holds the file."""

    def make(self) -> None:
        """Make the store if the file is new or empty; refuse a file that is no store or that a newer release wrote."""
        try:
            connection = self._connect()
            try:
                self._check(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self.unavailable(error) from error

    def connect(self) -> sqlite3.Connection:
        """Open a connection that may wander between threads, one at a time."""
        try:
            return self._settled(self._connect())
        except sqlite3.Error as error:
            raise self.unavailable(error) from error

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailableError:
        """Put an error of SQLite in words: the path and the next step."""
        name = getattr(error, "sqlite_errorname", None) or ""
        fitting = [advice for start, advice in _ADVICE.items() if name.startswith(start)]
        advice = fitting[0] if fitting else "SQLite says {error}: check the file, then repeat"
        return self.refused(advice.format(busy=words(self._busy), error=error))

    def refused(self, why: str) -> StoreUnavailableError:
        """Return the error that says why the store cannot be used."""
        message = f"{self.path}: {why}"
        return StoreUnavailableError(message)

    def mark(self) -> tuple[int, int]:
        """Return what tells this file from another one in its place; raises `StoreUnavailableError` if it is gone."""
        try:
            found = self.path.stat()
        except OSError as error:
            why = f"it is gone ({error.strerror}): put it back, or start anew"
            raise self.refused(why) from error
        return found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path,
            timeout=self.patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )

    def _settled(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            connection.execute(SQL["set_synchronous"])
            connection.execute(SQL["set_foreign_keys"])
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        if self._is_new(connection):
            connection.execute(SQL["begin"])
            if self._is_new(connection):
                for statement in schema():
                    connection.execute(statement)
            connection.execute(SQL["commit"])
        if _number(connection, "application") != APPLICATION:
            why = "it belongs to another program: choose another file with `store`"
            raise self.refused(why)
        release = _number(connection, "release")
        if release > RELEASE:
            message = f"{self.path}: written by a newer release (schema {release}, this one knows {RELEASE}): upgrade"
            raise StoreVersionError(message)
        for statement in ADDITIONS.values():
            connection.execute(statement)
        self._keep_log(connection)

    def _keep_log(self, connection: sqlite3.Connection) -> None:
        # SQLite refuses this change of mode at once while somebody else makes it, whatever time it is given to wait.
        passed = stopwatch()
        while True:
            try:
                connection.execute(SQL["set_journal"])
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or passed() > self._busy:
                    raise
                connection.execute(SQL["begin"])
                connection.execute(SQL["commit"])
            else:
                return

    @staticmethod
    def _is_new(connection: sqlite3.Connection) -> bool:
        return _number(connection, "application") == 0 and _number(connection, "tables") == 0


def _number(connection: sqlite3.Connection, name: str) -> int:
    number: int = connection.execute(SQL[name]).fetchone()[0]
    return number
