"""The story that is killed everywhere: a run that opens partial, is completed late, and is done again in part.

Two processes share a home folder, and a store in it or on a server. The door reports for members outside, as another
program would, and notes each answer it got; the engine does all the rest. Both can be killed and started again at any
moment.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg import sql

from shotclock.buses import open_bus
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
from shotclock.ports import Bus, Snapshot, Store
from shotclock.postgres import Limits, address_of, connect
from shotclock.settings import Settings, load
from shotclock.stores import open_store
from shotclock.stores.postgres_keeping import initialise
from shotclock.testing.points import Points
from shotclock.warehouse.duckdb import DuckDBWarehouse

RUN = "day/2025-01-15"
GENERATIONS = 3
SERVER = "CRASH_SERVER"
"""Environment variable that names the PostgreSQL database whose schemas are the stores; without it they are files."""
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
    quick = {
        "poll": 10 * _MS,
        "sweep": 20 * _MS,
        "outbox_hold": 100 * _MS,
        "alerts_send": 50 * _MS,
        "late_settling": _MS,
    }
    patient = {
        "retry_first": _MS,
        "retry_most": _MS,
        "page": 3,
        "store_busy": timedelta(minutes=1),
        "lease": timedelta(minutes=2),
        "store_statement": timedelta(seconds=90),
    }
    server = os.environ.get(SERVER)
    store = f"{server}?schema={home.name}" if server else ""
    return load({"home": home, "store": store, **quick, **patient}, {})


def opened(home: Path) -> Store:
    """Open the store, and make it if nobody has yet, as an operator or the file itself does."""
    own = settings(home)
    if own.store:
        initialise(address_of(own.store), Limits.of(own))
    return open_store(own)


def drop(home: Path) -> None:
    """Drop a store on a server, which does not go with the home folder."""
    own = settings(home)
    if own.store:
        address = address_of(own.store)
        with connect(address, Limits.of(own)) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(address.schema)))


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


class Bells:
    """The bus that goes with the store; it notes what was rung, once it was."""

    def __init__(self, home: Path, points: Points) -> None:
        self._bus: Bus = open_bus(settings(home))
        self._home = home
        self._points = points
        self.wait, self.close = self._bus.wait, self._bus.close

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        """Ring between two points."""
        self._points.around("ring", lambda: self._ring_and_note(route, body))

    def _ring_and_note(self, route: str, body: Mapping[str, Any]) -> None:
        self._bus.ring(route, body)
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
    store, bus = opened(home), Bells(home, points)
    (home / "ready").touch()
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
    """Return the keys of messages that are not marked as delivered; a reminder to look again is told to nobody."""
    posted = [row for table, row in store.dump() if table == "outbox"]
    return [str(row[1]) for row in posted if not row[4] and row[2] != "look"]


def _newest(view: Snapshot) -> Run | None:
    return view.newest(RunId.parse(RUN))


def _is_over(view: Snapshot, generation: int) -> bool:
    run = _newest(view)
    return run is not None and run.generation >= generation and run.state != "running"


# --- the door ---


def door(home: Path, points: Points) -> None:
    """Say what the story wants, each word again until it was answered, and note the answers.

    It waits for the engine to be ready, so that one of the two makes the store, always the same.
    """
    bus = Bells(home, points)
    while not (home / "ready").exists():
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
