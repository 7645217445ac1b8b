"""The stores that every promise is checked on, and the check that none leaves anything open."""

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.ports import Store
from shotclock.postgres import Limits
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from shotclock.stores.postgres import PostgresStore
from shotclock.stores.sqlite import SqliteStore
from tests.servers import PostgresServer

OpenSqlite = Callable[..., SqliteStore]
OpenPostgres = Callable[..., PostgresStore]


def _open_files(folder: Path) -> list[str]:
    descriptors = Path("/proc/self/fd")
    links = list(descriptors.iterdir()) if descriptors.is_dir() else []
    return sorted(str(link.readlink()) for link in links if link.is_symlink() and folder in link.readlink().parents)


@pytest.fixture(autouse=True)
def _nothing_leaks(tmp_path: Path) -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    gc.collect()
    assert not set(threading.enumerate()) - before
    assert _open_files(tmp_path) == []


@pytest.fixture
def open_sqlite(tmp_path: Path, _nothing_leaks: None) -> Iterator[OpenSqlite]:
    """Open stores on a file of the test's folder; they are closed after it."""
    opened: list[SqliteStore] = []

    def open_one(path: Path = tmp_path / "store.db", *, busy: timedelta = timedelta(seconds=30)) -> SqliteStore:
        opened.append(SqliteStore(path, busy=busy, backlog=500))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def open_postgres(postgres_server: PostgresServer, _nothing_leaks: None) -> Iterator[OpenPostgres]:
    """Open stores in a schema of the test's own; they are closed after it."""
    address = postgres_server.fresh()
    opened: list[PostgresStore] = []

    def open_one(where: str = address, **limits: timedelta) -> PostgresStore:
        opened.append(PostgresStore(where, limits=replace(Limits.of(Settings()), **limits), backlog=500))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()
    postgres_server.give_back(address)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each store in turn, empty."""
    opened: Store = MemoryStore() if request.param == "memory" else request.getfixturevalue(f"open_{request.param}")()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def sturdy() -> Iterator[PostgresServer]:
    """Give a server of its own, which is killed and started again, and waits for its disk."""
    server = PostgresServer(durable=True).start()
    yield server
    server.remove()


@pytest.fixture
def sturdy_store(sturdy: PostgresServer, open_postgres: OpenPostgres) -> Iterator[PostgresStore]:
    """Give an empty store on it."""
    address = sturdy.fresh()
    store = open_postgres(address)
    yield store
    store.close()
    sturdy.give_back(address)
