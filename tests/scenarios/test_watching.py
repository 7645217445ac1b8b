"""A halt stops what is new and hides nothing that is there."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.cli.main import execute
from shotclock.errors import StoreUnavailableError
from tests.scenarios.world import World

FILE = """phases:
  raw: {members: {a: {external: true}, box: 'here:box'}, gate: {deadline: {after: 30m, from: run_start}}}
  next: {needs: [raw], members: {n: 'here:box'}}
"""
STEPS = "def box(ctx):\n    return Succeeded()\n"


def test_under_a_halt_nothing_new_is_made_and_reports_are_kept(world: World) -> None:
    world.start(FILE, STEPS)
    world.coordinator.halt("p", actor="ann", reason="a bad deploy")
    world.look()
    rung = list(world.line.rung)
    assert world.worker().work() == 0
    assert world.say("a").kind == "accepted"
    world.go(minutes=45)
    mark = world.mark()
    assert (mark.kind, mark.reason) == ("halted", "halted by ann: a bad deploy")
    assert (world.opening(), world.line.rung) == (None, rung)
    world.coordinator.resume("p", actor="ann")
    world.look()
    opening = world.opened()
    assert (opening.reason, opening.missing) == ("deadline", ("box",))
    assert opening.late_by is not None
    world.worker().work()
    assert world.run().state == "partial"
    assert len(world.alerts("opening")) == 1


BRANCHES = """phases:
  odds: {members: {a: {external: true}}, gate: {deadline: {after: 30m, from: run_start}}}
  news: {members: {a: {external: true}}, gate: {deadline: {after: 40m, from: run_start, then: fail}}}
  slow: {members: {a: {external: true}}, gate: {deadline: {after: 4h, from: run_start}}}
"""


def test_what_became_overdue_under_a_halt_is_decided_at_once_and_told_in_one_alert(world: World) -> None:
    world.start(BRANCHES)
    world.coordinator.halt("p", actor="ann", reason="a bad deploy")
    world.go(hours=1)
    world.coordinator.resume("p", actor="ann")
    assert (world.opened("odds").reason, world.phase("news").state, world.phase("slow").state) == (
        "deadline",
        "failed",
        "active",
    )
    world.look()
    (told,) = world.alerts("resumed")
    assert told["text"] == "p: resumed; 2 phases were overdue and are decided"
    odds, news = told["names"]
    assert odds.startswith("p/2025-01-15 odds: opened deadline partial: ")
    assert news.startswith("p/2025-01-15 news: failed: deadline ")
    assert world.alerts("opening") == world.alerts("failed") == []
    world.go(hours=4)
    assert [alert["names"] for alert in world.alerts("opening")] == [["a"]]


def test_a_phase_that_closed_before_a_halt_is_opened_on_resume_with_the_verdict_it_had(world: World) -> None:
    world.start(BRANCHES)
    world.clock.instant += timedelta(minutes=35)
    world.store.unreadable = "add_opening"
    with pytest.raises(ExceptionGroup):
        world.coordinator.sweep()
    world.store.unreadable = None
    world.coordinator.halt("p", actor="ann", reason="a bad deploy")
    world.go(minutes=30)
    assert (world.phase("odds").state, world.say("a", phase="odds").kind) == ("closing", "late")
    world.coordinator.resume("p", actor="ann")
    assert (world.opened("odds").reason, world.opened("odds").missing) == ("deadline", ("a",))
    world.look()
    (told,) = world.alerts("resumed")
    assert len(told["names"]) == 2
    assert world.alerts("opening") == []


def test_a_halt_that_cannot_be_read_counts_as_one(world: World) -> None:
    world.start(FILE, STEPS)
    world.store.unreadable = "halts"
    with pytest.raises(StoreUnavailableError):
        world.worker().step()
    with pytest.raises(StoreUnavailableError):
        world.say("a")
    world.clock.instant = world.clock.instant.replace(hour=13)
    with pytest.raises(ExceptionGroup):
        world.coordinator.sweep()
    world.store.unreadable = None
    assert world.opening() is None
    assert world.store.read(lambda view: view.leased()) == []


def test_every_answer_about_a_halted_run_says_so_and_what_was_is_still_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "days"
    folder.mkdir()
    text = "pipeline: days\nphases: {raw: {members: {a: {command: 'true'}}}}\n"
    (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
    assert execute(["run", "days", "2025-01-14"]) == 0
    (folder / "pipeline.yaml").write_text(text.replace("command: 'true'", "external: true"), encoding="utf-8")
    capsys.readouterr()
    assert execute(["report", "days/2025-01-15", "raw", "a", "succeeded"]) == 3
    assert execute(["halt", "days", "--reason", "a bad deploy"]) == 0
    for command in (["status", "days/2025-01-14", "--json"], ["missing", "days/2025-01-14", "--json"]):
        capsys.readouterr()
        assert execute(command) == 0
        told = json.loads(capsys.readouterr().out)
        assert "a bad deploy" in json.dumps(told)


def test_every_missing_day_and_phase_is_named_however_old_and_days_off_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = tmp_path / f"gappy_{tmp_path.name}"
    folder.mkdir()
    (folder / "days.py").write_text("def works(day):\n    return day.day in {1, 2, 3} and day.year == 2019\n")
    starts = f'starts: {{schedule: "0 6 * * *", calendar: "{folder.name}.days:works"}}'
    phases = "phases: {raw: {members: {a: {command: 'true'}}}, next: {needs: [raw], members: {b: {command: 'false'}}}}"
    (folder / "pipeline.yaml").write_text(f"pipeline: days\n{starts}\n{phases}\n", encoding="utf-8")
    fast = ["--home", str(tmp_path / "home"), "--json"]
    monkeypatch.setenv("SHOTCLOCK_RETRY_FIRST", "1ms")
    assert execute(["run", folder.name, "2019-03-01", *fast]) == 1
    capsys.readouterr()
    assert execute(["gaps", folder.name, "--since", "2018-12-20", *fast]) == 1
    found = json.loads(capsys.readouterr().out)["gaps"]
    missing = [(gap["key"], gap["phase"]) for gap in found if gap["key"].startswith("2019-03")]
    assert missing == [("2019-03-01", "next"), ("2019-03-02", None), ("2019-03-03", None)]
    assert len(found) == 3 * 12
