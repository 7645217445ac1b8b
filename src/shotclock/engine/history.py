"""What earlier runs say of members: silent ones are demoted in the plan of a run that starts."""

import msgspec
from msgspec.structs import replace

from shotclock.core import demotion, settling
from shotclock.core.demotion import Past
from shotclock.engine import rolls
from shotclock.engine.desk import Desk
from shotclock.model import SATISFIED, Kind, Phase, PhasePlan, Plan, Report, Run, RunId


def demoted(desk: Desk, plan: Plan, identity: RunId) -> tuple[Plan, dict[str, tuple[str, ...]]]:
    """Return the plan with the measures that the last ten runs call for, and whom they concern, by phase."""
    runs = _before(desk, identity)
    if len(runs) < demotion.RUNS:
        return plan, {}
    taken = {own.name: demotion.apply(own, _past(desk, own, runs)) for own in plan.phases}
    named = {name: one.optional + one.failing + one.critical for name, one in taken.items()}
    changed = replace(plan, phases=tuple(taken[own.name].plan for own in plan.phases))
    return changed, {name: tuple(dict.fromkeys(names)) for name, names in named.items() if names}


def _before(desk: Desk, identity: RunId) -> list[Run]:
    """Return the runs of the nearest earlier keys that are over, the oldest first."""
    found: list[Run] = []
    while len(found) < demotion.RUNS:
        run = desk.tx.before(identity)
        if run is None:
            break
        if run.state != "running":
            found.append(run)
        identity = run.identity
    return found[::-1]


def _past(desk: Desk, own: PhasePlan, runs: list[Run]) -> dict[str, list[Past]]:
    """Return what became of each named member in each of the runs in which its phase ran."""
    past: dict[str, list[Past]] = {member.name: [] for member in own.members}
    for run in runs if own.members else []:
        phase = desk.tx.phase_of(run.id, own.name)
        if phase is None or phase.started_at is None:
            continue
        before = desk.plan_of(phase)
        if before.items is not None:
            continue
        for task in rolls.tasks(desk.tx, phase):
            name = before.members[task.lo].name
            kind = settling.kind_of(task, task.lo)
            if name in past and kind != "withdrawn":
                past[name].append(_outcome(desk, before, phase, name, kind))
    return past


def _outcome(desk: Desk, own: PhasePlan, phase: Phase, name: str, kind: Kind) -> Past:
    if kind in SATISFIED:
        return Past(outcome="satisfied")
    return Past(outcome="silent" if kind == "pending" else "failed", late_good=_late_good(desk, own, phase, name))


def _late_good(desk: Desk, own: PhasePlan, phase: Phase, name: str) -> bool:
    """Say whether a report that came too late would have satisfied the member."""
    found = own.member(name)
    assert found is not None
    reports = (
        msgspec.convert(entry.body, Report)
        for entry in desk.tx.entries("late", scope=phase.run, phase=phase.name, member=name)
        if "outcome" in entry.body
    )
    return any(settling.settled_kind(report, found[1].contract) in SATISFIED for report in reports)
