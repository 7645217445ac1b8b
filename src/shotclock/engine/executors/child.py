"""The child's side of a process executor: takes jobs from a pipe one at a time, answers, and ends with its parent."""

import logging
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Final

import msgspec

from shotclock.context import Context
from shotclock.engine.asking import Asking
from shotclock.engine.job import OUT_OF_MEMORY, Job, failed_for_good, out_of_memory
from shotclock.engine.members import perform
from shotclock.engine.results import one_line
from shotclock.model import Flag, Rule, TaskReport
from shotclock.saying import about, plain, saying, text

JOB: Final = b"J"
STOP: Final = b"S"
REPORT: Final = b"R"
LAST: Final = b"E"
LOG: Final = b"L"
ASK: Final = b"A"
FLAG: Final = b"F"
"""What a message is: its first byte; the rest is JSON."""


_ALWAYS: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime"}
"""What every log record has; the rest was given with it."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A log record as it crosses to the parent, which has the handlers."""

    name: str
    level: int
    text: str
    about: dict[str, Any]
    """What the job is about, and what was given with the line, in words of JSON."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a flag: told by the parent that was asked, or noted by the child that asked."""

    name: str
    rule: Rule


class _Forward(logging.Handler):
    """Sends log records to the parent."""

    def __init__(self, pipe: "_Pipe") -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        given = {name: value for name, value in vars(record).items() if name not in _ALWAYS}
        said = plain({**about(), **given})
        assert isinstance(said, dict)
        self._pipe.send(LOG, Line(name=record.name, level=record.levelno, text=self._words(record), about=said))

    def _words(self, record: logging.LogRecord) -> str:
        try:
            return text(self.format(record))
        except Exception as error:  # noqa: BLE001 - what is logged may raise anything while it is looked at
            return f"a line that cannot be written: {type(error).__name__}: {plain(record.msg)}"


class _Pipe:
    """The end of the pipe on this side; any thread may send."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.told: SimpleQueue[Known] = SimpleQueue()
        """What the parent answers about flags."""
        self._lock = Lock()
        self._asking = Lock()

    def send(self, what: bytes, message: TaskReport | Line | Flag | Known) -> None:
        with self._lock:
            self.connection.send_bytes(what + msgspec.json.encode(message))

    def rule(self, flag: Flag) -> Rule:
        """Ask the parent what holds for a flag now."""
        with self._asking:
            self.send(ASK, flag)
            return self.told.get().rule

    def note(self, name: str, rule: Rule) -> None:
        """Tell the parent by what a question was answered."""
        self.send(FLAG, Known(name=name, rule=rule))


def main(handle: int, level: int) -> None:
    """Work until the parent closes the pipe, or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(handle, False)
    pipe = _Pipe(Connection(handle))
    logging.basicConfig(level=level, handlers=[_Forward(pipe)], force=True)
    jobs: SimpleQueue[tuple[Job, Event]] = SimpleQueue()
    Thread(target=_listen, args=(pipe, jobs), daemon=True).start()
    own = os.getpid()
    while True:
        job, stop = jobs.get()
        report = _answer(job, stop, pipe)
        if os.getpid() != own:
            os._exit(0)  # a copy that the function made and that came back from it
        used_up = report.whole is not None and report.whole.reason.startswith(OUT_OF_MEMORY)
        with suppress(BrokenPipeError):  # the parent is dead: whoever listens to it ends this process
            pipe.send(LAST if used_up else REPORT, report)
        if used_up:
            os._exit(0)  # what it still holds would be missing to the next job


@contextmanager
def _bounded(most: int | None) -> Iterator[None]:
    """Keep this process's address space within so many bytes."""
    if most is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    hard = before[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _listen(pipe: _Pipe, jobs: "SimpleQueue[tuple[Job, Event]]") -> None:
    """Hand on jobs, raise the flag of the one at work; without a parent there is nobody to work for."""
    stop = Event()
    try:
        while True:
            message = pipe.connection.recv_bytes()
            if message[:1] == JOB:
                stop = Event()
                jobs.put((msgspec.json.decode(message[1:], type=Job), stop))
            elif message[:1] == FLAG:
                pipe.told.put(msgspec.json.decode(message[1:], type=Known))
            else:
                stop.set()
    except (EOFError, OSError):
        sys.stdout.flush()
        os._exit(0)


def _answer(job: Job, stop: Event, pipe: _Pipe) -> TaskReport:
    os.environ.update(job.limits)  # for whatever the function starts; this process has one job at a time
    asking = Asking(job.assignment, pipe.rule, pipe.note) if job.assignment.flags else None
    try:
        with _bounded(job.memory), saying(job.about):
            report = perform(job, Context(job.assignment, stopped=stop.is_set, flags=asking))
    except MemoryError:  # there was not even room left to say so
        return out_of_memory(job)
    try:
        msgspec.json.encode(report)
    except Exception as error:  # noqa: BLE001 - a report that cannot be sent must still be an answer
        return failed_for_good(job, f"the answer cannot be sent: {one_line(error)}")
    return report
