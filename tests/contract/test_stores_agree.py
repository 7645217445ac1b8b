"""The promise that a store can be exchanged: the same changes give the same answers and the same rows in each."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from shotclock.errors import ShotclockError
from shotclock.model import EntryKind, Phase, PhaseState, Run, RunId, RunState, Task, TaskState, Work
from shotclock.ports import Snapshot, Store, Transaction
from shotclock.postgres import Limits
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from shotclock.stores.postgres import PostgresStore
from shotclock.stores.sqlite import SqliteStore
from tests.contract.samples import (
    a_flag,
    a_halt,
    a_message,
    a_page,
    a_phase,
    a_plan,
    a_process,
    a_run,
    an_entry,
    an_opening,
    at,
)
from tests.servers import PostgresServer

RUNS = [f"{pipeline}/{key}{tail}" for pipeline in "ab" for key in "xyz" for tail in ("", "/late", "#2", "/late#3")]
KEYS = ("k1", "k2", "k3", "k4")

run_ids = st.sampled_from(RUNS)
seconds = st.integers(-3, 12)
phase_ids = st.integers(1, 5)
run_states = st.sampled_from(list[RunState](["running", "complete", "failed"]))
phase_states = st.sampled_from(list[PhaseState](["waiting", "active", "closing", "opened", "done"]))
instants = st.none() | seconds.map(at)
entry_kinds = st.sampled_from(list[EntryKind](["late", "parked"]))
scopes = st.sampled_from(["a/x", "a/x#2", "a/y", "b/x", "é"])
names = st.sampled_from(["é", "e", "", "raw"])

ROUTES = ("alert", "handover", "notice log")


class UndoneError(Exception):
    """What makes a change undo itself."""


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Draw a run whose id and parts agree."""
    started = at(draw(seconds))
    return a_run(draw(run_ids), state=draw(run_states), superseded=draw(st.booleans()), started_at=started)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Draw a task; those over members never overlap."""
    lo = draw(st.integers(0, 5))
    work: Work = draw(st.sampled_from(list[Work](["enumerate", "then"]))) if lo == 0 else _work(lo)
    state: TaskState = "outside" if work == "outside" else draw(st.sampled_from(_LEASABLE))
    width = 0 if lo == 0 else 3 if work == "chunk" else 1
    return Task(
        phase=draw(phase_ids),
        work=work,
        lo=lo * 10,
        hi=lo * 10 + width,
        rank=draw(st.integers(0, 2)),
        state=state,
        token=draw(st.integers(0, 2)),
        owner=draw(st.sampled_from(["w1", "w2", None])),
        ready_at=draw(instants),
        lease_until=draw(instants),
        kinds=bytes(draw(st.lists(st.integers(0, 8), min_size=width, max_size=width))),
    )


_LEASABLE: list[TaskState] = ["queued", "leased", "ended"]


def _work(lo: int) -> Work:
    return "outside" if lo == 5 else "chunk" if lo % 2 else "member"


class StoresAgree(RuleBasedStateMachine):
    """Changes made to both stores, each alone or several in one transaction that may undo itself."""

    def __init__(self, opened: AbstractContextManager[Store]) -> None:
        super().__init__()
        self._opened = ExitStack()
        self._stores = (MemoryStore(), self._opened.enter_context(opened))
        self._held: list[Callable[[Transaction], object]] = []
        self._changed = True

    def teardown(self) -> None:
        """Close both."""
        self._opened.close()

    def _do(self, change: Callable[[Transaction], object]) -> None:
        self._held.append(change)

    @rule(caught=st.booleans(), undone=st.booleans())
    def commit(self, *, caught: bool, undone: bool) -> None:
        """Carry out what was held back, in one transaction; with `caught`, go on after a refusal."""
        held, self._held = self._held, []
        self._changed = True

        def work(tx: Transaction) -> list[object]:
            answers = [_answer(change, tx) if caught else change(tx) for change in held]
            answers += [tx.active(), tx.unfinished(), tx.entries("late", scope="a/x"), tx.tallies("a/y"), tx.halts()]
            if undone:
                raise UndoneError
            return answers

        def outcome(store: Store) -> object:
            try:
                return store.write(work)
            except (ShotclockError, UndoneError) as error:
                return type(error)

        one, two = (outcome(store) for store in self._stores)
        assert one == two

    @invariant()
    def same_rows_and_answers(self) -> None:
        """Compare all that can be seen, where anything may have changed."""
        if not self._changed:
            return
        self._changed = False
        one, two = (list(store.dump()) for store in self._stores)
        assert one == two
        read, again = (store.read(everything_read) for store in self._stores)
        assert read == again

    @rule(run=runs(), phases=st.integers(0, 2), state=phase_states, due_at=instants)
    def add_run(self, run: Run, phases: int, state: PhaseState, due_at: Any) -> None:  # noqa: ANN401 - an instant or None
        named = ("raw", "sum")[:phases]
        new = [a_phase(run.id, name, index=i, state=state, due_at=due_at) for i, name in enumerate(named)]
        self._do(lambda tx: tx.add_run(run, a_plan(pipeline=run.pipeline), new))

    @rule(run=runs())
    def put_run(self, run: Run) -> None:
        self._do(lambda tx: tx.put_run(run))

    @rule(number=phase_ids, step=st.sampled_from([1, 1, 1, 0, 2]), state=phase_states, due_at=instants)
    def put_phase(self, number: int, step: int, state: PhaseState, due_at: Any) -> None:  # noqa: ANN401 - likewise
        def change(tx: Transaction) -> Phase:
            phase = tx.phase(number)
            new = replace(phase, version=phase.version + step, state=state, due_at=due_at)
            tx.put_phase(new)
            return new

        self._do(change)

    @rule(new=st.lists(tasks(), max_size=4))
    def add_tasks(self, new: list[Task]) -> None:
        self._do(lambda tx: tx.add_tasks(new))

    @rule(new=st.lists(st.tuples(tasks(), st.integers(0, 2)), max_size=3))
    def put_tasks(self, new: list[tuple[Task, int]]) -> None:
        self._do(lambda tx: tx.put_tasks(new))

    @rule(number=st.integers(0, 3), phase=phase_ids, width=st.integers(0, 3), new=st.lists(tasks(), max_size=2))
    def add_page(self, number: int, phase: int, width: int, new: list[Task]) -> None:
        page = replace(a_page(number, number * 3, tuple("abc"[:width])), phase=phase)
        self._do(lambda tx: tx.add_page(page, new))

    @rule(phase=phase_ids, given=st.dictionaries(names, st.integers(0, 9)))
    def add_names(self, phase: int, given: dict[str, int]) -> None:
        self._do(lambda tx: tx.add_names(phase, given))

    @rule(phase=phase_ids, seconds=seconds)
    def add_opening(self, phase: int, seconds: int) -> None:
        self._do(lambda tx: tx.add_opening(an_opening(phase=phase, at=at(seconds))))

    @rule(kind=entry_kinds, scope=scopes, phase=names, member=names, seconds=seconds)
    def append(self, kind: EntryKind, scope: str, phase: str, member: str, seconds: int) -> None:
        entry = an_entry(kind=kind, scope=scope, phase=phase, member=member, at=at(seconds))
        self._do(lambda tx: tx.append(entry))

    @rule(ids=st.lists(st.integers(0, 6)))
    def remove_entries(self, ids: list[int]) -> None:
        self._do(lambda tx: tx.remove_entries(ids))

    @rule(kind=entry_kinds, seconds=seconds, limit=st.integers(1, 3))
    def purge_entries(self, kind: EntryKind, seconds: int, limit: int) -> None:
        self._do(lambda tx: tx.purge_entries(kind, at(seconds), limit))

    @rule(scope=scopes, name=names, number=st.integers(0, 5))
    def tally(self, scope: str, name: str, number: int) -> None:
        self._do(lambda tx: tx.tally(scope, name, number))

    @rule(key=st.sampled_from(KEYS), created=seconds, ready=seconds, route=st.sampled_from(ROUTES))
    def post(self, key: str, created: int, ready: int, route: str) -> None:
        self._do(lambda tx: tx.post(a_message(key, route=route, created_at=at(created), ready_at=at(ready))))

    @rule(now=seconds, limit=st.integers(0, 3), hold=st.integers(0, 5), routes=st.sets(st.sampled_from(ROUTES)))
    def take_outbox(self, now: int, limit: int, hold: int, routes: set[str]) -> None:
        self._do(lambda tx: tx.take_outbox(at(now), limit, timedelta(seconds=hold), routes))

    @rule(keys=st.lists(st.sampled_from(KEYS)))
    def sent(self, keys: list[str]) -> None:
        self._do(lambda tx: tx.sent(keys))

    @rule(key=st.sampled_from(KEYS), ready=seconds)
    def unsent(self, key: str, ready: int) -> None:
        self._do(lambda tx: tx.unsent(key, at(ready), "503"))

    @rule(scope=scopes, since=seconds, until=instants)
    def put_halt(self, scope: str, since: int, until: Any) -> None:  # noqa: ANN401 - an instant or None
        self._do(lambda tx: tx.put_halt(replace(a_halt(scope, since), until=until)))

    @rule(name=names, seconds=seconds)
    def beat(self, name: str, seconds: int) -> None:
        self._do(lambda tx: tx.beat(a_process(name, seconds)))

    @rule(name=names, version=st.integers(1, 3))
    def put_flag(self, name: str, version: int) -> None:
        self._do(lambda tx: tx.put_flag(a_flag(name, version)))

    @rule(name=names)
    def forget(self, name: str) -> None:
        self._do(lambda tx: tx.forget([name, "nobody"]))


def _answer(change: Callable[[Transaction], object], tx: Transaction) -> object:
    try:
        return change(tx)
    except ShotclockError as error:
        return type(error)


def everything_read(tx: Snapshot) -> list[object]:
    """Ask every question that a snapshot answers."""
    identities = [RunId.parse(text) for text in RUNS]
    found: list[object] = [(tx.run(text), tx.phases(text), tx.phase_of(text, "sum")) for text in RUNS]
    found += [(tx.newest(identity), tx.before(identity)) for identity in identities]
    found += [tx.runs(), tx.runs(pipeline="a", limit=2), tx.runs(state="running", superseded=True)]
    found += [tx.active(), tx.active("a"), tx.unfinished(), tx.next_due(), tx.due(at(5), 3)]
    found += [tx.ready(), *(tx.upstream(text, "sum", limit) for text in RUNS for limit in (0, 2))]
    found += [tx.run(text) for text in RUNS]
    found += [tx.halts(), tx.processes(), tx.flags(), tx.leased(), tx.leased(owner="w1")]
    found += [of_phase(tx, number) for number in range(1, 6)]
    for scope in ("a/x", "a/x#2", "é"):
        found += [tx.entries("late", scope=scope), tx.entries("late", scope=scope, phase="raw", limit=2)]
        found += [tx.entries("late", scope=scope, member=member) for member in ("", "é")]
        found += [tx.count_entries("parked", scope_prefix=scope), tx.tallies(scope)]
    return found


def of_phase(tx: Snapshot, number: int) -> list[object]:
    """Ask every question about one phase."""
    found: list[object] = [tx.tasks(number), tx.tasks(number, pending=True), tx.tasks(number, after=9, limit=2)]
    found += [tx.leasable(number, at(now), limit) for now in (-1, 4) for limit in (1, 9)]
    found += [tx.count_leasable(number, at(now)) for now in (-1, 4)]
    found += [tx.next_ready(number), tx.leased(phase_id=number), tx.leased(owner="w2", phase_id=number)]
    found += [tx.task_at(number, ordinal) for ordinal in (0, 10, 12, 13, 50, 51)]
    found += [tx.task(number, "then", 0), tx.task(number, "chunk", 10), tx.opening(number)]
    found += [tx.pages(number), tx.pages(number, after=0, limit=1), *(tx.page(number, place) for place in (0, 3, 11))]
    return [*found, tx.ordinals(number, ["é"])]


@contextmanager
def a_file() -> Iterator[Store]:
    """Give an empty store in a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        with closing(SqliteStore(path, busy=timedelta(seconds=1), backlog=5)) as store:
            yield store


@contextmanager
def on_a_server(server: PostgresServer) -> Iterator[Store]:
    """Give an empty store in a schema."""
    address = server.fresh()
    with closing(PostgresStore(address, limits=Limits.of(Settings()), backlog=5)) as store:
        yield store
    server.give_back(address)


AGREEMENT = settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True, database=None)


def _machine(opened: Callable[[], AbstractContextManager[Store]]) -> type[StoresAgree]:
    class OverOne(StoresAgree):
        def __init__(self) -> None:
            super().__init__(opened())

    return OverOne


def test_sqlite_agrees_with_memory() -> None:
    run_state_machine_as_test(_machine(a_file), settings=AGREEMENT)


def test_postgres_agrees_with_memory(postgres_server: PostgresServer) -> None:
    run_state_machine_as_test(_machine(partial(on_a_server, postgres_server)), settings=AGREEMENT)
