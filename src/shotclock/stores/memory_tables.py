"""The memory store's tables: rows in a dict, sorted orders over them, and a journal that takes changes back."""

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from shotclock.model import Entry, FlagState, Halt, Opening, Outgoing, Page, Phase, Plan, Process, Run, Task
from shotclock.stores.rows import LAST_RANGE, WORK_CODE, available, unsettled

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Place = tuple[Hashable, tuple[Any, ...]]
"""Where a row stands in an order: a bucket, and a sort key within it that ends with the row's own key."""

TaskKey = tuple[int, int, int]
"""Phase, lo, code of the work."""


class Order(Generic[K, V]):
    """Keys of some rows of a table, sorted within buckets."""

    def __init__(self, place: Callable[[K, V], Place | None]) -> None:
        self._place = place
        self._buckets: dict[Hashable, list[tuple[Any, ...]]] = {}

    def of(self, bucket: Hashable) -> list[tuple[Any, ...]]:
        """Return a bucket's sort keys, in order; the caller leaves the list as it is."""
        return self._buckets.get(bucket, _NOTHING)

    def buckets(self) -> list[Any]:
        """Return all buckets that ever held something."""
        return list(self._buckets)

    def move(self, key: K, old: V | None, new: V | None) -> None:
        """Follow a row from one value to another."""
        was = None if old is None else self._place(key, old)
        now = None if new is None else self._place(key, new)
        if was == now:
            return
        if was is not None:
            keys = self._buckets[was[0]]
            del keys[bisect_left(keys, was[1])]
        if now is not None:
            insort(self._buckets.setdefault(now[0], []), now[1])


_NOTHING: Final[list[tuple[Any, ...]]] = []


class Table(Generic[K, V]):
    """Rows by key, with the orders that follow them."""

    def __init__(self, *orders: Order[K, V]) -> None:
        self.rows: dict[K, V] = {}
        self._orders = orders

    def put(self, key: K, new: V | None) -> V | None:
        """Set a row, or drop it with None; return what was there."""
        old = self.rows.get(key)
        if new is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = new
        for order in self._orders:
            order.move(key, old, new)
        return old


class Numbered(Struct, frozen=True):
    """A run and the number of its arrival."""

    number: int
    run: Run


class Posted(Struct, frozen=True):
    """A message, the number of its arrival, and whether it was delivered."""

    number: int
    sent: bool
    message: Outgoing


def _running(key: str, row: Numbered) -> Place | None:
    run = row.run
    return (None, (run.started_at, row.number, key)) if run.state == "running" and not run.superseded else None


def _due(key: int, phase: Phase) -> Place | None:
    return None if phase.due_at is None else (None, (phase.due_at, key))


def _ranges(key: TaskKey, _: Task) -> Place | None:
    return None if key[2] > LAST_RANGE else (key[0], key[1:])


def _open(key: TaskKey, task: Task) -> Place | None:
    since = available(task)
    return None if since is None else (key[0], (since, task.rank, *key[1:]))


def _leased(key: TaskKey, task: Task) -> Place | None:
    return (None, (*key, task.owner)) if task.state == "leased" else None


def _pending(key: TaskKey, task: Task) -> Place | None:
    return (key[0], key[1:]) if unsettled(task) else None


def _unsent(key: str, posted: Posted) -> Place | None:
    return None if posted.sent else (None, (posted.message.ready_at, posted.number, key))


class Tables:
    """Everything a memory store holds."""

    def __init__(self) -> None:
        self.runs_of: Order[str, Numbered] = Order(
            lambda key, row: ((row.run.pipeline, row.run.mode), (row.run.key, row.run.generation, key))
        )
        self.started: Order[str, Numbered] = Order(lambda key, row: (None, (row.run.started_at, row.number, key)))
        self.by_state: Order[str, Numbered] = Order(
            lambda key, row: (row.run.state, (row.run.started_at, row.number, key))
        )
        self.running = Order(_running)
        self.runs = Table(self.runs_of, self.started, self.by_state, self.running)
        self.plans: Table[str, Plan] = Table()
        self.phases_of: Order[int, Phase] = Order(lambda key, phase: (phase.run, (phase.index, key)))
        self.due = Order(_due)
        self.phases = Table(self.phases_of, self.due)
        self.pages_of: Order[tuple[int, int], Page] = Order(lambda key, _: (key[0], key[1:]))
        self.page_starts: Order[tuple[int, int], Page] = Order(
            lambda key, page: (key[0], (page.lo, key[1])) if page.ids else None
        )
        self.pages = Table(self.pages_of, self.page_starts)
        self.ranges, self.open, self.leased = Order(_ranges), Order(_open), Order(_leased)
        self.pending = Order(_pending)
        self.tasks = Table(self.ranges, self.open, self.leased, self.pending)
        self.names: Table[tuple[int, bytes], int] = Table()
        self.openings: Table[int, Opening] = Table()
        self.entries_of: Order[int, Entry] = Order(lambda key, entry: ((entry.kind, entry.scope), (entry.at, key)))
        self.entries = Table(self.entries_of)
        self.tallies_of: Order[tuple[str, str], int] = Order(lambda key, _: (key[0], key[1:]))
        self.tallies = Table(self.tallies_of)
        self.unsent = Order(_unsent)
        self.outbox = Table(self.unsent)
        self.halts: Table[tuple[datetime, str], Halt] = Table()
        self.processes: Table[str, Process] = Table()
        self.flags: Table[str, FlagState] = Table()
        self.numbers: Table[str, int] = Table()


class Journal:
    """What was there before each change of a transaction."""

    def __init__(self) -> None:
        self._changes: list[tuple[Table[Any, Any], Hashable, Any]] = []

    def put(self, table: Table[K, V], key: K, new: V | None) -> None:
        """Set or drop a row and note what was there."""
        self._changes.append((table, key, table.put(key, new)))

    def mark(self) -> int:
        """Return the present point, for `undo`."""
        return len(self._changes)

    def undo(self, mark: int = 0) -> None:
        """Take back everything since `mark`, the last change first."""
        while len(self._changes) > mark:
            table, key, old = self._changes.pop()
            table.put(key, old)


def task_key(task: Task) -> TaskKey:
    """Return the key of a task's row."""
    return (task.phase, task.lo, WORK_CODE[task.work])
