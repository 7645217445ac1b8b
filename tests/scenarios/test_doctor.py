"""What is wrong is named: staged files that nothing names, drift, silence, other settings, and what holds runs up."""

import json
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from shotclock import Settings
from shotclock.cli.main import execute
from shotclock.engine import staging
from shotclock.engine.doctor import Finding, examine
from shotclock.engine.process import this_process
from shotclock.model import Process
from shotclock.ports import Store
from tests.scenarios.world import DAY, World

ITEMS = """phases:
  raw: {items: 'here:some', run: 'here:chunk', execution: {chunk: 2}}
"""
STEPS = """
def some(ctx):
    return [Item(id='a'), Item(id='b')]

def chunk(ctx, items):
    ctx.stage('rows.txt').write_text('rows')
    return {item.id: Succeeded() for item in items}
"""


def findings(world: World, kind: str, settings: Settings | None = None) -> list[Finding]:
    """Return what is wrong, of one kind; every process counts as living."""
    given, now = settings or world.settings, world.clock.now()
    found = world.store.read(lambda view: examine(view, given, now, lambda _name: True))
    return [finding for finding in found if finding.kind == kind]


def abandon(world: World) -> str:
    """Have one worker stage a file and die, and another one do the work; return the path of what the first left."""
    world.in_present().start(ITEMS, STEPS)
    dying = world.worker("w1")
    dying.step()
    (lease,) = dying.take()
    dying.answer(lease)
    assert staged(world) == []
    world.go(minutes=2)
    world.worker("w2").work()
    assert world.run().state == "complete"
    return f"staged/p/{DAY}/g1/raw/chunk-0-{lease.task.token}/rows.txt"


def staged(world: World) -> list[str]:
    """Return the orphans there are."""
    now = world.clock.now() + timedelta(hours=1)
    return [orphan.path for orphan in world.store.read(lambda view: list(staging.orphans(view, world.home, now)))]


def collected(world: World) -> int:
    """Remove the orphans that are old enough; return how many there were."""
    return staging.collect(cast("Store", world.store), world.settings, world.clock.now())


def test_a_staged_file_that_no_settlement_names_is_listed_and_in_time_removed(world: World) -> None:
    left = abandon(world)
    assert staged(world) == [left]
    world.go(minutes=1)
    (finding,) = findings(world, "staging")
    assert left in finding.text
    assert collected(world) == 0
    world.clock.instant += world.settings.staged_for
    assert collected(world) == 1
    assert (staged(world), findings(world, "staging")) == ([], [])
    assert [path.read_text() for path in (world.home / "staged").rglob("*.txt")] == ["rows", "rows"]
    assert not (world.home / left).parent.exists()


def test_files_of_a_run_that_the_store_does_not_know_are_left_alone(world: World) -> None:
    world.in_present()
    stray = world.home / "staged" / "other" / "2025-01-01" / "g1" / "raw" / "chunk-0-1" / "rows.txt"
    stray.parent.mkdir(parents=True)
    stray.write_text("not ours")
    world.clock.instant += 2 * world.settings.staged_for
    assert collected(world) == 0
    assert stray.exists()


def test_an_engine_removes_orphans_by_itself(world: World) -> None:
    left = abandon(world)
    late = world.clock.now() + world.settings.staged_for
    world.clock.instant = late + timedelta(hours=1)
    engine = world.engine()
    engine._clock = world.clock  # noqa: SLF001 - days pass in no time
    engine.until_over(f"p/{DAY}")
    engine.close()
    assert staged(world) == []
    assert not (world.home / left).exists()


def test_phases_that_are_held_up_are_named_with_the_command_that_explains_them(world: World) -> None:
    world.start(
        "phases: {raw: {members: {a: {external: true}}, gate: {deadline: {after: 30m, from: run_start, then: block}}}}"
    )
    assert findings(world, "phase") == []
    world.go(hours=1)
    (finding,) = findings(world, "phase")
    assert (finding.where, finding.command) == (f"p/{DAY} raw", f"shotclock explain p/{DAY} raw")
    assert finding.text.startswith("blocked for 30m: deadline ")


