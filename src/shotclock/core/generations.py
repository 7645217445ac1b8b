"""A new generation from a phase: what it carries by reference, what starts anew, and which settlements stay good.

Carried: the phases that do not stand on it, with their openings. Kept in the phase itself: its roll, and each member's
satisfied settlement unless the member is named for the re-run. Anew: everything below, and all clocks.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from shotclock.core import runs, settling
from shotclock.model import (
    CODE,
    KINDS,
    SATISFIED,
    Counts,
    Importance,
    Phase,
    Plan,
    Run,
    Task,
)


def next_run(run: Run, now: datetime, cause: str) -> Run:
    """Return the run of the next generation."""
    identity = replace(run.identity, generation=run.generation + 1)
    return Run(
        id=str(identity),
        pipeline=run.pipeline,
        key=run.key,
        mode=run.mode,
        generation=run.generation + 1,
        started_at=now,
        cause=cause,
    )


def without(plan: Plan, old: Sequence[Phase], flags: Collection[str]) -> frozenset[str]:
    """Return the phases that cannot be carried without these flags: those that asked for one, and all below them."""
    asked = {phase.name for phase in old if not phase.flags.keys().isdisjoint(flags)}
    return frozenset(asked).union(*(runs.below(plan, name) for name in asked))


def next_phases(plan: Plan, run: Run, old: Sequence[Phase], anew: Collection[str]) -> list[Phase]:
    """Return the phases of a new generation in which these are done anew: carried ones as they are, others waiting."""
    before = {phase.name: phase for phase in old}
    return [
        _carried(before[own.name], run, index)
        if own.name in before and own.name not in anew and before[own.name].state == "done"
        else Phase(run=run.id, name=own.name, index=index)
        for index, own in enumerate(plan.phases)
    ]


def _carried(phase: Phase, run: Run, index: int) -> Phase:
    source = phase.id if phase.source is None else phase.source
    return replace(
        phase,
        id=0,
        run=run.id,
        index=index,
        version=0,
        source=source,
        carried_from=phase.carried_from or phase.run,
        due_at=None,
        rerun_at=None,
        folded=False,
        handover=None,
    )


def reopened(phase: Phase, run: Run, index: int) -> Phase:
    """Return a phase as a new generation carries its opening, with its consolidation still to be done."""
    carried = _carried(phase, run, index)
    return replace(carried, state="opened", failure=None, ended_at=None)


def keep_satisfied(tasks: Sequence[Task], again: Collection[int]) -> list[Task]:
    """Return a roll's tasks with the satisfied settlements of members not in `again` (ordinals); the rest is pending.

    Tokens go on growing, so that no worker of the old generation can settle anything in the new one.
    """
    return [_fresh(task, again) for task in tasks]


def settlement_for(task: Task, old: Task) -> Task:
    """Return the task of a named member with the satisfied settlement of its old one, wherever that stood."""
    fresh = _fresh(old, ())
    if CODE["pending"] in fresh.kinds:
        return replace(task, token=fresh.token)
    note = fresh.notes.get(old.lo)
    batches = tuple(replace(batch, ranges=((task.lo, task.hi),)) for batch in fresh.batches if batch.ranges)
    return replace(
        task,
        state="outside" if task.work == "outside" else "ended",
        token=fresh.token,
        kinds=fresh.kinds,
        notes={} if note is None else {task.lo: note},
        batches=batches,
        parts=fresh.parts,
        parts_total=fresh.parts_total,
    )


def counted(tasks: Sequence[Task], importance_of: Mapping[int, Importance]) -> Counts:
    """Count where the members of a roll's tasks stand."""
    counts = Counts()
    for task in tasks:
        for code in set(task.kinds):
            counts = counts.add(importance_of[task.rank], KINDS[code], task.kinds.count(code))
    return counts


def _fresh(task: Task, again: Collection[int]) -> Task:
    kinds = bytes(
        code if _stays(code) and task.lo + place not in again else CODE["pending"]
        for place, code in enumerate(task.kinds)
    )
    anew = [task.lo + place for place, code in enumerate(kinds) if code == CODE["pending"]]
    outside = task.work == "outside"
    return Task(
        phase=0,
        work=task.work,
        lo=task.lo,
        hi=task.hi,
        rank=task.rank,
        state="outside" if outside else "queued" if anew else "ended",
        token=task.token + 1,
        kinds=kinds,
        notes={number: note for number, note in task.notes.items() if kinds[number - task.lo] != CODE["pending"]},
        batches=settling.uncounted(task.batches, anew),
        parts={} if anew else task.parts,
        parts_total=None if anew else task.parts_total,
    )


def _stays(code: int) -> bool:
    return KINDS[code] in SATISFIED or KINDS[code] == "withdrawn"
