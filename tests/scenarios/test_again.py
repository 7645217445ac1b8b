"""What is said twice is done once, and what operators have said holds on: aliases, re-runs, grace under a halt."""

from pathlib import Path

import pytest

from shotclock.cli.ending import ending
from shotclock.cli.main import execute
from shotclock.cli.shell import Shell
from shotclock.engine.desk import Question
from shotclock.engine.explaining import Explanation, explain
from shotclock.model import Ruling
from tests.scenarios.world import DAY, World

TWO = """phases:
  raw: {members: {a: {external: true}, b: {external: true}}, gate: {deadline: {after: 30m, from: run_start}}}
"""
RUN = f"p/{DAY}"


def test_a_rerun_that_names_the_generation_it_repeats_makes_one_however_often_it_is_asked_for(world: World) -> None:
    world.start(TWO)
    world.go(hours=1)
    made = [world.coordinator.rerun(f"{RUN}#1", world.plan, "raw").id for _ in range(3)]
    assert made == [f"{RUN}#2"] * 3
    assert world.coordinator.rerun(f"{RUN}#2", world.plan, "raw").id == f"{RUN}#3"
    assert world.coordinator.rerun(RUN, world.plan, "raw").id == f"{RUN}#4"


def test_an_alias_that_an_operator_gave_holds_in_later_generations(world: World) -> None:
    world.start(TWO)
    assert world.say("bee").kind == "parked"
    world.coordinator.alias(RUN, "raw", "bee", "b", actor="ann")
    world.go(hours=1)
    for generation in (2, 3):
        world.coordinator.rerun(RUN, world.plan, "raw", ["b"])
        assert world.say("bee", run=f"{RUN}#{generation}").kind == "accepted"


def test_the_grace_runs_on_under_a_halt(world: World) -> None:
    world.start(
        "phases: {raw: {members: {a: {external: true}, o: {external: true, optional: true}}, gate: {grace: 10m}}}"
    )
    world.coordinator.halt("p", actor="ann", reason="a bad deploy")
    world.say("a")
    world.go(minutes=15)
    world.coordinator.resume("p", actor="ann")
    world.look()
    assert (world.opened().reason, world.opened().at) == ("all", world.clock.now())


def test_a_vetoed_phase_says_why_also_while_its_check_is_asked_again(world: World) -> None:
    world.start(
        "phases: {raw: {members: {a: {external: true}}, gate: {check: 'here:good'}}}",
        "def good(ctx):\n    return False\n",
    )
    world.say("a")
    asked = world.phase()
    assert asked.ruling is None
    question = Question(phase=asked.id, function="good", ruling=Ruling(reason="all"))
    world.coordinator.vote(question, yes=False, reason="the sums differ", asked=asked)
    assert "the sums differ" in headline(world)
    world.clock.instant += 2 * world.settings.check_again
    world.coordinator.sweep()
    assert world.phase().asking_until is not None
    assert headline(world).endswith("the last time it said no: the sums differ")


def headline(world: World) -> str:
    """Return why the phase has not opened, in a sentence."""
    run = world.run()
    said = world.store.read(lambda view: explain(view, run, "raw", world.settings, world.clock.now()))
    assert isinstance(said, Explanation)
    return said.headline


def test_the_end_of_a_superseded_run_names_the_generation_that_goes_on(world: World) -> None:
    old = world.start(TWO)
    world.coordinator.rerun(RUN, world.plan, "raw")
    over = world.run(old.id)
    told = world.store.read(lambda view: ending(Shell(), view, over, world.settings, world.clock.now()))
    assert told.superseded_by == f"{RUN}#2"
    assert told.next == (f"shotclock status {RUN}#2",)


def test_a_limited_list_of_the_missing_says_how_many_more_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("days").mkdir()
    Path("days/pipeline.yaml").write_text(
        "pipeline: days\nphases: {raw: {members: {a: {external: true}, b: {external: true}, c: {external: true}},"
        " gate: {deadline: {after: 1s, from: run_start}}}}\n"
    )
    execute(["run", "days", DAY])
    capsys.readouterr()
    assert execute(["missing", f"days/{DAY}", "--limit", "1"]) == 0
    named, more = capsys.readouterr().out.splitlines()
    assert named.startswith("raw a: ")
    assert more == "2 more are missing; without --limit all are named"
    assert execute(["missing", f"days/{DAY}"]) == 0
    assert "more" not in capsys.readouterr().out
