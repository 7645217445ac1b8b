"""What can be read from the memory store's tables."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from math import inf

from shotclock.errors import NotFoundError
from shotclock.model import (
    Entry,
    EntryKind,
    FlagState,
    Halt,
    Opening,
    Page,
    Phase,
    PhaseState,
    Plan,
    Process,
    Run,
    RunId,
    RunState,
    Task,
    Upstream,
    Work,
)
from shotclock.stores.memory_tables import Tables
from shotclock.stores.rows import ALWAYS, LAST_RANGE, WORK_CODE, name_key
from shotclock.stores.upstream import upstream_of

_AT_WORK: frozenset[PhaseState] = frozenset({"active", "closing", "opened"})


class MemorySnapshot:
    """`ports.Snapshot` over tables that hold still while it is used."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def run(self, run_id: str) -> Run | None:
        """Return the run of that text form."""
        found = self._tables.runs.rows.get(run_id)
        return None if found is None else found.run

    def newest(self, identity: RunId) -> Run | None:
        """Return the newest generation of the run."""
        runs = self._tables.runs_of.of((identity.pipeline, identity.mode))
        place = bisect_right(runs, (identity.key, inf))
        return self.run(runs[place - 1][-1]) if place and runs[place - 1][0] == identity.key else None

    def before(self, identity: RunId) -> Run | None:
        """Return the newest generation of the nearest earlier key."""
        runs = self._tables.runs_of.of((identity.pipeline, identity.mode))
        place = bisect_left(runs, (identity.key,))
        return self.run(runs[place - 1][-1]) if place else None

    def runs(
        self, *, pipeline: str | None = None, state: RunState | None = None, limit: int = 50, superseded: bool = False
    ) -> list[Run]:
        """Return runs, the last started first."""
        keys = self._tables.started.of(None) if state is None else self._tables.by_state.of(state)
        found = (self._tables.runs.rows[key[-1]].run for key in reversed(keys))
        fitting = (run for run in found if pipeline in {None, run.pipeline} and (superseded or not run.superseded))
        return list(islice(fitting, limit))

    def plan(self, run_id: str) -> Plan:
        """Return the plan of that run."""
        found = self._tables.plans.rows.get(run_id)
        if found is None:
            message = f"there is no run {run_id}"
            raise NotFoundError(message)
        return found

    def phase(self, phase_id: int) -> Phase:
        """Return a phase."""
        found = self._tables.phases.rows.get(phase_id)
        if found is None:
            message = f"there is no phase of number {phase_id}"
            raise NotFoundError(message)
        return found

    def phase_of(self, run_id: str, name: str) -> Phase | None:
        """Return a run's phase by name."""
        return next((phase for phase in self.phases(run_id) if phase.name == name), None)

    def upstream(self, run_id: str, name: str, limit: int) -> Upstream | None:
        """Return a run's phase by name, with what was kept of it."""
        return upstream_of(self, run_id, name, limit)

    def phases(self, run_id: str) -> list[Phase]:
        """Return the run's phases in the plan's order."""
        return [self._tables.phases.rows[key[-1]] for key in self._tables.phases_of.of(run_id)]

    def task(self, phase_id: int, work: Work, lo: int) -> Task | None:
        """Return the task of that kind that starts at `lo`."""
        return self._tables.tasks.rows.get((phase_id, lo, WORK_CODE[work]))

    def task_at(self, phase_id: int, ordinal: int) -> Task | None:
        """Return the task whose range holds `ordinal`."""
        ranges = self._tables.ranges.of(phase_id)
        place = bisect_right(ranges, (ordinal, LAST_RANGE))
        task = self._tables.tasks.rows[(phase_id, *ranges[place - 1])] if place else None
        return task if task is not None and ordinal < task.hi else None

    def tasks(self, phase_id: int, *, after: int = -1, limit: int = 1_000, pending: bool = False) -> list[Task]:
        """Return tasks over members, by `lo`."""
        keys = (self._tables.pending if pending else self._tables.ranges).of(phase_id)
        first = bisect_left(keys, (after + 1,))
        return [self._tables.tasks.rows[(phase_id, *key)] for key in keys[first : first + limit]]

    def leasable(self, phase_id: int, now: datetime, limit: int) -> list[Task]:
        """Return tasks that may be leased at `now`; of those always ready it looks at no more than `limit`."""
        keys = self._tables.open.of(phase_id)
        always = bisect_right(keys, (ALWAYS, inf))
        ready = keys[: min(limit, always)] + keys[always : bisect_right(keys, (now, inf))]
        chosen = sorted(key[1:] for key in ready)[:limit]
        return [self._tables.tasks.rows[(phase_id, lo, work)] for _, lo, work in chosen]

    def count_leasable(self, phase_id: int, now: datetime) -> int:
        """Return how many tasks may be leased at `now`."""
        return bisect_right(self._tables.open.of(phase_id), (now, inf))

    def next_ready(self, phase_id: int) -> datetime | None:
        """Return when the first task of the phase may be leased."""
        keys = self._tables.open.of(phase_id)
        return keys[0][0] if keys else None

    def ready(self) -> list[tuple[str, datetime]]:
        """Return since when each active phase has something to lease."""
        found = ((phase.run, self.next_ready(phase.id)) for phase in self.active())
        return [(run, at) for run, at in found if at is not None]

    def leased(self, *, owner: str | None = None, phase_id: int | None = None) -> list[Task]:
        """Return the leased tasks of an owner, of a phase, or of both."""
        keys = self._tables.leased.of(None)
        first, last = (
            (0, len(keys)) if phase_id is None else (bisect_left(keys, (k,)) for k in (phase_id, phase_id + 1))
        )
        return [self._tables.tasks.rows[key[:3]] for key in keys[first:last] if owner in {None, key[3]}]

    def page(self, phase_id: int, ordinal: int) -> Page | None:
        """Return the page that holds the item of that ordinal."""
        starts = self._tables.page_starts.of(phase_id)
        place = bisect_right(starts, (ordinal, inf))
        page = self._tables.pages.rows[(phase_id, starts[place - 1][-1])] if place else None
        return page if page is not None and ordinal < page.lo + len(page.ids) else None

    def pages(self, phase_id: int, *, after: int = -1, limit: int = 100) -> list[Page]:
        """Return pages with `number` > `after`, in order."""
        keys = self._tables.pages_of.of(phase_id)
        first = bisect_left(keys, (after + 1,))
        return [self._tables.pages.rows[(phase_id, *key)] for key in keys[first : first + limit]]

    def ordinals(self, phase_id: int, names: Iterable[str]) -> dict[str, int]:
        """Return the ordinals of items by name."""
        found = ((name, self._tables.names.rows.get((phase_id, name_key(name)))) for name in names)
        return {name: ordinal for name, ordinal in found if ordinal is not None}

    def opening(self, phase_id: int) -> Opening | None:
        """Return the phase's opening, if it has opened."""
        return self._tables.openings.rows.get(phase_id)

    def due(self, now: datetime, limit: int) -> list[Phase]:
        """Return phases that are due at `now`, the longest due first."""
        keys = self._tables.due.of(None)
        return [self._tables.phases.rows[key[-1]] for key in keys[: min(limit, bisect_right(keys, (now, inf)))]]

    def next_due(self) -> datetime | None:
        """Return when the next phase or message is due."""
        firsts = [keys[0][0] for keys in (self._tables.due.of(None), self._tables.unsent.of(None)) if keys]
        return min(firsts, default=None)

    def active(self, pipeline: str | None = None) -> list[Phase]:
        """Return phases at work in runs that run."""
        return [phase for phase in self._running(pipeline) if phase.state in _AT_WORK]

    def unfinished(self) -> list[Phase]:
        """Return phases that wait or are at work in runs that run, in the order of `active`."""
        return [phase for phase in self._running(None) if phase.state in _AT_WORK or phase.state == "waiting"]

    def entries(
        self, kind: EntryKind, *, scope: str, phase: str | None = None, member: str | None = None, limit: int = 1_000
    ) -> list[Entry]:
        """Return entries of that kind and scope, the oldest first."""
        found = (self._tables.entries.rows[key[-1]] for key in self._tables.entries_of.of((kind, scope)))
        fitting = (each for each in found if phase in {None, each.phase} and member in {None, each.member})
        return list(islice(fitting, limit))

    def count_entries(self, kind: EntryKind, *, scope_prefix: str) -> int:
        """Return how many entries of that kind have a scope that starts so."""
        buckets = self._tables.entries_of.buckets()
        fitting = (bucket for bucket in buckets if bucket[0] == kind and bucket[1].startswith(scope_prefix))
        return sum(len(self._tables.entries_of.of(bucket)) for bucket in fitting)

    def tallies(self, scope: str) -> dict[str, int]:
        """Return what was counted in that scope, by name."""
        return {name: self._tables.tallies.rows[(scope, name)] for (name,) in self._tables.tallies_of.of(scope)}

    def ready_routes(self, now: datetime) -> set[str]:
        """Return the routes of unsent messages that are ready."""
        ready = (key[-1] for key in self._tables.unsent.of(None) if key[0] <= now)
        return {self._tables.outbox.rows[key].message.route for key in ready}

    def halts(self) -> list[Halt]:
        """Return every halt, the oldest first."""
        return [halt for _, halt in sorted(self._tables.halts.rows.items())]

    def flags(self) -> list[FlagState]:
        """Return what is kept of every flag, by name."""
        return [flag for _, flag in sorted(self._tables.flags.rows.items())]

    def processes(self) -> list[Process]:
        """Return the processes that have sent a heartbeat."""
        return [process for _, process in sorted(self._tables.processes.rows.items())]

    def _running(self, pipeline: str | None) -> Iterator[Phase]:
        for key in self._tables.running.of(None):
            if pipeline in {None, self._tables.runs.rows[key[-1]].run.pipeline}:
                yield from self.phases(key[-1])
