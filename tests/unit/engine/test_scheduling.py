"""Runs that start by themselves: each key of a schedule once, the missed ones in order, the rest named as gaps."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shotclock.engine.scheduling import Ticked
from shotclock.errors import MemberError, UsageError
from shotclock.model import Plan, Schedule
from shotclock.ports import Snapshot
from tests.unit.engine.day import Day, external

CALENDAR = """
from datetime import date
def works(day):
    if day == date(2025, 1, 20):
        raise ValueError("no such day")
    return day.day != 17
"""


def scheduled(**starts: object) -> Plan:
    plan = Plan(pipeline="p", phases=(external("a"),), starts=Schedule(cron="0 6 * * *"))
    return replace(plan, starts=replace(plan.starts, **starts))


def at(day: int, hour: int = 6, month: int = 1) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


def tick(day: Day, plan: Plan, instant: datetime) -> Ticked:
    day.clock.instant = instant
    return day.coordinator.tick(plan)


def started(ticked: Ticked) -> tuple[str, str] | None:
    return None if ticked.started is None else (ticked.started.key, ticked.started.cause)


def over(day: Day, key: str) -> None:
    day.say("a", run=f"p/{key}")
    assert day.run(f"p/{key}").state == "complete"


def test_a_run_starts_at_its_tick_and_only_once(day: Day) -> None:
    plan = scheduled(day=-1)
    assert tick(day, plan, at(15, 12)) == Ticked()
    assert tick(day, plan, at(16, 5)) == Ticked()
    assert started(tick(day, plan, at(16))) == ("2025-01-15", "schedule")
    assert tick(day, plan, at(16)) == Ticked()
    assert started(tick(day, plan, at(17))) == ("2025-01-16", "schedule")


def test_missed_runs_are_caught_up_the_oldest_first_and_one_at_a_time(day: Day) -> None:
    plan = scheduled()
    tick(day, plan, at(15, 12))
    found = tick(day, plan, at(18, 9))
    assert (started(found), found.waiting) == (("2025-01-16", "missed"), 2)
    assert tick(day, plan, at(18, 9)) == Ticked(waiting=2)
    over(day, "2025-01-16")
    assert started(tick(day, plan, at(18, 10))) == ("2025-01-17", "missed")
    over(day, "2025-01-17")
    assert started(tick(day, plan, at(18, 11))) == ("2025-01-18", "missed")
    assert started(tick(day, plan, at(19))) == ("2025-01-19", "schedule")


def test_what_is_too_old_to_be_caught_up_is_named_once(day: Day) -> None:
    plan = scheduled()
    tick(day, plan, at(15, 12))
    found = tick(day, plan, at(24, 12, month=2))
    assert (found.gaps[0], found.gaps[-1], len(found.gaps)) == ("2025-01-16", "2025-02-17", 33)
    assert started(found) == ("2025-02-18", "missed")
    assert tick(day, plan, at(24, 12, month=2)).gaps == ()
    assert day.alerts() == ["gaps"]
    kept = day.store.read(lambda view: view.entries("gap", scope="p/default"))
    assert [entry.member for entry in kept] == list(found.gaps)


def test_days_off_have_no_run_and_no_gap(day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / f"calendar_{tmp_path.name}"
    folder.mkdir()
    (folder / "days.py").write_text(CALENDAR, encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    plan = replace(scheduled(calendar=f"{folder.name}.days:works"), folder=str(folder))
    tick(day, plan, at(16, 12))
    assert tick(day, plan, at(17, 12)) == Ticked()
    assert started(tick(day, plan, at(18))) == ("2025-01-18", "schedule")
    with pytest.raises(MemberError, match=r"calendar: .*works raised for 2025-01-20: ValueError: no such day"):
        tick(day, plan, at(20))


def test_a_run_that_was_started_by_hand_is_not_started_again(day: Day) -> None:
    plan = scheduled()
    tick(day, plan, at(15, 12))
    day.coordinator.start(plan, "2025-01-16")
    assert tick(day, plan, at(16)) == Ticked()
    assert started(tick(day, plan, at(17))) == ("2025-01-17", "schedule")


def test_ticks_under_a_halt_are_caught_up_when_it_is_over(day: Day) -> None:
    plan = scheduled()
    tick(day, plan, at(15, 12))
    day.coordinator.halt("p", actor="ann", reason="deploy")
    assert tick(day, plan, at(16)) == Ticked()
    day.coordinator.resume("p", actor="ann")
    assert started(tick(day, plan, at(16, 9))) == ("2025-01-16", "missed")


def test_a_look_that_another_process_was_faster_with_starts_nothing(day: Day) -> None:
    plan = scheduled()
    tick(day, plan, at(15, 12))
    day.clock.instant = at(16)
    read: Callable[[Callable[[Snapshot], Any]], Any] = day.store.read

    def late(work: Callable[[Snapshot], Any]) -> object:
        found = read(work)
        day.store.read = read  # type: ignore[method-assign,assignment]  # only once
        assert started(day.coordinator.tick(plan)) == ("2025-01-16", "schedule")
        return found

    day.store.read = late  # type: ignore[method-assign,assignment]  # between the look and the start
    assert day.coordinator.tick(plan) == Ticked()


def test_a_pipeline_without_a_schedule_says_so(day: Day) -> None:
    plan = scheduled(cron=None)
    tick(day, plan, at(15))
    with pytest.raises(UsageError, match="p has no schedule"):
        tick(day, plan, at(16))


def test_the_first_report_of_a_known_member_starts_the_run_where_the_pipeline_says_so(day: Day) -> None:
    plan = Plan(pipeline="p", phases=(external("a", "b"),), starts=Schedule(on_report=True))
    assert day.say("a").kind == "parked"
    day.coordinator.register(plan)
    for run, member, phase in (("q/2025-01-16", "a", "raw"), ("p/x", "a", "raw"), ("p/2025-01-16", "c", "raw")):
        assert day.say(member, run=run, phase=phase).kind == "parked"
    assert day.say("b", run="p/2025-01-16").kind == "accepted"
    assert day.run("p/2025-01-16").cause == "report"
    assert day.say("b").kind == "accepted"
    assert day.phase().counts.satisfied == 2


def test_a_clock_that_goes_back_starts_nothing_twice(day: Day) -> None:
    plan = scheduled()
    tick(day, plan, at(15, 12))
    tick(day, plan, at(16))
    day.clock.instant -= timedelta(hours=2)
    assert day.coordinator.tick(plan) == Ticked()
