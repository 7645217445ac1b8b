"""Runs are found by what people type."""

from datetime import UTC, datetime

import pytest

from shotclock.engine.naming import find_run, identity_of
from shotclock.errors import NotFoundError, UsageError
from shotclock.model import Plan, Run, RunId
from shotclock.ports import Store
from shotclock.stores.memory import MemoryStore

START = datetime(2025, 1, 15, tzinfo=UTC)


def store(*ids: str) -> Store:
    """Return a store with these runs."""
    made = MemoryStore()
    for text in ids:
        identity = RunId.parse(text)
        run = Run(
            id=text,
            pipeline=identity.pipeline,
            key=identity.key,
            mode=identity.mode,
            generation=identity.generation,
            superseded=identity.generation == 1 and f"{text}#2" in ids,
            started_at=START,
        )
        made.write(lambda tx, run=run: tx.add_run(run, Plan(pipeline=run.pipeline), []))  # type: ignore[misc]  # bound at once
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nba/2025-01-15", "nba/2025-01-15#2"),
        ("nba/2025-01-15#1", "nba/2025-01-15"),
        ("nba/2025-01-15#2", "nba/2025-01-15#2"),
        ("nba/2025-01-15/same_day", "nba/2025-01-15/same_day"),
        ("2025-01-16", "nba/2025-01-16"),
        ("2025-01-16#1", "nba/2025-01-16"),
    ],
)
def test_a_run_is_found(text: str, found: str) -> None:
    made = store("nba/2025-01-15", "nba/2025-01-15#2", "nba/2025-01-15/same_day", "nba/2025-01-16")
    assert made.read(lambda view: find_run(view, text)).id == found


def test_a_key_of_several_runs_names_them() -> None:
    made = store("nba/2025-01-15", "nba/2025-01-15/same_day")
    with pytest.raises(UsageError, match="nba/2025-01-15, nba/2025-01-15/same_day; name one"):
        made.read(lambda view: find_run(view, "2025-01-15"))


@pytest.mark.parametrize("text", ["nbb/2025-01-15", "2025-01-51", "nba/2025-01-15#3"])
def test_an_unknown_run_names_the_nearest(text: str) -> None:
    made = store("nba/2025-01-15", "other/x")
    with pytest.raises(NotFoundError, match="the nearest: nba/2025-01-15"):
        made.read(lambda view: find_run(view, text))


def test_an_empty_store_says_so() -> None:
    with pytest.raises(NotFoundError, match="no runs yet"):
        store().read(lambda view: find_run(view, "nba/2025-01-15"))


@pytest.mark.parametrize("text", ["/", "nba/", "NBA/2025-01-15", "nba/2025-01-15#0", "a/b/c/d"])
def test_what_cannot_be_a_run_says_what_can(text: str) -> None:
    with pytest.raises(UsageError):
        store().read(lambda view: identity_of(view, text))
