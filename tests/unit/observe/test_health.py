"""Health tells the truth, in time, and asking for it harms nobody."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from typing import cast

import pytest
from msgspec.structs import replace

from shotclock import Coordinator, Settings, open_store
from shotclock.amounts import Size
from shotclock.engine.telling import Audience
from shotclock.errors import StoreUnavailableError
from shotclock.model import Fact, Member, PhasePlan, Plan, Process
from shotclock.observe.health import Check, Health, checks_of
from shotclock.observe.metrics import Metrics
from shotclock.ports import Snapshot, Store, Transaction

NOON = datetime(2025, 1, 15, 12, tzinfo=UTC)
QUICK = Settings(health_cache=timedelta(microseconds=1), health_check=timedelta(milliseconds=50))


class Hand:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def jitter(self) -> float:
        return 0.5


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Settings(home=tmp_path))
    yield opened
    opened.close()


def started(checks: Mapping[str, Check], clock: Hand, settings: Settings = QUICK, *, beats: bool = False) -> Health:
    health = Health(checks, settings, clock, beats=beats)
    health.started()
    return health


def test_a_process_is_not_ready_before_its_self_check_and_says_what_that_found(clock: Hand) -> None:
    health = Health({}, QUICK, clock)
    assert health.ready().reasons == ("the start-up self-check has not ended",)
    health.started(["p.raw.box: there is no module boxes"])
    assert (health.live(), health.ready().ok) == (True, False)
    assert health.ready().reasons == ("self-check: p.raw.box: there is no module boxes",)
    health.started()
    assert health.ready().ok


def test_checks_that_fail_or_raise_are_named_and_their_secrets_are_not(clock: Hand) -> None:
    def raises() -> str | None:
        message = "cannot reach postgresql://ann:hunter22@host/db"
        raise OSError(message)

    ready = started({"store": raises, "disk": lambda: "full", "bus": lambda: None}, clock).ready()
    assert ready.reasons == ("store: OSError: cannot reach postgresql://ann:[redacted]@host/db", "disk: full")
    assert [check.ok for check in ready.checks] == [False, False, True]


def test_a_check_that_hangs_is_waited_for_once_and_leaves_one_thread(clock: Hand) -> None:
    free = Event()
    health = started({"slow": lambda: str(free.wait()), "good": lambda: None}, clock)
    for _ in range(5):
        ready = health.ready()
        assert ready.reasons[0].startswith("slow: no answer for ")
        assert [check.ok for check in ready.checks] == [False, True]
    hanging = [thread for thread in threads() if thread.name == "shotclock health slow"]
    free.set()
    assert len(hanging) == 1
    hanging[0].join()


def test_an_answer_is_given_again_for_a_while(clock: Hand) -> None:
    asked: list[int] = []
    health = started({"one": lambda: asked.append(1)}, clock, Settings(health_cache=timedelta(hours=1)))
    assert all(health.ready().ok for _ in range(10))
    assert len(asked) == 1


def test_a_heartbeat_that_cannot_be_written_is_shown(clock: Hand) -> None:
    health = started({}, clock, beats=True)
    health.told([Fact(name="heartbeat.written", at=NOON)])
    assert health.ready().ok
    health.told([Fact(name="heartbeat.failed", at=NOON, reason="StoreUnavailableError")])
    clock.instant += timedelta(seconds=20)
    assert health.ready().reasons == ("heartbeat: not written for 20s: StoreUnavailableError",)
    health.told([Fact(name="heartbeat.written", at=clock.now())])
    assert health.ready().ok
    clock.instant += timedelta(minutes=1)
    assert health.ready().reasons == ("heartbeat: not written for 1m",)


def test_a_listener_that_raises_is_shown_broken_and_the_process_stays_ready(clock: Hand) -> None:
    def broken(_facts: Sequence[Fact]) -> None:
        message = "no room"
        raise RuntimeError(message)

    audience = Audience({"metrics": broken})
    audience.tell([Fact(name="run.started", at=NOON)])
    health = Health({}, QUICK, clock, audience=audience)
    health.started()
    assert (health.ready().ok, health.ready().broken) == (True, {"metrics": "RuntimeError: no room (1 times)"})


PLAN = Plan(pipeline="p", phases=(PhasePlan(name="raw", members=(Member(name="a", run="x:y"),)),))


def test_the_checks_of_a_process_tell_of_work_that_waits_and_of_a_sweep_that_nobody_does(
    store: Store, clock: Hand, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, health_cache=timedelta(microseconds=1))
    health = started(checks_of(store, settings, clock), clock, settings)
    Coordinator(store, settings, clock).start(PLAN, "2025-01-15")
    assert health.ready().reasons == ()
    clock.instant += timedelta(minutes=30)
    backlog, sweep = sorted(health.ready().reasons)
    assert backlog == "backlog: p/2025-01-15 raw: tasks have waited for 30m: is a worker there?"
    assert sweep.startswith("sweep: something has been due for ")


def test_a_store_that_is_gone_is_told_within_the_time_of_a_check(store: Store, clock: Hand, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, health_cache=timedelta(microseconds=1))
    health = started(checks_of(store, settings, clock), clock, settings)
    assert health.ready().ok
    store.close()
    ready = health.ready()
    assert not ready.ok
    assert any(reason.startswith("store: ") for reason in ready.reasons)
    assert health.view(store).flags == {}


def test_no_run_that_ends_well_is_told_by_its_absence(store: Store, clock: Hand, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    run, _ = Coordinator(store, settings, clock).start(PLAN, "2025-01-15")
    check = checks_of(store, settings, clock)["success"]
    assert check() is None
    store.write(lambda tx: tx.put_run(replace(run, state="failed", ended_at=NOON)))
    assert check() is None
    store.write(lambda tx: tx.put_run(replace(run, state="complete", ended_at=NOON)))
    assert check() is None
    clock.instant += timedelta(days=8)
    assert check() == "no run has ended well for 8d"


def test_the_document_has_version_settings_and_how_requests_were_answered(store: Store, clock: Hand) -> None:
    metrics = Metrics(store, QUICK, clock)
    for number in range(100):
        metrics.observe_request("/v1/reports", "POST", 503 if number == 0 else 200, number / 1000)
    health = started({"store": lambda: None}, clock)
    view, numbers = health.view(store, metrics), health.metrics_view(metrics)
    assert (view.ok, view.requests, view.errors, len(view.settings)) == (True, 100, 1, 12)
    (route,) = numbers.routes
    assert (route.p50, route.p95, route.p99) == (0.05, 0.095, 0.099)


def test_many_old_heartbeats_cost_health_nothing_and_are_dropped_by_the_sweep(
    store: Store, clock: Hand, tmp_path: Path
) -> None:
    class Unread:
        """A view of which the processes are not to be read."""

        def __init__(self, view: Snapshot) -> None:
            self._view = view

        def __getattr__(self, name: str) -> object:
            assert name != "processes"
            return getattr(self._view, name)

    class Counted:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def read(self, work: Callable[[Snapshot], object]) -> object:
            return store.read(lambda view: work(cast("Snapshot", Unread(view))))

    settings, old = Settings(home=tmp_path), NOON - timedelta(days=2)
    gone = [Process(name=f"h:{pid}:1", host="h", pid=pid, started_at=old, beat_at=old) for pid in range(5_000)]

    def keep(tx: Transaction) -> None:
        for process in gone:
            tx.beat(process)

    store.write(keep)
    Coordinator(store, settings, clock).start(PLAN, "2025-01-15")
    asked, quick = cast("Store", Counted()), Settings(home=tmp_path)
    assert started(checks_of(asked, quick, clock), clock, quick).ready().reasons == ()
    assert b"shotclock_backlog_tasks" in Metrics(asked, quick, clock).text()
    Coordinator(store, settings, clock).sweep()
    assert store.read(lambda view: view.processes()) == []


def test_health_is_right_when_the_store_refuses_to_write(clock: Hand, store: Store) -> None:
    class Refusing:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def write(self, _work: object) -> None:
            message = "the disk is full"
            raise StoreUnavailableError(message)

    checks = checks_of(Refusing(), QUICK, clock)  # type: ignore[arg-type]  # the rest is the store's
    assert any("the disk is full" in reason for reason in started({"store": checks["store"]}, clock).ready().reasons)


class Counted:
    """A bus that counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def ring(self, _route: str, _body: object) -> None:
        self.rung += 1

    def wait(self, _timeout: float) -> bool:
        return False

    def close(self) -> None:
        pass


