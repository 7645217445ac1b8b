"""What can be read from the PostgreSQL store through one session."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

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
from shotclock.stores.postgres_session import Parameters, Session, given, held_text
from shotclock.stores.rows import ALWAYS, WORK_CODE, Row, instant, micros
from shotclock.stores.sqlite_view import Plans

V = TypeVar("V")

_list = msgspec.json.Decoder(list[list[Any]])
_SINCE: Final = micros(ALWAYS)


class PostgresSnapshot:
    """`ports.Snapshot` over a session in which a transaction is open."""

    def __init__(self, session: Session, plans: Plans) -> None:
        self._db = session
        self._plans = plans
        self._runs: dict[str, Run] = {}
        """Runs that were read beside something else."""
        self._halts: list[Halt] | None = None
        """Likewise all halts."""

    def run(self, run_id: str) -> Run | None:
        """Return the run of that text form."""
        return self._runs.get(run_id) or self._one("run", (run_id,), rows.run_of)

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
        known = self._plans.get(run_id)
        if known is not None:
            return known
        read = self._read_plan(run_id)
        self._plans.keep(run_id, read)
        return read

    def phase(self, phase_id: int) -> Phase:
        """Return a phase."""
        return _there(self._one("phase", (phase_id,), self._phase), f"phase of number {phase_id}")

    def phase_of(self, run_id: str, name: str) -> Phase | None:
        """Return a run's phase by name."""
        return self._one("phase_of", (run_id, held_text(name)), self._phase)

    def upstream(self, run_id: str, name: str, limit: int) -> Upstream | None:
        """Return a run's phase by name, with what was kept of it, as one question."""
        row = self._db.row("upstream", (limit, run_id, held_text(name)))
        if row is None:
            return None
        phase, opening, end, kinds, bodies = row
        return Upstream(
            phase=self._phase(phase),
            opening=None if opening is None else rows.opening_of(opening),
            end=None if end is None else self._task((b"", end)),
            tasks=[self._task(pair) for pair in zip(kinds, bodies, strict=True)],
        )

    def phases(self, run_id: str) -> list[Phase]:
        """Return the run's phases in the plan's order."""
        return self._all("phases", (run_id,), self._phase)

    def task(self, phase_id: int, work: Work, lo: int) -> Task | None:
        """Return the task of that kind that starts at `lo`."""
        row = self._db.row("task", (phase_id, lo, WORK_CODE[work]))
        return None if row is None else self._task(row)

    def task_at(self, phase_id: int, ordinal: int) -> Task | None:
        """Return the task whose range holds `ordinal`."""
        row = self._db.row("task_at", (phase_id, ordinal))
        return None if row is None or ordinal >= row[2] else self._task(row)

    def tasks(self, phase_id: int, *, after: int = -1, limit: int = 1_000, pending: bool = False) -> list[Task]:
        """Return tasks over members, by `lo`."""
        return self._tasks("tasks_pending" if pending else "tasks", (phase_id, after, limit))

    def leasable(self, phase_id: int, now: datetime, limit: int) -> list[Task]:
        """Return tasks that may be leased at `now`, by rank, then `lo`."""
        wanted = {"phase": phase_id, "always": _SINCE, "now": micros(now), "limit": limit}
        return self._tasks("tasks_leasable", wanted)

    def count_leasable(self, phase_id: int, now: datetime) -> int:
        """Return how many tasks may be leased at `now`."""
        row = self._db.row("tasks_leasable_count", (phase_id, micros(now)))
        return 0 if row is None else row[0]

    def next_ready(self, phase_id: int) -> datetime | None:
        """Return when the first task of the phase may be leased."""
        return self._instant("task_next_ready", (phase_id,))

    def ready(self) -> list[tuple[str, datetime]]:
        """Return since when each active phase has something to lease."""
        return [(run, instant(at)) for run, at in self._db.rows("tasks_ready")]

    def leased(self, *, owner: str | None = None, phase_id: int | None = None) -> list[Task]:
        """Return the leased tasks of an owner, of a phase, or of both."""
        if phase_id is None:
            return self._tasks("tasks_leased", {"owner": owner})
        return self._tasks("tasks_leased_of_phase", {"owner": owner, "phase": phase_id})

    def page(self, phase_id: int, ordinal: int) -> Page | None:
        """Return the page that holds the item of that ordinal."""
        row = self._db.row("page", (phase_id, ordinal))
        return None if row is None or ordinal >= row[1] else rows.page_of(row[0])

    def pages(self, phase_id: int, *, after: int = -1, limit: int = 100) -> list[Page]:
        """Return pages with `number` > `after`, in order."""
        return self._all("pages", (phase_id, after, limit), rows.page_of)

    def ordinals(self, phase_id: int, names: Iterable[str]) -> dict[str, int]:
        """Return the ordinals of items by name."""
        by_key = {rows.name_key(name): name for name in names}
        found = self._db.rows("names", (phase_id, list(by_key))) if by_key else ()
        return {by_key[key]: ordinal for key, ordinal in found}

    def opening(self, phase_id: int) -> Opening | None:
        """Return the phase's opening, if it has opened."""
        return self._one("opening", (phase_id,), rows.opening_of)

    def due(self, now: datetime, limit: int) -> list[Phase]:
        """Return phases that are due at `now`, the longest due first."""
        return self._all("phases_due", (micros(now), limit), self._phase)

    def next_due(self) -> datetime | None:
        """Return when the next phase or message is due."""
        return self._instant("next_due", ())

    def active(self, pipeline: str | None = None) -> list[Phase]:
        """Return phases at work in runs that run."""
        found = self._db.rows("phases_active", {"pipeline": pipeline})
        for _, body, _ in found:
            run = rows.run_of(body)
            self._runs[run.id] = run
        if found:
            halts = _list.decode(found[0][2] or "[]")
            self._halts = [rows.halt_of(given(tuple(row))) for row in halts]
        return [self._phase(row[0]) for row in found]

    def unfinished(self) -> list[Phase]:
        """Return phases that wait or are at work in runs that run, in the order of `active`."""
        return self._all("phases_unfinished", (), self._phase)

    def entries(
        self, kind: EntryKind, *, scope: str, phase: str | None = None, member: str | None = None, limit: int = 1_000
    ) -> list[Entry]:
        """Return entries of that kind and scope, the oldest first."""
        named = {"scope": scope, "phase": phase, "member": member}
        wanted = {name: text and held_text(text) for name, text in named.items()}
        found = self._db.rows("entries_of_member" if member else "entries", wanted | {"kind": kind, "limit": limit})
        return [rows.entry_of(given(row)) for row in found]

    def count_entries(self, kind: EntryKind, *, scope_prefix: str) -> int:
        """Return how many entries of that kind have a scope that starts so."""
        row = self._db.row("entries_count", {"kind": kind, "prefix": scope_prefix})
        return 0 if row is None else row[0]

    def tallies(self, scope: str) -> dict[str, int]:
        """Return what was counted in that scope, by name."""
        found = (given(row) for row in self._db.rows("tallies", (held_text(scope),)))
        return {name: number for name, number in found}  # noqa: C416 - rows are wider to a type checker

    def ready_routes(self, now: datetime) -> set[str]:
        """Return the routes of unsent messages that are ready."""
        return {route for (route,) in self._db.rows("outbox_routes", (micros(now),))}

    def halts(self) -> list[Halt]:
        """Return every halt, the oldest first."""
        if self._halts is not None:
            return list(self._halts)
        return [rows.halt_of(given(row)) for row in self._db.rows("halts")]

    def flags(self) -> list[FlagState]:
        """Return what is kept of every flag, by name."""
        return self._all("flags", (), rows.flag_of)

    def processes(self) -> list[Process]:
        """Return the processes that have sent a heartbeat."""
        return self._all("processes", (), rows.process_of)

    def _phase(self, body: str) -> Phase:
        return rows.phase_of(body)

    def _task(self, row: Row) -> Task:
        return rows.task_of(row)

    def _read_plan(self, run_id: str) -> Plan:
        return _there(self._one("plan", (run_id,), rows.plan_of), f"run {run_id}")

    def _one(self, name: str, parameters: Parameters, decode: Callable[[str], V]) -> V | None:
        row = self._db.row(name, parameters)
        return None if row is None else decode(row[0])

    def _all(self, name: str, parameters: Parameters, decode: Callable[[str], V]) -> list[V]:
        return [decode(row[0]) for row in self._db.rows(name, parameters)]

    def _tasks(self, name: str, parameters: Parameters) -> list[Task]:
        return [self._task(row) for row in self._db.rows(name, parameters)]

    def _instant(self, name: str, parameters: Parameters) -> datetime | None:
        row = self._db.row(name, parameters)
        return None if row is None or row[0] is None else instant(row[0])


def _there(found: V | None, what: str) -> V:
    if found is None:
        message = f"there is no {what}"
        raise NotFoundError(message)
    return found
