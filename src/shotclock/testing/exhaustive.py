"""Small worlds exhaustively: every order of a few events, with a death at every commit, over the real coordinator.

A simulation draws some histories of large worlds; this goes through all histories of a small one, depth first. Two
histories that have led to the same rows, the same account of them and the same events to come are one from there on:
their futures are gone through once, and counted for both.
"""

from collections.abc import Callable, Iterator
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.working import Lease
from shotclock.model import CODE, PHASE_OVER, Note, Plan, Report, Task, TaskReport, digest
from shotclock.settings import Settings
from shotclock.testing import oracle
from shotclock.testing.answers import Answers
from shotclock.testing.branching import BranchingStore
from shotclock.testing.checks import Checks
from shotclock.testing.clock import START
from shotclock.testing.records import Record, pending
from shotclock.testing.tap import DeathError, Fault, FaultKind, Tap
from shotclock.testing.violation import BrokenError, require

KEY: Final = START.date().isoformat()
_DEATHS: Final[tuple[FaultKind, ...]] = ("died_before", "died_after")


class SmallWorld(Struct, frozen=True, kw_only=True):
    """What may happen, in any order, to a run that has started.

    A report that is twice among `reports` is delivered twice; so is each report of a worker whose `sends` are two.
    """

    plan: Plan
    reports: tuple[Report, ...] = ()
    passes: tuple[timedelta, ...] = ()
    """Spans by which the clock moves on, in this order, each at any moment."""
    workers: tuple[str, ...] = ()
    """Who leases, one task at a time, `leases` times each."""
    leases: int = 1
    sends: int = 1
    deaths: int = 1
    """How many processes die, each at any commit of anything."""


class Explored(Struct, frozen=True, kw_only=True):
    """How large a world was."""

    states: int
    """Different states that were reached."""
    steps: int
    """Events that were carried out, from each state all that were possible."""
    deaths: int
    """Deaths between two rows of one commit, which left nothing behind."""
    histories: int
    """Orders of events, from the start to the end: the interleavings."""
    ends: int
    """Different states in which nothing can happen any more."""

    def __str__(self) -> str:
        within = f"{self.deaths} deaths within a commit"
        return f"{self.histories} histories, {self.states} states, {self.steps} steps, {within}"


class _Held(Struct, frozen=True):
    """What a worker will say of a task, and how often."""

    report: TaskReport
    sends: int


