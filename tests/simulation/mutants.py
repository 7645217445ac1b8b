"""Bugs to plant in the product: each is a context in which one decision or promise is broken."""
# ruff: noqa: SLF001 - a bug is planted where the product has its decisions, private ones too

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from shotclock.context import Assignment
from shotclock.core import clocks, flags, gate, generations, leases, rules, settling
from shotclock.core import late as core_late
from shotclock.engine import assign, dispatch, flagging, judging, late, recording, rolls, starting, working
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Desk
from shotclock.engine.working import Lease
from shotclock.errors import StoreUnavailableError
from shotclock.model import (
    ACCEPTING,
    UNSATISFIED,
    Answer,
    Counts,
    Gate,
    Importance,
    Kind,
    Late,
    Opening,
    Outgoing,
    Phase,
    Plan,
    Report,
    Run,
    Task,
    TaskReport,
)
from shotclock.ports import Snapshot
from shotclock.stores.memory_change import MemoryTransaction
from shotclock.stores.memory_view import MemorySnapshot

Mutant = Callable[[], Any]


@contextmanager
def count_messages() -> Iterator[None]:
    """Count every delivery of a report, not the member it speaks of."""
    original = recording._store

    def mutated(desk: Desk, subject: settling.Subject, report: Report, answer: Answer) -> Answer:
        given = original(desk, subject, report, answer)
        if given.kind == "duplicate" and subject.phase.state == "active" and subject.kind != "pending":
            counts = subject.phase.counts.add(rolls.importance_of(subject.task), subject.kind)
            desk.touch(desk.change(subject.phase, counts=counts))
        return given

    with patch.object(recording, "_store", mutated):
        yield


@contextmanager
def open_without_compare_and_set() -> Iterator[None]:
    """Write the opening again whenever an opened phase is looked at, over the one that is there."""
    original = judging.judge

    def overwrite(self: MemoryTransaction, opening: Opening) -> tuple[Opening, bool]:
        self._put(self._tables.openings, opening.phase, opening)
        return opening, True

    def mutated(desk: Desk, phase: Phase) -> None:
        if phase.state == "opened" and phase.ruling is not None:
            desk.tx.add_opening(judging._opening(desk, phase, phase.ruling, ()))
        original(desk, phase)

    with patch.object(MemoryTransaction, "add_opening", overwrite), patch.object(judging, "judge", mutated):
        yield


@contextmanager
def deadline_from_creation() -> Iterator[None]:
    """Count a deadline from the phase's start instead of the first report."""

    def mutated(scene: gate.Scene, came: datetime | None, expected: datetime, now: datetime) -> datetime:
        del came, expected, now
        return scene.started_at

    with patch.object(gate, "_come", mutated):
        yield


@contextmanager
def decide_on_an_unsealed_roll() -> Iterator[None]:
    """Evaluate the rules while the roll is still being listed."""
    with patch.object(gate, "_complete", lambda phase: bool(phase.counts.expected)):
        yield


@contextmanager
def accept_an_old_token() -> Iterator[None]:
    """Take a worker's report whatever its token."""
    original = working._take_report

    def mutated(desk: Desk, report: TaskReport, settled: Any) -> Answer:  # noqa: ANN401 - a class of its own
        task = desk.tx.task(report.phase, report.work, report.lo)
        return original(desk, report if task is None else replace(report, token=task.token), settled)

    with patch.object(working, "_take_report", mutated):
        yield


@contextmanager
def acknowledge_before_the_commit() -> Iterator[None]:
    """Answer a report although it could not be stored."""
    original = Coordinator.report

    def mutated(self: Coordinator, reports: list[Report]) -> list[Answer]:
        try:
            return original(self, reports)
        except StoreUnavailableError:
            return [Answer(kind="accepted") for _ in reports]

    with patch.object(Coordinator, "report", mutated):
        yield


@contextmanager
def count_late_reports() -> Iterator[None]:
    """Let reports count after the phase was over."""
    with patch.object(settling, "ACCEPTING", ACCEPTING | {"closing", "opened", "done"}):
        yield


@contextmanager
def count_between_close_and_opening() -> Iterator[None]:
    """Let reports count after the decision and before the opening is written."""
    with patch.object(settling, "ACCEPTING", ACCEPTING | {"closing"}):
        yield


@contextmanager
def count_twice_on_better_news() -> Iterator[None]:
    """Count a member that was unsatisfied where it stands now, and leave it counted where it stood."""
    original = Counts.move

    def mutated(self: Counts, importance: Importance, was: Kind, now: Kind, number: int = 1) -> Counts:
        if was in UNSATISFIED:
            return self.add(importance, now, number)
        return original(self, importance, was, now, number)

    with patch.object(Counts, "move", mutated):
        yield


