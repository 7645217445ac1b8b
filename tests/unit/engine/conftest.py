"""A coordinator's day over each store, and a user's pipeline that is worked on for real."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.ports import Store
from shotclock.stores.memory import MemoryStore
from shotclock.stores.sqlite import SqliteStore
from tests.unit.engine.day import Day
from tests.unit.engine.shop import Shop


@pytest.fixture(params=["memory", "sqlite"])
def day(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Day]:
    store: Store = (
        MemoryStore()
        if request.param == "memory"
        else SqliteStore(tmp_path / "s.db", busy=timedelta(seconds=5), backlog=100)
    )
    yield Day(store)
    store.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()
