"""Making runs: the first generation of a key, and a new generation from a phase."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from shotclock.core import generations, runs, settling
from shotclock.engine import carrying, expecting, flagging, flow, history, rolls
from shotclock.engine.desk import Desk
from shotclock.errors import NotFoundError, UsageError
from shotclock.model import (
    PHASE_OVER,
    Note,
    Phase,
    Plan,
    Recovery,
    Run,
    RunId,
    Task,
    member_name,
    names_generation,
    standing_of,
)


def start(desk: Desk, plan: Plan, key: str, cause: str = "started") -> tuple[Run, bool]:
    """Start the run of a key, or return its newest generation if it is there; the flag says whether it is new."""
    identity = RunId(pipeline=plan.pipeline, key=key, mode=plan.mode)
    known = desk.tx.newest(identity)
    if known is not None:
        return known, False
    run = Run(id=str(identity), pipeline=plan.pipeline, key=key, mode=plan.mode, started_at=desk.now, cause=cause)
    plan, named = history.demoted(desk, flagging.freeze(desk, plan, identity), identity)
    phases = [Phase(run=run.id, name=own.name, index=index) for index, own in enumerate(plan.phases)]
    _add(desk, run, plan, phases)
    _tell_demoted(desk, run, named)
    expecting.expect(desk.tx, plan, desk.now)
    flow.advance(desk, run.id)
    return run, True


def _tell_demoted(desk: Desk, run: Run, named: dict[str, tuple[str, ...]]) -> None:
    """Tell operators, once a run, whose silence or failures the plan has taken into account."""
    for phase in desk.phases(run.id):
        if phase.name in named:
            text = "not satisfied in the last ten runs, until a good report comes"
            command = f"shotclock missing {run.id} {phase.name}"
            desk.alert(phase, "demoted", text, names=named[phase.name], command=command)


def _add(desk: Desk, run: Run, plan: Plan, phases: Sequence[Phase]) -> None:
    """Add a run; every phase that is not over is looked at when the run becomes too old, whatever happens."""
    limit = desk.now + plan.max_age
    timed = [phase if phase.state in PHASE_OVER else replace(phase, due_at=limit) for phase in phases]
    _, created = desk.tx.add_run(run, plan, timed)
    assert created, run.id
    desk.rang = True
    if desk.facts is not None:
        desk.facts.tell("run.started", run.id, reason=run.cause)


def new_generation(desk: Desk, run_id: str, plan: Plan, first: str, again: Sequence[str], *, cause: str) -> Run:
    """Make a new generation from phase `first`, naming members that are to be done again although they are satisfied.

    The one before is superseded: its tasks, consolidation and undelivered hand-overs end with it. Where `run_id` names
    the generation to repeat (``#1``), asking twice makes one. What late reports make keeps the flags of the one before;
    otherwise they are those of now. Raises `NotFoundError` for an unknown run, phase or
    member.
    """
    made = _made_before(desk, run_id, cause)
    if made is not None:
        return made
    old, _ = _superseded(desk, run_id, plan, first)
    run = generations.next_run(old, desk.now, cause)
    below = runs.below(plan, first)
    plan = plan if cause == "late" else flagging.freeze(desk, plan, run.identity)
    _add(desk, run, plan, generations.next_phases(plan, run, desk.phases(old.id), below | {first}))
    carrying.carry(desk, run, desk.phases(old.id), below, {first: again})
    _supersede(desk, old)
    flow.advance(desk, run.id)
    return run


def without_flags(desk: Desk, run_id: str, plan: Plan, names: Sequence[str]) -> Run:
    """Make a new generation with the flags of now that carries only phases that did not ask for these ones.

    Asking for one that is superseded raises `UsageError`.
    """
    old = _newest(desk, run_id)
    run = generations.next_run(old, desk.now, "rollback")
    plan, before = flagging.freeze(desk, plan, run.identity), desk.phases(old.id)
    anew = generations.without(plan, desk.plan(old.id), before, names)
    _add(desk, run, plan, generations.next_phases(plan, run, before, anew))
    carrying.carry(desk, run, desk.phases(old.id), anew, {})
    _supersede(desk, old)
    flow.advance(desk, run.id)
    return run


def _made_before(desk: Desk, run_id: str, cause: str) -> Run | None:
    """Return the generation that was made from the one that `run_id` names, if it names one."""
    if not names_generation(run_id) or cause != "rerun":
        return None
    base = RunId.parse(run_id)
    newest = desk.tx.newest(base)
    again = newest is not None and newest.generation == base.generation + 1 and newest.cause == cause
    return newest if again else None


def consolidate_again(desk: Desk, run_id: str, plan: Plan, first: str) -> Run:
    """Make a new generation that carries the opening of `first` and does its consolidation, and what follows, anew."""
    old, source = _superseded(desk, run_id, plan, first)
    if source is None or plan.phase(first).then is None or desk.tx.opening(rolls.facts(source)) is None:
        message = f"{old.id} {first} has no consolidation to do again: it needs a `then`, and must have opened"
        raise UsageError(message)
    run = generations.next_run(old, desk.now, "then")
    below = runs.below(plan, first)
    plan = flagging.freeze(desk, plan, run.identity)
    phases = generations.next_phases(plan, run, desk.phases(old.id), below | {first})
    at = next(index for index, phase in enumerate(phases) if phase.name == first)
    phases[at] = generations.reopened(source, run, at)
    _add(desk, run, plan, phases)
    carrying.carry(desk, run, desk.phases(old.id), below, {})
    target = desk.phase_of(run.id, first)
    assert target is not None
    desk.tx.add_tasks([Task(phase=target.id, work="then")])
    _supersede(desk, old)
    flow.advance(desk, run.id)
    return run


def _superseded(desk: Desk, run_id: str, plan: Plan, first: str) -> tuple[Run, Phase | None]:
    """Return the newest generation, and its phase of that name where it had one."""
    old = _newest(desk, run_id)
    if first not in {own.name for own in plan.phases}:
        message = f"{old.id} has no phase {first}; it has {', '.join(own.name for own in plan.phases)}"
        raise NotFoundError(message)
    return old, desk.phase_of(old.id, first)


def _supersede(desk: Desk, old: Run) -> None:
    """Fence a generation off: what of it was not over ends here, without a word to operators."""
    ended = {"state": "failed", "reason": "superseded before it was over", "ended_at": desk.now}
    desk.put_run(replace(old, superseded=True, **(ended if old.state == "running" else {})))
    for phase in desk.phases(old.id):
        if phase.state not in PHASE_OVER:
            desk.change(phase, state="failed", failure="superseded", ended_at=desk.now, due_at=None, mark=None)
        if phase.handover is not None:  # what of it was not delivered yet has nobody to tell any more
            desk.tx.sent([flow.handover_key(phase, phase.handover)])


def _newest(desk: Desk, run_id: str) -> Run:
    try:
        identity = RunId.parse(run_id)
    except ValueError as error:
        raise UsageError(str(error)) from error
    run = desk.tx.newest(identity)
    if run is None:
        message = f"there is no run {run_id}; `shotclock status` lists them"
        raise NotFoundError(message)
    if names_generation(run_id) and run.generation != identity.generation:
        message = f"{run_id} is superseded; its newest generation is {run.id}"
        raise UsageError(message)
    return run


def again_before_opening(desk: Desk, phase: Phase, names: Sequence[str]) -> list[str]:
    """Put unsatisfied members of a phase that has not closed back to pending; return their names.

    Without names: all unsatisfied ones. A named one whose next attempt was put off is attempted now. Raises
    `UsageError` for a satisfied one, which is final before the opening.
    """
    own = desk.plan_of(phase)
    wanted = {member_name(name) for name in names}
    found = list(rolls.members(desk.tx, own, phase, lambda _kind, _importance: True, pending=not wanted))
    unknown = wanted - {name for name, *_ in found}
    if unknown:
        message = f"{phase.run} {phase.name} has no member {min(unknown)}"
        raise NotFoundError(message)
    done: list[str] = []
    for name, kind, _, ordinal in found:
        if (wanted and name not in wanted) or (not wanted and standing_of(kind) != "unsatisfied"):
            continue
        if standing_of(kind) == "satisfied":
            message = f"{phase.run} {phase.name} {name} is {kind}, which is final before the opening"
            raise UsageError(message)
        if kind == "pending" and _waits_no_longer(desk, phase, ordinal):
            done.append(name)
        if standing_of(kind) == "unsatisfied":
            _back_to_pending(desk, phase, name, ordinal)
            done.append(name)
    # An operator asks for it: what was held up after failures may go on at once.
    desk.touch(desk.change(phase, breakers={}, recovery=Recovery()))
    return done


def _waits_no_longer(desk: Desk, phase: Phase, ordinal: int) -> bool:
    """Have the next attempt at a member that was put off start now; say whether it was."""
    task = desk.tx.task_at(phase.id, ordinal)
    if task is None or task.state != "queued" or task.ready_at is None:
        return False
    desk.tx.put_tasks([(replace(task, ready_at=None), task.token)])
    desk.rang = True
    return True


def _back_to_pending(desk: Desk, phase: Phase, name: str, ordinal: int) -> None:
    task = desk.tx.task_at(phase.id, ordinal)
    assert task is not None
    kind = settling.kind_of(task, ordinal)
    note = task.notes.get(ordinal, Note())
    desk.keep("past", phase.run, phase=phase.name, member=name, body={"kind": kind, "note": msgspec.to_builtins(note)})
    settled = settling.settle(task, ordinal, "pending", Note())
    state = "outside" if task.work == "outside" else "leased" if task.state == "leased" else "queued"
    fresh = replace(settled.task, state=state, parts={}, parts_total=None, ready_at=None)
    desk.tx.put_tasks([(fresh, task.token)])
    current = desk.phase(phase.id)
    counts = current.counts.move(rolls.importance_of(task), kind, "pending")
    desk.change(current, counts=counts, changes=current.changes + 1)
