"""A PostgreSQL server as its address names it: reading the address, connecting, and what went wrong in words."""

import os
import re
import socket
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8BinaryDumper

from shotclock.amounts import words
from shotclock.errors import UsageError
from shotclock.model import digest
from shotclock.settings import Settings

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_STATEMENTS: Final = 500
"""Prepared statements a connection keeps: more than there are."""

_ADVICE: Final = {
    "25006": "it only reads: it is a standby or was set so; name the one that takes writes",
    "25P03": "this process stood still within a transaction for longer than {busy}: repeat",
    "28": "it refused the login ({error}): check user and password (PGPASSWORD, or ~/.pgpass)",
    "3D000": "there is no such database: create it, or name another",
    "3F000": "the store is gone: make it with `shotclock store init`, or restore a copy",
    "42501": "its user may not do that ({error}): grant what is missing",
    "42P01": "the store is gone: make it with `shotclock store init`, or restore a copy",
    "53100": "its disk is full: free some room, then repeat",
    "53300": "it has no connection left: end some, or raise its max_connections",
    "55P03": "another process holds it longer than {busy}: end that process, or raise store_busy",
    "57014": "a statement took longer than {statement}: repeat, or raise store_statement",
    "57P03": "it is starting or shutting down: repeat in a moment",
}
"""What to do, by how an error's code starts."""
_REFUSALS: Final = {
    "too many clients": "53300",
    "connection slots are reserved": "53300",
    "too many connections": "53300",
    "starting up": "57P03",
    "shutting down": "57P03",
    "authentication failed": "28",
    "no password supplied": "28",
    "does not exist": "3D000",
}
"""The code that a refused connection has, which the driver does not tell, by the server's words."""
_LOST: Final = frozenset({"25P03", "57P01", "57P02", "57P03"})
_AGAIN: Final = frozenset({"40001", "40P01"})
_PASSING: Final = frozenset({"53300", "57P03"})

_SETTLE = """
SELECT set_config('search_path', %(schema)s, false), set_config('lock_timeout', %(busy)s, false),
  set_config('statement_timeout', %(statement)s, false),
  set_config('idle_in_transaction_session_timeout', %(busy)s, false),
  set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
  set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
  set_config('synchronous_commit',
    CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
    false),
  current_setting('server_encoding')
"""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long to wait: for a connection, for other processes and a server that restarts, for one statement."""

    connect: timedelta
    busy: timedelta
    statement: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Return the limits that settings give."""
        return cls(connect=settings.store_connect, busy=settings.store_busy, statement=settings.store_statement)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a store on PostgreSQL is: what the driver is told, and the schema that holds the tables."""

    conninfo: str
    schema: str
    shown: str
    """The address without what is secret in it."""

    @property
    def channel(self) -> str:
        """The channel on which commits to this store ring."""
        return f"shotclock_{self.schema}"

    @property
    def lock(self) -> int:
        """The number of the lock under which this store is written."""
        return int(digest(b"shotclock", self.schema.encode())[:16], 16) - (1 << 63)


def address_of(text: str) -> Address:
    """Read ``postgresql://USER@HOST:PORT/DATABASE?schema=NAME``; raises `UsageError` that never shows a password.

    The schema is ``shotclock`` unless said. What else is in the query is libpq's: ``sslmode=verify-full`` and so on.
    """
    try:
        parts = urlsplit(text)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        schema = query.pop("schema", "shotclock")
        conninfo = urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))
        known = conninfo_to_dict(conninfo)
    except (ValueError, psycopg.Error):
        message = "setting store: write postgresql://USER@HOST:PORT/DATABASE?schema=NAME; special letters as %XX"
        raise UsageError(message) from None
    if not _SCHEMA.fullmatch(schema):
        message = f"setting store: schema {schema!r} must be 1 to 40 of a-z, 0-9 and _, not starting with a digit"
        raise UsageError(message)
    host = f"{known.get('host', '')}{':' if known.get('port') else ''}{known.get('port', '')}"
    shown = f"postgresql://{host}/{known.get('dbname', '')}?schema={schema}"
    return Address(conninfo=conninfo, schema=schema, shown=shown)


def connect(address: Address, limits: Limits) -> "psycopg.Connection[Any]":
    """Open a connection in which a statement commits by itself unless a transaction was begun."""
    given = {name: value for name, value in conninfo_to_dict(address.conninfo).items() if value is not None}
    silent = ceil(limits.statement.total_seconds())
    ours = {
        "connect_timeout": max(2, ceil(limits.connect.total_seconds())),
        "application_name": "shotclock",
        "keepalives_idle": silent,
        "tcp_user_timeout": silent * 1000,
    }
    connection = psycopg.connect(**{**ours, **given, "client_encoding": "UTF8"}, autocommit=True, prepare_threshold=0)  # type: ignore[arg-type]  # names and values as libpq has them
    try:
        _settle(connection, address, limits)
    except BaseException:
        connection.close()
        raise
    return connection


def _settle(connection: "psycopg.Connection[Any]", address: Address, limits: Limits) -> None:
    connection.prepared_max = _STATEMENTS
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    said = {"schema": address.schema, "busy": _millis(limits.busy), "statement": _millis(limits.statement)}
    row = connection.execute(_SETTLE, said, prepare=False).fetchone()
    if row is None or row[-1] != "UTF8":
        message = f"{address.shown}: its database keeps text as {row and row[-1]}: use one whose encoding is UTF8"
        raise UsageError(message)


def _millis(span: timedelta) -> str:
    return f"{ceil(span.total_seconds() * 1000)}ms"


def code_of(error: psycopg.Error) -> str:
    """Return the code of an error; empty if the server said none."""
    if error.sqlstate:
        return error.sqlstate
    text = str(error)
    return next((code for words_, code in _REFUSALS.items() if words_ in text), "")


def lost(error: psycopg.Error) -> bool:
    """Say whether an error means that the connection is gone, and another one may do."""
    code = code_of(error)
    unspoken = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not code
    return unspoken or code in _LOST or code.startswith("08")


def passing(error: psycopg.Error) -> bool:
    """Say whether the same may succeed in a moment: after a lost or refused connection, a deadlock, a race."""
    return lost(error) or code_of(error) in _AGAIN | _PASSING


def why(error: psycopg.Error, limits: Limits) -> str:
    """Put an error in words: what is wrong and the next step."""
    code, said = code_of(error), " ".join(str(error).split()) or type(error).__name__
    fitting = [advice for start, advice in _ADVICE.items() if code.startswith(start)]
    if not fitting and lost(error):
        return f"it cannot be reached ({said}): check that it runs, and its address"
    advice = fitting[0] if fitting else "PostgreSQL says {error}: look at its log, then repeat"
    return advice.format(busy=words(limits.busy), statement=words(limits.statement), error=said)


def here() -> str:
    """Return what tells this process from others, for bells that it rings itself."""
    return f"{socket.gethostname()}:{os.getpid()}"
