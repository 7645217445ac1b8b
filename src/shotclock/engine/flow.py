"""From phase to phase: starting what may start, skipping what cannot, completing and failing, and the end of a run."""

from datetime import datetime

from msgspec.structs import replace

from shotclock.core import clocks, handover, runs
from shotclock.engine import inputs, rolls
from shotclock.engine.desk import Desk
from shotclock.model import (
    PHASE_OVER,
    Counts,
    Handover,
    Phase,
    PhasePlan,
    Plan,
    Run,
    Task,
)


def advance(desk: Desk, run_id: str) -> None:
    """Start, skip and end whatever the states of a run's phases call for."""
    plan = desk.plan(run_id)
    moving = True
    while moving:
        phases = {phase.name: phase for phase in desk.phases(run_id)}
        waiting = [phase for phase in phases.values() if phase.state == "waiting"]
        moving = sum(_step(desk, plan, phase, phases) for phase in waiting) > 0
    _end(desk, run_id)


def _step(desk: Desk, plan: Plan, phase: Phase, phases: dict[str, Phase]) -> bool:
    states = {name: other.state for name, other in phases.items()}
    broken = runs.skipped_for(plan, phase.name, states)
    if broken is not None:
        desk.change(phase, state="skipped", failure=f"upstream_failed: {broken}", ended_at=desk.now, due_at=None)
        return True
    own = plan.phase(phase.name)
    if not runs.may_start(plan, phase.name, states) or not _previous_over(desk, own, phase):
        return False
    start(desk, own, phase, phases)
    return True


def _previous_over(desk: Desk, own: PhasePlan, phase: Phase) -> bool:
    """Say whether the previous run that a phase reads is over, or not there; fix which one it is."""
    if not own.needs_previous:
        return True
    run = desk.run(phase.run)
    before = desk.tx.before(run.identity)
    if before is not None and before.state == "running":
        return False
    there = () if before is None else [other.name for other in desk.tx.phases(before.id) if other.state == "done"]
    absent = tuple(need for need in own.needs_previous if need not in there)
    desk.change(phase, previous=None if before is None else before.id, absent_upstream=absent)
    return True


def start(desk: Desk, own: PhasePlan, phase: Phase, phases: dict[str, Phase]) -> None:
    """Start a phase in the commit that completed its last upstream: its clocks run from here."""
    inherited = {need: _lacks(desk, phases[need]) for need in own.needs}
    phase = desk.change(
        phase,
        state="active",
        started_at=desk.now,
        signal_at=None if phase.signal_at is None else desk.now,
        handover=Handover(triggered_at=desk.now),
        inherited={name: names for name, names in inherited.items() if names},
        stale_inputs=inputs.stale(desk, own, [phases[need] for need in own.needs]),
        inherits_partial=any(_is_partial(phases[need]) for need in own.needs),
    )
    if not phase.size and not phase.sealed:
        _call_roll(desk, own, phase)
    body = {"run": phase.run, "phase": phase.name, "id": phase.id}
    desk.post(handover_key(phase, Handover(triggered_at=desk.now)), "handover", phase.run, body)
    desk.touch(phase)
    desk.started.append(phase.id)


def _lacks(desk: Desk, upstream: Phase) -> tuple[str, ...]:
    """Name what an upstream phase lacked, what it inherited included."""
    opening = desk.tx.opening(rolls.facts(upstream))
    own = opening.missing if opening is not None else ()
    above = [name for names in upstream.inherited.values() for name in names]
    return tuple(dict.fromkeys([*own, *above]))[: desk.settings.named]


def _is_partial(upstream: Phase) -> bool:
    return upstream.inherits_partial or (upstream.ruling is not None and upstream.ruling.partial)


def _call_roll(desk: Desk, own: PhasePlan, phase: Phase) -> None:
    """Set up the roll: named members at once, items by a task that lists them."""
    if own.items is not None:
        desk.tx.add_tasks([Task(phase=phase.id, work="enumerate")])
        return
    counts = Counts()
    for member in own.members:
        counts = counts.add(member.importance, "pending")
    tasks = [rolls.task_of(phase.id, ordinal, member) for ordinal, member in enumerate(own.members)]
    desk.tx.add_tasks(tasks)
    desk.change(phase, counts=counts, size=len(own.members), sealed=True)


