"""What a phase is told of one it stands on, put together from what a store can be asked one by one."""

from shotclock.model import Upstream
from shotclock.ports import Snapshot


def upstream_of(view: Snapshot, run_id: str, name: str, limit: int) -> Upstream | None:
    """Return `Snapshot.upstream`, for a store in which a question costs no trip."""
    phase = view.phase_of(run_id, name)
    if phase is None:
        return None
    facts = phase.id if phase.source is None else phase.source
    tasks = view.tasks(facts, limit=limit) if limit else []
    return Upstream(phase=phase, opening=view.opening(facts), end=view.task(facts, "then", 0), tasks=tasks)
