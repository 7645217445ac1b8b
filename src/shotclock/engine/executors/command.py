"""Commands: programs in process groups of their own, heard by their exit code and last line."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import IO, Any, Final

import msgspec

from shotclock.engine import results
from shotclock.engine.asking import Live, words
from shotclock.engine.executors import Noted
from shotclock.engine.job import Ended, Job, Key, died, failed_again, failed_for_good, settled, timed_out
from shotclock.errors import MemberError
from shotclock.model import CODE, Again, TaskReport
from shotclock.outcomes import Empty, Outcome, Skipped, Succeeded

TRY_AGAIN: Final = os.EX_TEMPFAIL
"""The exit code that asks to be tried again."""
_TAIL: Final = 1 << 20
"""Bytes of the end of a stream in which its last line is looked for."""


class _Running:
    """A command that has started, or is about to."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.process: subprocess.Popen[bytes] | None = None
        self.cut = False
        self.unheard = False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, if anybody of it is left."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


class CommandExecutor:
    """Runs each command under a thread that waits for it."""

    def __init__(self, ended: Ended, live: Live, noted: Noted) -> None:
        self._ended = ended
        self._live = live
        self._noted = noted
        self._running: dict[Key, _Running] = {}
        self._lock = Lock()

    def start(self, job: Job) -> None:
        """Begin a command."""
        running = _Running(job)
        with self._lock:
            self._running[job.key] = running
        Thread(target=self._work, args=(running,), name=f"shotclock {job.command[0]}", daemon=True).start()

    def stop(self, key: Key) -> bool:
        """Let the command be cut soon: it has no other way to hear of it."""
        return key in self._running

    def cut(self, key: Key) -> None:
        """Ask the whole group to end."""
        self._signal(key, signal.SIGTERM)

    def kill(self, key: Key) -> None:
        """End the whole group."""
        self._signal(key, signal.SIGKILL)

    def drop(self) -> None:
        """End every command."""
        with self._lock:
            for running in self._running.values():
                running.cut = running.unheard = True
                running.signal(signal.SIGKILL)
            self._running.clear()

    def close(self) -> None:
        """Do nothing: nothing is kept."""

    def _signal(self, key: Key, number: signal.Signals) -> None:
        with self._lock:
            running = self._running.get(key)
            if running is not None:
                running.cut = True
                running.signal(number)

    def _work(self, running: _Running) -> None:
        job = running.job
        try:
            report = self._run(running)
        except OSError as error:
            message = (
                f"{job.command[0]} cannot be started ({error.strerror or error}); correct the command in pipeline.yaml"
            )
            report = failed_for_good(job, message)
        with self._lock:
            self._running.pop(job.key, None)
        if not running.unheard:
            self._ended(job, report)

    def _run(self, running: _Running) -> TaskReport:
        with TemporaryDirectory(prefix="shotclock-") as folder:
            context = Path(folder, "context.json")
            context.write_bytes(msgspec.json.encode(running.job.assignment))
            with Path(folder, "out").open("w+b") as out, Path(folder, "err").open("w+b") as err:
                process = self._start(running, context, out, err)
                code = process.wait()
                if running.cut:
                    running.signal(signal.SIGKILL)
                    return timed_out(running.job)
                return _report(running.job, code, _last_line(out), _last_line(err))

    def _start(self, running: _Running, context: Path, out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        job = running.job
        told = {**environment(job, context), **self._flags(job)}
        with self._lock:
            running.process = subprocess.Popen(  # noqa: S603 - the command is the pipeline's own, and no shell reads it
                job.command,
                cwd=job.folder or None,
                env={**os.environ, **told},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            if running.cut:
                running.signal(signal.SIGKILL)
            return running.process

    def _flags(self, job: Job) -> dict[str, str]:
        """Return what a command is told of flags as it starts; all of them count as asked for."""
        assignment = job.assignment
        if not assignment.flags:
            return {}
        live = {name: self._live(flag) for name, flag in assignment.flags.items() if flag.binding == "live"}
        for name, rule in {**assignment.rules, **live}.items():
            self._noted(job.key, name, rule)
        return {"SHOTCLOCK_FLAGS": words(assignment, lambda flag: live[flag.name])}


def environment(job: Job, context: Path) -> dict[str, str]:
    """Return what a command is told of its task; the file `context` has all of it as JSON."""
    told = job.assignment
    return {
        "SHOTCLOCK_RUN": told.run,
        "SHOTCLOCK_KEY": told.key,
        "SHOTCLOCK_MODE": told.mode,
        "SHOTCLOCK_PHASE": told.phase,
        "SHOTCLOCK_MEMBER": told.member,
        "SHOTCLOCK_TOKEN": str(told.token),
        "SHOTCLOCK_PARTIAL": "1" if told.partial else "0",
        "SHOTCLOCK_CONTEXT": str(context),
    }


def _last_line(stream: IO[bytes]) -> str:
    """Return the last line that is not blank."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(size - _TAIL, 0))
    lines = stream.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _report(job: Job, code: int, said: str, complaint: str) -> TaskReport:
    if code < 0:
        return died(job, code)
    if code:
        reason = results.one_line(f"exit code {code}{': ' if complaint else ''}{complaint}")
        return failed_again(job, Again(cause="retry" if code == TRY_AGAIN else "error", reason=reason))
    try:
        heard = results.read(_outcome(said), job.payload_bytes)
    except MemberError as error:
        return failed_for_good(job, str(error))
    notes = {} if heard.note is None else {job.lo: heard.note}
    return settled(job, bytes((CODE[heard.kind],)), notes)


def _outcome(line: str) -> Outcome:
    """Read the last line of a command that succeeded; one that is no JSON object says nothing."""
    try:
        said: Any = json.loads(line) if line.startswith("{") else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return Succeeded()
    if "skipped" in said:
        return Skipped(said["skipped"])
    if said.get("empty") is True:
        return Empty()
    outputs = said.get("outputs", {})
    if not isinstance(outputs, dict):
        message = f"the last line's outputs are {results.one_line(outputs)}, not an object"
        raise MemberError(message)
    return Succeeded(rows=said.get("rows"), outputs=outputs)
