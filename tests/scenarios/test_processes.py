"""Promises about several processes over one home, some of which are killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from shotclock import Settings, open_store
from tests.scenarios.world import World

ROOT = Path(__file__).parents[2]
PATIENCE = 60

FORKING = """
import os, signal, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from shotclock import Coordinator, Report, Settings, load, open_store

HOME = Path(sys.argv[1])
SETTINGS = Settings(home=HOME)
PLAN = load(HOME / "days")
NOON = datetime(2025, 1, 15, 12, tzinfo=UTC)

class Clock:
    def __init__(self, minutes=0):
        self.instant = NOON + timedelta(minutes=minutes)
    def now(self):
        return self.instant
    def jitter(self):
        return 0.5

def coordinator(minutes=0, store=None):
    return Coordinator(store or open_store(SETTINGS), SETTINGS, Clock(minutes))

def say(coordinator, *members):
    said = [Report(run="days/2025-01-15", phase="raw", member=name, outcome="succeeded", rows=1) for name in members]
    return [answer.kind for answer in coordinator.report(said)]

def together(number, work):
    # All children wait for one word, so that they work at once; each says one line.
    ready, go = os.pipe(), os.pipe()
    children = []
    for one in range(number):
        pid = os.fork()
        if pid == 0:
            os.close(go[1])
            os.read(go[0], 1)
            os.write(ready[1], (str(work(one)) + chr(10)).encode())
            os._exit(0)
        children.append(pid)
    os.close(go[1])
    assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
    os.close(ready[1])
    return os.fdopen(ready[0]).read().split()
"""

FILE = """pipeline: days
phases:
  raw: {members: {a: {external: true}, b: {external: true}}, gate: {deadline: {after: 30m, from: run_start}}}
  next: {needs: [raw], members: {n: {external: true}}}
"""
MANY = """pipeline: days
phases:
  raw: {members: {a: {external: true}, b: {external: true}}}
  items: {needs: [raw], items: "x:players", run: "x:work", execution: {mode: parallel, max_workers: 4, chunk: 2}}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "pipeline.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def after(home: Path) -> Iterator[World]:
    """Give the home as it is found when every process has ended."""
    store = open_store(Settings(home=home))
    yield World(store, home)
    store.close()


