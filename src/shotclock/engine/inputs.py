"""The age of a phase's inputs when it starts, judged by its freshness policy."""

from shotclock.core import freshness, settling
from shotclock.core.freshness import DataTime
from shotclock.engine import rolls
from shotclock.engine.desk import Desk
from shotclock.model import SATISFIED, Phase, PhasePlan


def stale(desk: Desk, own: PhasePlan, upstream: list[Phase]) -> tuple[str, ...]:
    """Return the inputs that are too old, if none is fresh; only where the phase has a policy."""
    if own.fresh is None:
        return ()
    given = [data for phase in upstream for data in _data_times(desk, phase)]
    judged = freshness.judge(own.fresh, given, desk.now)
    return () if judged.action == "fresh" else judged.stale


def _data_times(desk: Desk, phase: Phase) -> list[DataTime]:
    """Return how recent each satisfied named member's data is, where it said so."""
    plan = desk.plan_of(phase)
    if plan.items is not None:
        return []
    return [
        DataTime(name=f"{phase.name}.{plan.members[task.lo].name}", as_of=task.notes[task.lo].as_of)
        for task in rolls.tasks(desk.tx, phase)
        if settling.kind_of(task, task.lo) in SATISFIED and task.lo in task.notes
    ]


def blocks(own: PhasePlan, phase: Phase) -> str | None:
    """Say why stale inputs keep a phase from being worked on, if they do; force overrides it."""
    if not phase.stale_inputs or phase.force is not None or own.fresh is None or own.fresh.otherwise != "block":
        return None
    return f"all inputs are older than {own.fresh.within}: {', '.join(phase.stale_inputs)}"
