"""Deciding phases: ask the gate about every phase that was touched, and carry out its verdict in the same commit.

An opening by `all`, or of an empty roll, is written at once. Any other closes the phase first, which fixes the ruling
and whose reports count; the opening follows in a commit of its own, or by the sweep if the process dies in between.
"""

from datetime import datetime
from shlex import quote
from typing import assert_never

from msgspec.structs import replace

from shotclock.core import clocks, gate, leases, rules, settling, storm
from shotclock.engine import flow, inputs, nearing, recording, recount, rolls, starting
from shotclock.engine.desk import Desk, Question
from shotclock.model import Mark, Opening, Phase, PhasePlan, Ruling, Task, Vote, spans

AT_ONCE = frozenset({"all", "empty"})
"""Reasons that need no close of their own: nothing can be recorded between the decision and the opening."""


def settle_desk(desk: Desk) -> None:
    """Decide every phase that was touched, then write what changed."""
    decide_touched(desk)
    desk.clear()


def decide_touched(desk: Desk) -> None:
    """Decide every phase that was touched, those touched by the decisions included; early reports come before."""
    while True:
        while desk.started:
            desk.begun.append(desk.started.pop())
            recording.replay(desk, desk.phase(desk.begun[-1]))
        phase = desk.touched()
        if phase is None:
            return
        judge(desk, phase)


def look(desk: Desk, phase: Phase) -> None:
    """Look at a phase that is due: count its members anew, then see to it."""
    if phase.state == "active":
        phase = recount.checked(desk, phase)
    judge(desk, phase)


def judge(desk: Desk, phase: Phase) -> None:
    """Look at one phase: decide it if it is active, and see to whatever else of it is due."""
    match phase.state:
        case "active":
            flow.check_handover(desk, phase)
            _apply(desk, desk.phase(phase.id))
        case "closing":
            open_closed(desk, phase)
        case "waiting" | "opened":
            _too_old(desk, phase)
        case "done" | "failed" | "skipped":
            _rerun_for_late(desk, phase)
        case _ as never:
            assert_never(never)


def _apply(desk: Desk, phase: Phase) -> None:
    phase = _spend_budget(desk, phase)
    verdict = gate.decide(desk.scene(phase), desk.now)
    if isinstance(verdict, gate.Open | gate.Fail) or recount.near(phase):
        counted = recount.checked(desk, phase)
        verdict = verdict if counted.counts == phase.counts else gate.decide(desk.scene(counted), desk.now)
        phase = counted
    match verdict:
        case gate.Wait():
            _wait(desk, phase, verdict)
        case gate.Ask(ruling=ruling):
            _ask(desk, phase, ruling)
        case gate.Open(ruling=ruling) if ruling.reason in AT_ONCE:
            open_phase(desk, phase, ruling)
        case gate.Open(ruling=ruling):
            _close(desk, phase, ruling)
        case gate.Fail(reason=reason):
            # What the enumeration failed of stands there already, and is the reason that helps.
            flow.fail(desk, phase, f"{phase.failure}; {reason}" if phase.enumeration_failed else reason)
        case gate.Unstick(reason=reason):
            _unstick(desk, phase, reason)
        case _ as never:
            assert_never(never)


def _wait(desk: Desk, phase: Phase, verdict: gate.Wait) -> None:
    """Note under which name the phase waits, and when it is looked at next; an earlier look is harmless and kept."""
    stale = inputs.blocks(desk.plan_of(phase), phase)
    if stale is not None and verdict.mark is None:
        verdict = replace(verdict, mark="blocked", reason=stale, alert=f"blocked: {stale}")
    mark = _mark(phase, verdict, desk.now)
    due = _sooner(verdict.next_at, flow.handover_due(desk, phase), _budget_due(desk, phase))
    if mark is None and phase.mark is None and phase.due_at is not None and due is not None:
        due = phase.due_at if desk.now < phase.due_at <= due else due
    desk.change(phase, mark=mark, due_at=due, grace_since=verdict.grace_since, folded=False)
    if verdict.alert is not None:
        fact = verdict.mark or "expected"
        names = rolls.missing_names(desk.tx, desk.plan_of(phase), phase, desk.settings.named)
        command = _way_out(desk.plan_of(phase), phase, fact, names)
        turn = "" if mark is None else mark.since.isoformat()
        desk.alert(phase, fact, verdict.alert, turn=turn, names=names, command=command)


