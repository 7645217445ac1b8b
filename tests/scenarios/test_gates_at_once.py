"""Ten coordinators and thousands of gates at their deadline at once: each gate opens once, and is told of once."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from shotclock import Coordinator, Report, Settings, load, open_store
from shotclock.clock import SystemClock, stopwatch
from shotclock.ports import Snapshot, Store
from tests.scenarios.conftest import Places

ROOT = Path(__file__).parents[2]
PROCESSES = 10
GATES = 500 if os.environ.get("SHOTCLOCK_PROOF") == "slice" else 10_000
EACH = 10
"""Gates of a run."""
FILE = "pipeline: gates\nphases:\n" + "".join(
    f"  p{number}: {{members: {{a: {{external: true}}, b: {{external: true}}}},"
    " gate: {deadline: {after: 30m, from: run_start}}}\n"
    for number in range(EACH)
)
LATER = 45
"""Minutes after the start, when every deadline has passed."""


def waiting(store: Store, home: Path) -> list[tuple[str, str]]:
    """Start the runs, half of whose members report; return the gates that then wait for their deadline."""
    (home / "gates").mkdir()
    (home / "gates" / "pipeline.yaml").write_text(FILE, encoding="utf-8")
    plan, coordinator = load(home / "gates"), Coordinator(store, Settings(home=home), SystemClock())
    with ThreadPoolExecutor(20) as pool:
        runs = list(pool.map(lambda key: coordinator.start(plan, f"k{key}")[0].id, range(GATES // EACH)))
    gates = [(run, phase.name) for run in runs for phase in plan.phases]
    for first in range(0, len(gates), 500):
        said = [
            Report(run=run, phase=name, member="a", outcome="succeeded") for run, name in gates[first : first + 500]
        ]
        assert {answer.kind for answer in coordinator.report(said)} == {"accepted"}
    return gates


def coordinated(home: Path, place: str) -> tuple[list[tuple[str, str, str]], float]:
    """Have the coordinators see to all that is due, from one moment on; return the alerts they sent, and how long."""
    words = [sys.executable, "-m", "tests.scenarios.coordinator", str(home), place, str(LATER)]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    with ExitStack() as stack:
        started = [stack.enter_context(_started(words, path)) for _ in range(PROCESSES)]
        inputs = [process.stdin for process in started if process.stdin]
        assert [process.stdout.readline() for process in started if process.stdout] == ["ready\n"] * PROCESSES
        passed = stopwatch()
        for pipe in inputs:
            pipe.write("go\n")
            pipe.flush()
        said = [process.communicate()[0] for process in started]
        took = passed().total_seconds()
    assert [process.returncode for process in started] == [0] * PROCESSES
    return [(run, phase, fact) for text in said for run, phase, fact in json.loads(text)], took


def _started(words: list[str], path: dict[str, str]) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env=path, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 - our own interpreter


@pytest.mark.long
@pytest.mark.parametrize("places", ["file", "postgres"], indirect=True)
def test_each_gate_opens_once_and_is_told_of_once_however_many_look(
    tmp_path: Path, places: Places, record_property: Callable[[str, object], None]
) -> None:
    with places() as place, closing(open_store(Settings(home=tmp_path, store=place))) as store:
        gates = waiting(store, tmp_path)
        told, took = coordinated(tmp_path, place)
        record_property(f"{PROCESSES} coordinators over {GATES:,} gates at once", f"{took:.1f} s")
        assert Counter(told) == Counter((run, phase, "opening") for run, phase in gates)
        rows = Counter(table for table, _ in store.dump())
        assert (rows["phase"], rows["opening"]) == (GATES, GATES)
        assert store.read(_facts) == [("deadline", True, ("b",))]
        assert {run.state for run in store.read(lambda view: view.runs(limit=GATES))} == {"partial"}
        kept = [row[1] for table, row in store.dump() if table == "outbox" and not row[4]]
        unsent = [key for key in kept if not key.startswith("look:")]  # whether what was told is over is asked on
        assert unsent == []


def _facts(view: Snapshot) -> list[tuple[str, bool, tuple[str, ...]]]:
    """Return how the gates have opened: each way once."""
    phases = [phase for run in view.runs(limit=GATES) for phase in view.phases(run.id)]
    openings = [opening for phase in phases if (opening := view.opening(phase.id)) is not None]
    return list({(opening.reason, opening.partial, opening.missing or ()) for opening in openings})
