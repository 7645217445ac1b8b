"""The queue of writes: whoever comes first leads, commits for all who wait, then appoints the next in line.

A thread that writes appends its job. If nobody leads it leads at once; otherwise it sleeps until its job is settled or
it is appointed. A leader carries out one group, wakes its members, and appoints the head of what has gathered since.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

from shotclock.errors import StoreUnavailableError
from shotclock.ports import Transaction


class Job:
    """One caller's work, and what became of it."""

    def __init__(self, work: Callable[[Transaction], Any]) -> None:
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
    """Jobs that wait, and whether somebody leads."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._waiting: deque[Job] = deque()
        self._led = False

    def submit(self, job: Job, lead: Callable[[Job], None]) -> None:
        """Return once the job is settled, here or by another thread; `lead` carries out one group, this job in it."""
        try:
            if not self._enter(job):
                job.wake.acquire()
            if not job.settled:
                lead(job)
        finally:
            self._leave(job)

    def take(self, group: list[Job]) -> bool:
        """Move the head of the queue to the group; say whether there was one."""
        with self._mutex:
            if not self._waiting:
                return False
            group.append(self._waiting.popleft())
            return True

    def put_back(self, jobs: list[Job]) -> None:
        """Return jobs to the head of the queue, in order."""
        with self._mutex:
            self._waiting.extendleft(reversed(jobs))

    def _enter(self, job: Job) -> bool:
        with self._mutex:
            self._waiting.append(job)
            job.leads = not self._led
            self._led = True
            return job.leads

    def _leave(self, job: Job) -> None:
        with self._mutex:
            if not job.settled and job in self._waiting:
                self._waiting.remove(job)
            if not job.leads:
                return
            job.leads = False
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].leads = True
                self._waiting[0].wake.release()


def interrupted() -> StoreUnavailableError:
    """Return the error for a job whose leader was interrupted while it ran."""
    message = "the thread that was committing was interrupted; nothing of this call was stored: repeat it"
    return StoreUnavailableError(message)
