"""What can be changed in the memory store's tables, every change noted so that it can be taken back."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from shotclock.errors import NotFoundError, StaleError, UsageError
from shotclock.model import (
    Entry,
    EntryKind,
    FlagState,
    Halt,
    Opening,
    Outgoing,
    Page,
    Phase,
    Plan,
    Process,
    Run,
    Task,
)
from shotclock.stores.memory_tables import Journal, Numbered, Posted, Table, Tables, task_key
from shotclock.stores.memory_view import MemorySnapshot
from shotclock.stores.rows import name_key, stale_flag


class MemoryTransaction(MemorySnapshot):
    """`ports.Transaction` over the tables themselves: what it writes is seen at once, by itself alone."""

    def __init__(self, tables: Tables, journal: Journal) -> None:
        super().__init__(tables)
        self._journal = journal
        self._put = journal.put

    def add_run(self, run: Run, plan: Plan, phases: Sequence[Phase]) -> tuple[Run, bool]:
        """Add a run with its phases, or return the one that is there."""
        tables = self._tables
        found = tables.runs.rows.get(run.id)
        if found is not None:
            return found.run, False
        self._put(tables.runs, run.id, Numbered(len(tables.runs.rows) + 1, run))
        self._put(tables.plans, run.id, plan)
        for phase in phases:
            number = len(tables.phases.rows) + 1
            self._put(tables.phases, number, replace(phase, id=number))
        return run, True

    def put_run(self, run: Run) -> None:
        """Replace a run."""
        found = self._tables.runs.rows.get(run.id)
        if found is None:
            message = f"there is no run {run.id}"
            raise NotFoundError(message)
        self._put(self._tables.runs, run.id, Numbered(found.number, run))

    def put_phase(self, phase: Phase) -> None:
        """Replace a phase whose stored version is exactly one lower."""
        found = self._tables.phases.rows.get(phase.id)
        if found is None or found.version != phase.version - 1:
            message = f"phase {phase.name} of {phase.run} is not at version {phase.version - 1}: read it again"
            raise StaleError(message)
        self._put(self._tables.phases, phase.id, phase)

    def add_page(self, page: Page, tasks: Sequence[Task]) -> None:
        """Add a page of items and the tasks over them."""
        with self._whole():
            what = f"page {page.number} of phase {page.phase}"
            self._add(self._tables.pages, page.phase, (page.phase, page.number), page, what)
            self.add_tasks(tasks)

    def add_names(self, phase_id: int, names: Mapping[str, int]) -> None:
        """Make items findable by name; a name that is there keeps its ordinal."""
        for name, ordinal in names.items():
            self.phase(phase_id)
            key = (phase_id, name_key(name))
            if key not in self._tables.names.rows:
                self._put(self._tables.names, key, ordinal)

    def add_tasks(self, tasks: Sequence[Task]) -> None:
        """Add tasks."""
        with self._whole():
            for task in tasks:
                what = f"task {task.work} {task.lo} of phase {task.phase}"
                self._add(self._tables.tasks, task.phase, task_key(task), task, what)

    def put_tasks(self, tasks: Sequence[tuple[Task, int]]) -> None:
        """Replace tasks, each only if its stored token is the given one."""
        with self._whole():
            for task, token in tasks:
                found = self._tables.tasks.rows.get(task_key(task))
                if found is None or found.token != token:
                    message = f"task {task.work} {task.lo} of phase {task.phase} is not at token {token}: read it again"
                    raise StaleError(message)
                self._put(self._tables.tasks, task_key(task), task)

    def add_opening(self, opening: Opening) -> tuple[Opening, bool]:
        """Add a phase's opening, or return the one that is there."""
        found = self._tables.openings.rows.get(opening.phase)
        if found is not None:
            return found, False
        self.phase(opening.phase)
        self._put(self._tables.openings, opening.phase, opening)
        return opening, True

    def append(self, entry: Entry) -> None:
        """Keep an entry under a number that was never given before."""
        number = self._tables.numbers.rows.get("entry", 0) + 1
        self._put(self._tables.numbers, "entry", number)
        self._put(self._tables.entries, number, replace(entry, id=number))

    def remove_entries(self, ids: Iterable[int]) -> None:
        """Drop entries."""
        for number in ids:
            self._put(self._tables.entries, number, None)

    def purge_entries(self, kind: EntryKind, before: datetime, limit: int) -> int:
        """Drop the oldest entries of a kind from before an instant."""
        found = sorted(
            (entry.at, number)
            for number, entry in self._tables.entries.rows.items()
            if entry.kind == kind and entry.at < before
        )[:limit]
        self.remove_entries(number for _, number in found)
        return len(found)

    def tally(self, scope: str, name: str, number: int = 1) -> None:
        """Add to a counter."""
        key = (scope, name)
        self._put(self._tables.tallies, key, self._tables.tallies.rows.get(key, 0) + number)

    def post(self, message: Outgoing) -> bool:
        """Put a message in the outbox, unless one of that key ever was."""
        if message.key in self._tables.outbox.rows:
            return False
        number = len(self._tables.outbox.rows) + 1
        self._put(self._tables.outbox, message.key, Posted(number, sent=False, message=message))
        return True

    def take_outbox(
        self, now: datetime, limit: int, hold: timedelta, routes: Collection[str] | None = None
    ) -> list[Outgoing]:
        """Return unsent messages that are ready, as they were, and hide each until `now` + `hold`."""
        waiting = (self._tables.outbox.rows[key[-1]] for key in self._tables.unsent.of(None) if key[0] <= now)
        wanted = (row for row in waiting if routes is None or row.message.route in routes)
        ready = sorted(wanted, key=lambda row: (row.message.created_at, row.number))[:limit]
        for row in ready:
            hidden = replace(row.message, ready_at=now + hold)
            self._put(self._tables.outbox, row.message.key, replace(row, message=hidden))
        return [row.message for row in ready]

    def sent(self, keys: Iterable[str]) -> None:
        """Mark messages as delivered."""
        self._change_unsent(keys, lambda row: replace(row, sent=True))

    def unsent(self, key: str, ready_at: datetime, error: str) -> None:
        """Note a failed delivery of a message that is not delivered yet."""
        self._change_unsent([key], lambda row: replace(row, message=_failed(row.message, ready_at, error)))

    def put_halt(self, halt: Halt) -> None:
        """Add a halt, or replace the one of the same scope and start."""
        self._put(self._tables.halts, (halt.since, halt.scope), halt)

    def put_flag(self, flag: FlagState) -> None:
        """Replace a flag whose stored version is exactly one lower."""
        found = self._tables.flags.rows.get(flag.name)
        if (found.version if found else 0) != flag.version - 1:
            raise StaleError(stale_flag(flag))
        self._put(self._tables.flags, flag.name, flag)

    def lend(self) -> AbstractContextManager[Any]:
        """Refuse: there is no database here."""
        message = "memory:// has no tables of a caller's own; use a store in a file"
        raise UsageError(message)

    def beat(self, process: Process) -> None:
        """Keep a process's heartbeat."""
        self._put(self._tables.processes, process.name, process)

    def forget(self, names: Iterable[str]) -> None:
        """Drop the heartbeats of these processes."""
        for name in names:
            self._put(self._tables.processes, name, None)

    def _add(self, table: Table[Any, Any], phase_id: int, key: Hashable, row: Page | Task, what: str) -> None:
        self.phase(phase_id)
        if key in table.rows:
            message = f"{what} is there already: read it"
            raise StaleError(message)
        self._put(table, key, row)

    def _change_unsent(self, keys: Iterable[str], change: Callable[[Posted], Posted]) -> None:
        for key in keys:
            row = self._tables.outbox.rows.get(key)
            if row is not None and not row.sent:
                self._put(self._tables.outbox, key, change(row))

    @contextmanager
    def _whole(self) -> Iterator[None]:
        mark = self._journal.mark()
        try:
            yield
        except BaseException:
            self._journal.undo(mark)
            raise


def _failed(message: Outgoing, ready_at: datetime, error: str) -> Outgoing:
    return replace(message, attempts=message.attempts + 1, ready_at=ready_at, error=error)