@contextmanager
def skip_phases_in_the_sweep() -> Iterator[None]:
    """Look only at every other phase that is due."""
    original = MemorySnapshot.due

    def mutated(self: MemorySnapshot, now: datetime, limit: int) -> list[Phase]:
        return [phase for phase in original(self, now, limit) if phase.id % 2]

    with patch.object(MemorySnapshot, "due", mutated):
        yield


@contextmanager
def restart_the_grace() -> Iterator[None]:
    """Begin the grace anew at each look."""
    original = gate._after_grace

    def mutated(scene: gate.Scene, now: datetime, ruling: Any) -> gate.Open | gate.Wait:  # noqa: ANN401 - passed on
        return original(replace(scene, phase=replace(scene.phase, grace_since=None)), now, ruling)

    with patch.object(gate, "_after_grace", mutated):
        yield


@contextmanager
def forget_the_grace() -> Iterator[None]:
    """Open without waiting for optional members."""
    with patch.object(gate, "_after_grace", lambda _scene, _now, ruling: gate.Open(ruling=ruling)):
        yield


@contextmanager
def hand_over_outside_the_commit() -> Iterator[None]:
    """Post the hand-over after the commit that started the phase."""
    waiting: list[Outgoing] = []
    post, do = Desk.post, Coordinator._do

    def later(self: Desk, key: str, route: str, run: str, body: Mapping[str, Any]) -> None:
        if route != "handover":
            post(self, key, route, run, body)
            return
        message = Outgoing(key=key, route="handover", run=run, body=dict(body), created_at=self.now, ready_at=self.now)
        waiting.append(message)

    def mutated(self: Coordinator, work: Callable[[Desk], Any]) -> Any:  # noqa: ANN401 - passed on
        result = do(self, work)
        messages = [waiting.pop() for _ in range(len(waiting))]
        self.store.write(lambda tx: [tx.post(message) for message in messages])
        return result

    with patch.object(Desk, "post", later), patch.object(Coordinator, "_do", mutated):
        yield


@contextmanager
def round_the_tolerated_up() -> Iterator[None]:
    """Tolerate a member more than the percentage allows."""

    def mutated(own: Gate, counts: Counts) -> int:
        return own.tolerate.rounded_up(counts.expected)

    with patch.object(rules, "tolerated", mutated):
        yield


@contextmanager
def carry_the_unsatisfied() -> Iterator[None]:
    """Take failures over into a new generation."""
    with patch.object(generations, "_stays", bool):
        yield


@contextmanager
def lease_without_fencing() -> Iterator[None]:
    """Hand out a task whose lease was lost under the token of whoever lost it."""
    original = leases.lease

    def mutated(task: Task, *rest: Any) -> leases.Change:  # noqa: ANN401 - passed on
        change = original(task, *rest)
        return change if task.state == "queued" else replace(change, task=replace(change.task, token=task.token))

    with patch.object(leases, "lease", mutated):
        yield


@contextmanager
def count_lost_leases_in_flight() -> Iterator[None]:
    """Take a lease that has run out for work in flight."""
    with patch.object(dispatch, "_is_held", lambda _desk, _phase, _task: True):
        yield


@contextmanager
def lease_what_is_over() -> Iterator[None]:
    """Hand out tasks of a phase that has ended."""
    with patch.object(dispatch, "AT_WORK", frozenset({"active", "opened", "done", "failed"})):
        yield


@contextmanager
def keep_an_old_yes() -> Iterator[None]:
    """Take a yes of the user's check for valid although somebody became worse since."""
    original = gate._asked

    def mutated(wish: gate.Open | gate.Fail | gate.Wait, scene: gate.Scene, now: datetime) -> gate.Verdict:
        vote = scene.phase.vote
        if vote is not None:
            scene = replace(scene, phase=replace(scene.phase, vote=replace(vote, worse=scene.phase.worse)))
        return original(wish, scene, now)

    with patch.object(gate, "_asked", mutated):
        yield


@contextmanager
def ignore_the_halt() -> Iterator[None]:
    """Decide gates under a halt."""
    with patch.object(clocks, "halted", lambda _halts, _now: None):
        yield


@contextmanager
def stall_in_spite_of_progress() -> Iterator[None]:
    """Count a stall from the phase's start, whatever progress it made."""
    original = gate.stall_at

    def mutated(scene: gate.Scene, now: datetime) -> datetime | None:
        return original(replace(scene, phase=replace(scene.phase, progress_at=None)), now)

    with patch.object(gate, "stall_at", mutated):
        yield


@contextmanager
def name_nobody() -> Iterator[None]:
    """Open by a clock without naming who is missing."""
    with patch.object(rolls, "missing_names", lambda _tx, _plan, _phase, _most: ()):
        yield


