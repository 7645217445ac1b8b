"""A world over each place where state may live."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import pytest

from shotclock import Settings, open_store
from tests.scenarios.world import World
from tests.servers import PostgresServer

Places = Callable[[], AbstractContextManager[str]]
"""Gives a place for one store, as the setting has it, and empties it afterwards."""


@pytest.fixture(params=["memory", "file", "postgres"])
def places(request: pytest.FixtureRequest) -> Places:
    """Say where state lives."""
    if request.param != "postgres":
        return lambda: nullcontext("memory://" if request.param == "memory" else "")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return partial(_schema, server)


_MANY_COMMITS = (
    "test_a_member_that_always_wants_to_be_asked_again",
    "test_in_flight_stays_at_the_limit",
    "test_the_same_error_on_every_attempt",
    "test_a_source_that_is_down",
)
"""Scenarios of thousands of small commits, each with its round trips: on a server they are long proofs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "[postgres" in item.name and item.name.startswith(_MANY_COMMITS):
            item.add_marker(pytest.mark.long)


@contextmanager
def _schema(server: PostgresServer) -> Iterator[str]:
    address = server.fresh()
    yield address
    server.give_back(address)


@contextmanager
def a_world(home: Path, places: Places) -> Iterator[World]:
    with places() as kept_in, closing(open_store(Settings(home=home, store=kept_in))) as store:
        made = World(store, home)
        yield made
        made.close()


@pytest.fixture
def world(places: Places, tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, places) as made:
        yield made


@pytest.fixture
def twin(places: Places, tmp_path: Path) -> Iterator[World]:
    """Give a second world, for what must come out the same in both."""
    with a_world(tmp_path / "twin", places) as made:
        yield made
