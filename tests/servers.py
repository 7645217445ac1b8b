"""A PostgreSQL server for tests: a child of this process, on a free port, with data in a folder of its own."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Event

import psycopg
import pytest
from psycopg import sql

from shotclock.postgres import Limits, address_of
from shotclock.settings import Settings
from shotclock.stores.postgres_migration import initialise
from shotclock.stores.postgres_session import DUMPED

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
_numbers = count(1)
_REFUSALS = 100
"""Starts beside what is left of a killed server, each a moment after the last."""


def programs() -> Path:
    """Return the folder of the server's programs; skip the test if there is none, or fail where all are required."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += [path for place in _PLACES for path in Path("/").glob(place.lstrip("/")) if (path / "initdb").exists()]
    if not found:
        message = "no PostgreSQL server here; install one (Debian: postgresql)"
        if os.environ.get("SHOTCLOCK_REQUIRE") == "all":
            pytest.fail(message)
        pytest.skip(message)
    return found[-1]


class PostgresServer:
    """A server that is started, killed and started again; `durable` ones wait for the disk at each commit."""

    def __init__(self, *, durable: bool = False) -> None:
        self._programs = programs()
        self._folder = Path(tempfile.mkdtemp(prefix="shotclock-pg-"))
        self._durable = durable
        self.settings: tuple[str, ...] = ()
        """What is set at the next start, as ``name=value``."""
        self._spare: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        atexit.register(self.remove)
        if os.geteuid() == 0:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        initdb = [str(self._programs / "initdb"), "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8"]
        self._run([*initdb, "-D", str(self._data)]).wait()

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> "PostgresServer":
        """Start it, and wait until it answers."""
        settings = ("fsync=on" if self._durable else "fsync=off", "max_connections=100", *self.settings)
        options = [part for setting in settings for part in ("-c", setting)]
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder), "-D", str(self._data)]
        command = [str(self._programs / "postgres"), *where, *options]
        self._process = self._run(command)
        patience, refusals = Event(), 0
        while not self._answers():
            if self._process.poll() is not None:
                # Of a server that was killed some of its children may live a moment longer, and keep its memory.
                log = (self._folder / "log").read_text()
                refusals += 1
                assert "is still in use" in log, log
                assert refusals < _REFUSALS, log
                self._process = self._run(command)
            patience.wait(0.02)
        return self

    def kill(self) -> None:
        """Kill it as a power cut of its process would, and all that serve its connections."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and drop its data."""
        self.stop()
        atexit.unregister(self.remove)
        shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """Change something as another program would."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement, prepare=False)

    def place(self) -> str:
        """Return the address of a schema that is not there."""
        return f"{self.url}?schema=s{next(_numbers)}"

    def fresh(self) -> str:
        """Return the address of an empty store: a new one, or one that was given back."""
        if self._spare:
            return self._spare.pop()
        address = self.place()
        initialise(address_of(address), Limits.of(Settings()))
        return address

    def give_back(self, address: str) -> None:
        """Empty a store for the next test."""
        schema = address_of(address).schema
        tables = [sql.Identifier(schema, table) for table in ("plan", "phase", *DUMPED, "writer")]
        reset = sql.SQL("UPDATE {} SET commits = 0, entries = 0").format(sql.Identifier(schema, "ledger"))
        self.execute(sql.SQL("; ").join([*(sql.SQL("DELETE FROM {}").format(table) for table in tables), reset]))
        self._spare.append(address)

    def drop(self, address: str) -> None:
        """Drop a store."""
        schema = sql.Identifier(address_of(address).schema)
        self.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))

    @cached_property
    def _user(self) -> pwd.struct_passwd:
        with suppress(KeyError):
            return pwd.getpwnam("postgres")
        return pwd.getpwnam("nobody")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, command: list[str]) -> "subprocess.Popen[bytes]":
        # The server refuses to run as root.
        root = os.geteuid() == 0
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath), "TZ": "Asia/Kathmandu"},
                user=self._user.pw_uid if root else None,
                group=self._user.pw_gid if root else None,
                extra_groups=[] if root else None,
                start_new_session=True,
            )
