"""Halts: they begin, they end, and what became overdue under one is decided at its end and told in one alert."""

from collections.abc import Iterator

from msgspec.structs import replace

from shotclock.core import gate
from shotclock.engine import judging
from shotclock.engine.desk import Desk
from shotclock.model import Halt, Phase


def halt(desk: Desk, scope: str, *, actor: str, reason: str) -> None:
    """Halt a scope; one that is halted stays so."""
    if not any(one.scope == scope and one.until is None for one in desk.tx.halts()):
        desk.tx.put_halt(Halt(scope=scope, since=desk.now, actor=actor, reason=reason))
        desk.keep("audit", scope, body={"what": "halt", "actor": actor, "reason": reason})
    _look_at_all(desk)


def resume(desk: Desk, scope: str, *, actor: str) -> None:
    """End the halt of a scope, and decide what is overdue."""
    ended = [one for one in desk.tx.halts() if one.scope == scope and one.until is None]
    for one in ended:
        desk.tx.put_halt(replace(one, until=desk.now))
        desk.keep("audit", scope, body={"what": "resume", "actor": actor})
    _look_at_all(desk)
    _decide_overdue(desk, ended)


def _look_at_all(desk: Desk) -> None:
    """Make every phase that is not over due, so that the sweep decides it anew."""
    for phase in desk.tx.unfinished():
        desk.change(desk.phase(phase.id), due_at=desk.now)


def _decide_overdue(desk: Desk, ended: list[Halt]) -> None:
    """Decide phases that these halts have held up past a clock; where there are several, operators get one alert."""
    overdue = list(_overdue(desk, ended))[: desk.settings.backlog]
    if len(overdue) > 1:
        _tell(desk, ended[0].scope, overdue)
        for phase, _ in overdue:
            desk.change(desk.phase(phase.id), folded=True)
    for phase, _ in overdue:
        current = desk.phase(phase.id)
        if current.state in {"active", "closing"}:
            judging.judge(desk, current)


def _overdue(desk: Desk, ended: list[Halt]) -> Iterator[tuple[Phase, str]]:
    """Yield the phases whose end operators must be told of, each with why it is over."""
    for unfinished in desk.tx.unfinished():
        phase = desk.phase(unfinished.id)
        identity = desk.run(phase.run).identity
        if any(halt.holds_for(identity) for halt in ended) and (why := _why_over(desk, phase)) is not None:
            yield phase, why


def _why_over(desk: Desk, phase: Phase) -> str | None:
    if phase.state == "closing":
        ruling = phase.ruling
        assert ruling is not None
        return judging.opening_words(ruling) if judging.is_told(ruling) else None
    if phase.state != "active":
        return None
    match gate.decide(desk.scene(phase), desk.now):
        case gate.Open(ruling=ruling) if judging.is_told(ruling):
            return judging.opening_words(ruling)
        case gate.Fail(reason=reason):
            return f"failed: {reason}"
        case _:
            return None


def _tell(desk: Desk, scope: str, overdue: list[tuple[Phase, str]]) -> None:
    """Tell operators of all that was overdue, in one alert."""
    first, said = overdue[0][0], [f"{phase.run} {phase.name}: {why}" for phase, why in overdue]
    named = said[: desk.settings.named]
    body = {
        "fact": "resumed",
        "run": first.run,
        "phase": "",
        "text": f"{'everything' if scope == '*' else scope}: resumed; {len(said)} phases were overdue and are decided",
        "names": named,
        "command": "shotclock status",
    }
    desk.post(f"alert:resumed:{scope}:{desk.now.isoformat()}", "alert", first.run, body)
