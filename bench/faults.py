"""What our own engine does under the faults that the peers are put under: observed, by running it."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.ours import KEY, engine, opened
from shotclock import Context, Coordinator, Item, Permanent, Succeeded
from shotclock.clock import SystemClock
from shotclock.model import Execution, Gate, Items, PhasePlan, Plan, Run, TaskReport

ITEMS = 10
hung: list[str] = []


def listed(_ctx: Context) -> list[str]:
    """Enumerate ten items."""
    return [f"item-{number}" for number in range(ITEMS)]


def suffer(ctx: Context, items: Sequence[Item]) -> Mapping[str, Succeeded]:
    """Do nothing, but for the first item what the run asks for."""
    first = any(item.id == "item-0" for item in items)
    if first and ctx.params["fault"] == "permanent":
        message = "can never succeed"
        raise Permanent(message)
    if first and ctx.params["fault"] == "hung" and not hung:
        hung.append(ctx.run)
        time.sleep(3600)
    return {item.id: Succeeded() for item in items}


def _plan(fault: str) -> Plan:
    phase = PhasePlan(
        name="fan",
        items=Items(source="bench.faults:listed", run="bench.faults:suffer"),
        execution=Execution(mode="parallel", max_workers=4, timeout=timedelta(seconds=2)),
        gate=Gate(hopeless="open"),
    )
    return Plan(pipeline="bench", params={"fault": fault}, phases=(phase,))


def faulty(fault: str) -> dict[str, str]:
    """Run a fan-in of ten with one fault; say what became of it."""
    with TemporaryDirectory() as folder:
        if fault == "duplicate":
            return {"observed": _twice(Path(folder))}
        with engine(Path(folder)) as made:  # without a bus: every doorbell is lost
            run, _ = made.coordinator.start(_plan(fault), KEY)
            over = made.until_over(run.id)
        return {"observed": _told(Path(folder), over)}


def _twice(home: Path) -> str:
    """Report every task two times."""
    with opened(home) as (store, settings):
        coordinator = Coordinator(store, settings, SystemClock())
        run, _ = coordinator.start(_plan(""), KEY)
        with engine(home) as made:
            over = made.until_over(run.id)
        phase = store.read(lambda view: view.phase_of(run.id, "fan"))
        assert phase is not None, run
        tasks = store.read(lambda view: view.tasks(phase.id))
        said = [
            coordinator.task_report(
                TaskReport(phase=phase.id, work="chunk", lo=task.lo, token=task.token, kinds=task.kinds)
            ).kind
            for task in tasks
        ]
    return f"{_told(home, over)}; each report sent again was answered {', '.join(sorted(set(said)))}"


def _told(home: Path, over: Run) -> str:
    with opened(home) as (store, _):
        phase = store.read(lambda view: view.phase_of(over.id, "fan"))
        assert phase is not None, over
        opening = store.read(lambda view: view.opening(phase.id))
    if opening is None:
        return f"run {over.state}: {phase.failure}"
    names = f", missing {', '.join(opening.missing)}" if opening.missing else ""
    partial = ", declared partial" if opening.partial else ""
    return f"opened once by `{opening.reason}`, {opening.counts.satisfied} of {ITEMS}{partial}{names}"
