"""The warehouse in one DuckDB file, and DuckDB without a file for queries over Parquet.

DuckDB lets one process at a time hold a file. So the file is held for one operation only, and an operation waits for
another process's hold. Starting DuckDB costs far more than attaching a file to it: a process starts it once.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shotclock.amounts import words
from shotclock.clock import seconds
from shotclock.errors import FencedError, StoreUnavailableError, StoreVersionError, UsageError
from shotclock.files import placing, unwritable

if TYPE_CHECKING:
    from types import ModuleType

    from duckdb import DuckDBPyConnection

_PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
"""Fixed, so that equal rows make equal files."""

_LOOKS = 200
"""How many times another process's hold is looked at before giving up."""

_A_THREAD, _A_PROCESS = "another thread of this process", "another process"

_COMMITS = "CREATE TABLE IF NOT EXISTS shotclock_commits (key VARCHAR, generation BIGINT, token BIGINT)"
_COMMITTED = "SELECT generation, token FROM shotclock_commits WHERE key = $key"
_FORGET = "DELETE FROM shotclock_commits WHERE key = $key"
_REMEMBER = "INSERT INTO shotclock_commits VALUES ($key, $generation, $token)"


class _Engine:
    """This process's one DuckDB, the files attached to it, and who uses each."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.connection: DuckDBPyConnection | None = None
        self.users: dict[Path, int] = {}
        self.writers: dict[Path, Lock] = {}

    def cursor(self) -> "DuckDBPyConnection":
        with self.lock:
            if self.connection is None:
                # One thread makes equal queries give equal rows in equal order.
                self.connection = _library().connect(":memory:", config={"threads": 1})
            return self.connection.cursor()

    def writer(self, path: Path) -> Lock:
        with self.lock:
            return self.writers.setdefault(path, Lock())

    def attach(self, cursor: "DuckDBPyConnection", path: Path) -> None:
        with self.lock:
            if not self.users.get(path):
                cursor.execute(f"ATTACH {_text(path)} AS {_alias(path)} (TYPE duckdb)")
            self.users[path] = self.users.get(path, 0) + 1

    def detach(self, path: Path) -> None:
        with self.lock:
            self.users[path] -= 1
            if not self.users[path] and self.connection is not None:
                self.connection.execute(f"DETACH {_alias(path)}")


_engine = _Engine()


def _library() -> "ModuleType":
    try:
        import duckdb  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        message = "DuckDB is not installed: pip install 'shotclock[duckdb]'"
        raise UsageError(message) from error
    return duckdb


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _alias(path: Path) -> str:
    return '"warehouse ' + str(path).replace('"', '""') + '"'


@contextmanager
def scratch() -> "Iterator[DuckDBPyConnection]":
    """Give a connection without a file, for queries over Parquet and CSV; tables of its own must be TEMP.

    Cheap but for the first in a process. Raises `UsageError` if DuckDB is not installed.
    """
    cursor = _engine.cursor()
    try:
        yield cursor
    finally:
        cursor.close()


def write_parquet(
    connection: "DuckDBPyConnection", query: str, target: Path, values: Mapping[str, object] | None = None
) -> int:
    """Write a query's rows, in the query's order, to a Parquet file that appears whole or not at all; return how many.

    Equal rows in equal order make equal bytes. `values` fills the query's ``$name`` parameters. Raises
    `StoreUnavailableError` that names the file if it cannot be written.
    """
    duckdb = _library()
    with placing(target) as temporary:
        copy = f"COPY (\n{query}\n) TO {_text(temporary)} ({_PARQUET})"
        try:
            written = connection.execute(copy, dict(values or {})).fetchall()
        except duckdb.IOException as error:
            raise unwritable(target, _as_os_error(error)) from error
    return int(written[0][0])


class DuckDBWarehouse:
    """A warehouse in the file `path`; `busy` is how long to wait for another process's hold on it."""

    def __init__(self, path: Path, *, busy: timedelta) -> None:
        self._path = path.resolve()
        self._busy = busy

    def commit_once(self, key: str, token: tuple[int, int], effect: Callable[[Any], None]) -> bool:
        """Run `effect` on a connection and record (key, token) in one transaction; see `ports.Warehouse`."""
        with self._writing(), self.reading() as connection:
            connection.begin()
            try:
                fresh = _newer(connection, key, token)
                if fresh:
                    self._apply(effect, connection)
                    _remember(connection, key, token)
            except BaseException:
                connection.rollback()
                raise
            self._commit(connection)
        return fresh

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Give a connection for queries; other processes wait until it is given back."""
        with scratch() as connection:
            engine = _engine
            self._hold(connection)
            try:
                connection.execute(f"USE {_alias(self._path)}")
                yield connection
            finally:
                connection.close()
                engine.detach(self._path)

    def export(self, query: str, target: Path) -> int:
        """Write a query's rows to a Parquet file that appears whole or not at all; return how many."""
        with self.reading() as connection:
            return write_parquet(connection, query, target)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        lock = _engine.writer(self._path)
        if not lock.acquire(timeout=self._busy.total_seconds()):
            raise self._taken(_A_THREAD)
        try:
            yield
        finally:
            lock.release()

    def _hold(self, connection: "DuckDBPyConnection") -> None:
        duckdb = _library()
        until = seconds() + self._busy.total_seconds()
        while True:
            try:
                self._make(connection)
                _engine.attach(connection, self._path)
            except duckdb.IOException as error:
                if "Could not set lock on file" not in str(error):
                    raise self._refused(error) from error
                if seconds() >= until:
                    raise self._taken(_A_PROCESS) from error
            except duckdb.Error as error:
                raise self._refused(error) from error
            else:
                return
            time.sleep((self._busy / _LOOKS).total_seconds())

    def _make(self, connection: "DuckDBPyConnection") -> None:
        """Make the file if it is not there; it appears with its headers, for an empty one would be refused for ever."""
        if self._path.exists():
            return
        fresh = self._path.with_name(f".{self._path.name}.{uuid4().hex}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"ATTACH {_text(fresh)} AS {_alias(fresh)} (TYPE duckdb)")
            connection.execute(f"DETACH {_alias(fresh)}")
            with suppress(FileExistsError):  # another process was first, which is as good
                os.link(fresh, self._path)
            fresh.unlink()
        except OSError as error:
            raise unwritable(self._path, error) from error

    def _apply(self, effect: Callable[[Any], None], connection: "DuckDBPyConnection") -> None:
        try:
            effect(connection)
        except _library().IOException as error:
            if os.strerror(errno.ENOSPC) in str(error):
                raise self._refused(error) from error
            raise

    def _commit(self, connection: "DuckDBPyConnection") -> None:
        try:
            connection.commit()
        except _library().Error as error:
            raise self._refused(error) from error

    def _taken(self, who: str) -> StoreUnavailableError:
        message = f"{self._path}: {who} has held the warehouse for {words(self._busy)}: end it, then run this again"
        return StoreUnavailableError(message)

    def _refused(self, error: Exception) -> StoreUnavailableError | StoreVersionError:
        line = str(error).splitlines()[0]
        if "newer version" in line or "storage version" in line:
            return StoreVersionError(f"{self._path} was written by a newer DuckDB: install that release ({line})")
        return unwritable(self._path, _as_os_error(error))


def _newer(connection: "DuckDBPyConnection", key: str, token: tuple[int, int]) -> bool:
    connection.execute(_COMMITS)
    for generation, lease in connection.execute(_COMMITTED, {"key": key}).fetchall():
        if (generation, lease) == token:
            return False
        if (generation, lease) > token:
            raise _fenced(key, token, (generation, lease))
    return True


def _fenced(key: str, token: tuple[int, int], newer: tuple[int, int]) -> FencedError:
    found = f"generation {newer[0]}, token {newer[1]} is committed"
    return FencedError(f"{key}: {found}; generation {token[0]}, token {token[1]} is no longer the owner")


def _remember(connection: "DuckDBPyConnection", key: str, token: tuple[int, int]) -> None:
    connection.execute(_FORGET, {"key": key})
    connection.execute(_REMEMBER, {"key": key, "generation": token[0], "token": token[1]})


def _as_os_error(error: Exception) -> OSError:
    text = str(error)
    for code in (errno.ENOSPC, errno.EROFS, errno.EACCES):
        if os.strerror(code) in text:
            return OSError(code, os.strerror(code))
    return OSError(text.splitlines()[0])
