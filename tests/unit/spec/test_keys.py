"""Keys of runs are real calendar dates, or text that may name a run."""

from pathlib import Path

import pytest

from shotclock.errors import UsageError
from shotclock.model import Plan
from shotclock.spec import check_key
from tests.unit.spec.written import ONE_PHASE, TOP, plan_of

ACCEPTED = "game_date of pipeline p is a calendar date YYYY-MM-DD, such as 2025-01-15"


@pytest.fixture
def dated(tmp_path: Path) -> Plan:
    """Return a plan whose keys are dates."""
    return plan_of(tmp_path, TOP + ONE_PHASE + "key: {name: game_date}\n")


@pytest.mark.parametrize("key", ["2025-01-15", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_date_of_the_calendar_is_a_key(dated: Plan, key: str) -> None:
    assert check_key(dated, key) == key


@pytest.mark.parametrize("key", ["", "20250115", "2025-1-5", "2025-W03-3", "2025-01-15T06:00", "today", "²025-01-15"])
def test_what_is_not_written_as_a_date_is_no_key(dated: Plan, key: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check_key(dated, key)
    assert str(refusal.value) == f"{key!r} is not a date: {ACCEPTED}"


@pytest.mark.parametrize("key", ["2025-02-29", "2025-13-01", "2025-04-31", "0000-01-01"])
def test_a_date_the_calendar_does_not_have_is_no_key(dated: Plan, key: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check_key(dated, key)
    assert str(refusal.value).startswith(f"{key!r} is not in the calendar (")
    assert str(refusal.value).endswith(ACCEPTED)


def test_a_text_key_is_what_may_name_a_run(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TOP + ONE_PHASE + "key: {name: batch, type: text}\n")
    assert check_key(plan, "week-3.b") == "week-3.b"
    with pytest.raises(UsageError, match=r"^batch of pipeline p: 'a/b' cannot be a key: use 1 to 100 letters"):
        check_key(plan, "a/b")
