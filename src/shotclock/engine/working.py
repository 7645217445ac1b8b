"""Tasks in the hands of workers: leasing, renewing, giving back, and taking what workers say of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from shotclock.core import clocks, leases
from shotclock.engine import dispatch, flow, inputs, nearing, recording, rolls
from shotclock.engine.desk import Desk
from shotclock.engine.reach import Reach
from shotclock.errors import FencedError, UsageError
from shotclock.model import (
    Answer,
    Importance,
    Kind,
    Page,
    Phase,
    PhasePlan,
    Run,
    Task,
    TaskReport,
    Work,
    digest,
)

ItemPair = tuple[str, object]


_OUTSIDE: Final = 50
"""Items from outside that share a row: a report rewrites its row, so few; each row is stored, so not too few."""
_ACCEPTED: Final = Answer(kind="accepted")


class Lease(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task in somebody's hands, with the phase and the run it belongs to."""

    task: Task
    phase: Phase
    run: Run


class Held(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a worker names a task that it holds."""

    phase: int
    work: Work
    lo: int
    token: int


def lease(desk: Desk, owner: str, busy: Mapping[int, int], reach: Reach) -> list[Lease]:
    """Lease what may run now: within each phase's `max_workers` for this worker and `max_in_flight` for all.

    `busy` says how many tasks of each phase the worker holds.
    """
    return lease_from(desk, owner, busy, reach, desk.active())


def lease_from(desk: Desk, owner: str, busy: Mapping[int, int], reach: Reach, phases: Iterable[Phase]) -> list[Lease]:
    """Lease what may run of some phases, within the same bounds."""
    taken: list[Lease] = []
    for phase in phases:
        left = reach.left(sum(busy.values()) + len(taken))
        if left <= 0:
            break
        if reach.includes(phase.run):
            taken += _lease_phase(desk, owner, desk.phase(phase.id), min(left, _room(desk, phase, busy)), reach.tags)
    return taken


def _room(desk: Desk, phase: Phase, busy: Mapping[int, int]) -> int:
    return dispatch.room(desk, desk.phase(phase.id), desk.plan_of(phase), busy.get(phase.id, 0))


def _lease_phase(desk: Desk, owner: str, phase: Phase, room: int, tags: frozenset[str]) -> list[Lease]:
    run, own = desk.run(phase.run), desk.plan_of(phase)
    if (
        room <= 0
        or phase.state not in dispatch.AT_WORK
        or inputs.blocks(own, phase)
        or clocks.halted(desk.halts(run), desk.now)
    ):
        return []
    taken: list[Lease] = []
    while len(taken) < room:
        found = dispatch.leasable(desk, desk.phase(phase.id), room - len(taken), tags)
        if not found:
            break
        taken += [lease for task in found if (lease := _take(desk, owner, phase.id, own, task)) is not None]
    return taken


def _take(desk: Desk, owner: str, phase_id: int, own: PhasePlan, task: Task) -> Lease | None:
    """Lease one task, or give up on it if it was lost too often."""
    until = desk.now + desk.settings.lease
    change = leases.lease(task, owner, desk.now, until, _limits(desk, own, task))
    desk.put_task(change.task, task.token)
    if change.spawned is not None:
        desk.tx.add_tasks([change.spawned])
    phase = flow.mark_started(desk, desk.phase(phase_id))
    if change.task.state == "ended":
        _given_up(desk, phase, own, change, task)
        return None
    if desk.facts is not None:
        desk.facts.count("task.leased", phase.run, phase.name)
    if phase.leased_at is None:
        phase = desk.change(phase, leased_at=desk.now)
    phase = dispatch.sent_out(desk, phase, own, change.task)
    if own.execution.budget is not None and not phase.budget_spent:
        desk.touch(phase)
    return Lease(task=change.task, phase=phase, run=desk.run(phase.run))


def _given_up(desk: Desk, phase: Phase, own: PhasePlan, change: leases.Change, task: Task) -> None:
    """See to a task that was lost too often: its members are abandoned, or its phase cannot go on."""
    if task.work in {"enumerate", "then"}:
        _single_failed(desk, phase, task, change.task.error or "lost")
        return
    phase = rolls.count(desk, phase, rolls.importance_of(task), change.settled)
    _bury(desk, phase, own, change)
    desk.touch(phase)


def _limits(desk: Desk, own: PhasePlan, task: Task) -> leases.Limits:
    attempts = own.execution.attempts
    if task.work == "member":
        attempts = own.members[task.lo].attempts or attempts
    return desk.limits(attempts)


def renew(desk: Desk, held: Sequence[Held]) -> list[Held]:
    """Extend leases; return those whose holders should stop: fenced, settled, or of a phase that is over."""
    stop: list[Held] = []
    until = desk.now + desk.settings.lease
    for hold in held:
        task = desk.task(hold.phase, hold.work, hold.lo)
        current = task is not None and task.token == hold.token and task.state == "leased"
        if task is None or not current or not _goes_on(desk, desk.phase(hold.phase), hold.work):
            stop.append(hold)
        else:
            desk.put_task(replace(task, lease_until=until), task.token)
    return stop


def _goes_on(desk: Desk, phase: Phase, work: Work) -> bool:
    """Say whether anybody waits for work of that kind in a phase."""
    run = desk.run(phase.run)
    wanted = phase.state == "opened" if work == "then" else phase.state == "active"
    return wanted and run.state == "running" and not run.superseded


def give_back(desk: Desk, tasks: Sequence[Task]) -> None:
    """Queue leased tasks again, nothing counted against them."""
    desk.tx.put_tasks([(leases.give_back(task), task.token) for task in tasks])
    desk.rang = desk.rang or bool(tasks)


def lose(desk: Desk, tasks: Sequence[Task]) -> None:
    """Queue the tasks of a worker that is known to be dead; each has lost a lease."""
    desk.tx.put_tasks([(leases.lost(task), task.token) for task in tasks])
    desk.rang = desk.rang or bool(tasks)


def take_reports(desk: Desk, owner: str, reports: Sequence[TaskReport], busy: Mapping[int, int]) -> list[Answer]:
    """Take what a worker says of its tasks; those of a phase are read at once where it reports most that it held."""
    for phase_id, number in Counter(report.phase for report in reports).items():
        if number > busy.get(phase_id, 0):
            desk.fetch_tasks(phase_id, owner)
    settled = _Settled()
    answers = [_take_report(desk, report, settled) for report in reports]
    settled.count(desk)
    return answers


def take_report(desk: Desk, report: TaskReport) -> Answer:
    """Take what a worker says of a task; it counts while its token is current and its phase not over."""
    settled = _Settled()
    answer = _take_report(desk, report, settled)
    settled.count(desk)
    return answer


class _Settled:
    """How many members each phase settled, added up over the reports that came together."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, Importance], dict[Kind, int]] = {}

    def add(self, task: Task, settled: Mapping[Kind, int]) -> None:
        """Add what one report settled."""
        numbers = self._numbers.setdefault((task.phase, rolls.importance_of(task)), {})
        for kind, number in settled.items():
            numbers[kind] = numbers.get(kind, 0) + number

    def count(self, desk: Desk) -> None:
        """Move the phases' counts by it, and have their gates decided."""
        for (phase_id, importance), numbers in self._numbers.items():
            desk.touch(rolls.count(desk, desk.phase(phase_id), importance, numbers))


def _take_report(desk: Desk, report: TaskReport, settled: _Settled) -> Answer:
    phase = desk.phase(report.phase)
    answer = _answer(desk, phase, report, settled)
    if desk.facts is not None:
        desk.facts.worked(phase.run, phase.name, report, answer)
    return answer


def _answer(desk: Desk, phase: Phase, report: TaskReport, settled: _Settled) -> Answer:
    task = desk.task(report.phase, report.work, report.lo)
    if task is None or task.token != report.token:
        desk.tx.tally(phase.run, f"{phase.name}.fenced")
        return Answer(kind="fenced", detail=f"token {report.token} is not the current one")
    if task.state == "ended" or (task.state == "queued" and task.owner is None):
        desk.tx.tally(phase.run, f"{phase.name}.duplicate")
        return Answer(kind="duplicate", detail="the lease of this token has ended")
    if not _goes_on(desk, phase, report.work):
        return _late(desk, phase, task, report)
    if report.flags:
        phase = desk.change(phase, flags={**phase.flags, **report.flags})
    phase = nearing.task(desk, phase, task, report)
    if report.work in {"enumerate", "then"}:
        return _take_single(desk, phase, task, report)
    return _take_members(desk, phase, task, report, settled)


def _late(desk: Desk, phase: Phase, task: Task, report: TaskReport) -> Answer:
    """Keep a worker's report that came after its phase was over."""
    member = _task_name(desk, phase, task)
    desk.keep("late", phase.run, phase=phase.name, member=member, body=msgspec.to_builtins(report))
    return Answer(kind="late", detail=f"the phase is {phase.state}; stored, and changes nothing")


def _task_name(desk: Desk, phase: Phase, task: Task) -> str:
    if task.work == "member":
        return desk.plan_of(phase).members[task.lo].name
    return task.work if task.work != "chunk" else f"items {task.lo}-{task.hi - 1}"


def _take_members(desk: Desk, phase: Phase, task: Task, report: TaskReport, settled: _Settled) -> Answer:
    own = desk.plan_of(phase)
    if len(report.kinds) not in {0, len(task.kinds)}:
        message = f"{phase.run} {phase.name}: {len(report.kinds)} outcomes for {len(task.kinds)} members"
        raise UsageError(message)
    limits = _limits(desk, own, task)
    change = leases.take_report(task, report, limits, recording.contract_at(own, task.lo), desk.now, desk.jitter())
    phase, after = dispatch.heard(desk, phase, own, report, change, task)
    desk.put_task(after, task.token)
    settled.add(task, change.settled)
    if change.waits_until is not None:
        latest = max(change.waits_until, phase.retry_until or change.waits_until)
        phase = desk.change(phase, retry_until=latest)
    _bury(desk, phase, own, change)
    desk.rang = True
    return _ACCEPTED


def _bury(desk: Desk, phase: Phase, own: PhasePlan, change: leases.Change) -> None:
    """Put members that were given up on among the dead letters, with payload and reason."""
    if not change.given_up:
        return
    names = rolls.Names(desk.aside, own, phase)
    for ordinal, reason in change.given_up.items():
        page = None if own.items is None else desk.aside.page(phase.id, ordinal)
        payload = None if page is None else page.payloads[ordinal - page.lo]
        body = {"reason": reason, "payload": payload, "ordinal": ordinal}
        desk.keep("dead_letter", phase.run, phase=phase.name, member=names.name(ordinal), body=body)


def _take_single(desk: Desk, phase: Phase, task: Task, report: TaskReport) -> Answer:
    """Take the end of an enumeration, which seals the roll, or of a consolidation, which completes the phase."""
    limits = _limits(desk, desk.plan_of(phase), task)
    if report.pages is not None and report.pages != phase.pages:
        short = f"the enumeration gave {report.pages} pages, {phase.pages} the first time"
        report = replace(report, permanent=f"{short}; it must list the same items each time")
    verdict = leases.take_single(task, report, limits, desk.now, desk.jitter())
    desk.tx.put_tasks([(verdict.task, task.token)])
    desk.rang = True
    if verdict.failed is not None:
        _single_failed(desk, phase, task, verdict.failed)
    elif verdict.task.state != "ended":
        desk.change(phase, retry_until=verdict.task.ready_at)
        desk.touch(phase)
    elif task.work == "enumerate":
        desk.touch(desk.change(phase, sealed=True, changes=phase.changes + 1))
        recording.replay(desk, phase)
    else:
        flow.complete(desk, phase)
    return Answer(kind="accepted")


def _single_failed(desk: Desk, phase: Phase, task: Task, reason: str) -> None:
    body = {"reason": reason}
    desk.keep("dead_letter", phase.run, phase=phase.name, member=task.work, body=body)
    if task.work == "then":
        flow.fail(desk, phase, f"then: {reason}")
    else:
        failed = desk.change(phase, enumeration_failed=True, failure=f"enumeration: {reason}")
        desk.touch(failed)


def add_page(desk: Desk, held: Held, number: int, items: Sequence[ItemPair]) -> None:
    """Add a page of a roll with the tasks over it, in one commit; a page that is there already must be the same.

    Raises `FencedError` if the enumeration is somebody else's now, `UsageError` if it gives other items than before.
    """
    task = desk.tx.task(held.phase, "enumerate", held.lo)
    phase = desk.phase(held.phase)
    if task is None or task.token != held.token or phase.state != "active" or phase.sealed:
        message = f"{phase.run} {phase.name}: the enumeration is no longer this worker's"
        raise FencedError(message)
    mark = digest(msgspec.json.encode(items))
    if number < phase.pages:
        _same_page(desk, phase, number, mark)
        return
    own = desk.plan_of(phase)
    assert own.items is not None
    ids, payloads = tuple(item[0] for item in items), tuple(item[1] for item in items)
    page = Page(phase=phase.id, number=number, lo=phase.size, ids=ids, payloads=payloads, digest=mark)
    desk.tx.add_page(page, _chunks(own, phase, len(ids)))
    if own.items.run is None:
        desk.tx.add_names(phase.id, {name: phase.size + place for place, name in enumerate(ids)})
    flow.mark_started(desk, phase)
    phase = desk.phase(phase.id)
    counts = phase.counts.add("required", "pending", len(ids))
    desk.change(phase, size=phase.size + len(ids), pages=phase.pages + 1, counts=counts, worse=phase.worse + 1)
    if phase.budget_spent:
        desk.touch(phase)


def _same_page(desk: Desk, phase: Phase, number: int, mark: str) -> None:
    (page,) = desk.tx.pages(phase.id, after=number - 1, limit=1)
    if page.digest != mark:
        what = f"the enumeration gave other items on page {number} than the first time"
        message = f"{phase.run} {phase.name}: {what}; it must list them in a fixed order"
        raise UsageError(message)


def _chunks(own: PhasePlan, phase: Phase, number: int) -> list[Task]:
    """Cut a page into tasks; items that report from outside are ranges that nobody leases."""
    assert own.items is not None
    outside = own.items.run is None
    size = _OUTSIDE if outside else own.execution.chunk
    return [
        Task(
            phase=phase.id,
            work="outside" if outside else "chunk",
            lo=phase.size + start,
            hi=phase.size + min(start + size, number),
            state="outside" if outside else "queued",
            kinds=bytes(min(size, number - start)),
        )
        for start in range(0, number, max(size, 1))
    ]


def repeated(desk: Desk, phase_id: int, names: Sequence[str]) -> None:
    """Note item ids that an enumeration gave more than once; the first counts."""
    phase = desk.phase(phase_id)
    known = dict.fromkeys([*phase.repeated, *names])
    desk.change(phase, repeated=tuple(known)[:100])
