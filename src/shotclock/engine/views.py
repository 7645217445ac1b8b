"""What people and programs are shown of runs and phases; each view is built from one snapshot and decides nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import cast

from msgspec import Struct, field

from shotclock.core import clocks, rules
from shotclock.engine import fleet, rolls, timing
from shotclock.engine.desk import Desk
from shotclock.engine.listed import LACKING, NAMED, halted_words, missing_names
from shotclock.engine.timing import ClockView
from shotclock.model import (
    KINDS,
    PHASE_OVER,
    Counts,
    Importance,
    Kind,
    Mark,
    OpenReason,
    Phase,
    PhasePlan,
    PhaseState,
    Plan,
    Process,
    Run,
    RunId,
    RunState,
    Task,
)
from shotclock.ports import Snapshot, Transaction
from shotclock.settings import Settings


class PhaseView(Struct, frozen=True, kw_only=True):
    """A phase of one run."""

    name: str
    state: PhaseState
    needs: tuple[str, ...] = ()
    counts: Counts = Counts()
    expected: int = 0
    satisfied: int = 0
    unsatisfied: int = 0
    pending: int = 0
    withdrawn: int = 0
    sealed: bool = False
    fan_out: bool = False
    opened: OpenReason | None = None
    partial: bool = False
    rule: str = ""
    missing: tuple[str, ...] = ()
    """Critical and required members that are not satisfied: the first few, none for items that no opening names."""
    missing_count: int = 0
    mark: Mark | None = None
    failure: str | None = None
    then: bool = False
    """Whether a consolidation follows the opening."""
    started_at: datetime | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    took: timedelta | None = None
    rate: float | None = None
    """Members settled a second since the phase started."""
    left: timedelta | None = None
    """Time to the end at that rate."""
    clock: ClockView | None = None
    """The clock to count down to."""
    carried_from: str | None = None
    stale_inputs: tuple[str, ...] = ()
    handover: str | None = None
    lacks: tuple[str, ...] = ()
    """What tasks ask of a worker and no process that lives has."""


class RunView(Struct, frozen=True, kw_only=True):
    """A run with its phases, as of one instant."""

    id: str
    pipeline: str
    key: str
    mode: str
    generation: int
    state: RunState
    superseded: bool = False
    at: datetime
    started_at: datetime
    ended_at: datetime | None = None
    fails_at: datetime
    """When `max_age` ends it."""
    reason: str | None = None
    cause: str = "started"
    timezone: str = "UTC"
    folder: str = ""
    params: dict[str, object] = field(default_factory=dict)
    phases: tuple[PhaseView, ...] = ()
    slowest: str | None = None
    parked: tuple[str, ...] = ()
    """Members of parked reports: the run, phase or member they name is not known."""
    late: int = 0
    """Reports that came after their phase was over."""
    halted: str | None = None
    """By whom and why new work is stopped, where it is."""


class Gap(Struct, frozen=True, kw_only=True):
    """A day, or a phase of a day, that is missing."""

    key: str
    phase: str | None = None
    """None where the whole run is missing."""
    reason: str


class MissingMember(Struct, frozen=True, kw_only=True):
    """A member that is not satisfied."""

    phase: str
    member: str
    importance: Importance
    kind: Kind
    reason: str | None = None
    attempts: int = 0
    external: bool = False
    working: bool = False
    """Whether somebody holds its task."""


class MissingPage(Struct, frozen=True, kw_only=True):
    """Some of a phase's missing members, and where to go on (None: at the end)."""

    members: tuple[MissingMember, ...]
    after: int | None


def desk_of(view: Snapshot, settings: Settings, now: datetime) -> Desk:
    """Return a desk that only reads: nothing is written until a desk is cleared, and this one never is."""
    return Desk(cast("Transaction", view), now, settings, float)


def run_view(view: Snapshot, run: Run, settings: Settings, now: datetime) -> RunView:
    """Return a run with all its phases."""
    desk, plan = desk_of(view, settings, now), view.plan(run.id)
    alive = fleet.living(view, settings, now)
    phases = tuple(_phase(desk, plan, phase, alive) for phase in view.phases(run.id))
    return RunView(
        id=run.id,
        pipeline=run.pipeline,
        key=run.key,
        mode=run.mode,
        generation=run.generation,
        state=run.state,
        superseded=run.superseded,
        at=now,
        started_at=run.started_at,
        ended_at=run.ended_at,
        fails_at=clocks.after_awake(run.started_at, plan.max_age, desk.halts(run), now),
        reason=run.reason,
        cause=run.cause,
        timezone=plan.timezone,
        folder=plan.folder,
        params=plan.params,
        phases=phases,
        slowest=_slowest(phases),
        parked=parked(view, run),
        late=len(view.entries("late", scope=run.id)),
        halted=halted_words(view, run),
    )


