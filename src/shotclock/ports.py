"""Every interface the engine needs from outside: the store, its transactions, the bus, the warehouse, the channel.

A store keeps facts and promises atomicity; it never decides. What a report means, whether a gate opens and what follows
is decided once, in `core`, for every store. Each docstring here is the contract that `tests/contract` checks.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

from shotclock.model import (
    SEVERITIES,
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
    RunId,
    RunState,
    Severity,
    Task,
    Upstream,
    Work,
)

T = TypeVar("T")


class Snapshot(Protocol):
    """A consistent view of the store; nothing read through it changes while it is held."""

    def run(self, run_id: str) -> Run | None:
        """Return the run (generation included) of that text form."""

    def newest(self, identity: RunId) -> Run | None:
        """Return the newest generation of the run, whatever generation `identity` names."""

    def before(self, identity: RunId) -> Run | None:
        """Return the newest generation of the nearest earlier key (text order) of the same pipeline and mode."""

    def runs(
        self, *, pipeline: str | None = None, state: RunState | None = None, limit: int = 50, superseded: bool = False
    ) -> list[Run]:
        """Return runs, the last started first; superseded generations only where asked for."""

    def plan(self, run_id: str) -> Plan:
        """Return the plan of that run as it was given to `add_run`; raises `NotFoundError`."""

    def phase(self, phase_id: int) -> Phase:
        """Return a phase; raises `NotFoundError`."""

    def phase_of(self, run_id: str, name: str) -> Phase | None:
        """Return a run's phase by name."""

    def upstream(self, run_id: str, name: str, limit: int) -> Upstream | None:
        """Return a run's phase by name, with its opening, its consolidation and its first `limit` tasks over members.

        What a phase was carried with is kept under the phase it came from.
        """

    def phases(self, run_id: str) -> list[Phase]:
        """Return the run's phases in the plan's order."""

    def task(self, phase_id: int, work: Work, lo: int) -> Task | None:
        """Return the task of that kind that starts at ordinal `lo`."""

    def task_at(self, phase_id: int, ordinal: int) -> Task | None:
        """Return the member, chunk or outside task whose range holds `ordinal`."""

    def tasks(self, phase_id: int, *, after: int = -1, limit: int = 1_000, pending: bool = False) -> list[Task]:
        """Return member, chunk and outside tasks with `lo` > `after`, by `lo`.

        With `pending`, only those that hold a member that is pending or unsatisfied.
        """

    def leasable(self, phase_id: int, now: datetime, limit: int) -> list[Task]:
        """Return tasks that may be leased at `now`, by rank, then `lo`.

        - queued ones whose `ready_at` is unset or not after `now`,
        - leased ones whose `lease_until` is not after `now`.
        """

    def count_leasable(self, phase_id: int, now: datetime) -> int:
        """Return how many tasks `leasable` would give without a limit; from an index alone."""

    def next_ready(self, phase_id: int) -> datetime | None:
        """Return the earliest `ready_at` or `lease_until` of the phase's queued and leased tasks.

        A queued one without stands for the beginning of time.
        """

    def ready(self) -> list[tuple[str, datetime]]:
        """Return the run and `next_ready` of each phase that `active` gives, where it has one; from indexes alone."""

    def leased(self, *, owner: str | None = None, phase_id: int | None = None) -> list[Task]:
        """Return the leased tasks of an owner, of a phase, or of both."""

    def page(self, phase_id: int, ordinal: int) -> Page | None:
        """Return the page that holds the item of that ordinal."""

    def pages(self, phase_id: int, *, after: int = -1, limit: int = 100) -> list[Page]:
        """Return pages with `number` > `after`, in order."""

    def ordinals(self, phase_id: int, names: Iterable[str]) -> dict[str, int]:
        """Return the ordinals of those items that were added with `add_names`, by name; the others are left out."""

    def opening(self, phase_id: int) -> Opening | None:
        """Return the phase's opening, if it has opened."""

    def due(self, now: datetime, limit: int) -> list[Phase]:
        """Return phases of any run whose `due_at` is not after `now`, the longest due first."""

    def next_due(self) -> datetime | None:
        """Return the earliest `due_at` of all phases and `ready_at` of all unsent messages."""

    def active(self, pipeline: str | None = None) -> list[Phase]:
        """Return phases that are active, closing or opened in runs that run and are not superseded.

        The oldest run comes first, its phases in the plan's order.
        """

    def unfinished(self) -> list[Phase]:
        """Return phases that are waiting, active, closing or opened in runs that run and are not superseded."""

    def entries(
        self, kind: EntryKind, *, scope: str, phase: str | None = None, member: str | None = None, limit: int = 1_000
    ) -> list[Entry]:
        """Return entries of that kind and scope, the oldest first."""

    def count_entries(self, kind: EntryKind, *, scope_prefix: str) -> int:
        """Return how many entries of that kind have a scope that starts so."""

    def tallies(self, scope: str) -> dict[str, int]:
        """Return what `Transaction.tally` counted in that scope, by name."""

    def ready_routes(self, now: datetime) -> set[str]:
        """Return the routes of unsent messages that are ready."""

    def halts(self) -> list[Halt]:
        """Return every halt, ended ones too, the oldest first."""

    def flags(self) -> list[FlagState]:
        """Return what is kept of every flag, by name."""

    def processes(self) -> list[Process]:
        """Return the processes that have sent a heartbeat."""


