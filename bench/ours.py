"""Measures of the engine, each in a process of its own: a whole fan-out, reports from outside, hand-overs, restart."""

import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic

from bench import work
from shotclock import Coordinator, Engine, Report, Settings
from shotclock.buses import open_bus
from shotclock.clock import SystemClock
from shotclock.engine import listed
from shotclock.engine.telling import NOBODY, Audience
from shotclock.engine.working import Held
from shotclock.model import Execution, Items, Member, Phase, PhasePlan, Plan, Run, TaskReport
from shotclock.observe import logs
from shotclock.ports import Bus, Store
from shotclock.stores import open_store

GROUP = 500
"""Reports in a transaction, and items in a large chunk."""
QUIET = 0.05
"""Seconds between a run's start and its last report, so that what the start called for is done."""
KEY = "2025-01-15"
Result = dict[str, float]


def fan_out(items: int, chunk: int, workers: int, function: str = "nothing", source: str = "listed") -> Plan:
    """Return a plan of one phase whose items a function does nothing with."""
    phase = PhasePlan(
        name="fan",
        items=Items(source=f"bench.work:{source}", run=f"bench.work:{function}" if function else None),
        execution=Execution(mode="parallel", chunk=chunk, max_workers=workers),
    )
    return Plan(pipeline="bench", params={"items": items}, phases=(phase,))


@contextmanager
def opened(home: Path, address: str = "") -> Iterator[tuple[Store, Settings]]:
    """Give the store of a folder, as it is by default (WAL, full sync), or the one at an address."""
    settings = Settings(home=home, store=address)
    store = open_store(settings)
    try:
        yield store, settings
    finally:
        store.close()


@contextmanager
def engine(home: Path, address: str = "") -> Iterator[Engine]:
    """Give an engine on the store of a folder, or on the one at an address."""
    with opened(home, address) as (store, settings):
        made = Engine(store, settings, SystemClock(), bus=open_bus(settings) if address else None)
        try:
            yield made
        finally:
            made.close()


def whole(items: int, chunk: int, workers: int) -> Result:
    """Enumerate, lease, do nothing, report and open: a million items from the start of the run to its end."""
    with TemporaryDirectory() as folder, engine(Path(folder)) as made:
        start = monotonic()
        run, _ = made.coordinator.start(fan_out(items, chunk, workers), KEY)
        over = made.until_over(run.id)
        took = monotonic() - start
        assert over.state == "complete", over
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"rate": items / took, "seconds": took, "peak_mb": peak, **flatness(items)}


def flatness(items: int) -> Result:
    """Compare the time of the last tenth of the items with that of the median tenth."""
    ends, done, passed = [work.marks[0][0]], 0, 1
    for at, number in work.marks:
        done += number
        if done >= items * passed / 10:
            ends.append(at)
            passed += 1
    tenths = [after - before for before, after in pairwise(ends)]
    return {"last_to_median": tenths[-1] / median(tenths)}


def rolled(coordinator: Coordinator, items: int, chunk: int, function: str) -> tuple[str, int]:
    """Start a run and call its roll; return the run and the number of its phase."""
    run, _ = coordinator.start(fan_out(items, chunk, items, function), KEY)
    (lease,) = coordinator.lease("bench", {})
    held = Held(phase=lease.task.phase, work="enumerate", lo=0, token=lease.task.token)
    for number, lo in enumerate(range(0, items, 1_000)):
        names = range(lo, min(lo + 1_000, items))
        coordinator.add_pages(held, number, [[(f"item-{name}", None) for name in names]])
    coordinator.task_report(TaskReport(phase=held.phase, work="enumerate", lo=0, token=held.token))
    return run.id, held.phase


def bulk(items: int, address: str = "") -> Result:
    """Report every member of a roll in chunks of 500, a transaction each."""
    with TemporaryDirectory() as folder, opened(Path(folder), address) as (store, settings):
        coordinator = Coordinator(store, settings, SystemClock())
        run, _ = rolled(coordinator, items, GROUP, "nothing")
        leases = coordinator.lease("bench", {})
        done = bytes((1,)) * GROUP
        start = monotonic()
        for lease in leases:
            task = lease.task
            kinds = done[: task.hi - task.lo]
            report = TaskReport(phase=task.phase, work=task.work, lo=task.lo, token=task.token, kinds=kinds)
            coordinator.task_report(report)
        took = monotonic() - start
        found = store.read(lambda view: view.run(run))
        assert found is not None, run
        assert found.state == "complete", found
        return {"rate": items / took}


