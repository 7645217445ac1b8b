"""Functions in threads of this process: cheap, and at their timeout they can only be left behind."""

from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Lock, Semaphore, Thread

from shotclock.engine.job import Ended, Job, Key, timed_out
from shotclock.model import TaskReport

Stopped = Callable[[], bool]


class _Running:
    """A job in a thread, or on its way to one."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.key = job.key
        self.stopped = False
        """Whether the function is asked to end."""
        self.left = False
        """Whether the thread was left behind with it."""


class ThreadExecutor:
    """Runs jobs in daemon threads that are used again; a thread that hangs past its job's timeout is replaced.

    One thread at a time is on its way: it calls the next before it begins, if jobs still wait. So jobs that block run
    all at once, while those that are over in no time are seen to by few threads, without a change of thread for each.
    """

    def __init__(self, perform: Callable[[Job, Stopped], TaskReport], ended: Ended) -> None:
        self._perform = perform
        self._ended = ended
        self._waiting: deque[_Running] = deque()
        self._running: dict[Key, _Running] = {}
        self._called = False
        """Whether a thread is on its way to the jobs that wait."""
        self._free = 0
        self._bell = Semaphore(0)
        self._threads = 0
        self._left: list[_Running] = []
        self._closed = False
        self._lock = Lock()

    def start(self, job: Job) -> None:
        """Begin a job in a free thread, or in a new one."""
        running = _Running(job)
        with self._lock:
            self._running[running.key] = running
            self._waiting.append(running)
            self._call()

    def _call(self) -> None:
        """Have a thread come, unless one is on its way; the lock is held."""
        if self._called:
            return
        self._called = True
        if self._free:
            self._free -= 1
            self._bell.release()
        else:
            self._threads += 1
            Thread(target=self._work, name=f"shotclock {self._threads}", daemon=True).start()

    def stop(self, key: Key) -> bool:
        """Raise the function's `ctx.stop`; a thread cannot be ended."""
        running = self._running.get(key)
        if running is not None:
            running.stopped = True
        return False

    def cut(self, key: Key) -> None:
        """Report the job as timed out and leave its thread behind."""
        with self._lock:
            running = self._running.pop(key, None)
            if running is None:
                return
            running.left = True
            self._left.append(running)
        running.stopped = True
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
                running.stopped = True
                running.left = True
            self._running.clear()
            self._waiting.clear()

    def close(self) -> None:
        """Let free threads end."""
        with self._lock:
            self._closed = True
            for _ in range(self._free):
                self._bell.release()
            self._free = 0

    def _work(self) -> None:
        running = self._next(called=True)
        while running is not None:
            report = self._perform(running.job, partial(getattr, running, "stopped"))
            with self._lock:
                if running.left:
                    self._left = [other for other in self._left if other is not running]
                    return
                del self._running[running.key]
                following = self._take()
            self._ended(running.job, report)
            running = following or self._next(called=False)

    def _next(self, *, called: bool) -> _Running | None:
        """Return the next job, once there is one; None to end."""
        while True:
            with self._lock:
                if called:
                    self._called = False
                running = self._take()
                if running is not None or self._closed:
                    return running
                self._free += 1
            self._bell.acquire()
            called = True

    def _take(self) -> _Running | None:
        """Take the first job that still counts, and call another thread for those behind it; the lock is held."""
        while self._waiting:
            running = self._waiting.popleft()
            if running.left:
                self._left.remove(running)
                continue
            if self._waiting:
                self._call()
            return running
        return None