class Transaction(Snapshot, Protocol):
    """Reads and writes that become visible and durable together, or not at all; it sees its own writes."""

    def add_run(self, run: Run, plan: Plan, phases: Sequence[Phase]) -> tuple[Run, bool]:
        """Add a run with its phases, which get their ids here.

        - One run per text form: if it is there already, it is returned and nothing is written.
        - The flag says whether this call created it.
        """

    def put_run(self, run: Run) -> None:
        """Replace a run; raises `NotFoundError` if it is unknown."""

    def put_phase(self, phase: Phase) -> None:
        """Replace a phase whose stored version is exactly one lower; otherwise raises `StaleError`."""

    def add_page(self, page: Page, tasks: Sequence[Task]) -> None:
        """Add a page of items and the tasks over them; raises `StaleError` if a page of that number is there."""

    def add_names(self, phase_id: int, names: Mapping[str, int]) -> None:
        """Make items findable by name."""

    def add_tasks(self, tasks: Sequence[Task]) -> None:
        """Add tasks; raises `StaleError` if one of that phase, work and `lo` is there."""

    def put_tasks(self, tasks: Sequence[tuple[Task, int]]) -> None:
        """Replace tasks, each only if its stored token is the given one; otherwise raises `StaleError` for all."""

    def add_opening(self, opening: Opening) -> tuple[Opening, bool]:
        """Add a phase's opening; the first wins, and a repeat returns it. The flag says whether this call wrote it."""

    def append(self, entry: Entry) -> None:
        """Keep an entry."""

    def remove_entries(self, ids: Iterable[int]) -> None:
        """Drop entries, such as parked reports that were replayed."""

    def purge_entries(self, kind: EntryKind, before: datetime, limit: int) -> int:
        """Drop up to `limit` entries of that kind from before an instant, the oldest first; return how many."""

    def tally(self, scope: str, name: str, number: int = 1) -> None:
        """Add to a counter that belongs to no state, such as duplicates."""

    def post(self, message: Outgoing) -> bool:
        """Put a message in the outbox; False, and nothing written, if one of that key ever was."""

    def take_outbox(
        self, now: datetime, limit: int, hold: timedelta, routes: Collection[str] | None = None
    ) -> list[Outgoing]:
        """Return unsent messages that are ready, the oldest first, and make each invisible until `now` + `hold`.

        With `routes`, messages of other routes are left alone: many of one kind keep none of another waiting.
        """

    def sent(self, keys: Iterable[str]) -> None:
        """Mark messages as delivered; a repeat does nothing."""

    def unsent(self, key: str, ready_at: datetime, error: str) -> None:
        """Note a failed delivery: one more attempt, not before `ready_at`."""

    def put_halt(self, halt: Halt) -> None:
        """Add a halt, or replace the one of the same scope and start."""

    def put_flag(self, flag: FlagState) -> None:
        """Replace a flag whose stored version is exactly one lower; one not there is at 0. Else raises `StaleError`."""

    def lend(self) -> AbstractContextManager[Any]:
        """Lend the connection that this transaction is open on, for tables of the caller's own in the same database.

        What is written through it is durable with the transaction or not at all. Statements that begin or end one, and
        changes of the store's own tables, are not for the caller: a store refuses them as far as its database can.
        Raises `UsageError` where the store is no database.
        """

    def beat(self, process: Process) -> None:
        """Keep a process's heartbeat, replacing its last."""

    def forget(self, names: Iterable[str]) -> None:
        """Drop the heartbeats of these processes; one that is not there is let be."""


class Store(Protocol):
    """Where state lives."""

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction and return its result once that is durable.

        - Concurrent calls may share one commit; each is atomic by itself: one that raises leaves no trace.
        - Writes are serial: `work` sees all that was committed before it, from any process.
        - `work` may be run again if the store asks for a retry, so it must have no effect but through the transaction.
        - Raises what `work` raises; `StoreUnavailableError` if the commit did not happen.
        """

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Run `work` on a consistent snapshot and return its result; readers do not block writers.

        `work` may be run again, on another snapshot, if the store loses its connection.
        """

    def version(self) -> int:
        """Return a number that differs after any commit by another process or thread; costs no scan."""

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield every row of every table in a stable order, as (table, values): for comparison and verification."""

    def close(self) -> None:
        """Release what the store holds; a repeat does nothing."""


class Bus(Protocol):
    """Doorbells: messages that only say "look". Losing one delays, never harms."""

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        """Hand over one message to whoever listens; raises `BusError` if it was not taken."""

    def wait(self, timeout: float) -> bool:
        """Wait until something was rung here or `timeout` seconds passed; say whether it was rung."""

    def close(self) -> None:
        """Release what the bus holds."""


class Channel(Protocol):
    """Where alerts go."""

    def send(self, alert: Mapping[str, Any]) -> None:
        """Deliver one alert.

        Raises `LaterError` where another attempt may succeed, which may say after how long, `RefusedError` where none
        will, and `BusError`, or whatever else, where nothing is known but that it was not taken.
        """


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """A channel, and what it is told."""

    name: str
    channel: Channel
    severities: frozenset[Severity] = frozenset(SEVERITIES)
    each: bool = False
    """Whether it hears of every fact as it comes, as a log does: nothing folded, held back or said to be over."""


class Warehouse(Protocol):
    """The only door to the tables that the pipeline makes."""

    def commit_once(self, key: str, token: tuple[int, int], effect: Callable[[Any], None]) -> bool:
        """Run `effect` on an open connection and record (key, token), in one transaction.

        - The token is (generation, task token). Equal to the recorded one: the effect is there already, nothing is
          run, False is returned. Lower: `FencedError`. Higher: the effect is run and replaces what was there.
        """

    def reading(self) -> AbstractContextManager[Any]:
        """Give a connection for queries."""

    def export(self, query: str, target: Path) -> int:
        """Write a query's rows to a Parquet file that appears whole or not at all; return how many."""
