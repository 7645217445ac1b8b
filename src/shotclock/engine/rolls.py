"""Rolls as the store keeps them: from ordinals to names and back, who is missing, and counting a phase's members."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from shotclock.core import settling
from shotclock.model import (
    KINDS,
    UNSATISFIED,
    Importance,
    Kind,
    Member,
    Page,
    Phase,
    PhasePlan,
    Task,
)
from shotclock.ports import Snapshot

if TYPE_CHECKING:
    from shotclock.engine.desk import Desk

RANK: dict[Importance, int] = {"critical": 0, "required": 1, "optional": 2}
BY_RANK: dict[int, Importance] = {rank: importance for importance, rank in RANK.items()}


def importance_of(task: Task) -> Importance:
    """Return how much the gate wants the members of a task: all of a range are alike."""
    return BY_RANK[task.rank]


def count(desk: "Desk", phase: Phase, importance: Importance, settled: Mapping[Kind, int]) -> Phase:
    """Count members of one importance that went from pending to other kinds."""
    for kind, number in settled.items():
        phase = desk.put(settling.moved(phase, importance, "pending", kind, number, desk.now))
    return phase


def facts(phase: Phase) -> int:
    """Return the id under which a phase's tasks and pages are kept: its own, or the one it was carried from."""
    return phase.id if phase.source is None else phase.source


def tasks(tx: Snapshot, phase: Phase, *, pending: bool = False) -> Iterator[Task]:
    """Yield a phase's tasks in roll order, page by page."""
    after = -1
    while batch := tx.tasks(facts(phase), after=after, pending=pending):
        yield from batch
        after = batch[-1].lo


def members(
    tx: Snapshot, plan: PhasePlan, phase: Phase, wanted: Callable[[Kind, Importance], bool], *, pending: bool = False
) -> Iterator[tuple[str, Kind, Task, int]]:
    """Yield name, kind, task and ordinal of the members that are wanted, in roll order."""
    names = Names(tx, plan, phase)
    for task in tasks(tx, phase, pending=pending):
        importance = importance_of(task)
        for place, code in enumerate(task.kinds):
            kind = KINDS[code]
            if wanted(kind, importance):
                yield names.name(task.lo + place), kind, task, task.lo + place


class Names:
    """Names by ordinal; of a fan-out, one page at a time is held."""

    def __init__(self, tx: Snapshot, plan: PhasePlan, phase: Phase) -> None:
        self._tx = tx
        self._plan = plan
        self._phase = facts(phase)
        self._page: Page | None = None

    def name(self, ordinal: int) -> str:
        """Return the member's name."""
        if self._plan.items is None:
            return self._plan.members[ordinal].name
        page = self._page_of(ordinal)
        return page.ids[ordinal - page.lo]

    def _page_of(self, ordinal: int) -> Page:
        page = self._page
        if page is None or not page.lo <= ordinal < page.lo + len(page.ids):
            page = self._page = self._tx.page(self._phase, ordinal)
        assert page is not None
        return page


def missing_names(tx: Snapshot, plan: PhasePlan, phase: Phase, most: int) -> tuple[str, ...]:
    """Name the critical and required members that are pending or unsatisfied, if there are no more than `most`."""

    def wanted(kind: Kind, importance: Importance) -> bool:
        return importance != "optional" and (kind == "pending" or kind in UNSATISFIED)

    found: list[str] = []
    for name, *_ in members(tx, plan, phase, wanted, pending=True):
        if len(found) == most:
            return ()
        found.append(name)
    return tuple(found)


def shortfall_names(tx: Snapshot, plan: PhasePlan, phase: Phase) -> tuple[str, ...]:
    """Name the optional members that are not satisfied; only named rolls have optional members."""
    if plan.items is not None:
        return ()
    lacking = UNSATISFIED | {"pending"}
    wanted = members(tx, plan, phase, lambda kind, importance: importance == "optional" and kind in lacking)
    return tuple(name for name, *_ in wanted)


def withdrawn_names(tx: Snapshot, plan: PhasePlan, phase: Phase) -> tuple[str, ...]:
    """Name the members that were taken out of the roll."""
    if not phase.counts.withdrawn:
        return ()
    return tuple(name for name, *_ in members(tx, plan, phase, lambda kind, _importance: kind == "withdrawn"))


def task_of(phase_id: int, ordinal: int, member: Member) -> Task:
    """Return the task of a named member at the start of its phase."""
    return Task(
        phase=phase_id,
        work="outside" if member.external else "member",
        lo=ordinal,
        hi=ordinal + 1,
        rank=RANK[member.importance],
        state="outside" if member.external else "queued",
        kinds=b"\0",
    )


def find(tx: Snapshot, plan: PhasePlan, phase: Phase, name: str) -> int | None:
    """Return a member's ordinal by name; an item that tasks of ours work on is looked for page by page."""
    if plan.items is None:
        found = plan.member(name)
        return tx.ordinals(facts(phase), [name]).get(name) if found is None else found[0]
    ordinal = tx.ordinals(facts(phase), [name]).get(name)
    if ordinal is not None or plan.items.run is None:
        return ordinal
    after = -1
    while pages := tx.pages(facts(phase), after=after):
        for page in pages:
            if name in page.ids:
                return page.lo + page.ids.index(name)
        after = pages[-1].number
    return None
