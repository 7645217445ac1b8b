"""A day of one pipeline for tests: its coordinator, a clock that only moves when told to, and short words for both."""

from datetime import UTC, datetime, timedelta

from shotclock.engine import judging
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Desk
from shotclock.engine.working import Held
from shotclock.model import (
    Answer,
    Execution,
    Gate,
    Items,
    Member,
    Opening,
    OutcomeKind,
    Outgoing,
    Phase,
    PhasePlan,
    Plan,
    Report,
    Run,
    Task,
    TaskReport,
)
from shotclock.ports import Store, Transaction
from shotclock.settings import Settings

START = datetime(2025, 1, 15, 12, tzinfo=UTC)
KEY = "2025-01-15"


class StandingClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def jitter(self) -> float:
        return 0.5


class Day:
    """One pipeline's coordinator, with short words for what tests do to it."""

    def __init__(self, store: Store) -> None:
        self.clock = StandingClock()
        self.settings = Settings()
        self.coordinator = Coordinator(store, self.settings, self.clock)
        self.store = store
        self.plan = Plan(pipeline="p")

    def start(self, *phases: PhasePlan, key: str = KEY, **plan: object) -> Run:
        self.plan = Plan(pipeline="p", phases=phases, **plan)  # type: ignore[arg-type]  # fields of a plan
        return self.coordinator.start(self.plan, key)[0]

    def say(self, member: str, outcome: OutcomeKind = "succeeded", phase: str = "raw", **more: object) -> Answer:
        run = str(more.pop("run", f"p/{KEY}"))
        report = Report(run=run, phase=phase, member=member, outcome=outcome, **more)  # type: ignore[arg-type]  # fields
        return self.coordinator.report([report])[0]

    def pass_time(self, **span: float) -> None:
        self.clock.instant += timedelta(**span)
        while self.coordinator.sweep():
            pass

    def close_only(self, name: str = "raw") -> None:
        """Decide a phase as a process does that dies before it opens what it has closed."""

        def work(tx: Transaction) -> None:
            desk = Desk(tx, self.clock.now(), self.settings, self.clock.jitter)
            phase = desk.phase_of(f"p/{KEY}", name)
            assert phase is not None
            desk.touch(phase)
            judging.settle_desk(desk)

        self.store.write(work)
        assert self.phase(name).state == "closing"

    def run(self, run_id: str = f"p/{KEY}") -> Run:
        run = self.store.read(lambda view: view.run(run_id))
        assert run is not None
        return run

    def phase(self, name: str = "raw", run_id: str = f"p/{KEY}") -> Phase:
        phase = self.store.read(lambda view: view.phase_of(run_id, name))
        assert phase is not None
        return phase

    def opening(self, name: str = "raw", run_id: str = f"p/{KEY}") -> Opening | None:
        phase = self.phase(name, run_id)
        return self.store.read(lambda view: view.opening(phase.id))

    def told(self) -> list[Outgoing]:
        """Return what is in the outbox and was not delivered."""
        return self.store.write(lambda tx: tx.take_outbox(self.clock.now(), 1_000, timedelta(0)))

    def alerts(self) -> list[str]:
        return [str(message.body["fact"]) for message in self.told() if message.route == "alert"]

    def lease(self, owner: str = "w") -> list[Task]:
        return [lease.task for lease in self.coordinator.lease(owner, {})]

    def done(self, task: Task, kind: int = 1, **more: object) -> Answer:
        report = TaskReport(
            phase=task.phase,
            work=task.work,
            lo=task.lo,
            token=task.token,
            kinds=bytes([kind]) * (task.hi - task.lo),
            **more,  # type: ignore[arg-type]  # fields of a report
        )
        return self.coordinator.task_report(report)

    def enumerate(self, *pages: list[str]) -> None:
        (task,) = self.lease()
        assert task.work == "enumerate"
        for number, names in enumerate(pages):
            self.coordinator.add_pages(held(task), number, [[(name, None) for name in names]])
        assert self.done(task).kind == "accepted"


def held(task: Task) -> Held:
    return Held(phase=task.phase, work=task.work, lo=task.lo, token=task.token)


def external(*names: str, gate: Gate | None = None, name: str = "raw", needs: tuple[str, ...] = ()) -> PhasePlan:
    """Return a phase of external members; a name that starts with ! is critical, with ? optional."""
    return PhasePlan(name=name, needs=needs, members=tuple(map(_member, names)), gate=gate or Gate())


def _member(name: str) -> Member:
    importance = {"!": "critical", "?": "optional"}.get(name[0], "required")
    return Member(name=name.lstrip("!?"), importance=importance)  # type: ignore[arg-type]  # one of the three


def fan_out(
    *,
    name: str = "items",
    needs: tuple[str, ...] = (),
    gate: Gate | None = None,
    then: str | None = None,
    chunk: int = 2,
    **execution: object,
) -> PhasePlan:
    return PhasePlan(
        name=name,
        needs=needs,
        items=Items(source="x:items", run="x:work"),
        execution=Execution(mode="parallel", max_workers=100, chunk=chunk, **execution),  # type: ignore[arg-type]  # fields
        gate=gate or Gate(),
        then=then,
    )