def by_name(items: int, reports: int, order: str) -> Result:
    """Report external items by name, 500 a transaction, in random order or that of the roll."""
    with TemporaryDirectory() as folder, opened(Path(folder)) as (store, settings):
        coordinator = Coordinator(store, settings, SystemClock())
        run, phase = rolled(coordinator, items, 1, "")
        names = list(range(items))
        if order == "random":
            random.Random(1).shuffle(names)  # noqa: S311 - an order, drawn the same each time
        start = monotonic()
        for lo in range(0, reports, GROUP):
            coordinator.report([_report(run, f"item-{name}") for name in names[lo : lo + GROUP]])
        took = monotonic() - start
        counts = store.read(lambda view: view.phase(phase).counts)
        assert counts.satisfied == reports, counts
        return {"rate": reports / took}


def logged(reports: int, rounds: int) -> Result:
    """Time single reports in memory, a commit each, with nobody who hears and with logging at the default level."""
    settings = Settings(store="memory://")
    with logs.configured(Settings(log_format="json"), stream=StringIO()) as heard:
        ways = []
        for audience in (NOBODY, Audience({"logs": heard})):
            coordinator = Coordinator(open_store(settings), settings, SystemClock(), audience=audience)
            ways.append((coordinator, rolled(coordinator, reports * rounds, 1, "")[0]))
        found = [[_each_us(*way, range(at * reports, (at + 1) * reports)) for way in ways] for at in range(rounds)]
    return {"plain_us": median(one for one, _ in found), "added_us": median(two - one for one, two in found)}


def _each_us(coordinator: Coordinator, run: str, numbers: range) -> float:
    start = monotonic()
    for number in numbers:
        coordinator.report([_report(run, f"item-{number}")])
    return (monotonic() - start) / len(numbers) * 1e6


def _report(run: str, member: str, phase: str = "fan") -> Report:
    return Report(run=run, phase=phase, member=member, outcome="succeeded", rows=1)


def callers(reports: int, threads: int) -> Result:
    """Report single members durably from many threads at once, or from one."""
    with TemporaryDirectory() as folder, opened(Path(folder)) as (store, settings):
        coordinator = Coordinator(store, settings, SystemClock())
        run, phase = rolled(coordinator, reports, 1, "")

        def call(first: int) -> None:
            for name in range(first, reports, threads):
                coordinator.report([_report(run, f"item-{name}")])

        start = monotonic()
        if threads == 1:
            call(0)
        else:
            together([_bound(call, first) for first in range(threads)])
        took = monotonic() - start
        counts = store.read(lambda view: view.phase(phase).counts)
        assert counts.satisfied == reports, counts
        return {"rate": reports / took}


def _bound(call: Callable[[int], None], first: int) -> Callable[[], None]:
    return lambda: call(first)


def together(calls: list[Callable[[], None]]) -> None:
    """Make all calls at once, each in a thread, and wait for them."""
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def following(tell: str) -> Plan:
    """Return a plan of two phases: one member from outside, then a function."""
    first = PhasePlan(name="first", members=(Member(name="outside"),))
    then = PhasePlan(name="then", needs=("first",), members=(Member(name="follow", run="bench.work:follow"),))
    return Plan(pipeline="bench", params={"tell": tell} if tell else {}, phases=(first, then))


def hand_over(runs: int) -> Result:
    """Time from the commit of a phase's last report to the first task of the next, within one process."""
    with TemporaryDirectory() as folder, engine(Path(folder)) as made:
        thread = Thread(target=made.serve)
        thread.start()
        waits = []
        for number in range(runs):
            run, _ = made.coordinator.start(following(""), f"day-{number}")
            Event().wait(QUIET)
            made.coordinator.report([_report(run.id, "outside", "first")])
            committed = monotonic()
            work.begun.wait()
            work.begun.clear()
            waits.append(max(work.starts[number] - committed, 0) * 1_000)
        made.stop()
        thread.join()
        return quantiles(waits)


def quantiles(waits: list[float]) -> Result:
    """Return the median and the 99th percentile."""
    waits.sort()
    return {"p50_ms": median(waits), "p99_ms": waits[min(round(len(waits) * 0.99), len(waits) - 1)]}


