"""Engines come and go: leases are given back, work is shared, and a killed process loses nothing."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from shotclock.buses.local import LocalBus
from shotclock.errors import StoreUnavailableError
from shotclock.model import Run
from shotclock.ports import Store, Transaction
from tests.unit.engine.shop import PATIENCE, Shop

WAIT = PATIENCE.total_seconds()

PROGRAM = """
import sys
from datetime import timedelta
from pathlib import Path
from shotclock.buses.local import LocalBus
from shotclock.clock import SystemClock
from shotclock.engine.embedded import Engine
from shotclock.settings import Settings
from shotclock.stores.sqlite import SqliteStore
home, run = Path(sys.argv[1]), sys.argv[2]
store, bus = SqliteStore(home / "s.db", busy=timedelta(seconds=60), backlog=100), LocalBus(home)
settings = Settings(home=home, heartbeat=timedelta(milliseconds=200))
Engine(store, settings, SystemClock(), bus=bus).until_over(run)
"""


def engine_process(shop: Shop, run: Run) -> "subprocess.Popen[bytes]":
    """Start a process with an engine over the shop's store."""
    arguments = [sys.executable, "-c", PROGRAM, str(shop.settings.home), run.id]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(arguments, env=environment)  # noqa: S603 - this interpreter, with the program above


def test_a_stop_lets_members_end_that_can_and_their_answers_count(shop: Shop) -> None:
    shop.write("""
        started, let_go = threading.Event(), threading.Event()
        def first(ctx):
            started.set()
            let_go.wait()
            return Succeeded()
        def second(ctx): return Succeeded()
    """)
    engine = shop.engine()
    run = shop.start(engine, shop.members("first", "second", mode="sequential", max_workers=1))
    loop = Thread(target=engine.until_over, args=(run.id,))
    loop.start()
    assert shop.steps.started.wait(WAIT)
    engine.stop()
    shop.steps.let_go.set()
    loop.join(WAIT)
    assert shop.kinds() == ["succeeded", "pending"]
    assert shop.tasks()[1].state == "queued"


def test_a_stop_gives_back_what_does_not_end_in_time(tmp_path: Path) -> None:
    with closing(Shop(tmp_path, stop=timedelta(milliseconds=10))) as shop:
        shop.write("""
            started, let_go = threading.Event(), threading.Event()
            def long(ctx):
                started.set()
                let_go.wait()
                return Succeeded(rows=ctx.token)
        """)
        engine = shop.engine()
        run = shop.start(engine, shop.members("long"))
        loop = Thread(target=engine.until_over, args=(run.id,))
        loop.start()
        assert shop.steps.started.wait(WAIT)
        engine.stop()
        loop.join(WAIT)
        (task,) = shop.tasks()
        assert (task.state, task.losses, task.tries, task.token) == ("queued", 0, {}, 1)
        shop.steps.let_go.set()
        assert shop.engine().until_over(run.id).state == "complete"
        assert shop.notes()[0].rows == 2


def test_an_error_of_the_loop_gives_everything_back(shop: Shop) -> None:
    shop.write("""
        let_go = threading.Event()
        def long(ctx): let_go.wait()
    """)
    engine = shop.engine()
    run = shop.start(engine, shop.members("long"))

    def tick() -> None:
        if engine.coordinator.store.read(lambda view: view.leased(owner=engine.owner)):
            raise KeyError

    try:
        engine.until_over(run.id, tick, timedelta(milliseconds=1))
    except KeyError:
        assert shop.tasks()[0].state == "queued"
    shop.steps.let_go.set()


