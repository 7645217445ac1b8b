"""One cache of the simulated league for all tests of a worker: it holds only files named by their content."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def league_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("league")


@pytest.fixture
def home(tmp_path: Path, league_cache: Path) -> Path:
    """Return a home of its own for a test, on the shared cache."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(league_cache)
    return home
