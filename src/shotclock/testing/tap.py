"""A store as one process sees it: it may fail or die at a commit, and tells the simulation what each commit changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

from msgspec import Struct

from shotclock.clock import Clock
from shotclock.errors import StoreError, StoreUnavailableError
from shotclock.model import Entry, Halt, Opening, Outgoing, Page, Phase, Plan, Run, Task
from shotclock.ports import Snapshot, Store, Transaction

T = TypeVar("T")

FaultKind = Literal["refused", "unknown", "died_before", "died_after"]


class DeathError(BaseException):
    """The process has died at a commit; nobody sees an answer."""


class UnknownError(StoreError):
    """The commit happened, and whoever asked for it does not know."""

    retry = True


class Fault(Struct, frozen=True, kw_only=True):
    """What goes wrong at which commit of an action, counted from 1."""

    kind: FaultKind
    commit: int = 1


class Change:
    """What one commit wrote, as far as the checks want to know."""

    def __init__(self) -> None:
        self.phases: dict[int, None] = {}
        self.runs: dict[str, None] = {}
        self.tasks: list[Task] = []
        self.opened: list[tuple[Opening, bool]] = []
        self.posted: list[Outgoing] = []
        self.entries: list[Entry] = []
        self.removed = 0
        self.halts: list[Halt] = []
        self.sent: list[str] = []

    @property
    def of_state(self) -> bool:
        """Whether anything was written that decides: a run, a phase, a task, an opening."""
        return bool(self.phases or self.runs or self.opened)


class Watched:
    """A transaction that notes what is written through it; everything else passes as it is."""

    def __init__(self, tx: Transaction, change: Change) -> None:
        self._tx = tx
        self._change = change

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of a transaction
        return getattr(self._tx, name)

    def add_run(self, run: Run, plan: Plan, phases: Sequence[Phase]) -> tuple[Run, bool]:
        """Note the run and its phases."""
        added = self._tx.add_run(run, plan, phases)
        if added[1]:
            self._change.runs[run.id] = None
            self._change.phases.update(dict.fromkeys(phase.id for phase in self._tx.phases(run.id)))
        return added

    def put_run(self, run: Run) -> None:
        """Note the run."""
        self._tx.put_run(run)
        self._change.runs[run.id] = None

    def put_phase(self, phase: Phase) -> None:
        """Note the phase."""
        self._tx.put_phase(phase)
        self._change.phases[phase.id] = None

    def add_page(self, page: Page, tasks: Sequence[Task]) -> None:
        """Note the phase of the page."""
        self._tx.add_page(page, tasks)
        self._change.phases[page.phase] = None

    def add_names(self, phase_id: int, names: Mapping[str, int]) -> None:
        """Note the phase of the names."""
        self._tx.add_names(phase_id, names)
        self._change.phases[phase_id] = None

    def add_tasks(self, tasks: Sequence[Task]) -> None:
        """Note the tasks and their phases."""
        self._tx.add_tasks(tasks)
        self._tasks(tasks)

    def put_tasks(self, tasks: Sequence[tuple[Task, int]]) -> None:
        """Note the tasks and their phases."""
        self._tx.put_tasks(tasks)
        self._tasks([task for task, _ in tasks])

    def _tasks(self, tasks: Sequence[Task]) -> None:
        self._change.tasks += tasks
        self._change.phases.update(dict.fromkeys(task.phase for task in tasks))

    def add_opening(self, opening: Opening) -> tuple[Opening, bool]:
        """Note the opening, and whether it was the first."""
        added = self._tx.add_opening(opening)
        self._change.opened.append(added)
        self._change.phases[opening.phase] = None
        return added

    def append(self, entry: Entry) -> None:
        """Note the entry."""
        self._tx.append(entry)
        self._change.entries.append(entry)

    def remove_entries(self, ids: Iterable[int]) -> None:
        """Note how many entries were dropped."""
        dropped = list(ids)
        self._tx.remove_entries(dropped)
        self._change.removed += len(dropped)

    def post(self, message: Outgoing) -> bool:
        """Note a message that is new."""
        new = self._tx.post(message)
        if new:
            self._change.posted.append(message)
        return new

    def sent(self, keys: Iterable[str]) -> None:
        """Note what was marked as delivered."""
        told = list(keys)
        self._tx.sent(told)
        self._change.sent += told

    def put_halt(self, halt: Halt) -> None:
        """Note the halt."""
        self._tx.put_halt(halt)
        self._change.halts.append(halt)


class Tap:
    """A process's door to the store.

    `arm` makes the next action meet a fault at one of its commits; `watch` is called after each commit with what it
    wrote and the time on the process's clock.
    """

    def __init__(self, store: Store, clock: Clock, watch: Callable[[Change, datetime], None]) -> None:
        self._store = store
        self._clock = clock
        self._watch = watch
        self._fault: Fault | None = None
        self._commits = 0
        self.met: FaultKind | None = None
        """The fault that the action has met."""
        self.changes: list[Change] = []
        """What the commits of the action wrote."""
        self.meanwhile: Callable[[], None] | None = None
        """What others do after the action has read what is due, and before what it makes of that."""

    def arm(self, fault: Fault | None) -> None:
        """Begin an action, with a fault it will meet if it commits that often."""
        self._fault, self._commits, self.met = fault, 0, None
        self.changes = []
        self.meanwhile = None

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction, unless the fault says otherwise."""
        self._commits += 1
        kind = self._fault.kind if self._fault is not None and self._fault.commit == self._commits else None
        change = Change()

        def unit(tx: Transaction) -> T:
            result = work(cast("Transaction", Watched(tx, change)))
            self._before(kind)
            return result

        result = self._store.write(unit)
        self.changes.append(change)
        self._watch(change, self._clock.now())
        self._after(kind)
        return result

    def _before(self, kind: FaultKind | None) -> None:
        if kind in {"refused", "died_before"}:
            self.met = kind
            message = "the disk is full"
            raise StoreUnavailableError(message) if kind == "refused" else DeathError

    def _after(self, kind: FaultKind | None) -> None:
        if kind in {"unknown", "died_after"}:
            self.met = kind
            message = "the connection was lost after the commit"
            raise UnknownError(message) if kind == "unknown" else DeathError

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on a snapshot."""
        seen = self._store.read(work)
        meanwhile = self.meanwhile
        if meanwhile is not None and isinstance(seen, list) and any(isinstance(one, Phase) for one in seen):
            self.meanwhile = None
            meanwhile()
        return seen

    def version(self) -> int:
        """Return the store's version."""
        return self._store.version()

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield the store's rows."""
        return self._store.dump()

    def close(self) -> None:
        """Leave the store open: it is shared."""
