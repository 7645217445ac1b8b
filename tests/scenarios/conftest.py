"""A world over each place where state may live."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shotclock import Settings, open_store
from tests.scenarios.world import World


@pytest.fixture(params=["memory://", ""], ids=["memory", "file"])
def kept_in(request: pytest.FixtureRequest) -> str:
    """Say where state lives, as the setting has it."""
    return str(request.param)


@contextmanager
def a_world(home: Path, kept_in: str) -> Iterator[World]:
    store = open_store(Settings(home=home, store=kept_in))
    made = World(store, home)
    yield made
    made.close()
    store.close()


@pytest.fixture
def world(kept_in: str, tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, kept_in) as made:
        yield made


@pytest.fixture
def twin(kept_in: str, tmp_path: Path) -> Iterator[World]:
    """Give a second world, for what must come out the same in both."""
    with a_world(tmp_path / "twin", kept_in) as made:
        yield made
