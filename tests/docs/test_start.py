"""The command line starts quickly: what is heavy is imported where it is used."""

import os
import subprocess
import sys

import pytest

from tests.docs.repository import ROOT

HEAVY = {"asyncio", "cronsim", "duckdb", "multiprocessing.pool", "rich", "sqlite3", "yaml"}
"""What `--help` needs nothing of."""


@pytest.mark.parametrize("door", ["shotclock", "shotclock.cli.main", "shotclock.context", "shotclock.outcomes"])
def test_importing_a_door_imports_nothing_heavy(door: str) -> None:
    code = f"import sys, {door}; print(*sorted(set({sorted(HEAVY)!r}) & sys.modules.keys()))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.stdout.split(), done.stderr) == ([], "")


def test_help_reads_no_settings_and_loads_no_model() -> None:
    code = "import sys; from shotclock.cli.main import execute; execute(['--help']); print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & {*HEAVY, "msgspec", "shotclock.engine", "shotclock.model", "shotclock.settings"}
