"""What of a pipeline will run beside what, and which of its words says so; nothing else makes work parallel."""

from collections.abc import Iterator

from msgspec import Struct

from shotclock.amounts import words
from shotclock.model import PhasePlan, Plan
from shotclock.settings import Settings


class Reason(Struct, frozen=True, kw_only=True):
    """One word of the file or the settings, and what follows from it."""

    key: str
    text: str


class Lane(Struct, frozen=True, kw_only=True):
    """A phase as it will be worked on."""

    name: str
    wave: int
    """Which wave it belongs to, from 1: one more than the last of those it needs."""
    after: tuple[str, ...]
    beside: tuple[str, ...]
    """Phases that may be at work at the same time."""
    mode: str
    at_once: int
    """Most tasks in one process; 0 where only reports from outside are waited for."""
    in_all: int | None
    """Most tasks over all processes; None without a bound."""
    tags: tuple[str, ...]
    reasons: tuple[Reason, ...]


class Lanes(Struct, frozen=True, kw_only=True):
    """All phases, in the order of the plan."""

    pipeline: str
    mode: str
    waves: tuple[tuple[str, ...], ...]
    max_tasks: int
    """Most tasks that one process holds over all phases and runs."""
    phases: tuple[Lane, ...]


def lanes(plan: Plan, settings: Settings) -> Lanes:
    """Return what runs beside what, as far as file and settings decide it."""
    waves, above = _waves(plan), _above(plan)
    phases = tuple(_lane(phase, waves[phase.name], _beside(plan, above, phase.name), settings) for phase in plan.phases)
    last = max(waves.values(), default=0)
    groups = tuple(tuple(name for name in waves if waves[name] == number) for number in range(1, last + 1))
    return Lanes(pipeline=plan.pipeline, mode=plan.mode, waves=groups, max_tasks=settings.max_tasks, phases=phases)


def _waves(plan: Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    for phase in plan.phases:
        found[phase.name] = 1 + max((found[name] for name in phase.needs), default=0)
    return found


def _above(plan: Plan) -> dict[str, set[str]]:
    """Return everything each phase stands on."""
    found: dict[str, set[str]] = {}
    for phase in plan.phases:
        found[phase.name] = {*phase.needs}.union(*(found[name] for name in phase.needs))
    return found


def _beside(plan: Plan, above: dict[str, set[str]], name: str) -> tuple[str, ...]:
    others = (phase.name for phase in plan.phases if phase.name != name)
    return tuple(other for other in others if other not in above[name] and name not in above[other])


def _lane(phase: PhasePlan, wave: int, beside: tuple[str, ...], settings: Settings) -> Lane:
    work = phase.execution
    tasks = _tasks(phase)
    bounds = [work.max_workers, settings.max_tasks, *([work.max_in_flight] if work.max_in_flight else [])]
    at_once = min([*bounds, *([] if tasks is None else [tasks])])
    return Lane(
        name=phase.name,
        wave=wave,
        after=phase.needs,
        beside=beside,
        mode=work.mode,
        at_once=at_once,
        in_all=min((bound for bound in (work.max_in_flight or None, tasks) if bound is not None), default=None),
        tags=tuple(sorted({*work.tags, *(tag for member in phase.members for tag in member.tags)})),
        reasons=tuple(_reasons(phase, tasks, settings)),
    )


def _tasks(phase: PhasePlan) -> int | None:
    """Return how many tasks of ours a phase has; None where that depends on its items."""
    if phase.items is not None:
        return None if phase.items.run is not None else 1
    return sum(not member.external for member in phase.members)


def _reasons(phase: PhasePlan, tasks: int | None, settings: Settings) -> Iterator[Reason]:
    work = phase.execution
    if phase.needs:
        yield Reason(key="needs", text=f"starts after {', '.join(phase.needs)}, and the `then` of each")
    yield from _who(phase, tasks)
    if tasks != 0:
        yield Reason(key="execution.mode", text=_MODES[work.mode])
        yield Reason(key="execution.max_workers", text=f"{work.max_workers} at once in each process")
    if work.max_in_flight:
        yield Reason(key="execution.max_in_flight", text=f"{work.max_in_flight} at once over all processes")
    if settings.max_tasks < work.max_workers:
        text = f"{settings.max_tasks} at once in a process, over all phases and runs ({settings.origin('max_tasks')})"
        yield Reason(key="max_tasks", text=text)
    if phase.items is not None and phase.items.run is not None:
        text = f"begins with {work.max_workers} over all processes, and doubles every {words(settings.ramp)} of success"
        yield Reason(key="ramp", text=text)
    if work.budget is not None:
        yield Reason(
            key="execution.budget", text=f"what has not started {words(work.budget)} after its first is left out"
        )
    yield from _asked(phase)
    if phase.then is not None:
        yield Reason(key="then", text="one task, after the opening")


def _who(phase: PhasePlan, tasks: int | None) -> Iterator[Reason]:
    outside = sum(member.external for member in phase.members)
    if phase.items is None and tasks:
        yield Reason(key="members", text=f"{_number(tasks, 'task')}, one for each member that is worked on here")
    if outside:
        yield Reason(key="members", text=f"{outside} from outside, for whose reports no worker is taken")
    if phase.items is not None:
        yield Reason(key="items", text="listed by one task, and worked on page by page as they are listed")
    if phase.items is not None and phase.items.run is None:
        yield Reason(key="items", text="they report from outside, and no worker is taken for them")
    elif phase.items is not None:
        yield Reason(key="execution.chunk", text=f"{_number(phase.execution.chunk, 'item')} in a task")


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_MODES = {
    "sequential": "one after the other in each process",
    "parallel": "in threads of each process",
    "process": "in child processes of each process",
}


def _asked(phase: PhasePlan) -> Iterator[Reason]:
    if phase.execution.tags:
        said = ", ".join(phase.execution.tags)
        yield Reason(key="execution.needs", text=f"only in processes that have {said}")
    for member in phase.members:
        if member.tags:
            yield Reason(
                key=f"members.{member.name}.needs", text=f"only in processes that have {', '.join(member.tags)}"
            )
