"""Tasks as one unit of work has read and changed them: each is read once and written once, however many reports came.

Drafts are written before anybody looks at tasks through the transaction itself, so that no reader misses a change.
"""

from bisect import bisect_right, insort
from typing import Final

from shotclock.model import Task, Work
from shotclock.ports import Transaction

Key = tuple[int, Work, int]

_RANGES: Final = frozenset[Work]({"member", "chunk", "outside"})


class Drafts:
    """The tasks in the hands of a unit of work, and the changes to them that are not written yet."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[Key, Task] = {}
        self._ranges: dict[int, list[tuple[int, Work]]] = {}
        """Start and kind of the known tasks over members, by phase, in roll order."""
        self._tokens: dict[Key, int] = {}
        """The stored token of each task that has changed."""

    def task(self, phase_id: int, work: Work, lo: int) -> Task | None:
        """Return the task of that kind that starts at ordinal `lo`."""
        known = self._known.get((phase_id, work, lo))
        return known or self._keep(self._tx.task(phase_id, work, lo))

    def task_at(self, phase_id: int, ordinal: int) -> Task | None:
        """Return the member, chunk or outside task whose range holds `ordinal`."""
        ranges = self._ranges.get(phase_id, [])
        place = bisect_right(ranges, ordinal, key=lambda start: start[0]) - 1
        if place >= 0:
            lo, work = ranges[place]
            known = self._known[phase_id, work, lo]
            if ordinal < known.hi:
                return known
        return self._keep(self._tx.task_at(phase_id, ordinal))

    def fetch(self, phase_id: int, owner: str) -> None:
        """Read all tasks of a phase that an owner holds, in one go."""
        for task in self._tx.leased(owner=owner, phase_id=phase_id):
            if (task.phase, task.work, task.lo) not in self._known:
                self._keep(task)

    def put(self, task: Task, token: int) -> None:
        """Replace a task whose token is the given one; its range stays as it is."""
        key = (task.phase, task.work, task.lo)
        self._tokens.setdefault(key, token)
        if key in self._known:
            self._known[key] = task
        else:
            self._keep(task)

    def write(self) -> None:
        """Write what has changed, and forget what was read."""
        if self._tokens:
            self._tx.put_tasks([(self._known[key], token) for key, token in self._tokens.items()])
            self._tokens.clear()
        if self._known:
            self._known.clear()
            self._ranges.clear()

    def _keep(self, task: Task | None) -> Task | None:
        if task is None:
            return None
        key = (task.phase, task.work, task.lo)
        if key not in self._known and task.work in _RANGES:
            insort(self._ranges.setdefault(task.phase, []), (task.lo, task.work))
        self._known[key] = task
        return task
