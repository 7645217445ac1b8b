"""Pipelines by name: where their files are, each mode's plan as the file is now, and what is done again with it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.fitting import misfits
from shotclock.errors import NotFoundError, SpecError, UsageError
from shotclock.model import DEFAULT_MODE, Plan, Run
from shotclock.ports import Snapshot
from shotclock.settings import Settings
from shotclock.spec import check_imports, load, modes


def check_plan(plan: Plan, settings: Settings) -> None:
    """Check a plan's functions, and that its times fit the settings; raises `SpecError`, a line for each problem."""
    problems = (*check_imports(plan), *misfits(plan, settings))
    if problems:
        raise SpecError(problems)


class Catalogue:
    """The pipelines a process was told of; their files are read anew for each run that starts."""

    def __init__(self, paths: Iterable[Path], settings: Settings, params: Mapping[str, object]) -> None:
        """Read every file; raises `SpecError` with a line for each thing wrong, `UsageError` for a name given twice."""
        self._settings = settings
        self._params = params
        self._paths: dict[str, Path] = {}
        for path in paths:
            plan = load(path, params=params)
            check_plan(plan, settings)
            other = self._paths.setdefault(plan.pipeline, path)
            if other != path:
                message = f"{other} and {path} both hold a pipeline {plan.pipeline}: rename one of them"
                raise UsageError(message)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all pipelines."""
        return tuple(self._paths)

    def plan(self, name: str, mode: str = DEFAULT_MODE, params: Mapping[str, object] | None = None) -> Plan:
        """Return the plan of a pipeline as its file is now, with these parameters over those of the process.

        Raises `NotFoundError` for a pipeline that was not named at the start, `SpecError`, and `UsageError` for a mode
        or a parameter that the file does not declare.
        """
        path = self._paths.get(name)
        if path is None:
            known = ", ".join(self._paths) or "none"
            message = f"this process knows no pipeline {name}, only: {known}; name its folder when you start it"
            raise NotFoundError(message)
        plan = load(path, mode=mode, params={**self._params, **(params or {})})
        check_plan(plan, self._settings)
        return plan

    def plans_of(self, name: str) -> list[Plan]:
        """Return the plan of each mode of a pipeline as its file is now; raises what `plan` raises."""
        return [self.plan(name, mode) for mode in modes(self._paths[name])]


class Again(Struct, frozen=True, kw_only=True):
    """What doing a run again came to."""

    run: Run
    """The run in which it is done: the same one, or a newer generation."""
    base: str
    """The generation it is done from."""
    phase: str
    """The phase from which on it is done."""
    tried: tuple[str, ...] | None = None
    """Members that are tried again in place; None where a generation was made."""
    made: bool = True
    """Whether this call made the generation."""


class Repeat(Struct, frozen=True, kw_only=True):
    """What of a run is to be done again: from which phase on, which members, or only what follows an opening."""

    run: Run
    explicit: bool
    """Whether the generation was named."""
    phase: str | None = None
    members: Sequence[str] = ()
    then: bool = False
    params: Mapping[str, object] = {}


def again(coordinator: Coordinator, repeat: Repeat) -> Again:
    """Try members again where their phase has not closed, else make a new generation; raises `UsageError`."""
    store, old = coordinator.store, repeat.run
    store.read(lambda view: _refuse_superseded(view, repeat))
    first = repeat.phase or store.read(lambda view: _first(view, old))
    phase = store.read(lambda view: view.phase_of(old.id, first))
    if phase is not None and phase.state == "active" and not repeat.then and not repeat.params:
        tried = coordinator.retry(old.id, first, repeat.members)
        return Again(run=old, base=old.id, phase=first, tried=tuple(tried), made=False)
    plan = plan_again(coordinator, old, repeat.params)
    newest = store.read(lambda view: view.newest(old.identity))
    base = f"{old.id.partition('#')[0]}#{old.generation}" if repeat.explicit else old.id
    if repeat.then:
        run = coordinator.rerun_then(old.id, plan, first)
    else:
        run = coordinator.rerun(base, plan, first, repeat.members)
    return Again(run=run, base=base, phase=first, made=newest is None or run.id != newest.id)


def plan_again(coordinator: Coordinator, old: Run, params: Mapping[str, object]) -> Plan:
    """Return the plan of the file as it is now, with the run's parameters that it still declares, and the new ones."""
    frozen = coordinator.store.read(lambda view: view.plan(old.id))
    folder = Path(frozen.folder)
    declared = load(folder, mode=old.mode).params
    kept = {name: value for name, value in frozen.params.items() if name in declared}
    plan = load(folder, mode=old.mode, params={**kept, **params})
    check_plan(plan, coordinator.settings)
    return plan


def _refuse_superseded(view: Snapshot, repeat: Repeat) -> None:
    """Refuse a generation that another has taken over from, but for the one that the same wish has made."""
    run, newest = repeat.run, view.newest(repeat.run.identity)
    ahead = 0 if newest is None else newest.generation - run.generation
    same = repeat.explicit and not repeat.then and ahead == 1 and newest is not None and newest.cause == "rerun"
    if newest is not None and ahead and not same:
        message = f"{run.id} is superseded by {newest.id}: do that one again"
        raise UsageError(message)


def _first(view: Snapshot, run: Run) -> str:
    """Return the first phase that failed or was partial, or that has somebody to try again."""
    phases = view.phases(run.id)
    for phase in phases:
        partial = phase.ruling is not None and phase.ruling.partial
        if phase.state == "failed" or partial or (phase.state == "active" and phase.counts.unsatisfied):
            return phase.name
    names = ", ".join(phase.name for phase in phases)
    message = f"{run.id} is {run.state} and no phase of it failed or was partial; name one to do again: {names}"
    raise UsageError(message)
