"""Hand-overs of phases that are told to a channel which does not answer, beside the same with one that does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic
from typing import Any

from msgspec.structs import replace

from bench import work
from bench.ours import QUIET, Result, following, opened, quantiles
from shotclock import Engine, Report
from shotclock.clock import SystemClock
from shotclock.model import Gate, Plan
from shotclock.ports import Outlet


class Channel:
    """Takes every alert, or none before it is let go."""

    def __init__(self, *, stuck: bool) -> None:
        self.told = 0
        self.free = Event()
        if not stuck:
            self.free.set()

    def send(self, alert: Mapping[str, Any]) -> None:
        """Take an alert."""
        self.free.wait()
        self.told += bool(alert)


def hand_over_told(runs: int, *, stuck: bool) -> Result:
    """Time from a phase's last report, which makes it open partial and be told, to the next phase's first task."""
    channel = Channel(stuck=stuck)
    with TemporaryDirectory() as folder, opened(Path(folder)) as (store, settings):
        made = Engine(store, settings, SystemClock(), outlets=(Outlet(name="slow", channel=channel, each=True),))
        thread = Thread(target=made.serve)
        thread.start()
        waits = [_one(made, number) for number in range(runs)]
        channel.free.set()
        made.stop()
        thread.join()
        made.close()
    assert channel.told == runs, channel.told
    return quantiles(waits)


def _one(made: Engine, number: int) -> float:
    run, _ = made.coordinator.start(_partial(number), f"day-{number}")
    Event().wait(QUIET)
    said = monotonic()
    made.coordinator.report([Report(run=run.id, phase="first", member="outside", outcome="failed")])
    work.begun.wait()
    work.begun.clear()
    return (work.starts[number] - said) * 1_000


def _partial(number: int) -> Plan:
    """Return a plan whose first phase opens although its member has failed; one of its own, that none is demoted."""
    plan = following("")
    first = replace(plan.phases[0], gate=Gate(hopeless="open"))
    return replace(plan, pipeline=f"bench{number}", phases=(first, *plan.phases[1:]))


MEASURES: dict[str, Callable[..., Result]] = {"hand_over_told": hand_over_told}
