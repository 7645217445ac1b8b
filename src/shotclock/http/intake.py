"""Reports of many requests at once: one thread commits what has gathered while it committed before."""

import asyncio
import logging
from collections.abc import Sequence
from threading import Condition, Thread
from typing import Final

from shotclock.engine.coordinator import Coordinator
from shotclock.errors import BusyError, StoreUnavailableError
from shotclock.model import Answer, Report

_log = logging.getLogger("shotclock.intake")

Answers = list[Answer] | BaseException
_ENOUGH = 100
_NAME: Final = "shotclock intake"


class _Caller:
    """One request that waits for its answers."""

    __slots__ = ("future", "loop", "reports")

    def __init__(self, reports: Sequence[Report]) -> None:
        self.reports = reports
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[list[Answer]] = self.loop.create_future()


class Intake:
    """Hands reports to the coordinator, group by group; the answer to a request comes when it is durable.

    There is no timed window: a report that comes alone is committed at once, and those that come meanwhile together.
    At most `waiting` reports wait; more are refused with a time after which to come again.
    """

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._settings = coordinator.settings
        self._changed = Condition()
        self._callers: list[_Caller] = []
        self._waiting = 0
        self._rung = False
        """Whether those who came together are complete."""
        self._closed = False
        self._thread: Thread | None = None

    async def report(self, reports: Sequence[Report]) -> list[Answer]:
        """Return the answers once they are durable.

        Raises what `Coordinator.report` raises, `BusyError` where too many wait, and `StoreUnavailableError` after
        the service was told to stop: then nothing of this request was stored.
        """
        caller = _Caller(reports)
        with self._changed:
            self._enter(caller)
        return await caller.future

    def close(self) -> None:
        """Commit what waits, refuse what comes, and end; a repeat does nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _enter(self, caller: _Caller) -> None:
        if self._closed:
            message = "the service is stopping; nothing of this request was stored: send it again"
            raise StoreUnavailableError(message)
        if self._waiting and self._waiting + len(caller.reports) > self._settings.waiting:
            message = f"{self._waiting} reports wait for their commit, as many as setting waiting allows"
            raise BusyError(message, self._settings.sweep)
        self._callers.append(caller)
        self._waiting += len(caller.reports)
        if self._thread is None:
            self._thread = Thread(target=self._work, name=_NAME, daemon=True)
            self._thread.start()
        if len(self._callers) == 1:
            caller.loop.call_soon(self._look, caller.loop, 1)

    def _look(self, loop: asyncio.AbstractEventLoop, seen: int) -> None:
        """Ring once a turn of the event loop has brought nobody new: those who come at once share the commit.

        So the committing thread works while the loop has nothing to do, and the two seldom wait for the interpreter.
        """
        with self._changed:
            number = len(self._callers)
            if seen < number < _ENOUGH:
                loop.call_soon(self._look, loop, number)
            else:
                self._rung = True
                self._changed.notify()

    def _work(self) -> None:
        while (group := self._gather()) is not None:
            try:
                answers: Sequence[Answers] = self._coordinator.report_each([caller.reports for caller in group])
            except BaseException as error:  # noqa: BLE001 - whoever waits is told, whatever it is
                _log.exception("a group of %s requests was not taken", len(group))
                answers = [error] * len(group)
            _answer(group, answers)

    def _gather(self) -> list[_Caller] | None:
        """Wait for callers; return those whose reports go into one commit, None at the end."""
        with self._changed:
            while not (self._callers and self._rung) and not self._closed:
                self._changed.wait()
            if not self._callers:
                return None
            number = taken = 0
            while taken < len(self._callers) and number < self._settings.backlog:
                number += len(self._callers[taken].reports)
                taken += 1
            group = self._callers[:taken]
            del self._callers[:taken]
            self._waiting -= number
            self._rung = bool(self._callers)
            return group


def _answer(group: Sequence[_Caller], answers: Sequence[Answers]) -> None:
    """Wake every caller, those of one event loop in one go."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Caller, Answers]]] = {}
    for caller, answer in zip(group, answers, strict=True):
        loops.setdefault(caller.loop, []).append((caller, answer))
    for loop, pairs in loops.items():
        try:
            loop.call_soon_threadsafe(_wake, pairs)
        except RuntimeError:
            _log.warning("%s answers had nobody left to take them: the event loop has ended", len(pairs))


def _wake(pairs: Sequence[tuple[_Caller, Answers]]) -> None:
    for caller, answer in pairs:
        if caller.future.done():
            continue
        if isinstance(answer, BaseException):
            caller.future.set_exception(answer)
        else:
            caller.future.set_result(answer)
