"""A front door for each test."""

import pytest

from tests.unit.http.front import Front


@pytest.fixture
def front() -> Front:
    return Front()