def _way_out(own: PhasePlan, phase: Phase, fact: str, names: tuple[str, ...]) -> str:
    """Return the command that helps a phase which waits under a name: who is critical comes first."""
    where = f"{phase.run} {phase.name}"
    critical = [member for member in own.members if member.importance == "critical" and member.name in names]
    ours = [quote(member.name) for member in critical if not member.external]
    if fact == "blocked" and ours:
        return f"shotclock rerun {where} {' '.join(ours)}"
    if fact == "blocked" and critical:
        return f"shotclock report {where} {quote(critical[0].name)} succeeded"
    if fact == "blocked" and phase.counts.unsatisfied:
        return f"shotclock rerun {where}"
    return f"shotclock explain {where}"


def _mark(phase: Phase, verdict: gate.Wait, now: datetime) -> Mark | None:
    """Return the mark a phase waits under, since when it bears it."""
    if verdict.mark is None:
        return None
    same = phase.mark is not None and phase.mark.kind == verdict.mark
    since = phase.mark.since if same and phase.mark is not None else now
    return Mark(kind=verdict.mark, reason=verdict.reason, since=since, next_at=verdict.next_at)


def _ask(desk: Desk, phase: Phase, ruling: Ruling) -> None:
    """Have the user's check asked outside; nobody else asks until it had its time."""
    function = desk.plan_of(phase).gate.check
    assert function is not None
    until = desk.now + desk.settings.check
    mark = phase.mark if phase.mark is not None and phase.mark.kind == "vetoed" else None
    due = _sooner(until, gate.next_look(desk.scene(phase), desk.now))
    desk.change(phase, asking_until=until, due_at=due, mark=mark, folded=False)
    desk.questions.append(Question(phase=phase.id, function=function, ruling=ruling))


def _close(desk: Desk, phase: Phase, ruling: Ruling) -> None:
    """Fix the ruling and who counts: nothing recorded later belongs to the phase."""
    closed = desk.change(
        phase,
        state="closing",
        ruling=ruling,
        closed_at=desk.now,
        sealed=True,
        roll_incomplete=ruling.roll_incomplete,
        due_at=desk.now,
        mark=None,
    )
    desk.closing.append(closed.id)


def open_closed(desk: Desk, phase: Phase) -> None:
    """Open a phase that was closed; under a halt it keeps its ruling and waits for the end of the halt."""
    halt = clocks.halted(desk.halts(desk.run(phase.run)), desk.now)
    if halt is not None:
        desk.change(phase, due_at=halt.until, mark=Mark(kind="halted", reason=halt.reason, since=desk.now))
        return
    assert phase.ruling is not None
    open_phase(desk, phase, phase.ruling)


def open_phase(desk: Desk, phase: Phase, ruling: Ruling) -> None:
    """Write the opening, once, and everything that follows from it."""
    plan = desk.plan_of(phase)
    phase = nearing.opening(desk, phase)
    names = rolls.missing_names(desk.tx, plan, phase, desk.settings.named)
    opening, first = desk.tx.add_opening(_opening(desk, phase, ruling, names))
    assert first, f"{phase.run} {phase.name} has opened before"
    phase = desk.change(
        phase,
        state="opened",
        ruling=ruling,
        closed_at=opening.closed_at,
        opened_at=desk.now,
        mark=None,
        asking_until=None,
        due_at=_max_age(desk, phase),
    )
    if desk.facts is not None:
        desk.facts.opened(phase, opening)
    if is_told(ruling) and not phase.folded:
        command = f"shotclock missing {phase.run} {phase.name}"
        desk.alert(phase, "opening", opening_words(ruling), names=opening.missing, command=command)
    if plan.then is None:
        flow.complete(desk, phase)
    else:
        desk.tx.add_tasks([Task(phase=phase.id, work="then")])


def is_told(ruling: Ruling) -> bool:
    """Say whether operators are told of an opening."""
    return ruling.partial or ruling.reason not in AT_ONCE | {"quorum"}


def opening_words(ruling: Ruling) -> str:
    """Say how a phase opened."""
    return f"opened {ruling.reason}{' partial' if ruling.partial else ''}: {ruling.rule}"