def test_a_start_that_nobody_takes_up_is_named(world: World) -> None:
    world.start("phases: {raw: {members: {a: 'here:a'}}}", "def a(ctx):\n    return Succeeded()\n")
    world.go(minutes=20)
    (finding,) = findings(world, "handover")
    assert finding.where == f"p/{DAY} raw"
    assert "no consumer" in finding.text


def test_a_report_under_an_unknown_name_is_named_with_the_nearest_one(world: World) -> None:
    world.start("phases: {raw: {members: {odds: {external: true}}}}")
    world.say("odd")
    (finding,) = findings(world, "parked")
    assert finding.text == "a report for odd counts for nobody; the nearest name is odds"


def test_a_member_that_is_waited_for_no_longer_is_named(world: World) -> None:
    world.pipeline(
        "phases: {raw: {members: {a: {external: true}, b: {external: true}}, gate: {deadline: {after: 1h}}}}"
    )
    for day in range(1, 12):
        world.start(key=f"2025-01-{day:02}")
        world.say("a", run=f"p/2025-01-{day:02}")
        world.go(hours=3)
    (finding,) = findings(world, "drift")
    assert (finding.where, finding.text.split()[0]) == ("p/2025-01-11 raw", "b")


def test_a_member_that_the_file_has_lost_is_named(world: World) -> None:
    world.start("phases: {raw: {members: {a: {external: true}, b: {external: true}}}}", key="2025-01-14")
    world.start("phases: {raw: {members: {a: {external: true}}}}")
    (finding,) = findings(world, "drift")
    assert finding.text == "b is no member any more; p/2025-01-14 still had it"


def test_a_process_with_another_setting_is_named_with_its_value(world: World) -> None:
    processes = [process(world, number, "2m" if number == 3 else "1m") for number in (1, 2, 3)]
    for one in processes:
        world.coordinator.beat(one)
    (finding,) = findings(world, "settings")
    assert finding.where == processes[2].name
    assert finding.text == "process 3 on here runs with lease = 2m; elsewhere it is 1m"


def process(world: World, number: int, lease: str) -> Process:
    now = world.clock.now()
    return Process(
        name=f"here:{number}:0.1", host="here", pid=number, started_at=now, beat_at=now, settings={"lease": lease}
    )


def test_a_process_says_its_settings_as_they_are_written(world: World) -> None:
    said = this_process(world.clock.now(), world.settings, kind="run", tags=()).settings
    assert (said["lease"], said["backlog"]) == ("1m", "500")
    assert "home" not in said


def test_a_process_that_has_fallen_silent_is_named(world: World) -> None:
    world.coordinator.beat(process(world, 1, "1m"))
    assert findings(world, "process") == []
    world.go(minutes=10)
    (finding,) = findings(world, "process")
    assert (finding.where, finding.text) == ("here:1:0.1", "has given no sign of life for 10m")


def test_the_command_exits_1_for_findings_and_0_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path / "home")]
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "pipeline.yaml").write_text("pipeline: days\nphases: {raw: {members: {a: 'days.steps:a'}}}\n")
    (tmp_path / "days" / "steps.py").write_text("def a(ctx):\n    return None\n")
    execute(["run", str(tmp_path / "days"), DAY, *home])
    assert execute(["doctor", *home]) == 0
    assert capsys.readouterr().out.endswith("nothing is wrong\n")
    execute(["report", "days/2025-01-15", "raw", "b", "succeeded", *home])
    capsys.readouterr()
    assert execute(["doctor", *home]) == 1
    assert "counts for nobody" in capsys.readouterr().out


def test_its_document_holds_the_findings(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    home = ["--home", str(tmp_path / "home")]
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "pipeline.yaml").write_text("pipeline: days\nphases: {raw: {members: {a: 'days.steps:a'}}}\n")
    (tmp_path / "days" / "steps.py").write_text("def a(ctx):\n    return None\n")
    execute(["run", str(tmp_path / "days"), DAY, *home])
    execute(["report", "days/2025-01-15", "raw", "b", "succeeded", *home])
    capsysbinary.readouterr()
    assert execute(["doctor", "--json", *home]) == 1
    (finding,) = json.loads(capsysbinary.readouterr().out)["findings"]
    assert (finding["kind"], finding["where"]) == ("parked", "days/2025-01-15 raw")
