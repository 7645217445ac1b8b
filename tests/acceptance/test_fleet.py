"""Four workers share one store while one after the other is killed: every item counts once, every phase opens once."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import count

import pytest

from shotclock.model import KINDS, PHASE_OVER, Phase, Run, Task
from shotclock.ports import Snapshot, Store
from shotclock.stores.rows import outgoing_of
from tests.acceptance.house import DAY, House, Started
from tests.acceptance.test_workers import started

WORKERS = 4
KILLED_EVERY = 2.0
"""Seconds between two kills."""
KILLS_MOST = 100
MANY = 40_000 if os.environ.get("SHOTCLOCK_PROOF") == "slice" else 100_000
RUN = f"crowd/{DAY}"
FILE = """
phases:
  raw: {members: {games: {run: "crowd.steps:games"}}}
  scores:
    needs: [raw]
    items: "crowd.steps:players"
    run: "crowd.steps:score"
    execution: {mode: parallel, max_workers: 4, chunk: 20, attempts: 3}
    then: "crowd.steps:total"
  after: {needs: [scores], members: {last: {run: "crowd.steps:last"}}}
"""
STEPS = """
import json
from threading import Event

def games(ctx):
    return Succeeded()

def players(ctx):
    return (Item(f"p{number}") for number in range(NUMBER))

def score(ctx, items):
    Event().wait(0.1)
    ctx.stage("scores.txt").write_text("\\n".join(item.id for item in items))
    return {item.id: Succeeded() for item in items}

def total(ctx):
    names = [one.name for one in ctx.settled()]
    files = {file for one in ctx.settled() for file in one.staged}
    lines = [line for file in files for line in ctx.path(file).read_text().split()]
    said = {"names": len(names), "lines": len(lines), "different": len(set(lines))}
    (ctx.published / "total.json").write_text(json.dumps(said))
    return {}

def last(ctx):
    return Succeeded()
"""


class Crowd:
    """Workers over one house, of which some are killed."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._alive = [self._worker() for _ in range(WORKERS)]
        self.killed = 0

    def _worker(self) -> Started:
        return self._house.start("worker")

    def kill_one_after_the_other_until(self, over: Callable[[], bool]) -> None:
        """Kill the worker that is longest at work and replace it, every so often."""
        for self.killed in count():
            assert self.killed < KILLS_MOST
            try:
                self._alive[0].process.wait(KILLED_EVERY)
                pytest.fail(f"a worker ended by itself: {self._alive[0].finish()}")
            except subprocess.TimeoutExpired:
                if over():
                    return
            victim = self._alive.pop(0)
            victim.send(signal.SIGKILL).finish()
            self._alive.append(self._worker())

    def stop(self) -> list[int]:
        """Ask those that live to stop, and return their exit codes."""
        return [worker.send(signal.SIGTERM).finish().code for worker in self._alive]


def crowd_over(house: House, number: int) -> int:
    """Have a crowd work on so many items, and return how many of it were killed."""
    run = started(house, house.pipeline("crowd", FILE, STEPS.replace("NUMBER", str(number))))
    crowd = Crowd(house)
    with closing(house.store()) as store:
        crowd.kill_one_after_the_other_until(lambda: _run(store, run).state != "running")
        assert crowd.stop() == [0] * WORKERS
        assert _run(store, run).state == "complete"
        store.read(exact)
    said = json.loads(house.file(".shotclock", "published", "crowd", DAY, "total.json").read_text(encoding="utf-8"))
    assert said == {"names": number, "lines": number, "different": number}
    tables = Counter(table for table, _ in house.rows())
    assert (tables["run"], tables["opening"], tables["phase"]) == (1, 3, 3)
    told = [outgoing_of(row) for table, row in house.rows() if table == "outbox"]
    assert not [message.body for message in told if message.route == "alert"]
    return crowd.killed


def _run(store: Store, run: str) -> Run:
    found = store.read(lambda view: view.run(run))
    assert found is not None
    return found


def exact(view: Snapshot) -> None:
    """Check that every phase is over and open once, and that its counts are its rows, each member settled once."""
    for phase in view.phases(RUN):
        tasks = list(_tasks(view, phase))
        kinds = Counter(KINDS[code] for task in tasks for code in task.kinds)
        assert phase.state in PHASE_OVER
        assert kinds == {"succeeded": phase.size} == {"succeeded": phase.counts.satisfied}
        settled = [place for task in tasks for batch in task.batches for span in batch.ranges for place in range(*span)]
        assert sorted(settled) == list(range(phase.size))
        opening = view.opening(phase.id)
        assert opening is not None
        assert (opening.reason, opening.partial, opening.counts) == ("all", False, phase.counts)
        assert view.leased(phase_id=phase.id) == []


def _tasks(view: Snapshot, phase: Phase) -> list[Task]:
    return view.tasks(phase.id, limit=phase.size + 1)


def test_items_count_once_however_many_workers_are_killed(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    record_property("workers killed over 20,000 items", killed := crowd_over(house, 20_000))
    assert killed >= 2


@pytest.mark.long
def test_very_many_items_count_once_however_many_workers_are_killed(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    record_property(f"workers killed over {MANY:,} items", killed := crowd_over(house, MANY))
    assert killed >= 5
