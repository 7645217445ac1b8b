"""Users' checks: a gate's last question, asked outside any transaction, with a bounded time to answer.

A check is ``def check(ctx: Context, ruling: Ruling) -> bool | str``. True lets the phase open as the ruling says;
False, or a text that says why, vetoes it. `ctx.settled()` yields how the members stand, `ctx.inputs` is what the phase
was given. A check that raises, hangs, or answers anything else is a no, with the reason.
"""

import logging
from collections.abc import Callable
from threading import Lock, Thread, Timer

from shotclock.amounts import words
from shotclock.context import Context
from shotclock.engine import results
from shotclock.engine.asking import Asking, Live
from shotclock.engine.assign import Assigner
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Question
from shotclock.engine.members import resolve
from shotclock.errors import ShotclockError
from shotclock.model import Phase, Rule
from shotclock.ports import Warehouse

_log = logging.getLogger("shotclock.check")


class _Asked:
    """A question and its one answer: whoever gives it first."""

    def __init__(self, coordinator: Coordinator, question: Question) -> None:
        self.question = question
        self.phase: Phase = coordinator.store.read(lambda view: view.phase(question.phase))
        self._coordinator = coordinator
        self._lock = Lock()
        self._answered = False
        self._flags: dict[str, Rule] = {}

    @property
    def answered(self) -> bool:
        """Whether it was answered, so that nobody waits for the check any more."""
        return self._answered

    def note(self, name: str, rule: Rule) -> None:
        """Keep what held for a flag that the check asked for."""
        self._flags[name] = rule

    def answer(self, *, yes: bool, reason: str) -> None:
        """Give the answer, if nobody did before."""
        with self._lock:
            if self._answered:
                return
            self._answered = True
        try:
            self._coordinator.vote(self.question, yes=yes, reason=reason, asked=self.phase, flags=self._flags)
        except ShotclockError as error:
            # Nothing is lost: the phase keeps until when it was asked, and the sweep asks again then.
            _log.warning("%s %s: the answer was not stored: %s", self.phase.run, self.phase.name, error)


class Checks:
    """Asks users' checks, each in a thread of its own."""

    def __init__(self, coordinator: Coordinator, warehouse: Callable[[str], Warehouse] | None, live: Live) -> None:
        self._coordinator = coordinator
        self._assigner = Assigner(coordinator.store, coordinator.settings)
        self._warehouse = warehouse
        self._live = live

    def ask(self, question: Question) -> None:
        """Put a question; its answer is voted by itself, at the latest when its time is over."""
        asked = _Asked(self._coordinator, question)
        limit = self._coordinator.settings.check
        reason = f"{question.function} did not answer within {words(limit)}"
        timer = Timer(limit.total_seconds(), asked.answer, kwargs={"yes": False, "reason": reason})
        timer.daemon = True
        timer.start()
        Thread(target=self._put, args=(asked, timer), name=f"shotclock check {question.function}", daemon=True).start()

    def _put(self, asked: _Asked, timer: Timer) -> None:
        function, folder = asked.question.function, ""
        try:
            clock = self._coordinator.clock
            assignment, folder = self._assigner.for_check(asked.phase, clock.now() + self._coordinator.settings.check)
            context = Context(
                assignment,
                now=clock.now,
                stopped=lambda: asked.answered,
                settled=lambda: self._assigner.settled(asked.phase),
                warehouse=None if self._warehouse is None else lambda: self._of(assignment.pipeline),
                flags=Asking(assignment, self._live, asked.note) if assignment.flags else None,
            )
            yes, reason = _read(function, resolve(function, folder)(context, asked.question.ruling))
        except BaseException as error:  # noqa: BLE001 - whatever a check raises is a no
            _log.warning("%s raised", function, exc_info=error)
            yes, reason = False, f"{function} raised {results.told(error, folder)}"
        timer.cancel()
        asked.answer(yes=yes, reason=reason)

    def _of(self, pipeline: str) -> Warehouse:
        assert self._warehouse is not None
        return self._warehouse(pipeline)


def _read(function: str, answer: object) -> tuple[bool, str]:
    match answer:
        case bool():
            return answer, "" if answer else f"{function} said no"
        case str():
            return False, results.one_line(answer) or f"{function} said no"
        case _:
            return False, f"{function} returned {type(answer).__name__}; return True, False or why not"
