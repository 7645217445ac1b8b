"""What a ramp is told of a run that is over: how its units fared, by whether they have the flag; read once a run."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from shotclock.core import flags, rollout
from shotclock.engine import rolls
from shotclock.model import (
    CODE,
    UNSATISFIED,
    WATCHED,
    Flag,
    FlagRamp,
    Metric,
    Phase,
    Plan,
    Rule,
    Run,
    RunFacts,
    Task,
)
from shotclock.ports import Snapshot

_BAD = frozenset({CODE["pending"], *(CODE[kind] for kind in UNSATISFIED)})
"""A member that was still pending when its run was over is as bad as one that failed."""
_WITHDRAWN = CODE["withdrawn"]


def over(view: Snapshot, ramp: FlagRamp, flag: Flag, most: int) -> list[RunFacts]:
    """Return the facts of runs that are over and were not counted yet, in the order in which they started."""
    if ramp.state not in WATCHED:
        return []
    counted = frozenset(ramp.counted)
    found = [
        run
        for run in view.runs(limit=most)
        if run.state != "running" and run.started_at >= ramp.started_at and run.id not in counted
    ]
    return [_facts(view, run, ramp, flag) for run in reversed(found)]


def _facts(view: Snapshot, run: Run, ramp: FlagRamp, flag: Flag) -> RunFacts:
    plan, where = view.plan(run.id), f"{run.pipeline}/{run.mode}"
    rule = plan.frozen.get(flag.name)
    if rule is None:
        return RunFacts(run=run.id, where=where, share=None)
    metrics = [guard.metric for guard in ramp.guards]
    phases = _asked(view.phases(run.id), flag)
    if flag.key == "run":
        has = flags.evaluate(flag, rule, str(_key(run))).value == rule.split.value
        values = {metric: _value(view, run, plan, phases, metric) for metric in metrics}
        return RunFacts(run=run.id, where=where, share=rule.split.share, flagged=has, values=values)
    units = {metric: _units(view, plan, phases, flag, rule, metric) for metric in metrics}
    facts = RunFacts(run=run.id, where=where, share=rule.split.share)
    if sum(phase.size for phase in phases) > rollout.NAMED:
        return replace(facts, sums={metric: rollout.arms_of(found) for metric, found in units.items()})
    return replace(facts, units={metric: list(found) for metric, found in units.items()})


def _key(run: Run) -> str:
    """Return what a flag of whole runs is drawn by: the run, whatever its generation."""
    return run.id.partition("#")[0]


def _asked(phases: Sequence[Phase], flag: Flag) -> list[Phase]:
    """Return the phases that asked for the flag and worked in this generation; all of those, where none is known to."""
    own = [phase for phase in phases if phase.carried_from is None and phase.started_at is not None]
    return [phase for phase in own if flag.name in phase.flags] or own


def _units(
    view: Snapshot, plan: Plan, phases: Iterable[Phase], flag: Flag, rule: Rule, metric: Metric
) -> Iterator[tuple[str, bool, bool]]:
    """Yield name, flag and outcome of every unit that settled or should have."""
    for phase in phases:
        own = plan.phase(phase.name)
        if (own.items is None) == (flag.key == "item"):
            continue
        for name, task, ordinal in _named(view, plan, phase):
            code = task.kinds[ordinal - task.lo]
            if code != _WITHDRAWN:
                has = flags.evaluate(flag, rule, name).value == rule.split.value
                yield f"{phase.name} {name}", has, _is_bad(task, ordinal, code, metric)


def _named(view: Snapshot, plan: Plan, phase: Phase) -> Iterator[tuple[str, Task, int]]:
    own = plan.phase(phase.name)
    names = iter(()) if own.items is None else _ids(view, phase)
    for task in rolls.tasks(view, phase):
        for ordinal in range(task.lo, task.hi):
            yield (own.members[ordinal].name if own.items is None else next(names)), task, ordinal


def _ids(view: Snapshot, phase: Phase) -> Iterator[str]:
    """Yield the ids of a roll's items, in its order."""
    after = -1
    while pages := view.pages(rolls.facts(phase), after=after):
        for page in pages:
            yield from page.ids
        after = pages[-1].number


def _is_bad(task: Task, ordinal: int, code: int, metric: Metric) -> bool:
    return code in _BAD if metric == "unsatisfied" else bool(task.tries.get(ordinal))


def _value(view: Snapshot, run: Run, plan: Plan, phases: Sequence[Phase], metric: Metric) -> float:
    """Say how bad a whole run was: the higher, the worse."""
    match metric:
        case "duration":
            return ((run.ended_at or run.started_at) - run.started_at).total_seconds()
        case "lateness":
            openings = [view.opening(rolls.facts(phase)) for phase in phases]
            late = [opening.late_by for opening in openings if opening is not None and opening.late_by is not None]
            return sum(span.total_seconds() for span in late)
        case "unsatisfied" | "retries":
            bad = [
                _is_bad(task, ordinal, task.kinds[ordinal - task.lo], metric)
                for phase in phases
                for _, task, ordinal in _named(view, plan, phase)
                if task.kinds[ordinal - task.lo] != _WITHDRAWN
            ]
            return sum(bad) / len(bad) if bad else 0.0
