"""A backfill of the reference pipeline killed at random moments and resumed publishes what an undisturbed one does."""

import os
import signal
import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.acceptance.house import ROOT, House

KILLS = 3 if os.environ.get("SHOTCLOCK_PROOF") == "slice" else 10
NBA = str(ROOT / "pipelines" / "nba")
DAYS = ("--from", "2024-10-22", "--to", "2024-10-31")
LONGEST = 4.0
"""Seconds within which a kill comes: less than ten days take, more than a start does. When the days are over first,
the next round starts in a new home."""


def published(home: Path) -> dict[str, bytes]:
    """Return what was published, but for the files that say when and where."""
    files = (path for path in home.joinpath("published").rglob("*") if path.is_file())
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files if path.stem != "about"}


def backfill(house: House, home: Path, lots: Random, kills: int) -> int:
    """Backfill ten days, killing the process at up to so many random moments; return how many kills there were."""
    done = 0
    while True:
        running = house.start("backfill", NBA, *DAYS, "--resume", "--home", str(home))
        if done < kills:
            try:
                running.process.wait(lots.uniform(0.2, LONGEST))
            except subprocess.TimeoutExpired:
                running.send(signal.SIGKILL)
        ended = running.finish()
        if ended.code != -signal.SIGKILL:
            assert ended.code == 0, ended.err
            return done
        done += 1


@pytest.mark.long
def test_days_killed_at_random_moments_and_resumed_publish_the_same_bytes_as_undisturbed_ones(house: House) -> None:
    calm = house.file("calm")
    assert house("backfill", NBA, *DAYS, "--home", str(calm)).code == 0
    lots, kills, rounds = Random(2024), 0, 0  # noqa: S311 - moments, not secrets
    while kills < KILLS:
        rounds += 1
        home = house.file(f"killed-{rounds}")
        kills += backfill(house, home, lots, KILLS - kills)
        assert published(home) == published(calm)
    assert len({Path(name).parent for name in published(calm)}) == 10
