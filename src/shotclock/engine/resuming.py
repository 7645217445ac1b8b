"""The end of a halt: what became overdue under it is decided in the same commit, and told in one alert."""

from collections.abc import Iterator

from shotclock.core import gate
from shotclock.engine import judging
from shotclock.engine.desk import Desk
from shotclock.model import Halt, Phase


def decide_overdue(desk: Desk, ended: list[Halt]) -> None:
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
