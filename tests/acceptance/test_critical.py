"""A critical member is missing: its phase is blocked until it comes, or fails with age; the hopeless is decided."""

from tests.acceptance.house import DAY, House

RUN = f"needed/{DAY}"
FILE = """
max_age: {age}
phases:
  raw:
    members:
      games: {{run: "needed.steps:games"}}
      box: {{external: true, critical: true}}
    gate: {{deadline: {{after: 1s, from: run_start, then: open}}}}
"""
STEPS = "def games(ctx):\n    return Succeeded()\n"


def test_a_blocked_phase_opens_by_itself_when_the_report_comes_from_another_process(house: House) -> None:
    house.pipeline("needed", FILE.format(age="1h"), STEPS)
    running = house.start("run", "needed", DAY)
    line = running.says("blocked")
    assert "box" in line
    assert "max_age ends it at" in line
    assert f"shotclock explain {RUN} raw" in line
    assert "blocked: 1 critical member(s) missing" in house("explain", RUN, "raw").out
    assert "raw blocked" in house("status").out
    assert house("report", RUN, "raw", "box", "succeeded").code == 0
    assert running.finish().code == 0


def test_a_blocked_run_fails_at_its_max_age(house: House) -> None:
    house.pipeline("needed", FILE.format(age="3s"), STEPS)
    done = house("run", "needed", DAY)
    assert done.code == 1
    assert "max_age" in done.out
    assert "missing: raw.box" in done.out
    assert house("missing", RUN).lines == ["raw box: critical, pending, reports from outside"]


def test_a_failed_required_member_without_deadline_is_decided_at_once(house: House) -> None:
    file = """
phases:
  raw:
    members: {games: {run: "lost.steps:games"}, odds: {run: "lost.steps:odds"}}
    execution: {attempts: 1}
  publish: {needs: [raw], members: {report: {run: "lost.steps:odds"}}}
"""
    steps = "def games(ctx):\n    raise Permanent('no such file')\n\ndef odds(ctx):\n    return Succeeded()\n"
    house.pipeline("lost", file, steps)
    done = house("run", "lost", DAY)
    assert done.code == 1
    assert "hopeless" in done.out
    assert "upstream_failed: raw" in done.out
    assert house("missing", f"lost/{DAY}", "raw").lines == ["raw games: required, failed: no such file"]
    assert f"shotclock rerun lost/{DAY}" in done.out


def test_a_rerun_with_the_corrected_step_keeps_what_was_good(house: House) -> None:
    file = 'phases: {raw: {members: {a: {run: "mended.steps:a"}, b: {run: "mended.steps:b"}}}}\n'
    steps = "def a(ctx):\n    return Succeeded(outputs={'show': f'a in {ctx.run}'})\n\n"
    house.pipeline("mended", file, steps + "def b(ctx):\n    raise Permanent('wrong column')\n")
    assert house("run", "mended", DAY).code == 1
    house.pipeline("mended", file, steps + "def b(ctx):\n    return Succeeded()\n")
    done = house("rerun", f"mended/{DAY}")
    assert done.code == 0
    assert f"a in mended/{DAY}\n" in done.out


def test_before_the_close_a_failed_member_is_tried_again_in_place(house: House) -> None:
    file = """
phases:
  raw:
    members: {a: {run: "again.steps:a"}, b: {external: true}}
    execution: {attempts: 1}
    gate: {tolerate: 1}
"""
    steps = """
from pathlib import Path

def a(ctx):
    if not Path(__file__).with_name("there").exists():
        raise Permanent("no file yet")
    return Succeeded()
"""
    house.pipeline("again", file, steps)
    running = house.start("run", "again", DAY)
    running.says("started")
    while "no file yet" not in house("missing", f"again/{DAY}").out:
        assert running.process.poll() is None
    house.file("again", "there").touch()
    tried = house("rerun", f"again/{DAY}", "raw", "--detach")
    assert (tried.code, tried.lines) == (0, [f"again/{DAY} raw: trying again: a"])
    assert house("report", f"again/{DAY}", "raw", "b", "succeeded").code == 0
    assert running.finish().code == 0
    assert house("missing", f"again/{DAY}").lines == [f"again/{DAY}: nobody is missing"]


def test_a_superseded_generation_is_not_done_again(house: House) -> None:
    house("init", "scores")
    house("run", "scores", DAY)
    house("rerun", f"scores/{DAY}", "scores")
    done = house("rerun", f"scores/{DAY}#1", "scores")
    assert done.code == 0
    assert done.lines[0] == f"scores/{DAY}#2: was made from scores/{DAY}#1 before; no other is made"
    house("rerun", f"scores/{DAY}", "scores")
    refused = house("rerun", f"scores/{DAY}#1", "scores")
    assert refused.code == 2
    assert f"superseded by scores/{DAY}#3" in refused.err
