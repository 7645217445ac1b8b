"""Whoever is killed between two writes and started again loses nothing acknowledged, doubles nothing, tells all."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.mutants import MUTANTS, SERVED
from tests.servers import programs

ROOT = Path(__file__).parents[2]
SLICE = ("--kills", "60") if os.environ.get("SHOTCLOCK_PROOF") == "slice" else ()
FEW = ("--kills", "26")
TODAY = str(datetime.now(UTC).toordinal())
"""Draws other points each day; a failure names the one that matters."""

Told = Callable[[str, object], None]

ON_A_SERVER = ("--store", "postgresql")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the rig forks, which this platform cannot")


def drill(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Play the story in a process without threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOTCLOCK_")}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.crash.drill", str(folder), *words],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )


def played(folder: Path, told: Told, *words: str) -> None:
    """Play the story with kills; fail if a promise was broken or most kills did not come about."""
    done = drill(folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    told("kills", done.stdout.splitlines()[-1])


@pytest.mark.parametrize("part", ["1/2", "2/2"])
def test_kills_at_some_write_points_lose_and_double_nothing(tmp_path: Path, record_property: Told, part: str) -> None:
    played(tmp_path, record_property, *FEW, "--seed", TODAY, "--part", part)


@pytest.mark.long
@pytest.mark.parametrize("part", ["1/2", "2/2"])
def test_kills_at_every_write_point_lose_and_double_nothing(tmp_path: Path, record_property: Told, part: str) -> None:
    played(tmp_path, record_property, *SLICE, "--seed", TODAY, "--part", part)


@pytest.mark.long
@pytest.mark.parametrize("part", ["1/2", "2/2"])
def test_kills_at_every_write_point_of_a_served_store_lose_and_double_nothing(
    tmp_path: Path, record_property: Told, part: str
) -> None:
    programs()
    played(tmp_path, record_property, *ON_A_SERVER, *SLICE, "--seed", TODAY, "--part", part)


def found(folder: Path, told: Told, *words: str) -> None:
    """Play the story with kills and a planted bug; fail if no kill has found it."""
    done = drill(folder, *words)
    assert done.returncode == 1, f"not found: {done.stdout}{done.stderr}"
    assert "killed at " in done.stdout, done.stdout + done.stderr
    *said, _ = filter(None, done.stdout.splitlines())
    told("found", said[-1])


@pytest.mark.parametrize("bug", MUTANTS)
def test_a_planted_bug_is_found_by_a_kill(tmp_path: Path, record_property: Told, bug: str) -> None:
    found(tmp_path, record_property, "--plant", bug, "--near", MUTANTS[bug].format(store="sqlite"))


@pytest.mark.long
@pytest.mark.parametrize("bug", SERVED)
def test_a_planted_bug_is_found_by_a_kill_on_a_served_store(tmp_path: Path, record_property: Told, bug: str) -> None:
    programs()
    near = SERVED[bug].format(store="postgresql")
    found(tmp_path, record_property, *ON_A_SERVER, "--plant", bug, "--near", near)
