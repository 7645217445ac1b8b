"""Bugs to plant that show only where a process dies at the one wrong moment, or a word comes at it."""
# ruff: noqa: SLF001 - a bug is planted where the product keeps its promises, in private places too

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from shotclock.core import settling
from shotclock.engine import flow, judging, late, working
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Desk
from shotclock.model import Answer, Phase, Report, Task, TaskReport
from shotclock.ports import Transaction

Postponed = list[Callable[[Desk], None]]


@contextmanager
def _afterwards(postponed: Postponed) -> Iterator[None]:
    """Carry out what was postponed in a commit of its own, if the process lives to see it."""
    do = Coordinator._do

    def mutated(self: Coordinator, work: Callable[[Desk], Any]) -> Any:  # noqa: ANN401 - passed on
        postponed.clear()
        result = do(self, work)
        while postponed:
            step = postponed.pop()
            do(self, step)
        return result

    with patch.object(Coordinator, "_do", mutated):
        yield


@contextmanager
def leave_closed_phases_to_who_closed_them() -> Iterator[None]:
    """Let nobody open a phase but the process that has closed it."""
    judge, own = judging.judge, Coordinator._open
    opening: list[int] = []

    def opened(self: Coordinator, phase_id: int) -> None:
        opening.append(phase_id)
        own(self, phase_id)

    def mutated(desk: Desk, phase: Phase) -> None:
        if phase.state == "closing" and phase.id not in opening:
            desk.change(phase, due_at=None)
        else:
            judge(desk, phase)
        opening.clear()

    with patch.object(judging, "judge", mutated), patch.object(Coordinator, "_open", opened):
        yield


@contextmanager
def put_the_opening_off_for_late_reports() -> Iterator[None]:
    """Look at a phase next when late reports have settled, although it is closed and must be opened."""
    consider = late.consider

    def mutated(desk: Desk, subject: settling.Subject, report: Report) -> None:
        consider(desk, subject, report)
        phase = desk.phase(subject.phase.id)
        if phase.rerun_at is not None:
            desk.change(phase, due_at=phase.rerun_at)

    with patch.object(late, "consider", mutated):
        yield


@contextmanager
def start_downstream_in_a_later_commit() -> Iterator[None]:
    """Complete a phase, and start what stands on it in a commit after that."""
    postponed: Postponed = []
    advance = flow.advance

    def mutated(desk: Desk, run_id: str) -> None:
        if any(phase.state == "done" for phase in desk.phases(run_id)):
            postponed.append(lambda later: advance(later, run_id))
        else:
            advance(desk, run_id)

    with _afterwards(postponed), patch.object(flow, "advance", mutated):
        yield


@contextmanager
def complete_in_a_later_commit() -> Iterator[None]:
    """End the task of a consolidation, and complete its phase in a commit after that."""
    postponed: Postponed = []
    complete, take = flow.complete, working._take_single

    def later(_desk: Desk, phase: Phase) -> None:
        postponed.append(lambda desk: complete(desk, desk.phase(phase.id)))

    def mutated(desk: Desk, phase: Phase, task: Task, report: TaskReport) -> Answer:
        with patch.object(flow, "complete", later):
            return take(desk, phase, task, report)

    with _afterwards(postponed), patch.object(working, "_take_single", mutated):
        yield


@contextmanager
def count_in_a_later_commit() -> Iterator[None]:
    """Write settlements in one commit, and the counts in the next."""

    def mutated(self: Coordinator, work: Callable[[Desk], Any]) -> Any:  # noqa: ANN401 - passed on
        def unit(tx: Transaction) -> tuple[Any, Desk]:
            desk = Desk(tx, self.clock.now(), self.settings, self.clock.jitter)
            result = work(desk)
            judging.decide_touched(desk)
            assert desk.tx is tx  # asking for it has the tasks written
            return result, desk

        def count(tx: Transaction) -> None:
            desk._tx = tx
            desk.clear()

        result, desk = self.store.write(unit)
        self.store.write(count)
        for phase_id in desk.closing:
            self._open(phase_id)
        return result

    with patch.object(Coordinator, "_do", mutated):
        yield


WORLD_MUTANTS: dict[Callable[[], AbstractContextManager[None]], str] = {
    leave_closed_phases_to_who_closed_them: "deadline",
    put_the_opening_off_for_late_reports: "late reports make a new generation",
    start_downstream_in_a_later_commit: "quorum with grace, and a phase after it",
    complete_in_a_later_commit: "a consolidation that is leased twice",
    count_in_a_later_commit: "deadline",
}
"""The bugs, each with the small world that finds it."""
