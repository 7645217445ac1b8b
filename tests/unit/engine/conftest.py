"""A coordinator's day over each store."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.ports import Store
from shotclock.stores.memory import MemoryStore
from shotclock.stores.sqlite import SqliteStore
from tests.unit.engine.day import Day


@pytest.fixture(params=["memory", "sqlite"])
def day(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Day]:
    store: Store = (
        MemoryStore()
        if request.param == "memory"
        else SqliteStore(tmp_path / "s.db", busy=timedelta(seconds=5), backlog=100)
    )
    yield Day(store)
    store.close()
