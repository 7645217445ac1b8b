"""A bell that is lost delays and never harms: whoever waits looks at the store by itself."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from shotclock import Coordinator, Report, Settings, open_store
from shotclock.buses import open_bus
from shotclock.clock import SystemClock
from shotclock.ports import Bus
from tests.scenarios.conftest import Places
from tests.scenarios.world import World

HOUR = timedelta(hours=1)
PATIENCE = Settings().store_busy.total_seconds()
NEVER = {"sweep": HOUR, "heartbeat": HOUR, "lease": 2 * HOUR, "handover": 3 * HOUR, "poll": timedelta(milliseconds=20)}
"""Nothing but the look at the store comes in time."""
FILE = """phases:
  raw: {members: {a: {external: true}, box: 'here:box'}}
  next: {needs: [raw], members: {n: 'here:box'}}
"""
STEPS = "def box(ctx):\n    return Succeeded()\n"


class LosingBus:
    """The bus of a store, which loses everything that is rung."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.waits = 0
        self.close = bus.close

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        """Ring in vain."""

    def wait(self, timeout: float) -> bool:
        """Hear nothing."""
        self.waits += 1
        self._bus.wait(timeout)
        return False


@pytest.mark.parametrize("places", ["file", "postgres"], indirect=True)
def test_a_commit_whose_bell_is_lost_is_found_by_looking(tmp_path: Path, places: Places) -> None:
    with places() as place, closing(open_store(settings := Settings(home=tmp_path, store=place))) as store:
        world = World(store, tmp_path, **NEVER)
        run = world.in_present().start(FILE, STEPS)
        bus = LosingBus(open_bus(settings))
        with closing(bus), closing(world.engine(bus=bus)) as engine, ThreadPoolExecutor(1) as pool:
            over = pool.submit(engine.until_over, run.id)
            try:
                idle(world, bus)
                with closing(open_store(settings)) as elsewhere:
                    report = Report(run=run.id, phase="raw", member="a", outcome="succeeded")
                    Coordinator(elsewhere, world.settings, SystemClock()).report([report])
                assert over.result(PATIENCE).state == "complete"
            finally:
                engine.stop()
        world.close()


def idle(world: World, bus: LosingBus) -> None:
    """Wait until the engine has done its member and has looked at the store in vain."""
    pause = Event()
    while world.kinds() != {"succeeded": 1, "pending": 1}:
        pause.wait(0.01)
    waits = bus.waits
    while bus.waits < waits + 3:
        pause.wait(0.01)
