"""Operators' changes to a roll that has been called: taking a member out, taking it back, giving it another name."""

import msgspec
from msgspec.structs import replace

from shotclock.core import settling
from shotclock.engine import recording, rolls
from shotclock.engine.desk import Desk
from shotclock.errors import NotFoundError, UsageError
from shotclock.model import (
    SATISFIED,
    UNSATISFIED,
    Answer,
    Note,
    Phase,
    Report,
    Task,
    member_name,
)


def withdraw(desk: Desk, phase: Phase, member: str, *, actor: str, reason: str) -> Answer:
    """Take a pending or unsatisfied member out of the roll; it leaves every base, and is listed."""
    task, ordinal = _located(desk, phase, member)
    was = settling.kind_of(task, ordinal)
    if was in SATISFIED or was == "withdrawn":
        message = f"{phase.run} {phase.name} {member} is {was}; only pending and unsatisfied members are withdrawn"
        raise UsageError(message)
    if was in UNSATISFIED:
        body = {"kind": was, "note": msgspec.to_builtins(task.notes.get(ordinal, Note()))}
        desk.keep("past", phase.run, phase=phase.name, member=member, body=body)
    note = Note(reason=reason, by=actor, at=desk.now)
    settled = settling.settle(task, ordinal, "withdrawn", note)
    _change_roll(desk, phase, member, task, settled, {"what": "withdraw", "actor": actor, "reason": reason})
    return Answer(kind="withdrawn", detail=f"{member} is out of the roll")


def readmit(desk: Desk, phase: Phase, member: str, *, actor: str) -> Answer:
    """Take a withdrawn member back; the last report that came meanwhile is applied."""
    task, ordinal = _located(desk, phase, member)
    if settling.kind_of(task, ordinal) != "withdrawn":
        message = f"{phase.run} {phase.name} {member} is not withdrawn"
        raise UsageError(message)
    settled = settling.settle(task, ordinal, "pending", Note())
    state = task.state if task.work == "outside" else "queued"
    settled = replace(settled, task=replace(settled.task, state=state))
    _change_roll(desk, phase, member, task, settled, {"what": "readmit", "actor": actor})
    kept = desk.tx.entries("late", scope=phase.run, phase=phase.name, member=member)
    if kept:
        desk.tx.remove_entries([entry.id for entry in kept])
        return recording.record(desk, msgspec.convert(kept[-1].body, Report))
    return Answer(kind="accepted", detail=f"{member} is pending")


def alias(desk: Desk, phase: Phase, name: str, member: str, *, actor: str) -> list[str]:
    """Make another name of a member known, and take what is parked under it; return the answers' kinds."""
    own = desk.plan_of(phase)
    _, ordinal = _located(desk, phase, member)
    other = rolls.find(desk.tx, own, phase, member_name(name))
    if other is not None and other != ordinal:
        message = f"{phase.run} {phase.name}: {name} is a member of its own already"
        raise UsageError(message)
    desk.tx.add_names(rolls.facts(phase), {member_name(name): ordinal})
    body = {"what": "alias", "actor": actor, "alias": name}
    desk.keep("audit", phase.run, phase=phase.name, member=member, body=body)
    return recording.replay(desk, phase)


def _located(desk: Desk, phase: Phase, member: str) -> tuple[Task, int]:
    own = desk.plan_of(phase)
    ordinal = rolls.find(desk.tx, own, phase, member)
    task = None if ordinal is None else desk.tx.task_at(phase.id, ordinal)
    if ordinal is None or task is None:
        raise NotFoundError(f"{phase.run} " + recording.unknown_member(own, member))
    return task, ordinal


def _change_roll(
    desk: Desk, phase: Phase, member: str, task: Task, settled: settling.Settled, audit: dict[str, str]
) -> None:
    """Write a member that left or came back, with who did it."""
    desk.tx.put_tasks([(settling.fenced(settled.task), task.token)])
    counts = phase.counts.move(rolls.importance_of(task), settled.was, settled.kind)
    desk.keep("audit", phase.run, phase=phase.name, member=member, body=dict(audit))
    changed = desk.change(phase, counts=counts, changes=phase.changes + 1, worse=phase.worse + 1)
    desk.touch(changed)
