"""A house for each test, left without a process in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give an empty folder with the command; nothing may be left running in it."""
    made = House(tmp_path)
    yield made
    assert made.clear() == []
