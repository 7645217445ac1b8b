"""Who works on a store, and what waits to be worked on: the views of operators and of whatever scales the workers."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from shotclock.core import leases
from shotclock.engine.process import lives
from shotclock.model import Phase, PhasePlan, Process, Task
from shotclock.ports import Snapshot
from shotclock.settings import Settings, fingerprint


class ProcessView(Struct, frozen=True, kw_only=True):
    """A process as its last heartbeat described it."""

    name: str
    pid: int
    host: str
    version: str
    kind: str
    tags: tuple[str, ...]
    started_at: datetime
    beat_at: datetime
    ended_at: datetime | None
    alive: bool
    """Whether it may be at work: heard of within a lease, and not known to be dead."""
    held: dict[str, int]
    """How many tasks of each phase it holds, by run and phase."""
    settings: str
    """What its settings hash to."""
    differs: bool
    """Whether it lives and most others that live have other settings."""


class BacklogLine(Struct, frozen=True, kw_only=True):
    """What waits in a phase: what a worker that comes now could take, and what is being worked on."""

    pipeline: str
    run: str
    phase: str
    tasks: int
    """Tasks that may be leased now."""
    items: int
    """Members or items that nobody works on, those that wait for another attempt included."""
    leased: int
    """Tasks that somebody holds."""
    oldest: timedelta | None
    """Since when the first of the tasks that may be leased could have been."""
    tags: tuple[str, ...]
    """What a worker must have that takes the items."""
    lacks: tuple[str, ...]
    """What no process that lives has: each what one task asks for."""


def processes(view: Snapshot, settings: Settings, now: datetime) -> list[ProcessView]:
    """Return all processes that were ever heard of, those that live first, the last started first."""
    known = view.processes()
    alive = {process.name for process in known if lives(process, now, settings.lease)}
    marks = {process.name: fingerprint(process.settings) for process in known}
    common = Counter(marks[name] for name in alive).most_common(1)
    found = [
        ProcessView(
            name=process.name,
            pid=process.pid,
            host=process.host,
            version=process.version,
            kind=process.kind,
            tags=process.tags,
            started_at=process.started_at,
            beat_at=process.beat_at,
            ended_at=process.ended_at,
            alive=process.name in alive,
            held=_held(view, process),
            settings=marks[process.name],
            differs=process.name in alive and marks[process.name] != common[0][0],
        )
        for process in known
    ]
    return sorted(found, key=lambda one: (not one.alive, now - one.started_at))


def _held(view: Snapshot, process: Process) -> dict[str, int]:
    numbers = Counter(task.phase for task in view.leased(owner=process.name))
    phases = {number: view.phase(number) for number in numbers}
    return {f"{phase.run} {phase.name}": numbers[number] for number, phase in phases.items()}


def backlog(view: Snapshot, settings: Settings, now: datetime) -> list[BacklogLine]:
    """Return a line for each phase at work, the oldest run first; it counts on indexes and reads only leased tasks."""
    phases = [phase for phase in view.active() if phase.state in {"active", "opened"}]
    asking = any(view.plan(phase.run).phase(phase.name).asks for phase in phases)
    alive = living(view, settings, now) if asking else []  # processes may be many, most of them long gone
    return [_line(view, phase, alive, now) for phase in phases]


def _line(view: Snapshot, phase: Phase, alive: list[Process], now: datetime) -> BacklogLine:
    own = view.plan(phase.run).phase(phase.name)
    held = [task for task in view.leased(phase_id=phase.id) if task.lease_until is None or task.lease_until > now]
    tasks, since = _leasable(view, phase, now)
    worked_on = sum(len(leases.pending(task)) for task in held)
    items = max(phase.counts.pending - worked_on, 0) if own.items is not None else tasks
    return BacklogLine(
        pipeline=phase.run.partition("/")[0],
        run=phase.run,
        phase=phase.name,
        tasks=tasks,
        items=items if phase.state == "active" else 0,
        leased=len(held),
        oldest=None if since is None else max(now - since, timedelta(0)),
        tags=own.execution.tags,
        lacks=lacks(view, own, phase, alive),
    )


def _leasable(view: Snapshot, phase: Phase, now: datetime) -> tuple[int, datetime | None]:
    """Return how many tasks of a phase may be leased, and since when the first of them."""
    if phase.state == "opened":
        then = view.task(phase.id, "then", 0)
        waits = then is not None and then.state == "queued" and (then.ready_at or now) <= now
        return int(waits), (then.ready_at or phase.opened_at) if waits and then is not None else None
    tasks = view.count_leasable(phase.id, now)
    first = view.next_ready(phase.id)
    if not tasks or first is None:
        return tasks, None
    return tasks, max(first, phase.started_at or first)


def living(view: Snapshot, settings: Settings, now: datetime) -> list[Process]:
    """Return the processes that may be at work."""
    return [process for process in view.processes() if lives(process, now, settings.lease)]


def lacks(view: Snapshot, own: PhasePlan, phase: Phase, alive: list[Process]) -> tuple[str, ...]:
    """Return what pending tasks of a phase ask for and no process that lives has, in words, each once."""
    if phase.state != "active":
        return ()
    missing = (tags for tags in _asked(view, own, phase) if not any(tags <= set(one.tags) for one in alive))
    return tuple(dict.fromkeys(", ".join(sorted(tags)) for tags in missing if tags))


def _asked(view: Snapshot, own: PhasePlan, phase: Phase) -> Iterator[frozenset[str]]:
    """Yield what the work that is left asks of a worker."""
    if own.items is not None:
        if own.execution.tags and phase.counts.pending:
            yield own.tags_of(0)
    elif own.asks:
        tasks = view.tasks(phase.id, limit=len(own.members), pending=True)
        yield from (own.tags_of(task.lo) for task in tasks if _waits(task))


def _waits(task: Task) -> bool:
    return task.work == "member" and task.state in {"queued", "leased"}
