"""Calls that share a commit: whoever comes first leads, commits for all who wait, then appoints the next in line.

A thread appends its call. If nobody leads it leads at once; otherwise it sleeps until its call is settled or it is
appointed. A leader carries out one group, wakes its members, and appoints the head of what has gathered since.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

from shotclock.errors import StoreUnavailableError


class Call:
    """One caller's work, and what became of it."""

    def __init__(self, work: Any) -> None:  # noqa: ANN401 - whatever the leader knows how to carry out
        self.work = work
        self.ran = False
        """Whether it was carried out in the transaction at hand."""
        self.settled = False
        self.leads = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.wake = Lock()
        self.wake.acquire()

    def settle(self) -> None:
        """Let the caller go on."""
        if not self.settled:
            self.settled = True
            self.wake.release()

    def outcome(self) -> Any:  # noqa: ANN401 - what the work returned
        """Return the result, or raise the error."""
        if self.error is None:
            return self.result
        try:
            raise self.error
        finally:
            self.error = None


class Queue:
    """Calls that wait, and whether somebody leads."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._waiting: deque[Call] = deque()
        self._led = False

    def submit(self, call: Call, lead: Callable[[Call], None]) -> None:
        """Return once the call is settled, here or by another thread; `lead` carries out one group, this call in it."""
        try:
            if not self._enter(call):
                call.wake.acquire()
            if not call.settled:
                lead(call)
        finally:
            self._leave(call)

    def take(self, group: list[Call]) -> bool:
        """Move the head of the queue to the group; say whether there was one."""
        with self._mutex:
            if not self._waiting:
                return False
            group.append(self._waiting.popleft())
            return True

    def put_back(self, calls: list[Call]) -> None:
        """Return calls to the head of the queue, in order."""
        with self._mutex:
            self._waiting.extendleft(reversed(calls))

    def _enter(self, call: Call) -> bool:
        with self._mutex:
            self._waiting.append(call)
            call.leads = not self._led
            self._led = True
            return call.leads

    def _leave(self, call: Call) -> None:
        with self._mutex:
            if not call.settled and call in self._waiting:
                self._waiting.remove(call)
            if not call.leads:
                return
            call.leads = False
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].leads = True
                self._waiting[0].wake.release()


def interrupted() -> StoreUnavailableError:
    """Return the error for a call whose leader was interrupted while it ran."""
    message = "the thread that was committing was interrupted; nothing of this call was stored: repeat it"
    return StoreUnavailableError(message)