def _opening(desk: Desk, phase: Phase, ruling: Ruling, missing: tuple[str, ...]) -> Opening:
    plan = desk.plan_of(phase)
    due = gate.deadline_at(desk.scene(phase), desk.now)
    closed_at = phase.closed_at or desk.now
    return Opening(
        phase=phase.id,
        run=phase.run,
        name=phase.name,
        reason=ruling.reason,
        partial=ruling.partial,
        roll_incomplete=ruling.roll_incomplete,
        rule=ruling.rule,
        at=desk.now,
        closed_at=closed_at,
        counts=phase.counts,
        missing=missing,
        missing_count=rules.missing(phase.counts),
        shortfall=rolls.shortfall_names(desk.tx, plan, phase),
        withdrawn=rolls.withdrawn_names(desk.tx, plan, phase),
        late_by=closed_at - due if due is not None and closed_at > due else None,
    )


def _unstick(desk: Desk, phase: Phase, reason: str) -> None:
    """Fence whoever holds a task of a phase in which nothing moves, and queue the tasks again."""
    held = desk.tx.leased(phase_id=phase.id)
    desk.tx.put_tasks([(settling.fenced(task), task.token) for task in held])
    mark = Mark(kind="stalled", reason=reason, since=desk.now)
    phase = desk.change(phase, stalled_at=desk.now, mark=mark, recovery=storm.unsticking(phase))
    command = f"shotclock explain {phase.run} {phase.name}"
    desk.alert(phase, "stalled", f"stalled: {reason}", turn=phase.changes, command=command)
    _apply(desk, phase)


def _too_old(desk: Desk, phase: Phase) -> None:
    """Fail a phase that waits, or whose consolidation runs, when its run has become too old."""
    limit = _max_age(desk, phase)
    halt = clocks.halted(desk.halts(desk.run(phase.run)), desk.now)
    if halt is None and limit <= desk.now:
        flow.fail(desk, phase, f"max_age: not over {spans.words(desk.plan(phase.run).max_age)} after the run's start")
    else:
        desk.change(phase, due_at=limit if halt is None else halt.until)


def _rerun_for_late(desk: Desk, phase: Phase) -> None:
    """Make the new generation that late reports asked for, once they had time to settle and no halt holds."""
    run = desk.run(phase.run)
    if phase.rerun_at is None or run.superseded:
        desk.change(phase, due_at=None, rerun_at=None)
    elif desk.now < phase.rerun_at:
        desk.change(phase, due_at=phase.rerun_at)  # who looks may have found it due before somebody else saw to it
    elif clocks.halted(desk.halts(run), desk.now) is not None:
        desk.change(phase, due_at=desk.now + desk.settings.check_again)  # a resume looks at no phase that is over
    else:
        desk.change(phase, due_at=None, rerun_at=None)
        starting.new_generation(desk, run.id, desk.plan(run.id), phase.name, (), cause="late")


def _max_age(desk: Desk, phase: Phase) -> datetime:
    run = desk.run(phase.run)
    return clocks.after_awake(run.started_at, desk.plan(phase.run).max_age, desk.halts(run), desk.now)


def _budget_due(desk: Desk, phase: Phase) -> datetime | None:
    budget = desk.plan_of(phase).execution.budget
    if budget is None or phase.leased_at is None or phase.budget_spent:
        return None
    return phase.leased_at + budget


def _spend_budget(desk: Desk, phase: Phase) -> Phase:
    """Give up on what has not started once the phase's budget is spent, items that are listed later included."""
    due = _budget_due(desk, phase)
    if not phase.budget_spent and (due is None or desk.now < due):
        return phase
    phase = desk.change(phase, budget_spent=True)
    waiting = [task for task in _all_pending(desk, phase) if task.state == "queued"]
    for task in waiting:
        change = leases.abandon(task, "budget", desk.now)
        desk.tx.put_tasks([(change.task, task.token)])
        phase = rolls.count(desk, phase, rolls.importance_of(task), change.settled)
    return phase


def _all_pending(desk: Desk, phase: Phase) -> list[Task]:
    found: list[Task] = []
    after = -1
    while batch := desk.tx.tasks(phase.id, after=after, pending=True):
        found += batch
        after = batch[-1].lo
    return found


def vote(desk: Desk, phase_id: int, *, yes: bool, reason: str, asked: Phase) -> None:
    """Take the answer of a user's check about the state it was asked on."""
    phase = desk.phase(phase_id)
    if phase.state != "active":
        return
    phase = nearing.check(desk, phase)
    answer = Vote(yes=yes, reason=reason, at=desk.now, changes=asked.changes, worse=asked.worse)
    phase = desk.change(phase, vote=answer, asking_until=None)
    if not yes:
        desk.alert(phase, "vetoed", f"vetoed: {reason}", turn=phase.changes)
    desk.touch(phase)


def _sooner(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
