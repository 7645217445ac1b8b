"""A store in memory that can go back to where it was, so that every way on from there can be tried in turn."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from shotclock.ports import Transaction
from shotclock.stores.memory import MemoryStore
from shotclock.stores.memory_change import MemoryTransaction
from shotclock.stores.memory_tables import Journal, Table
from shotclock.testing.tap import DeathError

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Mortal(Journal):
    """A journal of a transaction whose process dies before its write of that number."""

    def __init__(self, last: int | None) -> None:
        super().__init__()
        self._last = last

    def put(self, table: Table[K, V], key: K, new: V | None) -> None:
        """Write a row, or die."""
        if self.mark() == self._last:
            raise DeathError
        super().put(table, key, new)


class BranchingStore(MemoryStore):
    """A memory store that remembers every commit; `dying_at` is the row before which the next one's process dies."""

    def __init__(self) -> None:
        super().__init__()
        self._commits: list[Journal] = []
        self.dying_at: int | None = None

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that can be taken back."""
        with self._turn():
            journal = _Mortal(self.dying_at)
            try:
                result = work(MemoryTransaction(self._tables, journal))
            except BaseException:
                journal.undo()
                raise
            self._commits.append(journal)
            return result

    def mark(self) -> int:
        """Return the present point, for `back_to`."""
        return len(self._commits)

    def rows_since(self, mark: int) -> list[int]:
        """Return how many rows each commit since a point has written."""
        return [journal.mark() for journal in self._commits[mark:]]

    def rows(self) -> list[dict[Any, Any]]:
        """Return all that is there, to be compared."""
        return [dict(table.rows) for table in vars(self._tables).values() if isinstance(table, Table)]

    def back_to(self, mark: int) -> None:
        """Take back every commit since a point, the last one first."""
        while len(self._commits) > mark:
            self._commits.pop().undo()

    def version(self) -> int:
        """Return the number of commits that have not been taken back."""
        return len(self._commits)
