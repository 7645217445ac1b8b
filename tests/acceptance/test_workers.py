"""Workers: processes that work on whatever there is, stop cleanly, and share the work with others."""

import json
import signal
from contextlib import closing
from pathlib import Path

import pytest

from shotclock import Coordinator, Settings, load
from shotclock.clock import SystemClock
from tests.acceptance.house import DAY, House
from tests.acceptance.test_interrupted import AT_ONCE, go, slow

RUN = f"slow/{DAY}"
FILE = """
phases:
  raw:
    members:
      plain: {run: "cards.steps:plain"}
      card: {run: "cards.steps:card", needs: [gpu]}
"""
STEPS = """
def plain(ctx): return Succeeded()
def card(ctx): return Succeeded(outputs={"show": "made on a card"})
"""


def started(house: House, pipeline: Path) -> str:
    """Start a run that nobody works on yet."""
    (house.folder / ".shotclock").mkdir(exist_ok=True)
    with closing(house.store()) as store:
        home = Settings(home=house.folder / ".shotclock")
        return Coordinator(store, home, SystemClock()).start(load(pipeline), DAY)[0].id


def test_workers_work_on_a_run_that_is_there_until_they_are_told_to_stop(house: House) -> None:
    slow(house)
    go(house)
    run = started(house, house.folder / "slow")
    worker = house.start("worker", "slow")
    worker.says("scores.then: done")
    assert house("status", run, "--json").document["state"] == "complete"
    done = worker.send(signal.SIGTERM).finish()
    assert (done.code, done.err.splitlines()[-1]) == (0, "stopping: members have 5s to end; once more ends at once")
    assert done.lines[-1].endswith("stopped: 7 done")


def test_a_worker_logs_what_happens_as_lines_that_machines_read(house: House) -> None:
    slow(house)
    go(house)
    run = started(house, house.folder / "slow")
    worker = house.start("worker", "slow")
    worker.says("scores.then: done")
    done = worker.send(signal.SIGTERM).finish()
    lines = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    events = [line["event"] for line in lines if line.get("run") == run and "event" in line]
    assert {"gate.opened", "phase.done", "run.ended"} <= set(events)
    assert {line["severity"] for line in lines} == {"INFO"}


def test_a_worker_that_is_told_to_stop_gives_back_what_does_not_end_and_leaves(house: House) -> None:
    slow(house)
    started(house, house.folder / "slow")
    worker = house.start("worker", more={**AT_ONCE, "SHOTCLOCK_HEARTBEAT": "100ms"})
    worker.says("items 0-1: done")
    (seen,) = house("processes", "--json").document
    assert (seen["kind"], seen["alive"], seen["held"]) == ("worker", True, {f"{RUN} scores": 2})
    done = worker.send(signal.SIGINT).finish()
    assert done.code == 0, done.err
    (seen,) = house("processes", "--all", "--json").document
    assert (seen["alive"], seen["held"]) == (False, {})
    assert house("processes").lines == ["no process is at work; start one: shotclock worker"]
    (waits,) = house("backlog", "--json").document
    assert (waits["tasks"], waits["items"], waits["leased"]) == (3, 6, 0)


def test_a_second_signal_ends_a_worker_at_once(house: House) -> None:
    house.pipeline("stuck", STUCK[0], STUCK[1])
    started(house, house.folder / "stuck")
    worker = house.start("worker", more={"SHOTCLOCK_STOP": "1m"})
    worker.says("raw.hangs: leased")
    worker.send(signal.SIGTERM).says("waits on")
    worker.send(signal.SIGTERM)
    assert worker.finish().code == -signal.SIGTERM


STUCK = (
    """
phases:
  raw: {members: {hangs: {run: "stuck.steps:hangs"}}}
""",
    """
import signal
from threading import Event
def hangs(ctx):
    while signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:  # until the first one has been taken
        Event().wait(0.01)
    print("waits on", flush=True)
    Event().wait()
""",
)


def test_a_foreground_run_and_workers_share_the_work_and_end_the_same_run(house: House) -> None:
    slow(house)
    first = house.start("run", "slow", DAY)
    first.says("scores: 2 of 8")
    worker = house.start("worker")
    worker.says("items 6-7: leased")
    go(house)
    done = first.finish()
    assert done.code == 0, done.err
    ended = worker.send(signal.SIGTERM).finish()
    assert (ended.code, "done" in ended.lines[-1]) == (0, True)
    said = sorted(house.file(".shotclock", "done.txt").read_text().split())
    assert said == [f"p{number}" for number in range(8)]


def test_tasks_wait_for_a_worker_that_has_what_they_need_and_it_is_named(house: House) -> None:
    house.pipeline("cards", FILE, STEPS)
    run = started(house, house.folder / "cards")
    plain = house.start("worker", "--json")
    plain.says('"task.done"')
    assert "raw waits for a worker with: gpu" in house("status", run).lines
    assert "  waits for a worker with: gpu" in house("explain", run, "raw").lines
    assert house("backlog").lines[0].endswith("waits for a worker with: gpu")
    able = house.start("worker", "--tags", "gpu", "--max", "1", "--json")
    able.says('"task.done"')
    told = [worker.send(signal.SIGTERM).finish() for worker in (plain, able)]
    assert [[one["event"] for one in done.documents] for done in told] == [
        ["worker.started", "task.leased", "task.done", "worker.stopped"]
    ] * 2
    assert [done.documents[1]["member"] for done in told] == ["plain", "card"]
    assert house("status", run, "--json").document["state"] == "complete"


@pytest.mark.parametrize("words", [["run", "cards", DAY, "--tags", "gpu"], ["run", "cards", DAY]])
def test_a_run_has_the_tags_it_is_given_or_those_of_its_settings(house: House, words: list[str]) -> None:
    house.pipeline("cards", FILE, STEPS)
    more = {} if "--tags" in words else {"SHOTCLOCK_TAGS": "gpu"}
    done = house(*words, more=more)
    assert (done.code, "made on a card" in done.out) == (0, True), done.err


def test_a_worker_is_refused_a_pipeline_whose_functions_are_not_there_and_tags_that_are_no_words(house: House) -> None:
    house.pipeline("cards", FILE, STEPS.replace("def card", "def cart"))
    done = house("worker", "cards")
    assert (done.code, "has no card; the nearest is 'cart'" in done.err) == (2, True), done.err
    assert house("worker", "--tags", "g p u").code == 2


def test_what_a_killed_worker_held_is_taken_by_the_next(house: House) -> None:
    slow(house)
    run = started(house, house.folder / "slow")
    worker = house.start("worker")
    worker.says("items 2-3: leased")
    worker.send(signal.SIGKILL).finish()
    go(house)
    (dead,) = house("processes", "--json").document
    assert (dead["alive"], sum(dead["held"].values())) == (False, 2)
    following = house.start("worker")
    following.says("scores.then: done")
    assert house("status", run, "--json").document["state"] == "complete"
    assert following.send(signal.SIGTERM).finish().code == 0
