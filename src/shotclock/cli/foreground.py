"""Carrying a run to its end in this process: engine, progress, Ctrl-C."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from shotclock.amounts import words
from shotclock.buses import open_bus
from shotclock.channels import open_channels
from shotclock.cli import screen
from shotclock.cli.ending import ending, tell
from shotclock.cli.logs import logged
from shotclock.cli.progress import Audience, Lines, Watch
from shotclock.cli.shell import Shell
from shotclock.clock import SystemClock
from shotclock.engine.embedded import Engine
from shotclock.engine.reach import reach_of
from shotclock.engine.relay import LogChannel
from shotclock.model import Run
from shotclock.ports import Outlet, Store, Warehouse
from shotclock.settings import Settings

INTERRUPTED = 130


def carry(shell: Shell, store: Store, settings: Settings, run: Run, *, quiet: bool = False) -> Run:
    """Work on a run until it is over, showing how it goes; a run that is over is returned as it is.

    Ctrl-C stops the engine, which gives its leases back; the run is returned as it is then, still running.
    """
    if run.state != "running":
        return run
    clock, outlets = SystemClock(), channels(settings)
    with shell.alone(), _audience(shell, quiet=quiet) as audience:
        watch = Watch(store, run.id, settings, clock, audience)
        reach = reach_of(settings, run=run.id)
        with closing(open_bus(settings)) as bus:
            engine = Engine(
                store, settings, clock, reach=reach, bus=bus, outlets=outlets, warehouse=warehouses(settings)
            )
            with logged(shell), closing(engine), stopped_by_signals(engine, settings):
                return engine.until_over(run.id, watch.tick, settings.poll)


@contextmanager
def stopped_by_signals(engine: Engine, settings: Settings) -> Iterator[None]:
    """Have the first Ctrl-C, or a wish to terminate, stop the engine; a second one ends the process at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    said = f"\nstopping: members have {words(settings.stop)} to end; once more ends at once\n".encode()

    def stop(number: int, _frame: object) -> None:
        os.write(2, said)  # the error output's buffer may be in use just now
        engine.stop()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def channels(settings: Settings) -> Sequence[Outlet]:
    """Open the channels that alerts go to; raises `UsageError` for one that cannot be used."""
    return open_channels(settings, LogChannel())


def warehouses(settings: Settings) -> Callable[[str], Warehouse]:
    """Return what opens the warehouse: one DuckDB file in the home folder, for all pipelines."""

    def opened(_pipeline: str) -> Warehouse:
        from shotclock.warehouse.duckdb import DuckDBWarehouse  # noqa: PLC0415 - an optional part

        return DuckDBWarehouse(settings.home / "warehouse.duckdb", busy=settings.warehouse_busy)

    return opened


def finish(shell: Shell, store: Store, settings: Settings, run: Run, *, go_on: str) -> int:
    """Carry a run to its end, say how it ended, and return the exit code; after an interrupt, how to go on."""
    ended = carry(shell, store, settings, run)
    if ended.state == "running":
        return interrupted(shell, ended.id, go_on)
    told = store.read(lambda view: ending(shell, view, ended, settings, SystemClock().now()))
    return tell(shell, told, ended)


@contextmanager
def _audience(shell: Shell, *, quiet: bool) -> Iterator[Audience]:
    live = not shell.json and screen.usable()
    audience: Audience = screen.Screen() if live else Lines(shell, quiet=quiet)
    try:
        yield audience
    finally:
        audience.close()


def interrupted(shell: Shell, run_id: str, command: str) -> int:
    """Say how to go on after an interrupt, and return its exit code."""
    shell.document({"event": "run.interrupted", "run": run_id, "exit": INTERRUPTED, "next": [command]})
    shell.note(f"{run_id}: stopped; its leases are given back and the run stays; go on with: {command}")
    return INTERRUPTED