def test_asking_often_whether_the_bus_is_there_wakes_nobody_often(store: Store, clock: Hand, tmp_path: Path) -> None:
    bus, settings = Counted(), replace_settings(tmp_path)
    health = started(checks_of(store, settings, clock, bus=bus), clock, settings)
    assert [health.ready().ok for _ in range(5)] == [True] * 5
    assert bus.rung == 1


def replace_settings(home: Path) -> Settings:
    return Settings(home=home, health_cache=timedelta(microseconds=1), health_disk=Size(1))


def test_a_store_that_hangs_keeps_nobody_from_the_document(clock: Hand) -> None:
    class Hanging:
        def __init__(self) -> None:
            self.goes_on = Event()

        def read(self, _work: object) -> dict[str, str]:
            self.goes_on.wait()
            return {}

    store = Hanging()
    health = started({"good": lambda: None}, clock)
    for _ in range(3):
        assert health.view(cast("Store", store)).flags == {}
    hanging = [thread for thread in threads() if thread.name == "shotclock probe flags"]
    store.goes_on.set()
    assert len(hanging) == 1
    hanging[0].join()


def test_a_long_queue_that_is_worked_on_or_halted_keeps_nobody_from_being_ready(
    store: Store, clock: Hand, tmp_path: Path
) -> None:
    settings = replace_settings(tmp_path)
    coordinator = Coordinator(store, settings, clock)
    members = tuple(Member(name=name, run="x:y") for name in "abc")
    coordinator.start(Plan(pipeline="p", phases=(PhasePlan(name="raw", members=members),)), "2025-01-15")
    health = started(checks_of(store, settings, clock), clock, settings)

    def backlog() -> bool:
        return next(check.ok for check in health.ready().checks if check.name == "backlog")

    clock.instant += timedelta(hours=2)
    assert not backlog()
    assert coordinator.lease("w", {})
    assert backlog()
    clock.instant += timedelta(hours=2)
    assert not backlog()
    coordinator.halt("p", actor="ann", reason="a bad deploy")
    assert backlog()
