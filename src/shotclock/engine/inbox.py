"""What an engine's loop waits for: tasks that have ended, and bells that say "look"."""

from queue import Empty, SimpleQueue

from shotclock.engine.job import Job
from shotclock.model import TaskReport

Ending = tuple[Job, TaskReport]


class Inbox:
    """Where any thread, and a signal handler, leaves word for the loop."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Ending | None] = SimpleQueue()
        self._rung = False

    def ended(self, job: Job, report: TaskReport) -> None:
        """Leave the report of a job that has ended."""
        self._queue.put((job, report))

    def ring(self) -> None:
        """Ask the loop to look; bells that it has not heard yet are one."""
        if not self._rung:
            self._rung = True
            self._queue.put(None)

    def take(self, timeout: float) -> tuple[list[Ending], bool]:
        """Wait until there is something, `timeout` seconds at most; return all that ended, and whether a bell rang."""
        found: list[Ending] = []
        rung = False
        try:
            word = self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait()
            while True:
                if word is None:
                    rung = True
                    self._rung = False
                else:
                    found.append(word)
                word = self._queue.get_nowait()
        except Empty:
            return found, rung
