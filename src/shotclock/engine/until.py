"""Until when the answer of a task counts: its timeout, or what ends its phase or run before that."""

from datetime import datetime, timedelta

from shotclock.core import gate
from shotclock.engine.views import desk_of
from shotclock.model import Phase, PhasePlan, Task
from shotclock.ports import Snapshot
from shotclock.settings import Settings


def cut_at(task: Task, timeout: timedelta) -> datetime | None:
    """Return when a leased task is cut at its timeout."""
    return None if task.leased_at is None else task.leased_at + timeout


def counts_until(view: Snapshot, settings: Settings, phase: Phase, task: Task, timeout: timedelta) -> datetime | None:
    """Return the earliest instant that is known after which nobody waits for a task: timeout, deadline, `max_age`.

    A deadline counts where its phase goes on without whoever is missing: not at `then: block`, not for critical
    members, not once it has passed and the phase is still at work.
    """
    cut = cut_at(task, timeout)
    run, plan = view.run(phase.run), view.plan(phase.run)
    if cut is None or run is None or phase.started_at is None:
        return cut
    goes_on = _goes_on(plan.phase(phase.name), task)
    if not goes_on and cut <= run.started_at + plan.max_age:
        return cut
    now = cut - timeout
    scene = desk_of(view, settings, now).scene(phase, ours=True)
    deadline = gate.deadline_at(scene, now) if goes_on else None
    return min(cut, gate.max_age_at(scene, now), deadline if deadline is not None and deadline > now else cut)


def _goes_on(own: PhasePlan, task: Task) -> bool:
    """Say whether the phase goes on without a task at its deadline."""
    deadline = own.gate.deadline
    critical = task.work == "member" and own.members[task.lo].importance == "critical"
    return deadline is not None and deadline.then != "block" and task.work != "then" and not critical