def complete(desk: Desk, phase: Phase) -> None:
    """End an opened phase whose consolidation, if it has one, is done; what stands on it starts."""
    due_at = desk.phase(phase.id).rerun_at
    desk.change(phase, state="done", ended_at=desk.now, due_at=due_at, mark=None)
    advance(desk, phase.run)


def fail(desk: Desk, phase: Phase, reason: str) -> None:
    """End a phase as failed; what stands on it is skipped, other branches go on."""
    due_at = desk.phase(phase.id).rerun_at
    phase = desk.change(
        phase, state="failed", failure=reason, ended_at=desk.now, due_at=due_at, mark=None, asking_until=None
    )
    names = rolls.missing_names(desk.tx, desk.plan_of(phase), phase, desk.settings.named)
    command = f"shotclock rerun {phase.run} {phase.name}"
    if not phase.folded:
        desk.alert(phase, "failed", f"failed: {reason}", names=names, command=command)
    advance(desk, phase.run)


def _end(desk: Desk, run_id: str) -> None:
    """End a run whose phases are all over, and let later runs go on that waited for it."""
    run = desk.run(run_id)
    ending = runs.ending(desk.phases(run_id))
    if run.state != "running" or ending is None:
        return
    desk.put_run(replace(run, state=ending.state, reason=ending.reason, ended_at=desk.now))
    wake_followers(desk, run)


def wake_followers(desk: Desk, run: Run) -> None:
    """Let runs of later keys go on whose phases wait for this run."""
    for later in desk.tx.runs(pipeline=run.pipeline, state="running", limit=desk.settings.backlog):
        waits = any(phase.needs_previous for phase in desk.plan(later.id).phases)
        if later.mode == run.mode and later.key > run.key and waits:
            advance(desk, later.id)


def handover_due(desk: Desk, phase: Phase) -> datetime | None:
    """Return when a started phase must have shown a sign of life."""
    if phase.handover is None or phase.state in PHASE_OVER:
        return None
    return handover.due_at(phase.handover, desk.halts(desk.run(phase.run)), desk.now, desk.settings.handover)


def check_handover(desk: Desk, phase: Phase) -> None:
    """Send an unanswered hand-over again once, then tell operators."""
    if phase.handover is None or clocks.halted(desk.halts(desk.run(phase.run)), desk.now):
        return
    halts = desk.halts(desk.run(phase.run))
    match handover.next_step(phase.handover, desk.now, halts, desk.settings.handover):
        case "send_again":
            again = handover.sent_again(phase.handover, desk.now)
            desk.change(phase, handover=again)
            body = {"run": phase.run, "phase": phase.name, "id": phase.id}
            desk.post(handover_key(phase, again), "handover", phase.run, body)
        case "escalate":
            desk.change(phase, handover=handover.unacknowledged(phase.handover))
            desk.alert(phase, "unacknowledged", "started, but nothing has taken it up", command="shotclock status")
        case "wait":
            pass


def handover_key(phase: Phase, told: Handover) -> str:
    """Return the key of the message that tells the start of a phase, the first time or again."""
    return f"handover:{phase.id}:{told.sent}"


def mark_started(desk: Desk, phase: Phase) -> Phase:
    """Note the first sign of life of a phase: a lease, page, seal, report or explicit word."""
    if phase.handover is None or phase.handover.state == "started":
        return phase
    return desk.change(phase, handover=handover.started(phase.handover, desk.now))


def delivered(desk: Desk, phase: Phase) -> None:
    """Note that the bus took a phase's hand-over; from here on it must be answered in time."""
    if phase.handover is None or phase.handover.state != "triggered":
        return
    phase = desk.change(phase, handover=handover.delivered(phase.handover, desk.now))
    if phase.state == "active":
        desk.touch(phase)