@contextmanager
def forget_the_alert() -> Iterator[None]:
    """Tell nobody that a gate opened by a clock."""
    original = Desk.alert

    def mutated(self: Desk, phase: Phase, fact: str, text: str, **rest: Any) -> None:  # noqa: ANN401 - passed on
        if fact != "opening":
            original(self, phase, fact, text, **rest)

    with patch.object(Desk, "alert", mutated):
        yield


@contextmanager
def break_a_satisfied_member() -> Iterator[None]:
    """Let a contradiction replace a satisfied settlement."""
    original = settling._standing_answer

    def mutated(subject: settling.Subject, report: Report) -> Answer:
        given = original(subject, report)
        return Answer(kind="accepted") if given.kind == "conflict" and report.part is None else given

    with patch.object(settling, "_standing_answer", mutated):
        yield


@contextmanager
def forget_a_late_rerun() -> Iterator[None]:
    """Drop the new generation that late reports asked for."""

    def mutated(desk: Desk, phase: Phase) -> None:
        desk.change(phase, due_at=None, rerun_at=None)

    with patch.object(judging, "_rerun_for_late", mutated):
        yield


@contextmanager
def rerun_without_settling() -> Iterator[None]:
    """Make the new generation with the first late report, so that those that follow ask for another."""
    original = core_late.wanted

    def mutated(
        policy: Late, report: core_late.LateReport, automatic: int, limits: core_late.Limits
    ) -> core_late.Wanted:
        return original(policy, report, automatic, replace(limits, settling=timedelta(0)))

    with patch.object(core_late, "wanted", mutated):
        yield


@contextmanager
def rerun_when_looked_at() -> Iterator[None]:
    """Make the new generation whenever somebody looks at the phase, although it is not due."""
    original = judging._rerun_for_late

    def mutated(desk: Desk, phase: Phase) -> None:
        original(desk, desk.change(phase, rerun_at=phase.rerun_at and min(phase.rerun_at, desk.now)))

    with patch.object(judging, "_rerun_for_late", mutated):
        yield


@contextmanager
def rerun_without_end() -> Iterator[None]:
    """Let late reports make as many generations as they like."""
    with patch.object(late, "_automatic", lambda *_: 0):
        yield


@contextmanager
def read_flags_at_each_task() -> Iterator[None]:
    """Give each task the flags of now, not those that its generation has frozen."""
    original = assign.Assigner._assignment

    def mutated(self: assign.Assigner, view: Snapshot, lease: Lease, **more: Any) -> Assignment:  # noqa: ANN401 - as it is
        given = original(self, view, lease, **more)
        states = {state.name: state for state in view.flags()}
        return replace(given, rules=flags.freeze(view.plan(given.run), states))

    with patch.object(assign.Assigner, "_assignment", mutated):
        yield


@contextmanager
def thaw_in_late_reruns() -> Iterator[None]:
    """Freeze the flags of now in generations that late reports make."""
    original = starting.new_generation

    def mutated(desk: Desk, run_id: str, plan: Plan, first: str, again: Sequence[str], *, cause: str) -> Run:
        return original(desk, run_id, flagging.freeze(desk, plan), first, again, cause=cause)

    with patch.object(starting, "new_generation", mutated):
        yield


@contextmanager
def rerun_with_old_flags() -> Iterator[None]:
    """Have an operator's new generation keep what was frozen when the first began."""
    original = flagging.freeze

    def mutated(desk: Desk, plan: Plan) -> Plan:
        older = desk.tx.runs(pipeline=plan.pipeline, superseded=True)
        return replace(plan, frozen=desk.plan(older[-1].id).frozen) if older else original(desk, plan)

    with patch.object(flagging, "freeze", mutated):
        yield


MUTANTS: tuple[Mutant, ...] = (
    count_messages,
    open_without_compare_and_set,
    deadline_from_creation,
    decide_on_an_unsealed_roll,
    accept_an_old_token,
    acknowledge_before_the_commit,
    count_late_reports,
    count_between_close_and_opening,
    count_twice_on_better_news,
    skip_phases_in_the_sweep,
    restart_the_grace,
    forget_the_grace,
    hand_over_outside_the_commit,
    round_the_tolerated_up,
    carry_the_unsatisfied,
    lease_without_fencing,
    count_lost_leases_in_flight,
    lease_what_is_over,
    keep_an_old_yes,
    ignore_the_halt,
    stall_in_spite_of_progress,
    name_nobody,
    forget_the_alert,
    break_a_satisfied_member,
    forget_a_late_rerun,
    rerun_without_settling,
    rerun_when_looked_at,
    rerun_without_end,
    read_flags_at_each_task,
    thaw_in_late_reruns,
    rerun_with_old_flags,
)
"""Every bug that the simulator is shown to find."""
