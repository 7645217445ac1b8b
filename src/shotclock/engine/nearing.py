"""Limits of which four fifths are used: kept on the phase once, and once more where a use comes a tenth nearer."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, TypeVar

from shotclock.amounts import words
from shotclock.core import clocks, gate
from shotclock.engine.desk import Desk
from shotclock.model import Halt, LimitKind, Near, Phase, PhasePlan, Run, Task, TaskReport

T = TypeVar("T", timedelta, int)
_NAMES: Final[dict[LimitKind, str]] = {
    "timeout": "the timeout of a task",
    "deadline": "the phase's deadline",
    "check": "the time that a check has",
}


def nearly(used: T, limit: T) -> bool:
    """Say whether four fifths of a limit are used."""
    return used * 5 >= limit * 4


def percent(used: timedelta, limit: timedelta) -> int:
    """Return how much of a limit is used, in hundredths, rounded down."""
    return int(used / limit * 100)


def task(desk: Desk, phase: Phase, held: Task, report: TaskReport) -> Phase:
    """Note how much of its timeout a task used that ended by itself."""
    own = desk.plan_of(phase)
    limit = timeout_of(own, held)
    if not report.ended or held.leased_at is None or not nearly(desk.now - held.leased_at, limit):
        return phase
    cut = report.whole is not None and report.whole.cause == "timed_out"
    return phase if cut else note(desk, phase, "timeout", _who(own, held), desk.now - held.leased_at, limit)


def timeout_of(own: PhasePlan, held: Task) -> timedelta:
    """Return how long a task may take."""
    member = own.members[held.lo] if held.work == "member" else None
    return (member.timeout if member else None) or own.execution.timeout


def _who(own: PhasePlan, held: Task) -> str:
    if held.work == "member":
        return own.members[held.lo].name
    return f"items {held.lo}-{held.hi - 1}" if held.work == "chunk" else held.work


def opening(desk: Desk, phase: Phase) -> Phase:
    """Note how much of its deadline a phase used that opened before it."""
    scene = desk.scene(phase, ours=True)
    deadline, anchor = scene.gate.deadline, gate.anchor_at(scene, desk.now)
    if deadline is None or anchor is None or desk.now >= anchor + deadline.after:
        return phase
    return note(desk, phase, "deadline", phase.name, desk.now - anchor, deadline.after)


def check(desk: Desk, phase: Phase) -> Phase:
    """Note how much of its time a check used that has answered."""
    limit, function = desk.settings.check, desk.plan_of(phase).gate.check
    if phase.asking_until is None or phase.asking_until <= desk.now or function is None:
        return phase
    return note(desk, phase, "check", function, limit - (phase.asking_until - desk.now), limit)


def note(desk: Desk, phase: Phase, kind: LimitKind, who: str, used: timedelta, limit: timedelta) -> Phase:
    """Keep on the phase that most of a limit was used, unless as much was used before."""
    known = phase.near.get(kind)
    before = 0 if known is None else percent(known.used, known.limit) // 10
    if not nearly(used, limit) or percent(used, limit) // 10 <= before:
        return phase
    near = Near(who=who, used=used, limit=limit, at=desk.now)
    return desk.change(phase, near={**phase.near, kind: near})


def deadline_words(desk: Desk, phase: Phase) -> str | None:
    """Say how near the deadline of an active phase is, where most of its time is over."""
    scene = desk.scene(phase, ours=True)
    deadline, anchor = scene.gate.deadline, gate.anchor_at(scene, desk.now)
    if deadline is None or anchor is None or desk.now >= anchor + deadline.after:
        return None
    if not nearly(desk.now - anchor, deadline.after):
        return None
    over = f"{percent(desk.now - anchor, deadline.after)} % of its deadline of {words(deadline.after)} is over"
    return f"{over}, and {phase.counts.pending} members are pending"


def age_words(run: Run, max_age: timedelta, halts: tuple[Halt, ...], now: datetime) -> str | None:
    """Say how near a run is to the age at which it fails, where most of that is over."""
    age = clocks.awake(run.started_at, now, halts)
    if run.state != "running" or not nearly(age, max_age):
        return None
    return f"it has run for {words(age)}, {percent(age, max_age)} % of max_age ({words(max_age)}), and fails then"


def told(phase: Phase) -> Iterator[str]:
    """Say what a phase has nearly reached, a line for each limit."""
    for kind, near in phase.near.items():
        share = f"{percent(near.used, near.limit)} % of {_NAMES[kind]}"
        yield f"{near.who} used {words(near.used)} of {words(near.limit)}: {share}"
