"""Somebody does not report: the run ends by its clocks, names who is missing, and tells everybody after it."""

import json

from tests.acceptance.house import DAY, House

RUN = f"late/{DAY}"
FILE = """
phases:
  raw:
    members:
      games: {run: "late.steps:games"}
      odds: {external: true}
    gate: {deadline: {after: 2s, from: first_report, then: open}}
  publish:
    needs: [raw]
    members: {report: {run: "late.steps:publish"}}
"""
STEPS = """
import json

def games(ctx):
    return Succeeded(rows=1)

def publish(ctx):
    said = {"partial": ctx.partial, "missing": {name: list(names) for name, names in ctx.missing.items()}}
    (ctx.published / "said.json").write_text(json.dumps(said))
    return Succeeded()
"""


def test_an_external_member_that_never_reports_makes_the_run_partial_and_is_named(house: House) -> None:
    house.pipeline("late", FILE, STEPS)
    done = house("run", "late", DAY)
    assert done.code == 3
    assert f"{RUN}: partial" in done.out
    assert "missing: raw.odds" in done.out
    assert house("missing", RUN, "raw").lines == ["raw odds: required, pending, reports from outside"]
    told = house("explain", RUN, "raw")
    assert "opened partial: deadline" in told.out
    assert "missing: raw odds" in told.out
    said = json.loads(house.file(".shotclock", "published", "late", DAY, "said.json").read_text())
    assert said == {"partial": True, "missing": {"raw": ["odds"]}}


def test_a_report_that_comes_later_is_stored_and_changes_nothing_else(house: House) -> None:
    house.pipeline("late", FILE, STEPS)
    house("run", "late", DAY)
    before = house.rows()
    answer = house("report", RUN, "raw", "odds", "succeeded", "--rows", "4", "--json")
    assert (answer.code, answer.document["answer"]) == (3, "late")
    after = house.rows()
    added = [row for row in after if row not in before]
    assert [row for row in before if row not in after] == []
    assert [table for table, _ in added] == ["entry"]
    assert "late" in house("status", RUN).out


def test_explain_counts_down_before_the_opening_and_the_report_ends_the_wait(house: House) -> None:
    house.pipeline("late", FILE.replace("after: 2s", "after: 10m"), STEPS)
    running = house.start("run", "late", DAY)
    running.says("raw: started")
    told = house("explain", RUN, "raw", "--json").document
    deadline = next(clock for clock in told["clocks"] if clock["name"] == "deadline")
    assert deadline["counts_from"].startswith("10m after the first report")
    assert [member["member"] for member in told["missing"] if member["external"]] == ["odds"]
    assert f"shotclock report {RUN} raw odds succeeded" in [command["command"] for command in told["commands"]]
    waiting = house("explain", RUN, "publish")
    assert "waits for raw (active)" in waiting.out
    assert house("report", RUN, "raw", "odds", "succeeded").code == 0
    assert running.finish().code == 0


def test_a_report_is_answered_by_its_exit_code(house: House) -> None:
    house.pipeline("late", FILE.replace("after: 2s", "after: 10m"), STEPS)
    running = house.start("run", "late", DAY)
    running.says("raw: started")
    assert house("report", RUN, "raw", "oddz", "succeeded").code == 3
    assert "late.raw.oddz" not in house("status", RUN).out
    assert "raw.oddz" in house("status", RUN).out
    assert house("report", RUN, "raw", "odds", "failed", "--reason", "down", "--retry").code == 0
    assert house("missing", RUN, "raw").lines[-1].endswith("reports from outside: down")
    assert house("report", RUN, "raw", "odds", "succeeded", "--part", "1", "--of", "2").code == 0
    assert house("report", RUN, "raw", "odds", "succeeded", "--part", "2").code == 0
    assert running.finish().code == 0
    assert house("report", f"{RUN}#7", "raw", "odds", "succeeded").code == 3
    wrong = house("report", RUN, "raw", "odds", "succeeded", "--outputs", "[1]")
    assert (wrong.code, len(wrong.err.splitlines())) == (2, 1)


def test_a_withdrawn_member_is_not_waited_for(house: House) -> None:
    house.pipeline("late", FILE.replace("after: 2s", "after: 10m"), STEPS)
    running = house.start("run", "late", DAY)
    running.says("raw: started")
    assert house("withdraw", RUN, "raw", "odds", "--reason", "no odds today").code == 0
    assert running.finish().code == 0


def test_a_forced_phase_opens_partial(house: House) -> None:
    house.pipeline("late", FILE.replace("after: 2s", "after: 10m"), STEPS)
    running = house.start("run", "late", DAY)
    running.says("raw: started")
    assert house("force", RUN, "raw", "--reason", "gone").code == 0
    assert running.finish().code == 3


def test_a_halted_run_waits_and_goes_on_when_it_is_resumed(house: House) -> None:
    house.pipeline("late", FILE.replace("after: 2s", "after: 10m"), STEPS)
    running = house.start("run", "late", DAY)
    running.says("raw: started")
    assert house("halt", "late", "--reason", "bad deploy").code == 0
    assert "bad deploy" in running.says("halted")
    assert house("report", RUN, "raw", "odds", "succeeded").code == 0
    assert "shotclock resume late" in house("explain", RUN, "raw").out
    assert house("resume", "late").code == 0
    assert running.finish().code == 0
    assert house("resume", "late").code == 2
