"""Cursors of a connection that is lent: statements that begin or end the store's transaction are refused before."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.sql import Composable

from shotclock.errors import UsageError

_QUOTED: Final = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?P<tag>\$\w*\$).*?(?P=tag)""", re.DOTALL
)
"""What is not looked at: comments, text, names, bodies of functions."""
_ENDS: Final = re.compile(
    r"(?:^|;)\s*(begin|start\s+transaction|commit|end|abort|prepare\s+transaction"
    r"|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b",
    re.IGNORECASE,
)


class _Lent(psycopg.Cursor[Any]):
    """A cursor that leaves the transaction alone."""

    def execute(self, query: Any, *more: Any, **named: Any) -> "_Lent":  # noqa: ANN401 - as the driver has it
        """Carry out a statement."""
        self._check(query)
        return super().execute(query, *more, **named)

    def executemany(self, query: Any, *more: Any, **named: Any) -> None:  # noqa: ANN401 - as the driver has it
        """Carry out a statement for each of many parameters."""
        self._check(query)
        super().executemany(query, *more, **named)

    def stream(self, query: Any, *more: Any, **named: Any) -> Iterator[Any]:  # noqa: ANN401 - as the driver has it
        """Yield the rows of a query as they come."""
        self._check(query)
        return super().stream(query, *more, **named)

    def _check(self, query: Any) -> None:  # noqa: ANN401 - text, bytes or composed
        text = query.as_string(self) if isinstance(query, Composable) else query
        bare = _QUOTED.sub(" ", text.decode() if isinstance(text, bytes) else str(text))
        found = _ENDS.search(bare)
        if found is not None:
            message = f"{found[1].upper()} is refused: the transaction is the store's, and ends with the unit of work"
            raise UsageError(message)


@contextmanager
def lent(connection: "psycopg.Connection[Any]") -> Iterator["psycopg.Connection[Any]"]:
    """Give the connection within a savepoint; cursors that are made meanwhile refuse to end its transaction."""
    usual = connection.cursor_factory
    connection.cursor_factory = _Lent
    try:
        with connection.transaction():
            yield connection
    finally:
        connection.cursor_factory = usual