def test_two_engines_on_one_file_share_the_work_without_doubling(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return (f"i{number}" for number in range(400))
        def work(ctx, items):
            for item in items:
                mark(ctx, f"{item.id}:{os.getpid()}")
            return {item.id: Succeeded() for item in items}
        def merge(ctx): return {"count": sum(1 for settled in ctx.settled() if settled.kind == "succeeded")}
    """)
    with closing(LocalBus(shop.settings.home)) as bus, closing(shop.engine(bus=bus)) as engine:
        run = shop.start(engine, shop.items("items", "work", then="merge", max_workers=2, chunk=4))
        other = engine_process(shop, run)
        assert engine.until_over(run.id).state == "complete"
        assert other.wait(WAIT) == 0
    done = [word.partition(":")[0] for word in shop.marks()]
    assert Counter(done) == Counter({f"i{number}": 1 for number in range(400)})
    assert shop.result() == {"count": 400}


def test_a_killed_engine_is_followed_by_another_and_nothing_settled_is_done_again(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return (f"i{number}" for number in range(60))
        def work(ctx, items):
            for item in items:
                mark(ctx, item.id)
            if items[0].id == "i20" and not (ctx.home / "go").exists():
                tell(ctx, "blocked")
                threading.Event().wait()
            return {item.id: Succeeded() for item in items}
    """)
    engine = shop.engine()
    run = shop.start(engine, shop.items("items", "work", mode="sequential", max_workers=1, chunk=10))
    with closing(shop.ear()) as ear:
        killed = engine_process(shop, run)
        assert ear.hear() == "blocked"
    killed.kill()
    assert killed.wait(WAIT) == -signal.SIGKILL
    settled = {f"i{place}" for place, kind in enumerate(shop.kinds()) if kind == "succeeded"}
    assert len(settled) == 20
    (shop.settings.home / "go").touch()
    assert engine.until_over(run.id).state == "complete"
    done = Counter(shop.marks())
    assert {name for name, number in done.items() if number > 1} == {f"i{number}" for number in range(20, 30)}
    assert not settled & {name for name, number in done.items() if number > 1}


def test_children_end_with_an_engine_that_is_killed(shop: Shop) -> None:
    shop.write("""
        def hangs(ctx):
            tell(ctx, "here")
            threading.Event().wait()
    """)
    run = shop.start(shop.engine(), shop.members("hangs", mode="process"))
    with closing(shop.ear()) as ear:
        killed = engine_process(shop, run)
        assert ear.hear() == "here"
        killed.kill()
        killed.wait(WAIT)
        assert ear.hear() == ""


class _Failing:
    """A store that refuses the next writes when it is told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.refusing = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self._store, name)

    def write(self, work: Callable[[Transaction], Any]) -> Any:  # noqa: ANN401 - what the work returns
        if self.refusing:
            self.refusing -= 1
            message = "the store is down"
            raise StoreUnavailableError(message)
        return self._store.write(work)


def test_an_engine_that_serves_waits_for_a_store_that_cannot_be_used_for_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Shop(tmp_path, sweep=timedelta(milliseconds=10))) as shop:
        shop.write("""
            let_go = threading.Event()
            def first(ctx):
                let_go.wait()
                return Succeeded(rows=ctx.token)
        """)
        failing = _Failing(shop.store)
        shop.store = cast("Store", failing)
        engine = shop.engine()
        run = shop.start(engine, shop.members("first"))

        def tick() -> None:
            if shop.steps.let_go.is_set():
                if shop.store.read(lambda view: view.run(run.id)).state != "running":  # type: ignore[union-attr]  # it is there
                    engine.stop()
            elif shop.tasks()[0].state == "leased":
                failing.refusing = 3
                shop.steps.let_go.set()

        engine.serve(tick, timedelta(milliseconds=10))
        assert (shop.kinds(), shop.notes()[0].rows) == (["succeeded"], 1)
    assert [record.getMessage() for record in caplog.records if record.name == "shotclock.engine"] == [
        "the store cannot be used: the store is down"
    ] * 3


def test_an_interrupt_gives_everything_back_and_goes_on_to_the_caller(shop: Shop) -> None:
    shop.write("def quick(ctx): return Succeeded()")
    engine = shop.engine()
    run = shop.start(engine, shop.members("quick"))

    def tick() -> None:
        raise KeyboardInterrupt

    try:
        engine.until_over(run.id, tick)
    except KeyboardInterrupt:
        assert not engine.coordinator.store.read(lambda view: view.leased(owner=engine.owner))
        assert shop.kinds() == ["succeeded"]


def test_a_function_is_told_to_stop_when_nobody_waits_for_it(tmp_path: Path) -> None:
    with closing(Shop(tmp_path, heartbeat=timedelta(milliseconds=20))) as shop:
        shop.write("""
            started, stopped = threading.Event(), threading.Event()
            def long(ctx):
                started.set()
                pause = threading.Event()
                while not ctx.stop:
                    pause.wait(0.005)
                stopped.set()
                return Succeeded()
        """)
        engine = shop.engine()
        run = shop.start(engine, shop.members("long"))
        loop = Thread(target=engine.until_over, args=(run.id,))
        loop.start()
        assert shop.steps.started.wait(WAIT)
        engine.coordinator.force(run.id, "raw", actor="me", reason="enough")
        assert shop.steps.stopped.wait(WAIT)
        loop.join(WAIT)
        assert shop.kinds() == ["pending"]