def gaps(view: Snapshot, plan: Plan, keys: Sequence[str]) -> list[Gap]:
    """Return what is missing of a pipeline: keys without a run, and phases that failed or were skipped."""
    found: list[Gap] = []
    for key in keys:
        run = view.newest(RunId(pipeline=plan.pipeline, key=key, mode=plan.mode))
        if run is None:
            found.append(Gap(key=key, reason="there is no run"))
        elif run.state == "failed":
            broken = (phase for phase in view.phases(run.id) if phase.state in {"failed", "skipped"})
            found += [Gap(key=key, phase=phase.name, reason=phase.failure or phase.state) for phase in broken]
    return found


def parked(view: Snapshot, run: Run, phase: str | None = None) -> tuple[str, ...]:
    """Return the members that parked reports of a run name, as ``phase.member``."""
    scope = run.id.partition("#")[0]
    kept = view.entries("parked", scope=scope, phase=phase, limit=NAMED)
    return tuple(f"{entry.phase}.{entry.member}" for entry in kept)


def _slowest(phases: Sequence[PhaseView]) -> str | None:
    timed = [phase for phase in phases if phase.took is not None]
    return max(timed, key=lambda phase: phase.took or timedelta(0)).name if len(timed) > 1 else None


def _phase(desk: Desk, plan: Plan, phase: Phase, alive: list[Process]) -> PhaseView:
    own, counts = plan.phase(phase.name), phase.counts
    took, rate, left = _pace(phase, desk.now)
    given = timing.clocks(desk.scene(phase), desk.now) if phase.state == "active" else ()
    return PhaseView(
        name=phase.name,
        state=phase.state,
        needs=own.needs,
        counts=counts,
        expected=counts.expected,
        satisfied=counts.satisfied,
        unsatisfied=counts.unsatisfied,
        pending=counts.pending,
        withdrawn=counts.withdrawn,
        sealed=phase.sealed,
        fan_out=own.items is not None,
        opened=phase.ruling.reason if phase.ruling is not None else None,
        partial=phase.ruling is not None and phase.ruling.partial,
        rule=phase.ruling.rule if phase.ruling is not None else "",
        missing=missing_names(desk.tx, plan, phase) if phase.started_at is not None else (),
        missing_count=rules.missing(counts),
        mark=phase.mark,
        failure=phase.failure,
        then=own.then is not None,
        started_at=phase.started_at,
        opened_at=phase.opened_at,
        ended_at=phase.ended_at,
        took=took,
        rate=rate,
        left=left,
        clock=timing.next_clock(given, stuck=phase.mark is not None),
        carried_from=phase.carried_from,
        stale_inputs=phase.stale_inputs,
        handover=None if phase.handover is None else phase.handover.state,
        lacks=fleet.lacks(desk.tx, own, phase, alive),
    )


def _pace(phase: Phase, now: datetime) -> tuple[timedelta | None, float | None, timedelta | None]:
    """Return how long a phase took so far, how many settled a second, and how long it has to go at that rate."""
    if phase.started_at is None or phase.carried_from is not None:
        return None, None, None
    took = (phase.ended_at or now) - phase.started_at
    settled = phase.counts.satisfied + phase.counts.unsatisfied
    working = ((phase.closed_at or phase.ended_at or now) - phase.started_at).total_seconds()
    if settled == 0 or working <= 0:
        return took, None, None
    rate = settled / working
    left = timedelta(seconds=phase.counts.pending / rate) if phase.state == "active" and phase.sealed else None
    return took, round(rate, 3), left


def missing_page(view: Snapshot, plan: PhasePlan, phase: Phase, *, after: int = -1, tasks: int = 100) -> MissingPage:
    """Return the members that are not satisfied from the next `tasks` tasks; optional ones are among them."""
    batch = view.tasks(rolls.facts(phase), after=after, limit=tasks, pending=True)
    names = rolls.Names(view, plan, phase)
    found = tuple(member for task in batch for member in _lacking(phase, names, task))
    return MissingPage(members=found, after=batch[-1].lo if len(batch) == tasks else None)


def _lacking(phase: Phase, names: rolls.Names, task: Task) -> Iterator[MissingMember]:
    over = phase.state in PHASE_OVER
    for place, code in enumerate(task.kinds):
        kind, ordinal = KINDS[code], task.lo + place
        if kind not in LACKING:
            continue
        note = task.notes.get(ordinal)
        yield MissingMember(
            phase=phase.name,
            member=names.name(ordinal),
            importance=rolls.importance_of(task),
            kind=kind,
            reason=(note.reason if note is not None else None) or task.error,
            attempts=task.tries.get(ordinal, 0),
            external=task.work == "outside",
            working=task.state == "leased" and not over,
        )
