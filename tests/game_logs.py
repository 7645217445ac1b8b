"""The published game logs: found beside the repository or where SHOTCLOCK_DATA says, and asked for by tests."""

import os
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(os.environ.get("SHOTCLOCK_DATA") or Path(__file__).parents[2] / "shared" / "data")
"""Where they are."""


def folder(*needed: str) -> Path:
    """Return the folder; the test is skipped where a file is missing, and fails where every part is required."""
    missing = next((FOLDER / name for name in needed if not (FOLDER / name).is_file()), None)
    if missing is not None:
        message = f"{missing} is missing: put the published files there or name their folder in SHOTCLOCK_DATA"
        if os.environ.get("SHOTCLOCK_REQUIRE") == "all":
            pytest.fail(message)
        pytest.skip(message)
    return FOLDER
