"""The memory store: plain dicts behind one lock; the reference for every other store, and the simulator's."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import Any, TypeVar

from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.ports import Snapshot, Transaction
from shotclock.stores import rows
from shotclock.stores.memory_change import MemoryTransaction
from shotclock.stores.memory_tables import Journal, Tables
from shotclock.stores.memory_view import MemorySnapshot
from shotclock.stores.rows import Row

T = TypeVar("T")


class MemoryStore:
    """A store that lives as long as its process; reads and writes take turns.

    Values are shared, never copied: they are frozen, and whoever changes a dict inside one changes the store.
    """

    def __init__(self) -> None:
        self._tables = Tables()
        self._lock = Lock()
        self._holder: int | None = None
        self._version = 0
        self._closed = False

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result; if it raises, it leaves no trace."""
        with self._turn():
            journal = Journal()
            try:
                result = work(MemoryTransaction(self._tables, journal))
            except BaseException:
                journal.undo()
                raise
            self._version += 1 if journal.mark() else 0
            return result

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on what was committed and return its result."""
        with self._turn():
            return work(MemorySnapshot(self._tables))

    def version(self) -> int:
        """Return the number of commits that changed something."""
        return self._version

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield every row as a store on disk would keep it."""
        with self._turn():
            found = [(table, row) for table, content in _content(self._tables) for row in content]
        yield from found

    def close(self) -> None:
        """Refuse further calls."""
        self._closed = True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._holder == get_ident():
            message = "a transaction is running in this thread: use the one that was given instead of the store"
            raise UsageError(message)
        with self._lock:
            if self._closed:
                message = "memory:// is closed: open a store again"
                raise StoreUnavailableError(message)
            self._holder = get_ident()
            try:
                yield
            finally:
                self._holder = None


def _content(tables: Tables) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "run", sorted(rows.run_row(row.number, row.run) for row in tables.runs.rows.values())
    yield "plan", (rows.plan_row(*item) for item in sorted(tables.plans.rows.items(), key=_key))
    yield "phase", (rows.phase_row(phase) for _, phase in sorted(tables.phases.rows.items(), key=_key))
    yield "page", (rows.page_row(page) for _, page in sorted(tables.pages.rows.items(), key=_key))
    yield "item_name", sorted((*key, ordinal) for key, ordinal in tables.names.rows.items())
    yield "task", (rows.task_row(task) for _, task in sorted(tables.tasks.rows.items(), key=_key))
    yield "opening", (rows.opening_row(opening) for _, opening in sorted(tables.openings.rows.items(), key=_key))
    yield "entry", (rows.entry_row(entry, number) for number, entry in sorted(tables.entries.rows.items(), key=_key))
    yield "tally", sorted((*key, number) for key, number in tables.tallies.rows.items())
    posted = sorted(tables.outbox.rows.values(), key=lambda row: row.number)
    yield "outbox", (rows.outbox_row(row.number, row.message, sent=row.sent) for row in posted)
    yield "halt", (rows.halt_row(halt) for _, halt in sorted(tables.halts.rows.items(), key=_key))
    yield "flag", (rows.flag_row(flag) for _, flag in sorted(tables.flags.rows.items(), key=_key))
    yield "process", (rows.process_row(process) for _, process in sorted(tables.processes.rows.items(), key=_key))


def _key(item: tuple[Any, Any]) -> Any:  # noqa: ANN401 - a key of any table
    return item[0]
