"""A leased task as executors are given it: plain data that crosses process borders, and the words of how it ended."""

import signal
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct

from shotclock.amounts import words
from shotclock.context import Assignment
from shotclock.model import CODE, Again, Note, TaskReport, Work
from shotclock.outcomes import Item

OUT_OF_MEMORY: Final = "out of memory"
Key = tuple[int, Work, int, int]
"""Phase, work, first ordinal and token: which lease of which task."""


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A task to be worked on: the function or command, what it is given, and the bounds it is held to."""

    phase: int
    token: int
    assignment: Assignment
    function: str = ""
    command: tuple[str, ...] = ()
    folder: str = ""
    """Folder of the pipeline file; functions are imported from its parent."""
    size: int = 0
    """Members in the range of the lease."""
    ordinals: tuple[int, ...] = ()
    """Those of them that have not settled."""
    items: tuple[Item, ...] = ()
    """For a chunk: the items of `ordinals`."""
    timeout: timedelta
    payload_bytes: int
    in_process: bool = False
    """Whether the function runs in a child process."""
    memory: int | None = None
    """Most bytes of address space of that child meanwhile."""

    @property
    def work(self) -> Work:
        """What kind of task it is."""
        return self.assignment.work

    @property
    def lo(self) -> int:
        """The first ordinal of its range."""
        return self.assignment.lo

    @property
    def limits(self) -> dict[str, str]:
        """The variable that tells whatever the task starts until when its answer counts."""
        until = self.assignment.deadline
        return {} if until is None else {"SHOTCLOCK_DEADLINE": until.isoformat(timespec="milliseconds")}

    @property
    def about(self) -> dict[str, object]:
        """What is logged while it is worked on is about this."""
        told = self.assignment
        where = {"pipeline": told.pipeline, "run": told.run, "phase": told.phase, "member": told.member}
        return {**where, "attempt": told.attempt}

    @property
    def key(self) -> Key:
        """Which lease of which task it is."""
        return (self.phase, self.assignment.work, self.assignment.lo, self.token)


Ended = Callable[[Job, TaskReport], None]
"""Where an executor tells that a job has ended; called from any thread."""


def failed_again(job: Job, again: Again) -> TaskReport:
    """Report an attempt at the whole task that settled nothing."""
    return TaskReport(phase=job.phase, work=job.work, lo=job.lo, token=job.token, whole=again)


def failed_for_good(job: Job, reason: str) -> TaskReport:
    """Report that the task can never succeed: all of its members that have not settled have failed."""
    if job.work in {"enumerate", "then"}:
        return TaskReport(phase=job.phase, work=job.work, lo=job.lo, token=job.token, permanent=reason)
    kinds = bytearray(job.size)
    for ordinal in job.ordinals:
        kinds[ordinal - job.lo] = CODE["failed"]
    return settled(job, bytes(kinds), dict.fromkeys(job.ordinals, Note(reason=reason)))


def settled(
    job: Job,
    kinds: bytes,
    notes: dict[int, Note],
    again: dict[int, Again] | None = None,
    outputs: Mapping[str, Any] | None = None,
) -> TaskReport:
    """Report how members settled, and who must be tried again."""
    return TaskReport(
        phase=job.phase,
        work=job.work,
        lo=job.lo,
        token=job.token,
        kinds=kinds,
        notes=notes,
        again=again or {},
        outputs=dict(outputs or {}),
    )


def timed_out(job: Job) -> TaskReport:
    """Report that the task was cut at its timeout."""
    return failed_again(job, Again(cause="timed_out", reason=f"cut at its timeout of {words(job.timeout)}"))


def out_of_memory(job: Job) -> TaskReport:
    """Report that the function needed more memory than its phase allows."""
    size, unit = job.memory or 0, "bytes"
    for larger in ("KB", "MB", "GB"):
        size, unit = (size >> 10, larger) if size % 1024 == 0 else (size, unit)
    return failed_again(job, Again(cause="error", reason=f"{OUT_OF_MEMORY} (limit {size}{unit})"))


def died(job: Job, code: int) -> TaskReport:
    """Report that the process that worked on the task ended without an answer."""
    return failed_again(job, Again(cause="died", reason=_death(code)))


def _death(code: int) -> str:
    """Say how a process ended that should have answered: a negative code is the signal that killed it."""
    if code >= 0:
        return f"its process ended by itself, exit code {code}"
    known = {number.value: number.name for number in signal.Signals}
    hint = ", as the system does when memory runs out" if code == -signal.SIGKILL else ""
    return f"its process was killed by {known.get(-code, f'signal {-code}')}{hint}"
