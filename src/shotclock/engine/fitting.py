"""Whether the times that a pipeline's file says fit those of the settings."""

from collections.abc import Iterator
from datetime import timedelta

from shotclock.amounts import words
from shotclock.model import Execution, PhasePlan, Plan
from shotclock.settings import Settings

_DEFAULT = Execution().timeout


def misfits(plan: Plan, settings: Settings) -> list[str]:
    """Return a line for each time of a plan that contradicts a setting, naming both and where each came from."""
    found = [text for phase in plan.phases for text in _of_phase(plan, phase, settings)]
    return [*found, *_of_run(plan, settings)]


def _of_phase(plan: Plan, phase: PhasePlan, settings: Settings) -> Iterator[str]:
    timeout = phase.execution.timeout
    if phase.then is not None and timeout <= settings.warehouse_busy:
        source = "default" if timeout == _DEFAULT else _file(plan)
        why = "a consolidation may wait that long for the warehouse alone"
        said = f"phase {phase.name}: execution: timeout ({words(timeout)}, {source})"
        yield f"{said} must be longer than {_said(settings, 'warehouse_busy')}: {why}"
    if phase.gate.check is not None and not settings.check_again < plan.max_age:
        why = "a check that said no would never be asked again"
        yield f"phase {phase.name}: {_too_long(plan, settings, 'check_again', why)}"


def _of_run(plan: Plan, settings: Settings) -> Iterator[str]:
    if any(phase.needs for phase in plan.phases) and not settings.handover < plan.max_age:
        why = "a start that nobody takes up must be known before the run fails"
        yield _too_long(plan, settings, "handover", why)


def _too_long(plan: Plan, settings: Settings, name: str, why: str) -> str:
    source = "default" if plan.max_age == Plan(pipeline="").max_age else _file(plan)
    return f"{_said(settings, name)} must be shorter than max_age ({words(plan.max_age)}, {source}): {why}"


def _said(settings: Settings, name: str) -> str:
    span: timedelta = getattr(settings, name)
    return f"setting {name} ({words(span)}, {settings.origin(name)})"


def _file(plan: Plan) -> str:
    return f"{plan.folder}/pipeline.yaml"
