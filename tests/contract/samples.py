"""Values to store: small, complete, and different where it matters."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from shotclock.model import (
    Counts,
    Entry,
    Flag,
    FlagState,
    Halt,
    Opening,
    Outgoing,
    Page,
    Phase,
    PhasePlan,
    Plan,
    Process,
    Run,
    RunId,
    Tally,
    Task,
)
from shotclock.ports import Store, Transaction

V = TypeVar("V")

START = datetime(2025, 1, 15, 11, 0, 0, 123456, tzinfo=UTC)
RUN = "nba/2025-01-15"
RAW = 1
"""The phase that the tasks of these examples belong to."""


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after the start of the examples."""
    return START + timedelta(seconds=seconds)


def a_run(text: str = RUN, **changes: Any) -> Run:  # noqa: ANN401 - fields of a run
    """Return a run of that text form."""
    who = RunId.parse(text)
    run = Run(id=text, pipeline=who.pipeline, key=who.key, mode=who.mode, generation=who.generation, started_at=at(0))
    return replace(run, **changes)


def a_phase(run: str = RUN, name: str = "raw", **changes: Any) -> Phase:  # noqa: ANN401 - fields of a phase
    """Return an active phase."""
    phase = Phase(run=run, name=name, index=0, state="active", counts=Counts(required=Tally(pending=3)))
    return replace(phase, **changes)


def a_plan(**changes: Any) -> Plan:  # noqa: ANN401 - fields of a plan
    """Return a plan with two phases."""
    plan = Plan(pipeline="nba", timezone="America/New_York", phases=(PhasePlan(name="raw"), PhasePlan(name="sum")))
    return replace(plan, **changes)


def a_task(lo: int = 0, **changes: Any) -> Task:  # noqa: ANN401 - fields of a task
    """Return a queued task for one member; with `hi`, for as many members as fit."""
    task = replace(Task(phase=RAW, work="member", lo=lo, hi=lo + 1), **changes)
    return task if task.kinds else replace(task, kinds=bytes(task.hi - task.lo))


def a_page(number: int = 0, lo: int = 0, ids: tuple[str, ...] = ("a", "b", "c")) -> Page:
    """Return a page of items."""
    return Page(phase=RAW, number=number, lo=lo, ids=ids, payloads=({"n": 1},) * len(ids), digest="d")


def an_opening(**changes: Any) -> Opening:  # noqa: ANN401 - fields of an opening
    """Return the opening of the examples' phase."""
    opening = Opening(phase=RAW, run=RUN, name="raw", reason="all", at=at(5), closed_at=at(5), counts=Counts())
    return replace(opening, **changes)


def an_entry(**changes: Any) -> Entry:  # noqa: ANN401 - fields of an entry
    """Return a late report."""
    entry = Entry(kind="late", scope=RUN, phase="raw", member="props", at=at(0), digest="d", body={"rows": 3})
    return replace(entry, **changes)


def a_message(key: str = "k", **changes: Any) -> Outgoing:  # noqa: ANN401 - fields of a message
    """Return a message that is ready."""
    message = Outgoing(key=key, route="alert", body={"text": "é"}, run=RUN, created_at=at(0), ready_at=at(0))
    return replace(message, **changes)


def a_halt(scope: str = "*", seconds: float = 0) -> Halt:
    """Return a halt without end."""
    return Halt(scope=scope, since=at(seconds), actor="ann", reason="test")


def a_flag(name: str = "new_model", version: int = 1, **changes: Any) -> FlagState:  # noqa: ANN401 - fields of a state
    """Return what is kept of a flag."""
    declared = Flag(name=name, owner="ann", purpose="a better model")
    return replace(FlagState(name=name, version=version, declared=declared, at=at(0)), **changes)


def a_process(name: str = "host:1:0", seconds: float = 0) -> Process:
    """Return a process that sent a heartbeat then."""
    return Process(name=name, host="host", pid=1, started_at=at(0), beat_at=at(seconds))


def add_run(store: Store, text: str = RUN, *phases: Phase, **changes: Any) -> Run:  # noqa: ANN401 - fields of a run
    """Add a run with its phases (one called raw, if none are given) and return it."""
    run = a_run(text, **changes)
    kept = phases or (a_phase(text),)

    def work(tx: Transaction) -> Run:
        return tx.add_run(run, a_plan(pipeline=run.pipeline), kept)[0]

    return store.write(work)


def each(store: Store, change: Callable[[Transaction, V], None], values: Iterable[V]) -> None:
    """Make the same change with each value, in one transaction."""

    def work(tx: Transaction) -> None:
        for value in values:
            change(tx, value)

    store.write(work)


def add_tasks(store: Store, *tasks: Task) -> None:
    """Add tasks to the examples' run."""
    store.write(lambda tx: tx.add_tasks(tasks))
