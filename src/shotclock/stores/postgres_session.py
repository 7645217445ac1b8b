"""One connection to PostgreSQL and its statements by name; text that PostgreSQL cannot hold is written another way."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from shotclock.stores.rows import Row
from shotclock.stores.statements import named

Parameters = tuple[Any, ...] | Mapping[str, Any]

FOLDER: Final = Path(__file__).with_name("sql") / "postgres"
"""Where the statements and the migrations are."""

SQL: Final = {name: text.encode() for name, text in named(FOLDER / "queries.sql").items()}
"""Statement by name."""

DUMPED: Final = tuple(name.removeprefix("dump_") for name in SQL if name.startswith("dump_"))
"""The tables, in the order of a dump."""

FREE_TEXT: Final = frozenset({"entry", "tally", "outbox", "halt"})
"""The tables whose columns hold text from outside."""

_NULL, _ESCAPE = "\0", "\ufdd0"


class Session:
    """A connection, used by one thread at a time; errors of PostgreSQL go on to the caller as they are."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self._cursor = connection.cursor(binary=True)
        self._plain = psycopg.ClientCursor(connection)
        self._waiting: list[tuple[str, Parameters]] = []
        self.locked = False
        """Whether the transaction that `begin_write` began has its lock."""
        self._unheard = False
        """Whether the answer to a statement that was sent alone is still to be heard."""

    def defer(self, name: str, parameters: Parameters = ()) -> None:
        """Have a statement, whose answer nobody asks for, go to the server with the next one, in the same request.

        Those that follow are not carried out if one fails; its error is raised by whatever sends them.
        """
        self._waiting.append((name, parameters))

    def rows(self, name: str, parameters: Parameters = ()) -> list[Row]:
        """Return all rows of a query."""
        return self._sent(name, parameters).fetchall()

    def row(self, name: str, parameters: Parameters = ()) -> Row | None:
        """Return the first row of a query."""
        row: Row | None = self._sent(name, parameters).fetchone()
        return row

    def change(self, name: str, parameters: Parameters = ()) -> int:
        """Change rows; return how many."""
        return self._sent(name, parameters).rowcount

    def stream(self, name: str) -> Iterator[Row]:
        """Yield the rows of a query as they come, so that a large table never is in memory as a whole."""
        self._hear()
        yield from self._cursor.stream(SQL[name])

    def rewind(self) -> bool:
        """Drop what waits, end the transaction that is open, if there is one; False if the connection is of no use.

        Where nothing failed that is a commit, whose answer is heard by the next who asks something: nothing was
        changed, and after a rollback the driver would prepare all statements anew.
        """
        self._waiting.clear()
        try:
            self._hear()
            status = self.connection.info.transaction_status
            if status is TransactionStatus.INTRANS:
                self._send("commit")
            elif status is TransactionStatus.INERROR:
                self.change("rollback")
        except psycopg.Error:
            return False
        return self._unheard or self._idle

    def rollback(self) -> None:
        """Undo the transaction that was begun."""
        self._waiting.clear()
        self._hear()
        if not self._idle:
            self.change("rollback")

    def begin_write(self, lock: int) -> None:
        """Begin to write, and wait for the store's lock, with the first statement that asks something."""
        self.locked = False
        self.defer("begin")
        self.defer("take_lock", (lock,))

    @property
    def _idle(self) -> bool:
        return self.connection.info.transaction_status is TransactionStatus.IDLE

    def _sent(self, name: str, parameters: Parameters) -> "psycopg.Cursor[Any]":
        self._hear()
        if not self._waiting:
            return self._cursor.execute(SQL[name], parameters or None)
        waiting, self._waiting = [*self._waiting, (name, parameters)], []
        self._plain.execute(b";".join(self._text(one, told) for one, told in waiting))
        while self._plain.nextset():
            pass
        self.locked = True
        return self._plain

    def begin_read(self) -> None:
        """Begin to read: the server does so while the first question is put in words."""
        self._hear()
        self._send("begin_read")

    def _send(self, name: str) -> None:
        self.connection.pgconn.send_query(SQL[name])
        self._unheard = True

    def _hear(self) -> None:
        """Hear the answer to what was sent alone; other threads go on meanwhile."""
        if not self._unheard:
            return
        self._unheard = False
        line = self.connection.pgconn
        with DefaultSelector() as selector:
            selector.register(line.socket, EVENT_READ)
            while True:
                while line.is_busy():
                    selector.select()
                    line.consume_input()
                answer = line.get_result()
                if answer is None:
                    return
                if answer.status != ExecStatus.COMMAND_OK:
                    raise psycopg.OperationalError(answer.error_message.decode(errors="replace"))

    def _text(self, name: str, parameters: Parameters) -> bytes:
        return self._plain.mogrify(SQL[name], parameters).encode() if parameters else SQL[name]

    @property
    def open(self) -> bool:
        """Whether the server can still be reached through it, as far as is known."""
        return not self.connection.closed

    def close(self) -> None:
        """Close the connection; a transaction that is open is rolled back by the server."""
        self.connection.close()


def columns(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    """Return rows as one list for each column: what goes to the server as arrays."""
    return tuple(list(column) for column in zip(*rows, strict=True))


def held(row: Row) -> Row:
    """Return a row as PostgreSQL can hold it, whose text knows no NUL."""
    return tuple(held_text(value) if isinstance(value, str) else value for value in row)


def given(row: Row) -> Row:
    """Return the row that `held` was given."""
    return tuple(_given(value) if isinstance(value, str) else value for value in row)


def held_text(text: str) -> str:
    """Return text as PostgreSQL can hold it: no two texts become the same."""
    if _NULL not in text and _ESCAPE not in text:
        return text
    return text.replace(_ESCAPE, _ESCAPE + "1").replace(_NULL, _ESCAPE + "0")


def _given(text: str) -> str:
    return text.replace(_ESCAPE + "0", _NULL).replace(_ESCAPE + "1", _ESCAPE) if _ESCAPE in text else text
