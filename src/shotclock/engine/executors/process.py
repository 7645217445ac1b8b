"""Functions in child processes: warm and used again, ended at their timeout, and harming nobody else when they die."""

import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from threading import Lock, Thread
from typing import Final

import msgspec

from shotclock.engine.asking import Live
from shotclock.engine.executors import Noted
from shotclock.engine.executors.child import ASK, FLAG, JOB, LAST, REPORT, STOP, Known, Line
from shotclock.engine.job import Ended, Job, Key, died, failed_again, timed_out
from shotclock.model import Again, Flag, TaskReport
from shotclock.saying import saying

_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]);"
    "from shotclock.engine.executors.child import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
"""What a child runs: it finds modules where its parent does."""


class _Child:
    """One child process, and the job it has."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.cut = False
        self.gone = False
        self._sending = Lock()
        self.pipe, theirs = Pipe()
        handle = theirs.fileno()
        arguments = [str(handle), str(logging.getLogger().getEffectiveLevel()), json.dumps(sys.path)]
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, with a program of ours
            [sys.executable, "-u", "-c", _START, *arguments],
            pass_fds=(handle,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._end = _end_of(self.process.pid)

    def hear(self) -> bytes:
        """Wait for a message; raises `EOFError` once the child has ended, though a copy that it made holds the pipe."""
        if self._end is not None and self.pipe not in wait([self.pipe, self._end]):
            raise EOFError
        return self.pipe.recv_bytes()

    def bury(self) -> int:
        """Take note of the child's end, and end what it has left behind; return how it ended."""
        code = self.process.wait()
        self.signal(signal.SIGKILL)
        if self._end is not None:
            os.close(self._end)
        return code

    def send(self, what: bytes, value: Job | Known | None = None) -> None:
        """Send a message; a child that is dead is heard of by whoever listens to it."""
        with suppress(OSError), self._sending:
            self.pipe.send_bytes(what + (b"" if value is None else msgspec.json.encode(value)))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child and whatever it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _end_of(pid: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


class ProcessExecutor:
    """Keeps as many children as jobs ran at once; a child that died is replaced when it is needed."""

    def __init__(self, ended: Ended, live: Live, noted: Noted) -> None:
        self._ended = ended
        self._live = live
        self._noted = noted
        self._free: list[_Child] = []
        self._busy: dict[Key, _Child] = {}
        self._lock = Lock()

    def start(self, job: Job) -> None:
        """Begin a job in a free child, or in a new one; a child that cannot be started is a failed attempt."""
        with self._lock:
            child = self._free.pop() if self._free else None
        try:
            child = child or self._new_child()
        except OSError as error:
            reason = f"no child process can be started: {error.strerror or error}"
            self._ended(job, failed_again(job, Again(cause="error", reason=reason)))
            return
        with self._lock:
            child.job, self._busy[job.key] = job, child
            gone = child.gone
        if gone:
            self._died(child, child.process.wait())
        else:
            child.send(JOB, job)

    def _new_child(self) -> _Child:
        child = _Child()
        Thread(target=self._listen, args=(child,), name=f"shotclock child {child.process.pid}", daemon=True).start()
        return child

    def stop(self, key: Key) -> bool:
        """Raise the function's `ctx.stop`."""
        with self._lock:
            child = self._busy.get(key)
            if child is not None:
                child.send(STOP)
            return child is not None

    def cut(self, key: Key) -> None:
        """Ask the child to end."""
        self._signal(key, signal.SIGTERM)

    def kill(self, key: Key) -> None:
        """End the child."""
        self._signal(key, signal.SIGKILL)

    def _signal(self, key: Key, number: signal.Signals) -> None:
        with self._lock:
            child = self._busy.get(key)
            if child is not None:
                child.cut = True
                child.signal(number)

    def drop(self) -> None:
        """End the children that have a job."""
        with self._lock:
            children = list(self._busy.values())
            self._busy.clear()
            for child in children:
                child.signal(signal.SIGKILL)
        for child in children:
            child.process.wait()

    def close(self) -> None:
        """End the children that are free."""
        with self._lock:
            children, self._free = self._free, []
            for child in children:
                child.signal(signal.SIGKILL)
        for child in children:
            child.process.wait()

    def _listen(self, child: _Child) -> None:
        """Take what a child sends, until it is gone."""
        try:
            while True:
                message = child.hear()
                if message[:1] in {REPORT, LAST}:
                    report = msgspec.json.decode(message[1:], type=TaskReport)
                    self._answered(child, report, stays=message[:1] == REPORT)
                elif message[:1] == ASK:
                    asked = msgspec.json.decode(message[1:], type=Flag)
                    child.send(FLAG, Known(name=asked.name, rule=self._live(asked)))
                elif message[:1] == FLAG:
                    self._note(child, msgspec.json.decode(message[1:], type=Known))
                else:
                    line = msgspec.json.decode(message[1:], type=Line)
                    with saying(line.about):
                        logging.getLogger(line.name).log(line.level, "%s", line.text)
        except (EOFError, OSError):
            self._died(child, child.bury())

    def _note(self, child: _Child, known: Known) -> None:
        job = child.job
        if job is not None:
            self._noted(job.key, known.name, known.rule)

    def _answered(self, child: _Child, report: TaskReport, *, stays: bool) -> None:
        with self._lock:
            job = child.job
            if job is None or (report.phase, report.work, report.lo, report.token) != job.key:
                return  # a copy of the child that its function made speaks of a job that was answered already
            child.job = None
            if self._busy.pop(job.key, None) is None:
                return
            if stays and not child.cut:
                self._free.append(child)
        self._ended(job, report)

    def _died(self, child: _Child, code: int) -> None:
        with self._lock:
            child.gone = True
            child.pipe.close()
            job, child.job = child.job, None
            self._free = [other for other in self._free if other is not child]
            known = job is not None and self._busy.pop(job.key, None) is not None
        if job is not None and known:
            self._ended(job, timed_out(job) if child.cut else died(job, code))
