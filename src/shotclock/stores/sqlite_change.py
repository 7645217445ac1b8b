"""What can be changed in the SQLite store, within the transaction that is open."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from shotclock.errors import NotFoundError, StaleError
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
from shotclock.stores import rows
from shotclock.stores.rows import Row, micros
from shotclock.stores.sqlite_view import Plans, SqliteSnapshot
from shotclock.stores.statements import DUMPED, SQL

_ENDING: Final = frozenset(
    {sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
)
_CHANGING: Final = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})


def _allowed(action: int, table: str | None, *_: object) -> int:
    """Say whether whoever was lent the connection may do that."""
    refused = action in _ENDING or (action in _CHANGING and table in DUMPED)
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


class SqliteTransaction(SqliteSnapshot):
    """`ports.Transaction` over the connection that holds the write lock."""

    def __init__(self, connection: sqlite3.Connection, plans: Plans) -> None:
        super().__init__(connection, plans)
        self._added: set[str] = set()

    def plan(self, run_id: str) -> Plan:
        """Return the plan of that run; one that is not committed is not kept in memory."""
        return self._read_plan(run_id) if run_id in self._added else super().plan(run_id)

    def add_run(self, run: Run, plan: Plan, phases: Sequence[Phase]) -> tuple[Run, bool]:
        """Add a run with its phases, or return the one that is there."""
        found = self.run(run.id)
        if found is not None:
            return found, False
        self._added.add(run.id)
        self._db.execute(SQL["run_add"], rows.run_row(0, run)[1:])
        self._db.execute(SQL["plan_add"], rows.plan_row(run.id, plan))
        last: int = self._db.execute(SQL["phase_last"]).fetchone()[0]
        numbered = (replace(phase, id=number) for number, phase in enumerate(phases, last + 1))
        self._db.executemany(SQL["phase_add"], [rows.phase_row(phase) for phase in numbered])
        return run, True

    def put_run(self, run: Run) -> None:
        """Replace a run."""
        row = rows.run_row(0, run)
        if self._db.execute(SQL["run_put"], (*row[2:], run.id)).rowcount != 1:
            message = f"there is no run {run.id}"
            raise NotFoundError(message)

    def put_phase(self, phase: Phase) -> None:
        """Replace a phase whose stored version is exactly one lower."""
        row = (*rows.phase_row(phase)[4:], phase.id, phase.version - 1)
        if self._db.execute(SQL["phase_put"], row).rowcount != 1:
            message = f"phase {phase.name} of {phase.run} is not at version {phase.version - 1}: read it again"
            raise StaleError(message)

    def add_page(self, page: Page, tasks: Sequence[Task]) -> None:
        """Add a page of items and the tasks over them."""
        with self._whole():
            self._insert("page_add", [rows.page_row(page)], f"page {page.number} of phase {page.phase}")
            self._insert("task_add", [rows.task_row(task) for task in tasks], _described(tasks))

    def add_names(self, phase_id: int, names: Mapping[str, int]) -> None:
        """Make items findable by name; a name that is there keeps its ordinal."""
        keys = [(phase_id, rows.name_key(name), ordinal) for name, ordinal in names.items()]
        self._insert("name_add", keys, f"a name of phase {phase_id}")

    def add_tasks(self, tasks: Sequence[Task]) -> None:
        """Add tasks."""
        with self._whole():
            self._insert("task_add", [rows.task_row(task) for task in tasks], _described(tasks))

    def put_tasks(self, tasks: Sequence[tuple[Task, int]]) -> None:
        """Replace tasks, each only if its stored token is the given one."""
        changes = [(*(row := rows.task_row(task))[3:], *row[:3], token) for task, token in tasks]
        if len(changes) == 1:
            changed = self._db.execute(SQL["task_put"], changes[0]).rowcount
            self._expect(changed, tasks)
            return
        with self._whole():
            changed = self._db.executemany(SQL["task_put"], changes).rowcount if changes else 0
            self._expect(changed, tasks)

    def add_opening(self, opening: Opening) -> tuple[Opening, bool]:
        """Add a phase's opening, or return the one that is there."""
        found = self.opening(opening.phase)
        if found is not None:
            return found, False
        self._insert("opening_add", [rows.opening_row(opening)], f"the opening of phase {opening.phase}")
        return opening, True

    def append(self, entry: Entry) -> None:
        """Keep an entry under a number that was never given before."""
        self._db.execute(SQL["entry_add"], rows.entry_row(entry, None))

    def remove_entries(self, ids: Iterable[int]) -> None:
        """Drop entries."""
        self._db.executemany(SQL["entry_remove"], [(number,) for number in ids])

    def purge_entries(self, kind: EntryKind, before: datetime, limit: int) -> int:
        """Drop the oldest entries of a kind from before an instant."""
        return self._db.execute(SQL["entries_purge"], (kind, micros(before), limit)).rowcount

    def tally(self, scope: str, name: str, number: int = 1) -> None:
        """Add to a counter."""
        self._db.execute(SQL["tally_add"], (scope, name, number))

    def post(self, message: Outgoing) -> bool:
        """Put a message in the outbox, unless one of that key ever was."""
        return self._db.execute(SQL["outbox_add"], rows.outbox_row(None, message, sent=False)).rowcount == 1

    def take_outbox(
        self, now: datetime, limit: int, hold: timedelta, routes: Collection[str] | None = None
    ) -> list[Outgoing]:
        """Return unsent messages that are ready, as they were, and hide each until `now` + `hold`."""
        wanted = None if routes is None else json.dumps(list(routes))
        found = self._db.execute(SQL["outbox_ready"], (micros(now), wanted, wanted, limit)).fetchall()
        ready = [rows.outgoing_of(row) for row in found]
        until = micros(now + hold)
        self._db.executemany(SQL["outbox_hide"], [(until, message.key) for message in ready])
        return ready

    def sent(self, keys: Iterable[str]) -> None:
        """Mark messages as delivered."""
        self._db.executemany(SQL["outbox_sent"], [(key,) for key in keys])

    def unsent(self, key: str, ready_at: datetime, error: str) -> None:
        """Note a failed delivery of a message that is not delivered yet."""
        self._db.execute(SQL["outbox_unsent"], (micros(ready_at), error, key))

    def put_halt(self, halt: Halt) -> None:
        """Add a halt, or replace the one of the same scope and start."""
        self._db.execute(SQL["halt_put"], rows.halt_row(halt))

    def put_flag(self, flag: FlagState) -> None:
        """Replace a flag whose stored version is exactly one lower."""
        name, version, body = rows.flag_row(flag)
        if self._db.execute(SQL["flag_put"], (version, body, name, version - 1)).rowcount:
            return
        if version != 1 or not self._db.execute(SQL["flag_add"], (name, version, body)).rowcount:
            raise StaleError(rows.stale_flag(flag))

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection, for anything but the store's own tables and the transaction."""
        self._db.set_authorizer(_allowed)
        try:
            yield self._db
        finally:
            self._db.set_authorizer(None)

    def beat(self, process: Process) -> None:
        """Keep a process's heartbeat."""
        self._db.execute(SQL["process_put"], rows.process_row(process))

    def forget(self, names: Iterable[str]) -> None:
        """Drop the heartbeats of these processes."""
        self._db.executemany(SQL["process_remove"], [(name,) for name in names])

    def _insert(self, name: str, new: Sequence[Row], what: str) -> None:
        try:
            self._db.executemany(SQL[name], new)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY":
                message = f"{what} has no phase: add its run first"
                raise NotFoundError(message) from error
            message = f"{what} is there already: read it"
            raise StaleError(message) from error

    @staticmethod
    def _expect(changed: int, tasks: Sequence[tuple[Task, int]]) -> None:
        if changed != len(tasks):
            what = _described([task for task, _ in tasks])
            message = f"{what} is not at the token it was read with: read it again"
            raise StaleError(message)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        self._db.execute(SQL["whole_begin"])
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.execute(SQL["whole_undo"])
            raise
        finally:
            if self._db.in_transaction:
                self._db.execute(SQL["whole_end"])


def _described(tasks: Sequence[Task]) -> str:
    names = [f"{task.work} {task.lo}" for task in tasks]
    return f"task {rows.named(names)} of phase {tasks[0].phase if tasks else 0}"
