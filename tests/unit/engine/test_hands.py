"""A commit that starts a phase leases its first tasks for a worker of its process: at most what the worker may hold."""

from collections.abc import Callable, Iterator
from threading import Thread
from typing import TypeVar

import pytest

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.hands import Hands
from shotclock.engine.reach import Reach
from shotclock.errors import StoreUnavailableError
from shotclock.model import Execution, Member, PhasePlan, Plan, Report
from shotclock.ports import Store, Transaction
from tests.unit.engine.day import Day, external
from tests.unit.engine.shop import PATIENCE, SOON, Shop

T = TypeVar("T")
FOLLOW = PhasePlan(
    name="follow",
    needs=("raw",),
    members=tuple(Member(name=name, run=f"m:{name}") for name in ("a", "b", "c")),
    execution=Execution(mode="parallel", max_workers=2),
)


class Moody:
    """A store whose next write is run twice, as after a conflict, or undone, as after a lost connection."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.mood = ""

    def write(self, work: Callable[[Transaction], T]) -> T:
        mood, self.mood = self.mood, ""
        if not mood:
            return self._store.write(work)

        def undone(tx: Transaction) -> T:
            work(tx)
            raise StoreUnavailableError(mood)

        try:
            return self._store.write(undone)
        except StoreUnavailableError:
            if mood == "lost":
                raise
            return self._store.write(work)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.fixture
def hands() -> Iterator[Hands]:
    made = Hands("w", Reach(most=10))
    made.open()
    yield made
    assert made.lock.acquire(blocking=False), "whoever leased has let go"


@pytest.fixture
def moody(day: Day, hands: Hands) -> Moody:
    store = Moody(day.store)
    day.coordinator = Coordinator(store, day.settings, day.clock, hands=hands)  # type: ignore[arg-type]  # by __getattr__
    day.start(external("x"), FOLLOW)
    return store


@pytest.fixture
def ready(day: Day, moody: Moody) -> Day:
    assert moody.mood == ""
    return day


def leased(day: Day) -> list[int]:
    return [task.lo for task in day.store.read(lambda view: view.leased(owner="w"))]


def test_the_report_that_opens_a_gate_leases_what_the_next_phase_may_run(ready: Day, hands: Hands) -> None:
    ready.say("x")
    assert [lease.task.lo for lease in hands.given] == leased(ready) == [0, 1]
    assert ready.phase("follow").handover.state == "started"  # type: ignore[union-attr]  # it has begun


def test_a_report_that_starts_nothing_leases_nothing(day: Day, hands: Hands) -> None:
    day.coordinator = Coordinator(day.store, day.settings, day.clock, hands=hands)
    day.start(external("x", "y"), FOLLOW)
    day.say("x")
    assert not hands.given
    assert not leased(day)


def test_what_the_worker_holds_already_counts_against_its_bound(ready: Day, hands: Hands) -> None:
    hands.busy[4711] = 9
    ready.say("x")
    assert leased(ready) == [0]


def test_while_the_loop_leases_nobody_else_does(ready: Day, hands: Hands) -> None:
    with hands.lock:
        ready.say("x")
    assert not hands.given
    assert not leased(ready)


def test_closed_hands_take_nothing_and_drop_what_has_not_begun(ready: Day, hands: Hands) -> None:
    ready.say("x")
    hands.close()
    assert hands.given == []
    ready.coordinator.give_back("w")
    ready.start(external("x"), FOLLOW, key="2025-01-16")
    ready.say("x", run="p/2025-01-16")
    assert not hands.given
    assert not leased(ready)


def test_a_commit_that_is_run_again_leases_once(ready: Day, moody: Moody, hands: Hands) -> None:
    moody.mood = "again"
    ready.say("x")
    assert [lease.task.lo for lease in hands.given] == leased(ready) == [0, 1]
    assert {lease.task.token for lease in hands.given} == {1}


def test_a_commit_that_is_lost_leaves_nothing_in_hand(ready: Day, moody: Moody, hands: Hands) -> None:
    moody.mood = "lost"
    with pytest.raises(StoreUnavailableError):
        ready.say("x")
    assert not hands.given
    assert not leased(ready)
    ready.say("x")
    assert leased(ready) == [0, 1]


def test_many_reporters_beside_a_working_loop_never_exceed_what_a_phase_may_run(shop: Shop) -> None:
    shop.write("""
        lock, inside, most = threading.Lock(), [], []
        def one(ctx):
            with lock:
                inside.append(ctx.run)
                most.append(inside.count(ctx.run))
            for _ in range(20_000): pass
            with lock:
                inside.remove(ctx.run)
            return Succeeded()
    """)
    engine = shop.engine()
    members = tuple(Member(name=name, run=shop.path("one")) for name in ("a", "b", "c"))
    follow = shop.phase(members=members, name="follow", needs=("raw",), mode="sequential", max_workers=1)
    plan = Plan(pipeline="shop", folder=str(shop.folder), phases=(external("x"), follow))
    runs = [engine.coordinator.start(plan, f"2025-01-{number:02}")[0].id for number in range(1, 21)]

    def tick() -> None:
        if all(run.state == "complete" for run in shop.store.read(lambda view: view.runs())):
            engine.stop()

    def report(run: str) -> None:
        engine.coordinator.report([Report(run=run, phase="raw", member="x", outcome="succeeded")])

    threads = [Thread(target=engine.serve, args=(tick, SOON)), *(Thread(target=report, args=(run,)) for run in runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE.total_seconds())
    assert not any(thread.is_alive() for thread in threads)
    assert set(shop.steps.most) == {1}
    assert len(shop.steps.most) == 3 * len(runs)