class _Still:
    """A clock that stands where the explorer puts it."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def jitter(self) -> float:
        return 0.0


class _Left(Struct, frozen=True, kw_only=True):
    """What may still happen."""

    reports: tuple[Report, ...]
    passes: tuple[timedelta, ...]
    leases: dict[str, int]
    held: dict[str, _Held]
    deaths: int


class _Move(Struct, frozen=True, kw_only=True):
    """One event, what is left after it, and the death somebody dies of it."""

    what: str
    work: Callable[[Coordinator], object]
    left: _Left
    takes: str | None = None
    """The worker who takes what was leased."""
    span: timedelta = timedelta(0)
    fault: Fault | None = None


class Explorer:
    """Goes through a world, once."""

    def __init__(self, world: SmallWorld) -> None:
        self._world = world
        self._store = BranchingStore()
        self._clock = _Still()
        self._settings = Settings(store="memory://")
        self._checks = Checks(self._store, self._settings, lambda _what: None)
        self._answers = Answers(self._store, self._checks)
        self._tap = Tap(self._store, self._clock, self._checks.committed)
        self._known: dict[str, int] = {}
        self._path: list[str] = []
        self._steps = self._deaths = self._ends = 0
        self._left = _Left(
            reports=world.reports,
            passes=world.passes,
            leases=dict.fromkeys(world.workers, world.leases),
            held={},
            deaths=world.deaths,
        )

    def explore(self) -> Explored:
        """Go through every history; raises `BrokenError` that tells the first one in which an invariant is broken."""
        self._coordinator().start(self._world.plan, KEY)
        try:
            histories = self._histories()
        except BrokenError as broken:
            path = "\n  ".join(self._path)
            raise BrokenError(broken.name, f"{broken.what}\nafter\n  {path}") from broken
        return Explored(
            states=len(self._known), steps=self._steps, deaths=self._deaths, histories=histories, ends=self._ends
        )

    def _histories(self) -> int:
        """Return how many histories there are from here."""
        here = self._here()
        known = self._known.get(here)
        if known is not None:
            require(known > 0, "I5", "something is due again and again")
            return known
        self._known[here] = 0
        total = 0
        for move in list(self._moves()):
            total += self._try(move)
        if not total:
            self._end()
        self._known[here] = total or 1
        return total or 1

    def _try(self, move: _Move) -> int:
        """Return how many histories begin with a move, and with a death in it."""
        total, rows = self._branch(move)
        for kind in _DEATHS if self._left.deaths else ():
            for commit in range(1, len(rows) + 1):
                total += self._branch(replace(move, fault=Fault(kind=kind, commit=commit)))[0]
        self._die_within(move, rows)
        return total

    def _branch(self, move: _Move) -> tuple[int, list[int]]:
        """Carry out a move, count the histories from there, and go back; return with it how many rows it commits."""
        mark, left, instant = self._store.mark(), self._left, self._clock.instant
        accounts = [(whose, _account(whose)) for whose in (self._checks, self._answers)]
        self._path.append(f"{move.what}{f', {move.fault}' if move.fault else ''}")
        self._carry_out(move)
        rows = self._store.rows_since(mark)
        total = self._histories()
        self._path.pop()
        self._store.back_to(mark)
        self._left, self._clock.instant = left, instant
        for whose, account in accounts:
            vars(whose).update(account)
        return total, rows

    def _carry_out(self, move: _Move) -> None:
        self._steps += 1
        self._clock.instant += move.span
        self._tap.arm(move.fault)
        try:
            result = move.work(self._coordinator())
        except DeathError:
            # Nobody heard an answer: whoever spoke will speak again, and a worker is gone with what it took.
            held = {worker: held for worker, held in self._left.held.items() if worker != move.takes}
            self._left = replace(self._left, deaths=self._left.deaths - 1, held=held)
            if move.takes:
                self._left = replace(self._left, leases=move.left.leases)
            return
        self._left = move.left
        if move.takes is not None:
            self._take(move.takes, result)

    def _take(self, worker: str, leases: Any) -> None:  # noqa: ANN401 - what a lease returned
        given: list[Lease] = leases
        for lease in given[:1]:
            self._answers.leased(lease.task)
            held = {**self._left.held, worker: _Held(_good(lease.task, self._clock.now()), self._world.sends)}
            self._left = replace(self._left, held=held)

    def _die_within(self, move: _Move, rows: list[int]) -> None:
        """Let somebody die before each row of a move's first commit: nothing may have happened."""
        before = self._store.rows()
        self._tap.arm(None)
        for row in range(sum(rows[:1])):
            self._store.dying_at = row
            try:
                move.work(self._coordinator())
            except DeathError:
                self._deaths += 1
            self._store.dying_at = None
            left = self._store.rows() == before
            require(left, "I12", f"a death before row {row} of {move.what} has left something behind")

    # --- what may happen ---

    def _moves(self) -> Iterator[_Move]:
        left = self._left
        yield from self._reports(left)
        if left.passes:
            rest = replace(left, passes=left.passes[1:])
            yield _Move(what=f"{left.passes[0]} pass", work=lambda _: None, left=rest, span=left.passes[0])
        if self._store.read(lambda view: view.due(self._clock.now(), 1)):
            yield _Move(what="sweep", work=lambda coordinator: coordinator.sweep(), left=left)
        for worker in self._world.workers:
            yield from self._work(left, worker)

    def _reports(self, left: _Left) -> Iterator[_Move]:
        for place, report in enumerate(left.reports):
            if report in left.reports[:place]:
                continue
            rest = replace(left, reports=left.reports[:place] + left.reports[place + 1 :])
            what = f"{report.phase}.{report.member} {report.outcome}"
            yield _Move(what=what, work=self._saying(report), left=rest)

    def _saying(self, report: Report) -> Callable[[Coordinator], None]:
        def work(coordinator: Coordinator) -> None:
            self._answers.sent(report)
            answers = coordinator.report([report])
            self._answers.reported([report], answers, self._tap.changes)

        return work

    def _work(self, left: _Left, worker: str) -> Iterator[_Move]:
        held = left.held.get(worker)
        if held is not None:
            rest = {name: other for name, other in left.held.items() if name != worker}
            if held.sends > 1:
                rest[worker] = _Held(held.report, held.sends - 1)
            task = f"{held.report.work} {held.report.phase}:{held.report.lo} t{held.report.token}"
            yield _Move(what=f"{worker} says {task}", work=self._telling(held.report), left=replace(left, held=rest))
        elif left.leases[worker] and self._leasable():
            rest_of = {**left.leases, worker: left.leases[worker] - 1}
            yield _Move(
                what=f"{worker} leases",
                work=lambda coordinator: coordinator.lease(worker, {}),
                left=replace(left, leases=rest_of),
                takes=worker,
            )

    def _telling(self, report: TaskReport) -> Callable[[Coordinator], None]:
        def work(coordinator: Coordinator) -> None:
            self._answers.worked(report, coordinator.task_report(report), self._tap.changes)

        return work

    def _leasable(self) -> bool:
        now = self._clock.now()
        return self._store.read(lambda view: any(view.leasable(phase.id, now, 1) for phase in view.active()))

    # --- where it is, and where it ends ---

    def _here(self) -> str:
        """Name this state: the rows, the account of them, and what may still happen."""
        records = [_moments(record) for record in self._checks.records.values()]
        left = replace(self._left, reports=tuple(sorted(self._left.reports, key=repr)))
        account = _account(self._answers)
        whole = (list(self._store.dump()), records, account, left, self._clock.instant)
        return digest(repr(whole).encode())

    def _end(self) -> None:
        """Check a state in which nothing can happen any more: whoever still waits, waits for what is to come."""
        self._ends += 1
        self._answers.all_kept()
        current = [record for record in self._checks.records.values() if record.run.id not in self._checks.superseded]
        over = {record.own.name for record in current if record.phase.state in PHASE_OVER}
        for record in current:
            match record.phase.state:
                case "closing":
                    require(held=False, name="I5", what=f"{record.where} has closed, and nobody opens it")
                case "waiting":
                    require(not over.issuperset(record.own.needs), "I5", f"{record.where} has nothing to wait for")
                case "opened":
                    then = self._store.read(lambda view, phase=record.phase.id: view.task(phase, "then", 0))  # type: ignore[misc]  # bound now
                    at_work = then is not None and then.state != "ended"
                    require(at_work, "I5", f"{record.where} has opened, and there is nothing left to do")
                case "active":
                    self._waits_by_right(record)

    def _waits_by_right(self, record: Record) -> None:
        now = self._clock.now()
        due = oracle.deadline_due(record, now)
        missed = due is not None and due <= now and not oracle.critical_missing(record)
        require(not missed, "I5", f"{record.where} waits for ever, its deadline was due at {due}")
        met = oracle.rule_holds(record, now) and not pending(record.optional)
        require(not met, "I5", f"{record.where} waits for ever, and its rule holds")

    def _coordinator(self) -> Coordinator:
        return Coordinator(self._tap, self._settings, self._clock)


def _account(whose: object) -> dict[str, Any]:
    """Copy what somebody has noted so far."""
    return {name: _copied(value) for name, value in vars(whose).items() if isinstance(value, dict | list | set)}


def _copied(value: Any) -> Any:  # noqa: ANN401 - a container of any kind
    if not isinstance(value, dict):
        return copy(value)
    fresh = copy(value)
    fresh.update({key: copy(one) for key, one in value.items() if isinstance(one, Record)})
    return fresh


def _moments(record: Record) -> tuple[object, ...]:
    marks = (record.started_at, record.first_at, record.progress_at, record.held_since, record.closed_at)
    return (record.phase.id, record.kinds, record.parts, record.signal_at, record.retry_until, *marks)


def _good(task: Task, now: datetime) -> TaskReport:
    """Return a worker's report that all went well."""
    ordinals = [task.lo + place for place, code in enumerate(task.kinds) if not code]
    kinds = bytearray(len(task.kinds))
    for ordinal in ordinals:
        kinds[ordinal - task.lo] = CODE["succeeded"]
    notes = {ordinal: Note(rows=1, at=now) for ordinal in ordinals}
    return TaskReport(phase=task.phase, work=task.work, lo=task.lo, token=task.token, kinds=bytes(kinds), notes=notes)
