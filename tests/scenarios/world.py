"""A world in which a promise is tried: a pipeline file, a coordinator, a clock to move, workers that take steps."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Condition
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from shotclock import Coordinator, Engine, Report, Settings, load
from shotclock.clock import SystemClock
from shotclock.context import Context
from shotclock.core.flags import safe
from shotclock.engine.asking import Asking
from shotclock.engine.assign import Assigner
from shotclock.engine.job import Job
from shotclock.engine.listing import enumerate_items
from shotclock.engine.members import perform
from shotclock.engine.relay import Relay
from shotclock.engine.working import Lease
from shotclock.errors import BusError, StoreUnavailableError
from shotclock.model import (
    KINDS,
    Answer,
    Counts,
    Kind,
    Mark,
    Opening,
    OutcomeKind,
    Phase,
    Plan,
    Rule,
    Run,
    Task,
    TaskReport,
)
from shotclock.ports import Snapshot, Store, Transaction

NOON = datetime(2025, 1, 15, 12, tzinfo=UTC)
DAY = "2025-01-15"
HEAD = """from datetime import datetime, timedelta, UTC
from shotclock import Empty, Item, Permanent, Retry, Skipped, Succeeded
"""
WRITES = frozenset(
    {"add_run", "put_run", "put_phase", "add_page", "add_names", "add_tasks", "put_tasks", "add_opening"}
)
WRITES |= {"append", "remove_entries", "tally", "post", "take_outbox", "sent", "unsent", "put_halt", "beat"}

PATIENCE = 30.0
"""Seconds after which what a thread was to do will not come."""

T = TypeVar("T")
_numbers = count(1)


class MovedClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def jitter(self) -> float:
        return 0.5


class Line:
    """A bus and a channel that take what they are given, or refuse it as often as they are told to."""

    def __init__(self) -> None:
        self.refusing = 0
        self.rung: list[str] = []
        self.alerts: list[Mapping[str, Any]] = []
        self.deaf = False
        """Whether alerts are refused."""
        self._came = Condition()

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        if self.refusing:
            self.refusing -= 1
            message = "the bus is down"
            raise BusError(message)
        self.rung.append(f"{route} {body.get('phase', '')}")

    def wait(self, timeout: float) -> bool:
        return timeout < 0

    def close(self) -> None:
        self.rung.clear()

    def send(self, alert: Mapping[str, Any]) -> None:
        if self.deaf:
            message = "nobody answers"
            raise ConnectionError(message)
        with self._came:
            self.alerts.append(alert)
            self._came.notify_all()

    def await_alert(self, fact: str) -> None:
        """Return once an alert of that fact has come, where a thread of the service's own delivers it."""
        with self._came:
            assert self._came.wait_for(lambda: any(alert["fact"] == fact for alert in self.alerts), PATIENCE), fact


class _Flawed:
    """A transaction that fails at one of its writes."""

    def __init__(self, tx: Transaction, store: "FlawedStore") -> None:
        self._tx = tx
        self._store = store

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transaction has
        self._store.meets(name)
        return getattr(self._tx, name)


class FlawedStore:
    """A store that fails when told to: at its n-th write, at all of them, or when something is read."""

    def __init__(self, store: Store) -> None:
        self.inner = store
        self.fail_at: int | None = None
        self.down = False
        self.unreadable: str | None = None
        self._seen = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self.inner, name)

    def meets(self, name: str) -> None:
        if name in WRITES:
            self._seen += 1
        if self.down or name == self.unreadable or (name in WRITES and self._seen == self.fail_at):
            message = f"the store fails at {name}"
            raise StoreUnavailableError(message)

    def write(self, work: Callable[[Transaction], T]) -> T:
        self._seen = 0
        return self.inner.write(lambda tx: work(cast("Transaction", _Flawed(tx, self))))