def processes(home: Path, script: str) -> list[str]:
    """Run a script that forks, and return the lines it says."""
    words = [sys.executable, "-c", FORKING + dedent(script), str(home)]
    path = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(words, env=path, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


RUN = "days/2025-01-15"


def test_sweeps_of_two_processes_at_one_deadline_open_once_and_alert_once(home: Path, after: World) -> None:
    script = """
    day = coordinator()
    day.start(PLAN, "2025-01-15")
    say(day, "a")
    day.store.close()
    print(*together(2, lambda one: coordinator(30).sweep()))
    """
    assert len(processes(home, script)) == 2
    assert after.opened(run=RUN).missing == ("b",)
    keys = [row[1] for table, row in after.rows() if table == "outbox"]
    assert sum(":opening:" in str(key) for key in keys) == 1
    assert sum(str(key).startswith("handover:2:") for key in keys) == 1


def test_fifty_processes_that_start_one_run_make_one_and_all_get_it(home: Path, after: World) -> None:
    script = """
    def start(one):
        day = coordinator()
        run, new = day.start(PLAN, "2025-01-15")
        assert day.store.read(lambda view: view.run(run.id)).state == "running"
        return f"{run.id}:{new}"
    print(*together(50, start))
    """
    said = processes(home, script)
    assert sorted(said) == [f"{RUN}:False"] * 49 + [f"{RUN}:True"]
    assert sum(table == "run" for table, _ in after.rows()) == 1


def test_a_process_that_is_killed_at_any_write_loses_nothing_and_doubles_nothing(home: Path) -> None:
    """A day is done by a process that dies at its n-th write or commit, then by one that lives; for every n."""
    script = """
    from shotclock.engine.working import Held
    from shotclock.model import KINDS, TaskReport
    from shotclock.stores.sqlite import SqliteStore

    class Deadly:
        def __init__(self, store, left):
            self.inner, self.left = store, left
        def __getattr__(self, name):
            return getattr(self.inner, name)
        def write(self, work):
            result = self.inner.write(lambda tx: work(Watched(tx, self)))
            self.point()
            return result
        def point(self):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    class Watched:
        def __init__(self, tx, deadly):
            self.tx, self.deadly = tx, deadly
        def __getattr__(self, name):
            if name.startswith(("add_", "put_", "append", "post", "take_", "tally")):
                self.deadly.point()
            return getattr(self.tx, name)

    def day(file, left, minutes):
        store = SqliteStore(file, busy=SETTINGS.store_busy, backlog=SETTINGS.backlog)
        one = coordinator(minutes, Deadly(store, left))
        one.start(PLAN, "2025-01-15")
        for member in "ab":
            assert say(one, member)[0] in {"accepted", "duplicate"}
            os.write(ACKNOWLEDGED[1], member.encode())
        while leases := one.lease(f"w{left}", {}):
            for task in (lease.task for lease in leases):
                held = Held(phase=task.phase, work=task.work, lo=task.lo, token=task.token)
                if task.work == "enumerate":
                    one.add_pages(held, 0, [[(str(number), None) for number in range(6)]])
                kinds = bytes([1]) * (task.hi - task.lo)
                ids = {"phase": task.phase, "work": task.work, "lo": task.lo, "token": task.token}
                assert one.task_report(TaskReport(kinds=kinds, **ids)).kind == "accepted"
        store.close()

    def stored(file):
        # The members that have settled, by counting rows; the phases' counts must say the same.
        store = SqliteStore(file, busy=SETTINGS.store_busy, backlog=SETTINGS.backlog)
        phases = store.read(lambda view: view.phases("days/2025-01-15"))
        kinds = [[KINDS[code] for task in store.read(lambda view: view.tasks(phase.id)) for code in task.kinds]
                 for phase in phases]
        assert [phase.counts.satisfied for phase in phases] == [one.count("succeeded") for one in kinds]
        rows = [(table, row[1]) for table, row in store.dump() if table in {"opening", "outbox"}]
        run = store.read(lambda view: view.run("days/2025-01-15"))
        store.close()
        return run, kinds, len(rows), len(set(rows))

    def life(file, left, minutes):
        pid = os.fork()
        if pid == 0:
            day(file, left, minutes)
            os._exit(0)
        return os.waitpid(pid, 0)[1]

    point = 0
    while True:
        point += 1
        ACKNOWLEDGED = os.pipe()
        file = HOME / f"{point}.db"
        ended = life(file, point, 0)
        assert ended in {0, signal.SIGKILL}, ended
        os.close(ACKNOWLEDGED[1])
        told = os.read(ACKNOWLEDGED[0], 10).decode()
        os.close(ACKNOWLEDGED[0])
        _, kinds, *_ = stored(file)
        assert not told or kinds[0].count("succeeded") >= len(told), (point, told, kinds)
        ACKNOWLEDGED = os.pipe()
        assert life(file, -1, 2) == 0
        run, kinds, rows, different = stored(file)
        assert (run.state, kinds) == ("complete", [["succeeded"] * 2, ["succeeded"] * 6]), (point, run, kinds)
        assert (rows, different) == stored_once if point > 1 else True
        stored_once = (rows, different)
        if ended == 0:
            break
    print(point)
    """
    (home / "days" / "pipeline.yaml").write_text(MANY, encoding="utf-8")
    (points,) = processes(home, script)
    assert int(points) > 30


def test_a_task_that_hangs_is_cut_at_its_timeout_and_the_others_run(world: World) -> None:
    steps = "import time\ndef hangs(ctx):\n    time.sleep(600)\ndef quick(ctx):\n    return Succeeded()\n"
    members = "{first: 'here:hangs', second: 'here:quick', third: 'here:quick'}"
    execution = "{mode: process, max_workers: 1, timeout: 1s, attempts: 1}"
    file = f"phases:\n  raw: {{members: {members}, execution: {execution}, gate: {{hopeless: open}}}}\n"
    run = world.in_present().start(file, steps)
    engine = world.engine()
    assert engine.until_over(run.id).state == "partial"
    engine.close()
    assert world.kinds() == {"timed_out": 1, "succeeded": 2}
    assert world.opened().missing == ("first",)
