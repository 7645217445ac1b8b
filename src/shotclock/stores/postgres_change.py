"""What can be changed in the PostgreSQL store, within the transaction that holds its lock."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

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
from shotclock.stores.postgres_lending import lent
from shotclock.stores.postgres_session import Parameters, Session, columns, given, held, held_text
from shotclock.stores.postgres_view import PostgresSnapshot
from shotclock.stores.rows import WORK_CODE, Row, micros, name_key
from shotclock.stores.sqlite_view import Plans

if TYPE_CHECKING:
    import psycopg

_RINGING: Final = frozenset({"run_add", "task_add", "outbox_add", "halt_put", "flag_add", "flag_put"})
"""Changes that give others something to do."""


class PostgresTransaction(PostgresSnapshot):
    """`ports.Transaction` for the jobs of one group, one after the other.

    Nothing that a store may refuse raises an error of PostgreSQL, which would end the transaction: statements change
    all or nothing, and how much they changed says what went wrong. So a job costs a savepoint only where it writes
    after another one has.
    """

    def __init__(self, session: Session, plans: Plans) -> None:
        super().__init__(session, plans)
        self.last_entry: int | None = None
        """The last number given to an entry, if one was given here."""
        self.changed = False
        """Whether there is something to commit."""
        self.rings = False
        """Whether others have something to do once it is committed."""
        self._added: set[str] = set()
        self._saved = False
        self._before: tuple[int | None, bool, bool] | None = None
        self._versions: dict[int, int] = {}
        """The version of each phase as it was read or put here; nobody else changes it while the lock is held."""
        self._tokens: dict[Row, int] = {}
        """Likewise the token of each task, by phase, kind of work and `lo`."""

    def begin_job(self) -> None:
        """Begin the changes of another job."""
        self._before = None

    def undo_job(self) -> bool:
        """Undo what the job at hand has changed; False where only a rollback of all does, which loses nothing."""
        if self._before is None:
            return True
        self.last_entry, self.changed, self.rings = self._before
        self._before = None
        self._forget_read()
        if self.changed:
            self._db.change("job_undo")
        return self.changed

    def plan(self, run_id: str) -> Plan:
        """Return the plan of that run; one that is not committed is not kept in memory."""
        return self._read_plan(run_id) if run_id in self._added else super().plan(run_id)

    def add_run(self, run: Run, plan: Plan, phases: Sequence[Phase]) -> tuple[Run, bool]:
        """Add a run with its phases, or return the one that is there."""
        found = self.run(run.id)
        if found is not None:
            return found, False
        self._added.add(run.id)
        self._change("run_add", rows.run_row(0, run)[1:])
        self._change("plan_add", rows.plan_row(run.id, plan))
        if phases:
            row = self._db.row("phase_last")
            first = 1 if row is None else row[0] + 1
            numbered = [rows.phase_row(replace(phase, id=first + place)) for place, phase in enumerate(phases)]
            self._change("phase_add", columns(numbered))
        return run, True

    def put_run(self, run: Run) -> None:
        """Replace a run."""
        self._runs.pop(run.id, None)
        if self._change("run_put", (*rows.run_row(0, run)[2:], run.id)) != 1:
            message = f"there is no run {run.id}"
            raise NotFoundError(message)

    def put_phase(self, phase: Phase) -> None:
        """Replace a phase whose stored version is exactly one lower."""
        row = (*rows.phase_row(phase)[4:], phase.id, phase.version - 1)
        if self._versions.get(phase.id) == phase.version - 1:
            self._put("phase_put_read", row)
        elif self._change("phase_put", row) != 1:
            message = f"phase {phase.name} of {phase.run} is not at version {phase.version - 1}: read it again"
            raise StaleError(message)
        self._versions[phase.id] = phase.version

    def add_page(self, page: Page, tasks: Sequence[Task]) -> None:
        """Add a page of items and the tasks over them."""
        if not self._change("page_add", (*rows.page_row(page)[1:], page.phase)):
            what = f"page {page.number} of phase {page.phase}"
            self._expect_phase(page.phase, what)
            message = f"{what} is there already: read it"
            raise StaleError(message)
        try:
            self.add_tasks(tasks)
        except (NotFoundError, StaleError):
            self._change("page_remove", (page.phase, page.number))
            raise

    def add_names(self, phase_id: int, names: Mapping[str, int]) -> None:
        """Make items findable by name; a name that is there keeps its ordinal."""
        if names:
            self._expect_phase(phase_id, f"a name of phase {phase_id}")
            self._change("name_add", (phase_id, [name_key(name) for name in names], list(names.values())))

    def add_tasks(self, tasks: Sequence[Task]) -> None:
        """Add tasks."""
        if not tasks:
            return
        new = [rows.task_row(task) for task in tasks]
        repeated = len({row[:3] for row in new}) < len(new)
        if repeated or self._change("task_add", columns(new)) != len(new):
            self._refuse(tasks, new)

    def put_tasks(self, tasks: Sequence[tuple[Task, int]]) -> None:
        """Replace tasks, each only if its stored token is the given one."""
        changes = [(*rows.task_row(task), token) for task, token in tasks]
        distinct = {row[:3]: row[-1] for row in changes}
        if changes and distinct.items() <= self._tokens.items() and len(distinct) == len(changes):
            if len(changes) == 1:
                self._put("task_put_one_read", _replacing(changes[0]))
            else:
                self._put("task_put_read", columns(changes))
            self._tokens.update({row[:3]: row[6] for row in changes})
            return
        for key in distinct:
            self._tokens.pop(key, None)
        if len(distinct) < len(changes):
            changes = self._in_turn(changes)
        if len(changes) == 1:
            changed = self._change("task_put_one", _replacing(changes[0]))
        else:
            changed = self._change("task_put", columns(changes)) if changes else 0
        if changed != len(changes):
            raise _stale(tasks)

    def add_opening(self, opening: Opening) -> tuple[Opening, bool]:
        """Add a phase's opening, or return the one that is there."""
        found = self.opening(opening.phase)
        if found is not None:
            return found, False
        self._expect_phase(opening.phase, f"the opening of phase {opening.phase}")
        self._change("opening_add", rows.opening_row(opening))
        return opening, True

    def append(self, entry: Entry) -> None:
        """Keep an entry under a number that was never given before."""
        last = self.last_entry
        if last is None:
            row = self._db.row("entry_last")
            last = 0 if row is None else row[0]
        self._put("entry_add", held(rows.entry_row(entry, last + 1)))
        self.last_entry = last + 1

    def remove_entries(self, ids: Iterable[int]) -> None:
        """Drop entries."""
        self._change_all("entry_remove", list(ids))

    def purge_entries(self, kind: EntryKind, before: datetime, limit: int) -> int:
        """Drop the oldest entries of a kind from before an instant."""
        return self._change("entries_purge", (kind, micros(before), limit))

    def tally(self, scope: str, name: str, number: int = 1) -> None:
        """Add to a counter."""
        self._put("tally_add", (held_text(scope), held_text(name), number, name_key(name)))

    def post(self, message: Outgoing) -> bool:
        """Put a message in the outbox, unless one of that key ever was."""
        row = held(rows.outbox_row(None, message, sent=False)[1:])
        return self._change("outbox_add", (*row, name_key(message.key))) == 1

    def take_outbox(
        self, now: datetime, limit: int, hold: timedelta, routes: Collection[str] | None = None
    ) -> list[Outgoing]:
        """Return unsent messages that are ready, as they were, and hide each until `now` + `hold`."""
        wanted = None if routes is None else list(routes)
        found = self._db.rows("outbox_ready", (micros(now), wanted, wanted, limit))
        ready = [rows.outgoing_of(given(row)) for row in found]
        self._change_all("outbox_hide", [name_key(message.key) for message in ready], micros(now + hold))
        return ready

    def sent(self, keys: Iterable[str]) -> None:
        """Mark messages as delivered."""
        self._change_all("outbox_sent", [name_key(key) for key in keys])

    def unsent(self, key: str, ready_at: datetime, error: str) -> None:
        """Note a failed delivery of a message that is not delivered yet."""
        self._change("outbox_unsent", (micros(ready_at), held_text(error), name_key(key)))

    def put_halt(self, halt: Halt) -> None:
        """Add a halt, or replace the one of the same scope and start."""
        self._halts = None
        self._change("halt_put", held(rows.halt_row(halt)))

    def put_flag(self, flag: FlagState) -> None:
        """Replace a flag whose stored version is exactly one lower."""
        name, version, body = rows.flag_row(flag)
        if self._change("flag_put", (version, body, name, version - 1)):
            return
        if version != 1 or not self._change("flag_add", (name, version, body)):
            raise StaleError(rows.stale_flag(flag))

    @contextmanager
    def lend(self) -> Iterator["psycopg.Connection[Any]"]:
        """Lend the connection, on which names without a schema mean the user's tables; an error undoes what was done.

        `commit` and `rollback` of it are refused, and so are statements that begin or end a transaction.
        """
        self._begin_change()
        self._forget_read()
        path = self._db.row("path")
        with lent(self._db.connection) as connection:
            self._db.change("path_default")
            yield connection
            self._db.row("path_put", path or ())
        self.changed = True

    def beat(self, process: Process) -> None:
        """Keep a process's heartbeat."""
        self._change("process_put", rows.process_row(process))

    def forget(self, names: Iterable[str]) -> None:
        """Drop the heartbeats of these processes."""
        self._change("process_remove", (list(names),))

    def _change(self, name: str, parameters: Parameters) -> int:
        """Change rows, from a point that this job alone can be taken back to; return how many."""
        self._begin_change()
        changed = self._db.change(name, parameters)
        if changed:
            self.changed = True
            self.rings = self.rings or name in _RINGING
        return changed

    def _put(self, name: str, parameters: Parameters) -> None:
        """Change a row that is sure to be changed, with the next statement that asks something."""
        self._begin_change()
        self._db.defer(name, parameters)
        self.changed = True

    def _phase(self, body: str) -> Phase:
        phase = super()._phase(body)
        self._versions[phase.id] = phase.version
        return phase

    def _task(self, row: Row) -> Task:
        task = super()._task(row)
        self._tokens[task.phase, task.lo, WORK_CODE[task.work]] = task.token
        return task

    def _forget_read(self) -> None:
        self._versions.clear()
        self._tokens.clear()
        self._runs.clear()
        self._halts = None

    def _begin_change(self) -> None:
        if self._before is None:
            self._before = (self.last_entry, self.changed, self.rings)
            if self.changed:
                self._save()

    def _save(self) -> None:
        if self._saved:
            self._db.defer("job_end")
        self._db.defer("job_begin")
        self._saved = True

    def _change_all(self, name: str, keys: list[int] | list[bytes], *more: int) -> None:
        if keys:
            self._change(name, (*more, keys))

    def _expect_phase(self, phase_id: int, what: str) -> None:
        if self._db.row("phase", (phase_id,)) is None:
            raise _without_phase(what)

    def _in_turn(self, changes: Sequence[Row]) -> list[Row]:
        """Return what is left where a task is replaced several times: its last form, over the token stored now."""
        found = self._db.rows("task_tokens", columns([row[:3] for row in changes]))
        stored = {row[:3]: row[3] for row in found}
        tokens, last = dict(stored), dict[Row, Row]()
        for row in changes:
            if tokens.get(row[:3]) != row[-1]:
                return [(*row[:-1], -1)]
            tokens[row[:3]] = row[6]
            last[row[:3]] = (*row[:-1], stored[row[:3]])
        return list(last.values())

    def _refuse(self, tasks: Sequence[Task], new: Sequence[Row]) -> None:
        """Say why tasks were not added: the first that has no phase, or that is there."""
        found = self._db.rows("task_unfit", columns([row[:3] for row in new]))
        seen: set[Row] = set()
        for task, row, (phase, there) in zip(tasks, new, found, strict=True):
            if not phase:
                raise _without_phase(_described([task]))
            if there or row[:3] in seen:
                message = f"{_described([task])} is there already: read it"
                raise StaleError(message)
            seen.add(row[:3])


def _replacing(change: Row) -> Row:
    """Return the parameters that replace one task: what it becomes, then which it is, then its token."""
    return (*change[3:-1], *change[:3], change[-1])


def _without_phase(what: str) -> NotFoundError:
    message = f"{what} has no phase: add its run first"
    return NotFoundError(message)


def _stale(tasks: Sequence[tuple[Task, int]]) -> StaleError:
    message = f"{_described([task for task, _ in tasks])} is not at the token it was read with: read it again"
    return StaleError(message)


def _described(tasks: Sequence[Task]) -> str:
    names = [f"{task.work} {task.lo}" for task in tasks]
    return f"task {rows.named(names)} of phase {tasks[0].phase if tasks else 0}"