class World:
    """One store, one pipeline, and short words for what a scenario does to them."""

    def __init__(self, store: Store, home: Path, **settings: object) -> None:
        self.store = FlawedStore(store)
        self.home = home
        self.settings = Settings(home=home, **settings)  # type: ignore[arg-type]  # fields of the settings
        self.clock = MovedClock()
        self.line = Line()
        self.coordinator = Coordinator(cast("Store", self.store), self.settings, self.clock)
        self.package = f"world{next(_numbers)}"
        self.plan = Plan(pipeline="p")

    # --- the pipeline ---

    def pipeline(self, file: str, steps: str = "") -> Plan:
        """Write a pipeline file; `here:` stands for the module that holds its functions."""
        folder = self.home / self.package
        folder.mkdir(parents=True, exist_ok=True)
        text = f"pipeline: p\n{file}".replace("here:", f"{self.package}.steps:")
        (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
        (folder / "steps.py").write_text(HEAD + steps, encoding="utf-8")
        self.plan = load(folder)
        return self.plan

    def start(self, file: str = "", steps: str = "", key: str = DAY) -> Run:
        """Start a run, of the pipeline given or of the one that is there."""
        if file:
            self.pipeline(file, steps)
        return self.coordinator.start(self.plan, key)[0]

    @property
    def steps(self) -> Any:  # noqa: ANN401 - the module of a scenario
        """The module of the pipeline's functions."""
        return sys.modules[f"{self.package}.steps"]

    # --- what happens ---

    def say(
        self, member: str, outcome: OutcomeKind = "succeeded", phase: str = "raw", run: str = f"p/{DAY}", **more: object
    ) -> Answer:
        """Report from outside."""
        report = Report(run=run, phase=phase, member=member, outcome=outcome, **more)  # type: ignore[arg-type]  # fields
        return self.coordinator.report([report])[0]

    def in_present(self) -> "World":
        """Set the clock to now, for promises about what really runs."""
        self.clock.instant = SystemClock().now()
        return self

    def go(self, **span: float) -> None:
        """Let time pass, a minute at most between two looks."""
        until = self.clock.instant + timedelta(**span)
        while self.clock.instant < until:
            self.clock.instant = min(self.clock.instant + timedelta(minutes=1), until)
            self.look()

    def leap(self, **span: float) -> None:
        """Let time pass without anybody looking, as when every process is down; then look."""
        self.clock.instant += timedelta(**span)
        self.look()

    def look(self) -> None:
        """Sweep, and deliver what is ready."""
        while self.coordinator.sweep():
            pass
        relay = Relay(self.coordinator, self.line, self.line)
        relay.deliver()
        relay.close()

    # --- what there is ---

    def run(self, run: str = f"p/{DAY}") -> Run:
        found = self.store.read(lambda view: view.run(run))
        assert isinstance(found, Run)
        return found

    def phase(self, name: str = "raw", run: str = f"p/{DAY}") -> Phase:
        found = self.store.read(lambda view: view.phase_of(run, name))
        assert isinstance(found, Phase)
        return found

    def mark(self, name: str = "raw") -> Mark:
        mark = self.phase(name).mark
        assert mark is not None
        return mark

    def opening(self, name: str = "raw", run: str = f"p/{DAY}") -> Opening | None:
        phase = self.phase(name, run)
        found: Opening | None = self.store.read(lambda view: view.opening(phase.id))
        return found

    def opened(self, name: str = "raw", run: str = f"p/{DAY}") -> Opening:
        found = self.opening(name, run)
        assert found is not None, f"{name} has not opened: {self.phase(name, run)}"
        return found

    def tasks(self, name: str = "raw", run: str = f"p/{DAY}") -> list[Task]:
        phase = self.phase(name, run)
        found: list[Task] = self.store.read(lambda view: _tasks(view, phase.id))
        return found

    def kinds(self, name: str = "raw", run: str = f"p/{DAY}") -> Counter[Kind]:
        """Count the members by looking at each of them; the phase's own counts must say the same."""

        def of_one_moment(view: Snapshot) -> tuple[list[Task], Counts]:
            phase = view.phase_of(run, name)
            assert isinstance(phase, Phase)
            return _tasks(view, phase.id), phase.counts

        tasks, counts = self.store.read(of_one_moment)
        counted = Counter(KINDS[code] for task in tasks for code in task.kinds)
        assert counts.expected + counts.withdrawn == counted.total()
        for kind, number in counted.items():
            assert sum(tally.of(kind) for tally in (counts.critical, counts.required, counts.optional)) == number
        return counted

    def alerts(self, fact: str | None = None) -> list[Mapping[str, Any]]:
        """Return the alerts that were delivered."""
        return [alert for alert in self.line.alerts if fact in {None, alert["fact"]}]

    def handovers(self, phase: str) -> int:
        """Return how often the start of a phase was told."""
        return self.line.rung.count(f"handover {phase}")

    def rows(self) -> list[tuple[str, tuple[Any, ...]]]:
        return list(self.store.dump())

    # --- who works ---

    def worker(self, name: str = "w1") -> "StepWorker":
        return StepWorker(self, name)

    def engine(self, **more: Any) -> Engine:  # noqa: ANN401 - parts of an engine
        return Engine(cast("Store", self.store), self.settings, SystemClock(), **more)

    def close(self) -> None:
        with suppress(ValueError):
            sys.path.remove(str(self.home))
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]


class StepWorker:
    """A worker that does one step when it is told to, by the same doors as every worker."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self.name = name
        self._assigner = Assigner(cast("Store", world.store), world.settings)

    def take(self, busy: int = 0) -> list[Lease]:
        """Lease what may run now; `busy` tasks are in hand already, of each phase."""
        phases = self._world.store.read(lambda view: view.active())
        held = {phase.id: busy for phase in phases}
        return self._world.coordinator.lease(self.name, held)

    def answer(self, lease: Lease) -> TaskReport:
        """Carry out the function of a task."""
        (job,) = self._assigner.jobs([lease])
        asked: dict[str, Rule] = {}
        asking = Asking(job.assignment, safe, asked.__setitem__)
        context = Context(job.assignment, settled=lambda: self._assigner.settled(lease.phase), flags=asking)
        return replace(self._done(job, context), flags=asked)

    def _done(self, job: Job, context: Context) -> TaskReport:
        if job.work == "enumerate":
            return enumerate_items(job, context, self._world.coordinator, self._page(job))
        return perform(job, context)

    def _page(self, job: Job) -> int:
        chunk = self._world.plan.phase(job.assignment.phase).execution.chunk
        return max(self._world.settings.page // chunk, 1) * chunk

    def tell(self, report: TaskReport) -> Answer:
        """Report."""
        return self._world.coordinator.task_report(report)

    def step(self) -> int:
        """Take what there is, carry it out, report it; return how many tasks there were."""
        given = self.take()
        for lease in given:
            self.tell(self.answer(lease))
        return len(given)

    def work(self) -> int:
        """Step until there is nothing to do at this moment; return how many tasks there were."""
        total = 0
        while done := self.step():
            total += done
        return total


def _tasks(view: Snapshot, phase: int) -> list[Task]:
    found, after = list[Task](), -1
    while batch := view.tasks(phase, after=after):
        found += batch
        after = found[-1].lo
    return found
