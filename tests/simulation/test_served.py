"""The simulator's histories on a real server: the same invariants hold, whatever is refused, dies or is not known."""

import os
from collections.abc import Iterator

import pytest

from shotclock.postgres import Limits
from shotclock.settings import Settings
from shotclock.stores.postgres import PostgresStore
from shotclock.testing import simulate
from tests.servers import PostgresServer

SETTINGS = Settings()
SEEDS = 10 if os.environ.get("SHOTCLOCK_PROOF") == "slice" else 500


class Stores:
    """Opens an empty store for each seed; the one of the seed before is given back."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._open: tuple[PostgresStore, str] | None = None

    def fresh(self) -> PostgresStore:
        """Open an empty store."""
        self.close()
        address = self._server.fresh()
        store = PostgresStore(address, limits=Limits.of(SETTINGS), backlog=SETTINGS.backlog)
        self._open = store, address
        return store

    def close(self) -> None:
        """Give back what is open."""
        if self._open is not None:
            store, address = self._open
            store.close()
            self._server.give_back(address)
            self._open = None


@pytest.fixture
def stores(postgres_server: PostgresServer) -> Iterator[Stores]:
    """Give what opens stores on a server."""
    made = Stores(postgres_server)
    yield made
    made.close()


@pytest.mark.long
def test_no_history_on_a_server_breaks_an_invariant(stores: Stores) -> None:
    report = simulate(range(SEEDS), store=stores.fresh)
    assert not report.violations, report.violations[0]
    assert report.in_seeds["fault unknown"] > SEEDS // 4
