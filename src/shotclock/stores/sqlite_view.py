"""What can be read from the SQLite store through one connection."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, Final, TypeVar

from shotclock.errors import NotFoundError
from shotclock.model import (
    Entry,
    EntryKind,
    FlagState,
    Halt,
    Opening,
    Page,
    Phase,
    Plan,
    Process,
    Run,
    RunId,
    RunState,
    Task,
    Upstream,
    Work,
)
from shotclock.stores import rows
from shotclock.stores.rows import ALWAYS, WORK_CODE, Row, instant, micros
from shotclock.stores.statements import SQL
from shotclock.stores.upstream import upstream_of

V = TypeVar("V")
Parameters = tuple[Any, ...] | Mapping[str, Any]

_TOGETHER: Final = 64
"""Names one question asks for, as it is written."""
KEPT_PLANS: Final = 64
"""Decoded plans a process keeps."""

_SINCE = micros(ALWAYS)


class Plans:
    """Decoded plans of committed runs, which never change; the oldest makes room."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._lock = Lock()

    def get(self, run_id: str) -> Plan | None:
        """Return a plan that was kept."""
        return self._plans.get(run_id)

    def keep(self, run_id: str, plan: Plan) -> None:
        """Keep a plan."""
        with self._lock:
            self._plans[run_id] = plan
            while len(self._plans) > KEPT_PLANS:
                del self._plans[next(iter(self._plans))]


