"""Promises about bells over PostgreSQL: rung for whoever listens to the same store, and losing one harms nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from shotclock.buses import open_bus
from shotclock.buses.postgres import PostgresBus
from shotclock.clock import stopwatch
from shotclock.errors import BusError
from shotclock.postgres import Limits
from shotclock.settings import Settings
from tests.contract.conftest import OpenPostgres
from tests.contract.elsewhere import said_by
from tests.contract.samples import add_run
from tests.servers import PostgresServer

LIMITS = Limits.of(Settings())
LONG = Settings().store_busy.total_seconds()
"""A wait that only a ring ends."""

RING = """
import sys
from contextlib import closing
from shotclock.buses import open_bus
from shotclock.settings import Settings
with closing(open_bus(Settings(store=sys.argv[1]))) as bus:
    bus.ring("doorbell", {})
"""


@pytest.fixture
def address(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of an empty store."""
    found = postgres_server.fresh()
    yield found
    postgres_server.give_back(found)


def test_another_process_is_heard(address: str) -> None:
    with closing(PostgresBus(address, LIMITS)) as bus:
        assert not bus.wait(0)
        said_by(RING, address)
        assert bus.wait(LONG)
        assert not bus.wait(0)


def test_own_rings_are_heard_once_however_many(address: str) -> None:
    with closing(PostgresBus(address, LIMITS)) as bus:
        for _ in range(3):
            bus.ring("handover", {"phase": "raw"})
        assert bus.wait(LONG)
        assert not bus.wait(0)


COMMIT = """
import sys
from shotclock import Settings, open_store
from tests.contract.samples import add_run
add_run(open_store(Settings(store=sys.argv[1])))
"""


def test_a_commit_that_gives_others_something_to_do_rings_them(address: str) -> None:
    with closing(PostgresBus(address, LIMITS)) as bus:
        said_by(COMMIT, address)
        assert bus.wait(LONG)


def test_a_store_does_not_ring_its_own_process(address: str, open_postgres: OpenPostgres) -> None:
    with closing(PostgresBus(address, LIMITS)) as bus:
        add_run(open_postgres(address))
        assert not bus.wait(0)


def test_a_bell_is_heard_only_by_those_of_the_same_store(address: str, postgres_server: PostgresServer) -> None:
    other = postgres_server.fresh()
    with closing(PostgresBus(other, LIMITS)) as bus:
        said_by(RING, address)
        assert not bus.wait(0)
    postgres_server.give_back(other)


QUICK = replace(LIMITS, connect=timedelta(milliseconds=100))
"""Limits by which a server that is away is asked often."""


def test_a_bell_rings_again_after_the_server_was_restarted(sturdy: PostgresServer) -> None:
    address = sturdy.fresh()
    with closing(PostgresBus(address, QUICK)) as bus, closing(PostgresBus(address, QUICK)) as other:
        other.ring("doorbell", {})
        sturdy.kill()
        sturdy.start()
        assert bus.wait(LONG), "a ring may have been missed, so coming back is one"
        assert not bus.wait(0)
        with pytest.raises(BusError, match=r"cannot be reached|shutting down|terminating"):
            other.ring("doorbell", {})
        other.ring("doorbell", {})
        said_by(RING, address)
        assert bus.wait(LONG)
    sturdy.give_back(address)


def test_a_server_that_is_away_is_waited_for_within_one_wait(sturdy: PostgresServer) -> None:
    address = sturdy.fresh()
    with closing(PostgresBus(address, QUICK)) as bus, ThreadPoolExecutor(1) as pool:
        sturdy.kill()
        assert not bus.wait(0.3)
        with pytest.raises(BusError, match="cannot be reached"):
            bus.ring("doorbell", {})
        assert bus.wait(0), "its own ring is heard here, whatever the server does"
        waiting, passed = pool.submit(bus.wait, LONG), stopwatch()
        sturdy.start()
        assert waiting.result()
        assert passed().total_seconds() < LONG / 2
    sturdy.give_back(address)


def test_the_setting_chooses_the_bus(address: str) -> None:
    with closing(open_bus(Settings(store=address))) as bus:
        assert isinstance(bus, PostgresBus)


def test_a_closed_bus_refuses_and_closing_again_does_nothing(address: str) -> None:
    bus = PostgresBus(address, LIMITS)
    bus.close()
    bus.close()
    assert not bus.wait(LONG)
    with pytest.raises(BusError, match="closed"):
        bus.ring("doorbell", {})
