"""The story that is killed everywhere: a run that opens partial, is completed late, and is done again in part.

Two processes share a home folder. The door reports for members outside, as another program would, and notes each answer
it got; the engine does all the rest. Both can be killed and started again at any moment.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from shotclock.buses.local import LocalBus
from shotclock.clock import SystemClock
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.embedded import Engine
from shotclock.model import (
    Anchor,
    Deadline,
    Execution,
    Gate,
    Items,
    Member,
    OutcomeKind,
    PhasePlan,
    Plan,
    Report,
    Run,
    RunId,
)
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings, load
from shotclock.stores import open_store
from shotclock.testing.points import Points
from shotclock.warehouse.duckdb import DuckDBWarehouse

RUN = "day/2025-01-15"
GENERATIONS = 3
_MS = timedelta(milliseconds=1)
_GATE = Gate(
    deadline=Deadline(after=40 * _MS, anchor=Anchor(kind="signal", signal="cutoff")),
    expected_by=timedelta(hours=1),
    late="rerun",
)
PLAN = Plan(
    pipeline="day",
    folder=str(Path(__file__).parent),
    phases=(
        PhasePlan(name="intake", members=tuple(Member(name=name) for name in "abc"), gate=_GATE),
        PhasePlan(
            name="make",
            needs=("intake",),
            members=(Member(name="table", run="tests.crash.steps:table"),),
            execution=Execution(attempts=5),
        ),
        PhasePlan(
            name="fan",
            needs=("make",),
            items=Items(source="tests.crash.steps:listed", run="tests.crash.steps:score"),
            execution=Execution(mode="process", chunk=3, attempts=5),
            then="tests.crash.steps:merge",
        ),
    ),
)


def settings(home: Path) -> Settings:
    """Return the settings of every process of the story: quick ones."""
    quick = {"poll": 10 * _MS, "sweep": 20 * _MS, "outbox_hold": 100 * _MS, "late_settling": _MS}
    patient = {"store_busy": timedelta(minutes=1), "lease": timedelta(minutes=2)}
    return load({"home": home, **quick, **patient, "retry_first": _MS, "retry_most": _MS, "page": 3}, {})


def warehouse(home: Path) -> DuckDBWarehouse:
    """Return the warehouse of a home folder."""
    return DuckDBWarehouse(home / "warehouse.duckdb", busy=timedelta(minutes=1))


def note(path: Path, what: object) -> None:
    """Add a line to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


def noted(path: Path) -> list[Any]:
    """Return the lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


class Bells(LocalBus):
    """A bus that notes what was rung, once it was."""

    def __init__(self, home: Path, points: Points) -> None:
        super().__init__(home)
        self._home = home
        self._points = points

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        """Ring between two points."""
        self._points.around("ring", lambda: self._ring_and_note(route, body))

    def _ring_and_note(self, route: str, body: Mapping[str, Any]) -> None:
        super().ring(route, body)
        note(self._home / "told", {"route": route, "body": dict(body)})


class Alerts:
    """A channel that notes what was sent."""

    def __init__(self, home: Path, points: Points) -> None:
        self._home = home
        self._points = points

    def send(self, alert: Mapping[str, Any]) -> None:
        """Send between two points."""
        self._points.around("send", lambda: note(self._home / "told", {"route": "alert", "body": dict(alert)}))


# --- the engine ---


def engine(home: Path, points: Points) -> None:
    """Work until the last generation is over and everything was told."""
    store, bus = open_store(settings(home)), Bells(home, points)
    own = Engine(
        store,
        settings(home),
        SystemClock(),
        bus=bus,
        channel=Alerts(home, points),
        warehouse=lambda _name: warehouse(home),
    )

    def tick() -> None:
        if store.read(lambda view: _is_over(view, GENERATIONS)) and not unsent(store):
            own.stop()

    own.serve(tick, 10 * _MS)
    own.close()
    bus.close()
    store.close()


def unsent(store: Store) -> list[str]:
    """Return the keys of messages that are not marked as delivered."""
    return [str(row[1]) for table, row in store.dump() if table == "outbox" and not row[4]]


def _newest(view: Snapshot) -> Run | None:
    return view.newest(RunId.parse(RUN))


def _is_over(view: Snapshot, generation: int) -> bool:
    run = _newest(view)
    return run is not None and run.generation >= generation and run.state != "running"


# --- the door ---


def door(home: Path, points: Points) -> None:
    """Say what the story wants, each word again until it was answered, and note the answers.

    It waits for the engine's bell to hang beside its own, so that one of the two makes the store, always the same.
    """
    bus = Bells(home, points)
    while not (home / "answers").exists() and len(list((home / "bells").iterdir())) == 1:
        bus.wait((10 * _MS).total_seconds())
    store = open_store(settings(home))
    coordinator = Coordinator(store, settings(home), SystemClock())

    def wait(held: Callable[[Snapshot], bool]) -> None:
        while not store.read(held):
            bus.wait((10 * _MS).total_seconds())

    def say(member: str, outcome: OutcomeKind = "succeeded") -> str:
        report = Report(run=RUN, phase="intake", member=member, outcome=outcome, rows=1)
        return coordinator.report([report])[0].kind

    words: dict[str, Callable[[], object]] = {
        "early a": lambda: say("a"),
        "start": lambda: coordinator.start(PLAN, "2025-01-15")[0].id,
        "b": lambda: say("b"),
        "b again": lambda: say("b"),
        "b contradicted": lambda: say("b", "failed"),
        "cutoff": lambda: coordinator.signal(RUN, "intake", "cutoff"),
        "first over": lambda: wait(lambda view: _is_over(view, 1)),
        "late c": lambda: say("c"),
        "second over": lambda: wait(lambda view: _is_over(view, 2)),
        "again": lambda: _again(coordinator, store),
    }
    answered = {line["word"] for line in noted(home / "answers")}
    for word, carry_out in words.items():
        if word not in answered:
            answer = carry_out()
            note(home / "answers", {"word": word, "answer": answer})
            points.reach("answered")
    bus.close()
    store.close()


def _again(coordinator: Coordinator, store: Store) -> str:
    """Have one item done again, unless that was ordered before the answer was lost."""
    run = store.read(_newest)
    assert run is not None
    if run.generation < GENERATIONS:
        run = coordinator.rerun(run.id, PLAN, "fan", ["i3"])
    return run.id