class SqliteSnapshot:
    """`ports.Snapshot` over a connection in which a transaction is open."""

    def __init__(self, connection: sqlite3.Connection, plans: Plans) -> None:
        self._db = connection
        self._plans = plans

    def run(self, run_id: str) -> Run | None:
        """Return the run of that text form."""
        return self._one("run", (run_id,), rows.run_of)

    def newest(self, identity: RunId) -> Run | None:
        """Return the newest generation of the run."""
        return self._one("run_newest", (identity.pipeline, identity.mode, identity.key), rows.run_of)

    def before(self, identity: RunId) -> Run | None:
        """Return the newest generation of the nearest earlier key."""
        return self._one("run_before", (identity.pipeline, identity.mode, identity.key), rows.run_of)

    def runs(
        self, *, pipeline: str | None = None, state: RunState | None = None, limit: int = 50, superseded: bool = False
    ) -> list[Run]:
        """Return runs, the last started first."""
        wanted = {"pipeline": pipeline, "state": state, "limit": limit, "superseded": superseded}
        return self._all("runs", wanted, rows.run_of)

    def plan(self, run_id: str) -> Plan:
        """Return the plan of that run."""
        plan = self._plans.get(run_id)
        if plan is None:
            plan = self._read_plan(run_id)
            self._plans.keep(run_id, plan)
        return plan

    def phase(self, phase_id: int) -> Phase:
        """Return a phase."""
        found = self._one("phase", (phase_id,), rows.phase_of)
        if found is None:
            message = f"there is no phase of number {phase_id}"
            raise NotFoundError(message)
        return found

    def phase_of(self, run_id: str, name: str) -> Phase | None:
        """Return a run's phase by name."""
        return self._one("phase_of", (run_id, name), rows.phase_of)

    def upstream(self, run_id: str, name: str, limit: int) -> Upstream | None:
        """Return a run's phase by name, with what was kept of it."""
        return upstream_of(self, run_id, name, limit)

    def phases(self, run_id: str) -> list[Phase]:
        """Return the run's phases in the plan's order."""
        return self._all("phases", (run_id,), rows.phase_of)

    def task(self, phase_id: int, work: Work, lo: int) -> Task | None:
        """Return the task of that kind that starts at `lo`."""
        row = self._row("task", (phase_id, lo, WORK_CODE[work]))
        return None if row is None else rows.task_of(row)

    def task_at(self, phase_id: int, ordinal: int) -> Task | None:
        """Return the task whose range holds `ordinal`."""
        row = self._row("task_at", (phase_id, ordinal))
        return None if row is None or ordinal >= row[2] else rows.task_of(row)

    def tasks(self, phase_id: int, *, after: int = -1, limit: int = 1_000, pending: bool = False) -> list[Task]:
        """Return tasks over members, by `lo`."""
        return self._tasks("tasks_pending" if pending else "tasks", (phase_id, after, limit))

    def leasable(self, phase_id: int, now: datetime, limit: int) -> list[Task]:
        """Return tasks that may be leased at `now`, by rank, then `lo`."""
        wanted = {"phase": phase_id, "always": _SINCE, "now": micros(now), "limit": limit}
        return self._tasks("tasks_leasable", wanted)

    def count_leasable(self, phase_id: int, now: datetime) -> int:
        """Return how many tasks may be leased at `now`."""
        number: int = self._db.execute(SQL["tasks_leasable_count"], (phase_id, micros(now))).fetchone()[0]
        return number

    def next_ready(self, phase_id: int) -> datetime | None:
        """Return when the first task of the phase may be leased."""
        return self._instant("task_next_ready", (phase_id,))

    def ready(self) -> list[tuple[str, datetime]]:
        """Return since when each active phase has something to lease."""
        return [(run, instant(at)) for run, at in self._db.execute(SQL["tasks_ready"])]

    def leased(self, *, owner: str | None = None, phase_id: int | None = None) -> list[Task]:
        """Return the leased tasks of an owner, of a phase, or of both."""
        if phase_id is None:
            return self._tasks("tasks_leased", {"owner": owner})
        return self._tasks("tasks_leased_of_phase", {"owner": owner, "phase": phase_id})

    def page(self, phase_id: int, ordinal: int) -> Page | None:
        """Return the page that holds the item of that ordinal."""
        row = self._row("page", (phase_id, ordinal))
        return None if row is None or ordinal >= row[1] else rows.page_of(row[0])

    def pages(self, phase_id: int, *, after: int = -1, limit: int = 100) -> list[Page]:
        """Return pages with `number` > `after`, in order."""
        return self._all("pages", (phase_id, after, limit), rows.page_of)

    def ordinals(self, phase_id: int, names: Iterable[str]) -> dict[str, int]:
        """Return the ordinals of items by name; of a group that is not full, the first is asked for again."""
        by_key = {rows.name_key(name): name for name in names}
        keys, found = list(by_key), dict[str, int]()
        while keys:
            group = keys[-_TOGETHER:]
            del keys[-len(group) :]
            query, size = ("name", 1) if len(group) == 1 else ("names", _TOGETHER)
            asked = (phase_id, *group, *group[:1] * (size - len(group)))
            found |= {by_key[key]: ordinal for key, ordinal in self._db.execute(SQL[query], asked)}
        return found

    def opening(self, phase_id: int) -> Opening | None:
        """Return the phase's opening, if it has opened."""
        return self._one("opening", (phase_id,), rows.opening_of)

    def due(self, now: datetime, limit: int) -> list[Phase]:
        """Return phases that are due at `now`, the longest due first."""
        return self._all("phases_due", (micros(now), limit), rows.phase_of)

    def next_due(self) -> datetime | None:
        """Return when the next phase or message is due."""
        return self._instant("next_due", ())

    def active(self, pipeline: str | None = None) -> list[Phase]:
        """Return phases at work in runs that run."""
        return self._all("phases_active", {"pipeline": pipeline}, rows.phase_of)

    def unfinished(self) -> list[Phase]:
        """Return phases that wait or are at work in runs that run, in the order of `active`."""
        return self._all("phases_unfinished", (), rows.phase_of)

    def entries(
        self, kind: EntryKind, *, scope: str, phase: str | None = None, member: str | None = None, limit: int = 1_000
    ) -> list[Entry]:
        """Return entries of that kind and scope, the oldest first."""
        wanted = {"kind": kind, "scope": scope, "phase": phase, "member": member, "limit": limit}
        found = self._db.execute(SQL["entries_of_member" if member else "entries"], wanted)
        return [rows.entry_of(row) for row in found]

    def count_entries(self, kind: EntryKind, *, scope_prefix: str) -> int:
        """Return how many entries of that kind have a scope that starts so."""
        number: int = self._db.execute(SQL["entries_count"], {"kind": kind, "prefix": scope_prefix}).fetchone()[0]
        return number

    def tallies(self, scope: str) -> dict[str, int]:
        """Return what was counted in that scope, by name."""
        return dict(self._db.execute(SQL["tallies"], (scope,)))

    def ready_routes(self, now: datetime) -> set[str]:
        """Return the routes of unsent messages that are ready."""
        return {route for (route,) in self._db.execute(SQL["outbox_routes"], (micros(now),))}

    def halts(self) -> list[Halt]:
        """Return every halt, the oldest first."""
        return [rows.halt_of(row) for row in self._db.execute(SQL["halts"])]

    def flags(self) -> list[FlagState]:
        """Return what is kept of every flag, by name."""
        return self._all("flags", (), rows.flag_of)

    def processes(self) -> list[Process]:
        """Return the processes that have sent a heartbeat."""
        return self._all("processes", (), rows.process_of)

    def _read_plan(self, run_id: str) -> Plan:
        plan = self._one("plan", (run_id,), rows.plan_of)
        if plan is None:
            message = f"there is no run {run_id}"
            raise NotFoundError(message)
        return plan

    def _row(self, name: str, parameters: Parameters) -> Row | None:
        row: Row | None = self._db.execute(SQL[name], parameters).fetchone()
        return row

    def _one(self, name: str, parameters: Parameters, decode: Callable[[str], V]) -> V | None:
        row = self._row(name, parameters)
        return None if row is None else decode(row[0])

    def _all(self, name: str, parameters: Parameters, decode: Callable[[str], V]) -> list[V]:
        return [decode(row[0]) for row in self._db.execute(SQL[name], parameters)]

    def _tasks(self, name: str, parameters: Parameters) -> list[Task]:
        return [rows.task_of(row) for row in self._db.execute(SQL[name], parameters)]

    def _instant(self, name: str, parameters: Parameters) -> datetime | None:
        row = self._row(name, parameters)
        return None if row is None or row[0] is None else instant(row[0])
