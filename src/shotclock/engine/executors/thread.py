"""Functions in threads of this process: cheap, and at their timeout they can only be left behind."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread

from shotclock.engine.job import Ended, Job, Key, timed_out
from shotclock.model import TaskReport

Stopped = Callable[[], bool]


class _Running:
    """A job in a thread."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop = Event()
        self.left = False
        """Whether the thread was left behind with it."""


class ThreadExecutor:
    """Runs jobs in daemon threads that are used again; a thread that hangs past its job's timeout is replaced."""

    def __init__(self, perform: Callable[[Job, Stopped], TaskReport], ended: Ended) -> None:
        self._perform = perform
        self._ended = ended
        self._queue: SimpleQueue[_Running | None] = SimpleQueue()
        self._running: dict[Key, _Running] = {}
        self._free = 0
        self._threads = 0
        self._left: list[_Running] = []
        self._lock = Lock()

    def start(self, job: Job) -> None:
        """Begin a job in a free thread, or in a new one."""
        running = _Running(job)
        with self._lock:
            self._running[job.key] = running
            fresh = self._free == 0
            if fresh:
                self._threads += 1
            else:
                self._free -= 1
        if fresh:
            Thread(target=self._work, args=(running,), name=f"shotclock {self._threads}", daemon=True).start()
        else:
            self._queue.put(running)

    def stop(self, key: Key) -> bool:
        """Raise the function's `ctx.stop`; a thread cannot be ended."""
        running = self._running.get(key)
        if running is not None:
            running.stop.set()
        return False

    def cut(self, key: Key) -> None:
        """Report the job as timed out and leave its thread behind."""
        with self._lock:
            running = self._running.pop(key, None)
            if running is None:
                return
            running.left = True
            self._left.append(running)
        running.stop.set()
        self._ended(running.job, timed_out(running.job))

    def kill(self, key: Key) -> None:
        """Do nothing: what was cut was left behind."""

    def left_behind(self) -> list[Job]:
        """Return the jobs whose threads were left behind and still run."""
        with self._lock:
            return [running.job for running in self._left]

    def drop(self) -> None:
        """Tell every job that nobody waits for it; its thread ends with it, unheard."""
        with self._lock:
            for running in self._running.values():
                running.stop.set()
                running.left = True
            self._running.clear()

    def close(self) -> None:
        """Let free threads end."""
        with self._lock:
            for _ in range(self._free):
                self._queue.put(None)
            self._free = 0

    def _work(self, running: _Running | None) -> None:
        while running is not None:
            report = self._perform(running.job, running.stop.is_set)
            with self._lock:
                if running.left:
                    self._left = [other for other in self._left if other is not running]
                    return
                del self._running[running.job.key]
                self._free += 1
            self._ended(running.job, report)
            running = self._queue.get()
