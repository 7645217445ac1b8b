"""Write points of a process: each is counted as it is passed, and a process can be told to die at one of them.

Nothing here lists what the product writes. What is wrapped is what any write must go through: the statements and
commits of SQLite, PostgreSQL and DuckDB, the system calls that place a file, and whatever a program says goes out to
the world. A write that is new is a point that is new.
"""

import os
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from types import FrameType
from typing import Any, Final, NamedTuple
from unittest.mock import patch
from weakref import WeakKeyDictionary

_TRAIL: Final = "CRASH_TRAIL"
_TARGET: Final = "CRASH_TARGET"
"""Environment variables by which the children of a process learn where to count, and where to die."""

_READS: Final = frozenset({"SELECT", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "USE", "LISTEN"})
"""Statements that write nothing by themselves."""
_PLACED: Final = ("replace", "link", "fsync")
"""System calls by which a file comes to its name, or to the disk."""
_COMMENT: Final = re.compile(r"--[^\n]*")
_DEPTH: Final = 4
"""Functions of the engine that tell one point from another with the same statement."""


class Point(NamedTuple):
    """One moment between two writes: whose, at which place in the code, the how-manieth time there."""

    role: str
    place: str
    turn: int

    def __str__(self) -> str:
        return "\t".join((self.role, self.place, str(self.turn)))

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Read the text form."""
        role, place, turn = text.split("\t")
        return cls(role, place, int(turn))


class Points:
    """Counts the points this process passes in the file `trail`, and ends the process at `target`, once for a file."""

    def __init__(self, role: str, trail: Path, target: Point | None) -> None:
        self._role = role
        self._trail = trail
        self._target = target
        self._turns: Counter[str] = Counter()
        self._lock = Lock()

    def reach(self, what: str) -> None:
        """Pass a point; perhaps the last one."""
        place = f"{what} < {_caller(sys._getframe(1))}"  # noqa: SLF001 - the only way to the caller that costs little
        with self._lock:
            self._turns[place] += 1
            point = Point(self._role, place, self._turns[place])
            with self._trail.open("a", encoding="utf-8") as trail:
                trail.write(f"{point}\n")
            if point == self._target and self._first():
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, what: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work returns
        """Do something that cannot be taken back, between two points."""
        self.reach(f"before {what}")
        result = work()
        self.reach(f"after {what}")
        return result

    def _first(self) -> bool:
        """Say whether nobody has died of this trail yet."""
        try:
            os.close(os.open(self._trail.with_suffix(".killed"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True


_here: list[Points] = []
_for_ever = ExitStack()


@contextmanager
def counted(role: str, trail: Path, target: Point | None) -> Iterator[Points]:
    """Count the points of this process while in the context; children that call `join` count theirs, too."""
    points = Points(role, trail, target)
    told = {_TRAIL: str(trail), _TARGET: "" if target is None else str(target)}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, told))
        stack.enter_context(_wrapped(points))
        _here.append(points)
        stack.callback(_here.clear)
        yield points


def join(role: str) -> None:
    """Count the points of this process, too, if it is the child of one that counts; a repeat does nothing."""
    trail = os.environ.get(_TRAIL)
    if trail is None or _here:
        return
    target = os.environ[_TARGET]
    _here.append(Points(role, Path(trail), Point.parse(target) if target else None))
    _for_ever.enter_context(_wrapped(_here[0]))


def _caller(frame: FrameType | None) -> str:
    """Name the innermost functions of the engine, or else of whoever else writes."""
    names: list[str] = []
    while frame is not None and len(names) < _DEPTH:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        by_chance = file.endswith("/engine/embedded.py")  # which turn of the loop it is
        if "/engine/" in file and not by_chance and name not in {"unit", "work", "<lambda>", "_do", *names}:
            names.append(name)
        frame = frame.f_back
    return " < ".join(names)


@contextmanager
def _wrapped(points: Points) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(patch.object(sqlite3, "connect", _connecting(points)))
        for name in _PLACED:
            stack.enter_context(patch.object(os, name, _placing(points, name, getattr(os, name))))
        _wrap_duckdb(points, stack)
        _wrap_psycopg(points, stack)
        yield


def _connecting(points: Points) -> Callable[..., sqlite3.Connection]:
    connect = sqlite3.connect

    class Connection(sqlite3.Connection):
        """A connection whose writes are points."""

        def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - passed on
            super().__init__(*args, **more)
            self._statements = _Statements(points, "sqlite")

        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:  # noqa: ANN401 - passed on
            """Pass a point before a statement that writes, and two around a commit."""
            found: sqlite3.Cursor = self._statements.carry_out(sql, lambda: super(Connection, self).execute(sql, *rest))
            return found

        def executemany(self, sql: str, *rest: Any) -> sqlite3.Cursor:  # noqa: ANN401 - passed on
            """Pass a point before a statement that writes."""
            found: sqlite3.Cursor = self._statements.carry_out(
                sql, lambda: super(Connection, self).executemany(sql, *rest)
            )
            return found

    return lambda *args, **more: connect(*args, factory=Connection, **more)


class _Statements:
    """The statements of a connection; one that commits nothing, as a look without a result does, is no point."""

    def __init__(self, points: Points, what: str) -> None:
        self._points = points
        self._what = what
        self._written = False

    def carry_out(self, sql: str, work: Callable[[], Any], *, alone: bool = False) -> Any:  # noqa: ANN401 - what the work returns
        """Do what one request says, which may be several statements; `alone`: it is a transaction of its own."""
        statements = [words for text in _COMMENT.sub("", sql).split(";") if (words := _words(text))]
        verbs = [words[0].upper() for words in statements]
        if "BEGIN" in verbs:
            self._written = False
        writing = next(filter(_writes, statements), None)
        self._written = self._written or writing is not None
        if "COMMIT" in verbs:
            return self.commit(work)
        if writing is None:
            return work()
        what = f"{self._what} {' '.join(writing[:4])}"[:53]
        if alone:
            return self._points.around(what, work)
        self._points.reach(f"before {what}")
        return work()

    def commit(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work returns
        if not self._written:
            return work()
        self._written = False
        return self._points.around(f"{self._what} commit", work)


def _words(statement: str) -> list[str]:
    return [word for word in statement.split() if "/" not in word]


def _writes(statement: Sequence[str]) -> bool:
    """Say whether a statement writes, or tells the world; a bell is rung by what looks like a query."""
    return statement[0].upper() not in _READS or any("pg_notify(" in word for word in statement)


def _placing(points: Points, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **more: points.around(name, lambda: original(*args, **more))


def _wrap_duckdb(points: Points, stack: ExitStack) -> None:
    try:
        from duckdb import DuckDBPyConnection  # noqa: PLC0415 - an extra
    except ImportError:
        return
    statements = _Statements(points, "duckdb")
    originals = {name: getattr(DuckDBPyConnection, name) for name in ("execute", "executemany", "commit")}

    def executing(self: DuckDBPyConnection, query: str, *rest: Any) -> Any:  # noqa: ANN401 - passed on
        return statements.carry_out(query, lambda: originals["execute"](self, query, *rest))

    def many(self: DuckDBPyConnection, query: str, *rest: Any) -> Any:  # noqa: ANN401 - passed on
        return statements.carry_out(query, lambda: originals["executemany"](self, query, *rest))

    def committing(self: DuckDBPyConnection) -> Any:  # noqa: ANN401 - passed on
        return statements.commit(lambda: originals["commit"](self))

    for name, wrapper in (("execute", executing), ("executemany", many), ("commit", committing)):
        stack.enter_context(patch.object(DuckDBPyConnection, name, wrapper))


def _wrap_psycopg(points: Points, stack: ExitStack) -> None:
    try:
        from psycopg import Connection, Cursor, Transaction, sql  # noqa: PLC0415 - an extra
        from psycopg.pq import TransactionStatus  # noqa: PLC0415 - likewise
    except ImportError:
        return
    execute, leave = Cursor.execute, Transaction.__exit__
    opened: WeakKeyDictionary[Connection[Any], _Statements] = WeakKeyDictionary()

    def of(connection: Connection[Any]) -> _Statements:
        return opened.setdefault(connection, _Statements(points, "postgresql"))

    def executing(self: Cursor[Any], query: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - passed on
        said = query.as_string(None) if isinstance(query, sql.Composable) else query
        text = said.decode() if isinstance(said, bytes) else said
        alone = self.connection.info.transaction_status is TransactionStatus.IDLE
        return of(self.connection).carry_out(text, lambda: execute(self, query, *rest, **more), alone=alone)

    def leaving(self: Transaction, *raised: Any) -> Any:  # noqa: ANN401 - passed on
        if self.savepoint_name:
            return leave(self, *raised)
        return of(self.connection).commit(lambda: leave(self, *raised))

    stack.enter_context(patch.object(Cursor, "execute", executing))
    stack.enter_context(patch.object(Transaction, "__exit__", leaving))