def hand_over_across(home: str, runs: int, address: str = "") -> Result:
    """Time from the commit of a phase's last report here to the first task of the next in another process."""
    pipe = Path(home) / "told"
    os.mkfifo(pipe)
    with opened(Path(home), address) as (store, settings):
        bus = open_bus(settings)
        coordinator = Coordinator(store, settings, SystemClock(), rang=lambda: bus.ring("doorbell", {}))
        waits = []
        for number in range(runs + 1):
            run, _ = coordinator.start(following(str(pipe)), f"day-{number}")
            Event().wait(QUIET)
            committed: list[float] = []
            quick = Coordinator(store, settings, SystemClock(), rang=_note_then_ring(committed, bus))
            quick.report([_report(run.id, "outside", "first")])
            with pipe.open(encoding="utf-8") as told:
                waits.append((float(told.read()) - committed[0]) * 1_000)
        bus.close()
        return quantiles(waits[1:])  # the first waits until the other process is up


def _note_then_ring(committed: list[float], bus: Bus) -> Callable[[], None]:
    def rang() -> None:
        committed.append(monotonic())
        bus.ring("doorbell", {})

    return rang


def serve(home: str, address: str = "") -> Result:
    """Work on whatever comes, until this process is ended."""
    with opened(Path(home), address) as (store, settings):
        Engine(store, settings, SystemClock(), bus=open_bus(settings)).serve()
    return {}


def fleet(home: str, address: str, items: int, workers: int) -> Result:
    """Start a fan-out in chunks of 500 and wait for its end; other processes do the work."""
    with opened(Path(home), address) as (store, settings):
        bus = open_bus(settings)
        coordinator = Coordinator(store, settings, SystemClock(), rang=lambda: bus.ring("doorbell", {}))
        start = monotonic()
        run, _ = coordinator.start(fan_out(items, GROUP, workers), KEY)
        while (found := store.read(lambda view: view.run(run.id))) is None or found.state == "running":
            Event().wait(QUIET)
        took = monotonic() - start
        assert found.state == "complete", found
        bus.close()
        return {"rate": items / took, "seconds": took}


def half(home: str, items: int) -> Result:
    """Begin a fan-out and die in the middle."""
    with engine(Path(home)) as made:
        run, _ = made.coordinator.start(fan_out(items, GROUP, 4, "half_then_die"), KEY)
        made.until_over(run.id)
    return {}


def again(home: str) -> Result:
    """Take up a fan-out whose workers were killed: time until a task is worked on again."""
    start = monotonic()
    with engine(Path(home)) as made:
        Thread(target=_stop_at_first, args=(made,)).start()
        made.serve()
    settled = sum(number for _, number in work.marks)
    return {"seconds": work.marks[0][0] - start, "settled": settled}


def _stop_at_first(made: Engine) -> None:
    while not work.marks:
        Event().wait(timedelta(milliseconds=1).total_seconds())
    made.stop()


def status(runs: int) -> Result:
    """Time what `status` reads in a store of many runs that are over."""
    with TemporaryDirectory() as folder, opened(Path(folder)) as (store, _):
        now = SystemClock().now()
        plan = following("")
        for lo in range(0, runs, GROUP):
            batch = [_over(number, now) for number in range(lo, lo + GROUP)]
            store.write(lambda tx, batch=batch: [tx.add_run(run, plan, _done(run)) for run in batch])  # type: ignore[misc]  # bound now
        waits = []
        for _ in range(9):
            start = monotonic()
            store.read(lambda view: listed.run_lines(view, limit=20))
            waits.append((monotonic() - start) * 1_000)
        return {"ms": median(waits)}


def _over(number: int, now: datetime) -> Run:
    at = now - timedelta(minutes=number)
    key = f"day-{number}"
    return Run(
        id=f"bench/{key}", pipeline="bench", key=key, mode="default", state="complete", started_at=at, ended_at=at
    )


def _done(run: Run) -> list[Phase]:
    return [Phase(run=run.id, name=name, index=place, state="done") for place, name in enumerate(("first", "then"))]


MEASURES: dict[str, Callable[..., Result]] = {
    "whole": whole,
    "bulk": bulk,
    "by_name": by_name,
    "callers": callers,
    "logged": logged,
    "hand_over": hand_over,
    "hand_over_across": hand_over_across,
    "serve": serve,
    "fleet": fleet,
    "half": half,
    "again": again,
    "status": status,
}
