"""The absence of success is told, by time alone, once for each absence; and its end."""

from datetime import timedelta

import pytest

from shotclock.model import Plan, Report
from tests.unit.alerts.house import House, Mouth, outlet
from tests.unit.engine.day import external

DAILY = Plan(pipeline="p", phases=(external("a"),), success_within=timedelta(hours=26))


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
def house(mouth: Mouth) -> House:
    return House(outlet("ops", mouth))


def succeed(house: House, key: str) -> None:
    house.coordinator.start(DAILY, key)
    house.coordinator.report([Report(run=f"p/{key}", phase="raw", member="a", outcome="succeeded")])


def test_a_pipeline_that_never_runs_is_noticed_once_and_its_next_success_is_told(house: House, mouth: Mouth) -> None:
    house.coordinator.register(DAILY)
    house.deliver(hours=25)
    assert mouth.facts == []
    for _ in range(8):
        house.deliver(minutes=30)
    assert (mouth.facts, house.alert().runs) == (["overdue"], ("p/default",))
    assert "no run has succeeded since" in mouth.sent[0]["text"]
    succeed(house, "2025-01-16")
    house.deliver(minutes=1)
    house.deliver()
    assert mouth.facts == ["overdue", "-overdue"]
    house.deliver(hours=26)
    house.deliver()
    assert mouth.facts == ["overdue", "-overdue", "overdue"]


def test_every_success_moves_the_time_at_which_the_next_is_missed(house: House, mouth: Mouth) -> None:
    for day in range(16, 20):
        succeed(house, f"2025-01-{day}")
        house.deliver(hours=25)
        house.deliver(minutes=30)
    assert mouth.facts == []
    house.deliver(hours=1)
    house.deliver()
    assert mouth.facts == ["overdue"]


def test_a_run_that_failed_is_no_success(house: House, mouth: Mouth) -> None:
    house.coordinator.register(DAILY)
    house.coordinator.start(DAILY, "2025-01-16")
    report = Report(run="p/2025-01-16", phase="raw", member="a", outcome="failed")
    house.coordinator.report([report])
    house.deliver(hours=27)
    house.deliver()
    assert mouth.facts == ["failed", "overdue"]


def test_what_the_file_says_no_longer_is_expected_no_more(house: House, mouth: Mouth) -> None:
    house.coordinator.register(DAILY)
    house.deliver(hours=27)
    house.deliver()
    house.coordinator.register(Plan(pipeline="p", phases=DAILY.phases))
    house.deliver(hours=1)
    house.deliver(hours=99)
    assert mouth.facts == ["overdue", "-overdue"]


def test_a_time_that_was_changed_and_changed_back_holds_from_then_on(house: House, mouth: Mouth) -> None:
    for hours in (26, 50, 26):
        house.coordinator.register(Plan(pipeline="p", phases=DAILY.phases, success_within=timedelta(hours=hours)))
        house.deliver(hours=1)
    house.deliver(hours=24)
    assert mouth.facts == []
    house.deliver(hours=1)
    house.deliver()
    assert mouth.facts == ["overdue"]
