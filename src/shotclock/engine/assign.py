"""From a lease to everything its function is told: inputs, what is missing, items, bounds."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from shotclock.context import Assignment, Input, MemberInput, Settlement
from shotclock.core import leases
from shotclock.engine import rolls
from shotclock.engine.job import Job
from shotclock.engine.working import Lease
from shotclock.model import KINDS, Note, Page, Phase, PhasePlan, Plan, Run, Task
from shotclock.outcomes import Item
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings

_KEPT: Final = 64
"""Phases whose inputs, and pages whose items, are kept for the next task of the same."""
_NOTHING = Note()
K = TypeVar("K")
T = TypeVar("T")


class Assigner:
    """Makes jobs of leases; what is the same for all tasks of a phase is read once."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._home = str(settings.home.absolute())
        self._inputs: OrderedDict[int, dict[str, Input]] = OrderedDict()
        self._pages: OrderedDict[int, Page] = OrderedDict()
        self._runs: OrderedDict[str, Run] = OrderedDict()

    def jobs(self, given: list[Lease]) -> list[Job]:
        """Return what each lease asks for, all read from one snapshot."""
        return self._store.read(lambda view: list(self._jobs(view, given))) if given else []

    def for_check(self, phase: Phase) -> tuple[Assignment, str]:
        """Return what a user's check of a phase is told, and the folder its function is found by."""

        def work(view: Snapshot) -> tuple[Assignment, str]:
            task = Task(phase=phase.id, work="then")
            assignment = self._assignment(
                view, Lease(task=task, phase=phase), member="check", timeout=self._settings.check
            )
            return assignment, view.plan(phase.run).folder

        return self._store.read(work)

    def settled(self, phase: Phase) -> Iterator[Settlement]:
        """Yield the settlements of a phase in roll order, read page by page."""
        after = -1
        while (batch := self._store.read(partial(self._settlements, phase, after))) is not None:
            after, found = batch
            yield from found

    def _jobs(self, view: Snapshot, given: list[Lease]) -> Iterator[Job]:
        chunks: dict[int, Job] = {}
        for lease in given:
            like = chunks.get(lease.phase.id)
            if lease.task.work != "chunk":
                yield self._job(view, lease)
            elif like is not None:
                yield self._another(view, like, lease)
            else:
                chunks[lease.phase.id] = like = self._job(view, lease)
                yield like

    def _another(self, view: Snapshot, like: Job, lease: Lease) -> Job:
        """Return the job of another chunk of the same phase: what differs from one that is known."""
        task, ordinals = lease.task, tuple(leases.pending(lease.task))
        assignment = replace(
            like.assignment,
            lo=task.lo,
            member=_items_name(task),
            token=task.token,
            attempt=_attempt(task, ordinals),
            deadline=_deadline(task, like.timeout),
        )
        items = self._items(view, lease.phase, ordinals)
        return replace(
            like, token=task.token, assignment=assignment, size=len(task.kinds), ordinals=ordinals, items=items
        )

    def _job(self, view: Snapshot, lease: Lease) -> Job:
        task, phase = lease.task, lease.phase
        plan = view.plan(phase.run)
        own = plan.phase(phase.name)
        member = own.members[task.lo] if task.work == "member" else None
        timeout = (member.timeout if member else None) or own.execution.timeout
        ordinals = tuple(leases.pending(task))
        return Job(
            phase=phase.id,
            token=task.token,
            assignment=self._assignment(view, lease, member=_name(own, task), timeout=timeout),
            function=_function(own, task),
            command=member.command if member else (),
            folder=plan.folder,
            size=len(task.kinds),
            ordinals=ordinals,
            items=self._items(view, phase, ordinals) if task.work == "chunk" else (),
            timeout=timeout,
            payload_bytes=self._settings.payload_bytes,
            in_process=own.execution.mode == "process",
            memory=own.execution.memory,
        )

    def _assignment(self, view: Snapshot, lease: Lease, *, member: str, timeout: timedelta) -> Assignment:
        task, phase = lease.task, lease.phase
        run, plan = self._run(view, phase.run), view.plan(phase.run)
        opening = view.opening(phase.id) if task.work == "then" else None
        return Assignment(
            run=run.id,
            pipeline=run.pipeline,
            key=run.key,
            mode=run.mode,
            generation=run.generation,
            phase=phase.name,
            work=task.work,
            lo=task.lo,
            member=member,
            token=task.token,
            attempt=_attempt(task, leases.pending(task) or [task.lo]),
            home=self._home,
            deadline=_deadline(task, timeout),
            partial=phase.inherits_partial,
            missing=phase.inherited,
            empty=opening is not None and opening.counts.expected == 0,
            stale=phase.stale_inputs,
            inputs=self._given(view, run, plan, phase),
            params=plan.params,
            opening=opening,
            flags=plan.flags,
            rules=plan.frozen,
        )

    def _run(self, view: Snapshot, run_id: str) -> Run:
        """Return a run, read once: what a function is told of it never changes."""
        run = self._runs.get(run_id) or view.run(run_id)
        assert run is not None, run_id
        _keep(self._runs, run_id, run)
        return run

    def _items(self, view: Snapshot, phase: Phase, ordinals: tuple[int, ...]) -> tuple[Item, ...]:
        """Return the items of a chunk; a chunk never crosses the border of a page."""
        if not ordinals:
            return ()
        page = self._page(view, rolls.facts(phase), ordinals[0])
        return tuple(Item(page.ids[number - page.lo], page.payloads[number - page.lo]) for number in ordinals)

    def _page(self, view: Snapshot, phase_id: int, ordinal: int) -> Page:
        page = self._pages.get(phase_id)
        if page is None or not page.lo <= ordinal < page.lo + len(page.ids):
            page = view.page(phase_id, ordinal)
            assert page is not None, (phase_id, ordinal)
            _keep(self._pages, phase_id, page)
        return page

    def _given(self, view: Snapshot, run: Run, plan: Plan, phase: Phase) -> dict[str, Input]:
        """Return the inputs of a phase, which are fixed when it starts."""
        known = self._inputs.get(phase.id)
        if known is None:
            own = plan.phase(phase.name)
            found = {name: self._input(view, run.id, name) for name in own.needs}
            for name in own.needs_previous:
                found[name] = self._previous(view, phase, name)
            # A copy of its own: a function that changes what it was given must not change what the store keeps.
            known = msgspec.json.decode(msgspec.json.encode(found), type=dict[str, Input])
            _keep(self._inputs, phase.id, known)
        return known

    def _previous(self, view: Snapshot, phase: Phase, name: str) -> Input:
        if phase.previous is None:
            return Input(phase=name, run="", absent=True)
        return self._input(view, phase.previous, name)

    def _input(self, view: Snapshot, run_id: str, name: str) -> Input:
        upstream = view.phase_of(run_id, name)
        if upstream is None or upstream.state in {"failed", "skipped"}:
            return Input(phase=name, run=run_id, absent=True)
        own = view.plan(run_id).phase(name)
        facts = rolls.facts(upstream)
        opening = view.opening(facts)
        end = view.task(facts, "then", 0)
        return Input(
            phase=name,
            run=run_id,
            partial=upstream.inherits_partial or (opening is not None and opening.partial),
            missing=() if opening is None else opening.missing,
            counts=upstream.counts if opening is None else opening.counts,
            opening=opening,
            members=self._members(view, own, facts),
            result={} if end is None else end.result,
        )

    def _members(self, view: Snapshot, own: PhasePlan, facts: int) -> dict[str, MemberInput]:
        if own.items is not None:
            return {}
        tasks = view.tasks(facts, limit=self._settings.named)
        return {own.members[task.lo].name: _member_input(task) for task in tasks}

    def _settlements(self, phase: Phase, after: int, view: Snapshot) -> tuple[int, list[Settlement]] | None:
        own = view.plan(phase.run).phase(phase.name)
        most = max(1, self._settings.page // own.execution.chunk) if own.items is not None else self._settings.page
        tasks = view.tasks(rolls.facts(phase), after=after, limit=most)
        if not tasks:
            return None
        names = rolls.Names(view, own, phase)
        return tasks[-1].lo, [found for task in tasks for found in _of_task(task, names)]


def _of_task(task: Task, names: rolls.Names) -> Iterator[Settlement]:
    for place, code in enumerate(task.kinds):
        kind, ordinal = KINDS[code], task.lo + place
        if kind in {"pending", "withdrawn"}:
            continue
        note = task.notes.get(ordinal, _NOTHING)
        yield Settlement(
            name=names.name(ordinal),
            kind=kind,
            rows=note.rows,
            reason=note.reason,
            outputs=note.outputs,
            staged=tuple(_made(task, ordinal).get("staged", ())),
        )


def _made(task: Task, ordinal: int) -> dict[str, Any]:
    """Return what the lease that settled a member made for all that it settled."""
    for batch in reversed(task.batches):
        if any(lo <= ordinal < hi for lo, hi in batch.ranges):
            return batch.outputs
    return {}


def _member_input(task: Task) -> MemberInput:
    note = task.notes.get(task.lo, _NOTHING)
    outputs = {**_made(task, task.lo), **note.outputs}
    return MemberInput(kind=KINDS[task.kinds[0]], rows=note.rows, outputs=outputs, as_of=note.as_of)


def _name(own: PhasePlan, task: Task) -> str:
    if task.work == "member":
        return own.members[task.lo].name
    return _items_name(task) if task.work == "chunk" else task.work


def _items_name(task: Task) -> str:
    return f"items {task.lo}-{task.hi - 1}"


def _attempt(task: Task, ordinals: Sequence[int]) -> int:
    """Return the number of the attempt that is beginning, of whoever has had the most."""
    return 1 + max(map(task.tries.__getitem__, task.tries.keys() & ordinals), default=0) if task.tries else 1


def _deadline(task: Task, timeout: timedelta) -> datetime | None:
    return None if task.leased_at is None else task.leased_at + timeout


def _function(own: PhasePlan, task: Task) -> str:
    match task.work:
        case "member":
            return own.members[task.lo].run or ""
        case "chunk":
            return (own.items.run if own.items else None) or ""
        case "enumerate":
            return own.items.source if own.items else ""
        case "then":
            return own.then or ""
        case "outside":
            return ""


def _keep(kept: OrderedDict[K, T], key: K, value: T) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
