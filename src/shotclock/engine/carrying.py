"""What a new generation takes over from the one before: openings by copy, and in phases that go on, what was good."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from shotclock.core import generations, leases, settling
from shotclock.engine import recording, rolls
from shotclock.engine.desk import Desk
from shotclock.errors import NotFoundError
from shotclock.model import (
    CODE,
    KINDS,
    SATISFIED,
    Entry,
    Note,
    Phase,
    PhasePlan,
    Report,
    Run,
    Task,
    TaskReport,
    member_name,
    standing_of,
)


def carry(
    desk: Desk, run: Run, old: Sequence[Phase], fresh: Collection[str], again: Mapping[str, Sequence[str]]
) -> None:
    """Give a new generation what it carries; members in `again`, by phase, are done again although satisfied.

    Phases in `fresh` start with nothing. Raises `NotFoundError` for a member that is not there.
    """
    before = {phase.name: phase for phase in old}
    plan = desk.plan(run.id)
    for phase in desk.phases(run.id):
        source = before.get(phase.name)
        if phase.source is not None:
            _copy_opening(desk, phase)
        elif source is not None and source.started_at is not None and phase.name not in fresh:
            _take_over(desk, plan.phase(phase.name), phase, source, again.get(phase.name, ()))
        if phase.source is None and source is not None:
            _take_aliases(desk, plan.phase(phase.name), phase, source)


def _copy_opening(desk: Desk, phase: Phase) -> None:
    """Give a carried phase its opening: it never changes."""
    opening = desk.tx.opening(rolls.facts(phase))
    assert opening is not None
    desk.tx.add_opening(replace(opening, phase=phase.id))


def _take_over(desk: Desk, own: PhasePlan, target: Phase, source: Phase, again: Sequence[str]) -> None:
    """Give a phase that goes on its roll with what was good in it; an incomplete roll is enumerated again."""
    named = _ordinals(desk, source, again)
    whole = source.sealed and not source.roll_incomplete and not source.enumeration_failed
    if not whole or (own.items is None) != (desk.plan_of(source).items is None):
        return
    old = generations.keep_satisfied(_with_late(desk, source, named), named)
    tasks = old if own.items is not None else _by_name(desk, own, target, source, old)
    desk.tx.add_tasks([replace(task, phase=target.id) for task in tasks])
    _copy_pages(desk, own, target, source)
    counts = generations.counted(tasks, rolls.BY_RANK)
    size = source.size if own.items is not None else len(own.members)
    desk.change(target, counts=counts, size=size, pages=source.pages, sealed=True, flags=source.flags)


def _take_aliases(desk: Desk, own: PhasePlan, target: Phase, source: Phase) -> None:
    """Give a phase the names that operators have made known for its members, with the record of it."""
    for entry in desk.tx.entries("audit", scope=source.run, phase=source.name):
        if entry.body.get("what") != "alias":
            continue
        ordinal = rolls.find(desk.tx, own, desk.phase(target.id), entry.member)
        if ordinal is not None:
            desk.tx.add_names(target.id, {member_name(entry.body["alias"]): ordinal})
            desk.keep("audit", target.run, phase=target.name, member=entry.member, body=entry.body)


def _by_name(desk: Desk, own: PhasePlan, target: Phase, source: Phase, old: Sequence[Task]) -> list[Task]:
    """Return the tasks of the members of now, with the settlements of those that were there before."""
    before = desk.plan_of(source)
    kept = {before.members[task.lo].name: task for task in old}
    fresh = [rolls.task_of(target.id, ordinal, member) for ordinal, member in enumerate(own.members)]
    return [
        generations.settlement_for(task, kept[member.name]) if member.name in kept else task
        for task, member in zip(fresh, own.members, strict=True)
    ]


def _copy_pages(desk: Desk, own: PhasePlan, target: Phase, source: Phase) -> None:
    after = -1
    while pages := desk.tx.pages(rolls.facts(source), after=after):
        for page in pages:
            desk.tx.add_page(replace(page, phase=target.id), [])
            if own.items is not None and own.items.run is None:
                desk.tx.add_names(target.id, {name: page.lo + place for place, name in enumerate(page.ids)})
        after = pages[-1].number


def _ordinals(desk: Desk, source: Phase, names: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for name in names:
        ordinal = rolls.find(desk.tx, desk.plan_of(source), source, member_name(name))
        if ordinal is None:
            message = f"{source.run} {source.name} has no member {name}"
            raise NotFoundError(message)
        found.add(ordinal)
    return found


def _with_late(desk: Desk, source: Phase, again: set[int]) -> list[Task]:
    """Return a roll's tasks with the newest satisfying late report in the place of each settlement that is missing."""
    changed = {task.lo: task for task in rolls.tasks(desk.tx, source)}
    plan = desk.plan_of(source)
    for entry in reversed(desk.tx.entries("late", scope=source.run, phase=source.name)):
        late = _late_work if "work" in entry.body else _late_word
        task = late(desk, plan, source, changed, entry)
        if task is not None and not again.intersection(range(task.lo, task.hi)):
            changed[task.lo] = task
    return list(changed.values())


def _late_work(_: Desk, plan: PhasePlan, __: Phase, tasks: Mapping[int, Task], entry: Entry) -> Task | None:
    """Return a task with what its worker's late report says of members that are pending, where that satisfies."""
    report = msgspec.convert(entry.body, TaskReport, str_keys=True)  # a store of JSON gives ordinals back as text
    task = tasks.get(report.lo)
    if task is None or task.work != report.work or len(task.kinds) != len(report.kinds):
        return None
    good = bytes(code if KINDS[code] in SATISFIED else CODE["pending"] for code in report.kinds)
    return leases.take_late(task, replace(report, kinds=good), recording.contract_at(plan, task.lo), entry.at)


def _late_word(desk: Desk, plan: PhasePlan, source: Phase, tasks: Mapping[int, Task], entry: Entry) -> Task | None:
    """Return a task with what a late report from outside says of its member, where that satisfies."""
    report = msgspec.convert(entry.body, Report)
    ordinal = rolls.find(desk.tx, plan, source, report.member)
    home = next((task for task in tasks.values() if ordinal is not None and task.lo <= ordinal < task.hi), None)
    if ordinal is None or home is None or report.part is not None:
        return None
    kind = settling.settled_kind(report, recording.contract_at(plan, ordinal))
    if standing_of(kind) != "satisfied" or standing_of(settling.kind_of(home, ordinal)) == "satisfied":
        return None
    note = Note(reason=report.reason, rows=report.rows, outputs=report.outputs, as_of=report.as_of, at=entry.at)
    return settling.settle(home, ordinal, kind, note).task
