"""A fleet on one server: its workers are killed, the server is killed and restarted, and the count is exact."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event

import pytest

from shotclock import Settings, open_store
from shotclock.ports import Store
from tests.contract.elsewhere import environment
from tests.scenarios.world import World
from tests.servers import PostgresServer

ITEMS = 100_000
WORKERS = 4
RESTARTED_AT = (3, 6)
"""Tenths of the items after which the server is killed and started again."""
FILE = """
phases:
  items: {items: "here:names", run: "here:work", execution: {mode: parallel, max_workers: 2, chunk: 200}}
  last: {needs: [items], members: {a: {run: "here:one"}}}
"""
STEPS = f"""
def names(ctx):
    return (Item(f"item {{number}}") for number in range({ITEMS}))

def work(ctx, items):
    return {{item.id: Succeeded() for item in items}}

def one(ctx):
    return Succeeded()
"""
WORKER = """
import sys
from contextlib import closing
from pathlib import Path
from shotclock import Engine, Settings, open_store
from shotclock.buses import open_bus
from shotclock.clock import SystemClock
settings = Settings(home=Path(sys.argv[1]), store=sys.argv[2])
with closing(open_store(settings)) as store, closing(open_bus(settings)) as bus:
    with closing(Engine(store, settings, SystemClock(), bus=bus)) as engine:
        engine.until_over(sys.argv[3])
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Give a server of the test's own, which waits for its disk."""
    made = PostgresServer(durable=True).start()
    yield made
    made.remove()


class Fleet:
    """Processes that work on a run."""

    def __init__(self, home: Path, address: str, run: str) -> None:
        self._command = [sys.executable, "-c", WORKER, str(home), address, run]
        self._members = [self._start() for _ in range(WORKERS)]

    def kill(self, number: int) -> None:
        """Kill one and start another in its place."""
        self._end(self._members[number])
        self._members[number] = self._start()

    def ended(self) -> list[int | None]:
        """Wait for all to end by themselves; return how they did."""
        return [member.wait() for member in self._members]

    def close(self) -> None:
        """End all."""
        for member in self._members:
            self._end(member)

    @staticmethod
    def _end(member: "subprocess.Popen[bytes]") -> None:
        member.kill()
        member.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._command, env=environment())  # noqa: S603 - this very interpreter


def settled(store: Store, run: str) -> int:
    """Return how many items have settled."""
    phase = store.read(lambda view: view.phase_of(run, "items"))
    return 0 if phase is None else phase.counts.satisfied


def reach(store: Store, run: str, number: int) -> None:
    """Let the fleet work until so many items have settled."""
    patience = Event()
    while settled(store, run) < number:
        patience.wait(0.01)


@pytest.mark.long
def test_a_fleet_whose_workers_are_killed_and_whose_server_restarts_counts_every_item_once(
    server: PostgresServer, tmp_path: Path
) -> None:
    lots, address = Random(5), server.fresh()  # noqa: S311 - chooses whom to kill
    with closing(open_store(Settings(store=address))) as store, closing(World(store, tmp_path)) as world:
        run = world.in_present().start(FILE, STEPS)
        with closing(Fleet(tmp_path, address, run.id)) as fleet:
            for tenth in range(1, 10):
                reach(store, run.id, ITEMS * tenth // 10)
                fleet.kill(lots.randrange(WORKERS))
                if tenth in RESTARTED_AT:
                    server.kill()
                    server.start()
            assert fleet.ended() == [0] * WORKERS
        assert world.kinds("items") == {"succeeded": ITEMS}
        assert [world.opened(name).reason for name in ("items", "last")] == ["all", "all"]
        assert world.run().state == "complete"
