"""Runs that start by themselves, as a process that lives looks at its schedules."""

from datetime import timedelta
from pathlib import Path

from shotclock.engine.plans import Catalogue
from shotclock.engine.timetable import Timetables
from tests.scenarios.world import World

FILE = """pipeline: daily
key: {name: day, type: date, timezone: UTC}
starts: {schedule: "0 6 * * *"}
phases:
  raw: {members: {odds: {external: true}}}
"""


def timetables(world: World, folder: Path) -> Timetables:
    """Return the schedules of one pipeline."""
    (folder / "daily").mkdir(exist_ok=True)
    (folder / "daily" / "pipeline.yaml").write_text(FILE, encoding="utf-8")
    return Timetables(world.coordinator, Catalogue([folder / "daily"], world.coordinator.settings, {}))


def runs(world: World) -> list[str]:
    return sorted(run.id for run in world.coordinator.store.read(lambda view: view.runs(limit=100)))


def test_a_run_starts_once_however_many_look(world: World, tmp_path: Path) -> None:
    first, second = timetables(world, tmp_path), timetables(world, tmp_path)
    assert (first.look(), second.look()) == ([], [])
    world.clock.instant += timedelta(hours=18, minutes=1)  # from noon on
    assert first.look() + second.look() == ["daily/2025-01-16"]
    assert first.look() == []


def test_missed_runs_are_caught_up_after_a_recovery_once_each_and_not_all_at_once(world: World, tmp_path: Path) -> None:
    timetable = timetables(world, tmp_path)
    timetable.look()
    world.clock.instant += timedelta(days=40)
    started = timetable.look()
    assert len(started) == 1
    for _ in range(20):
        (running,) = world.coordinator.store.read(lambda view: view.runs(state="running"))
        plan = world.coordinator.store.read(lambda view, run=running.id: view.plan(run))  # type: ignore[misc]  # the default is for the loop
        assert plan.pipeline == "daily"
        world.coordinator.force(running.id, "raw", actor="test", reason="it ends")
        world.clock.instant += timedelta(seconds=1)
        started = timetable.look()
        if not started:
            break
    newest = max(runs(world))
    assert newest == f"daily/{world.clock.instant:%Y-%m-%d}"
    assert len(runs(world)) <= 8


def test_a_schedule_that_cannot_be_followed_is_told_once_and_stops_no_other(world: World, tmp_path: Path) -> None:
    timetable = timetables(world, tmp_path)
    timetable.look()
    file = tmp_path / "daily" / "pipeline.yaml"
    file.write_text(FILE.replace("phases:", "phasez:"), encoding="utf-8")
    world.clock.instant += timedelta(days=1)
    for _ in range(3):
        assert timetable.start_due() == []
    assert set(timetable.broken) == {"daily"}
    file.write_text(FILE, encoding="utf-8")
    assert timetable.start_due() == ["daily/2025-01-16"]
    assert timetable.broken == {}
