"""This process as the store knows it, and whether another one of this machine still lives."""

import os
import socket
from dataclasses import fields
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path

from msgspec.structs import replace

from shotclock.model import Process
from shotclock.settings import Settings, words

_numbers = count(1)


def this_process(now: datetime, settings: Settings) -> Process:
    """Return the record of an engine in this process: ``host:pid:start``, and a number, since there may be several."""
    host, pid = socket.gethostname(), os.getpid()
    started = _started(pid) or str(int(now.timestamp()))
    name = f"{host}:{pid}:{started}.{next(_numbers)}"
    return Process(
        name=name, host=host, pid=pid, started_at=now, beat_at=now, version=_version(), settings=_shown(settings)
    )


def _shown(settings: Settings) -> dict[str, str]:
    """Return settings as text, those that say where things lie left out."""
    given = {one.name: getattr(settings, one.name) for one in fields(settings) if one.name not in {"home", "store"}}
    return {name: words(value) if isinstance(value, timedelta) else str(value) for name, value in given.items()}


def beaten(process: Process, now: datetime) -> Process:
    """Return the record with a fresh sign of life."""
    return replace(process, beat_at=now)


def alive(name: str) -> bool:
    """Say whether the owner of that name may live: only one of this machine can be known to be dead.

    A later process under the same number is told apart where the system says when each started.
    """
    host, _, rest = name.rpartition(":")[0].partition(":")
    if host != socket.gethostname() or not rest.isdecimal():
        return True
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    started = _started(int(rest))
    return started is None or started == name.rpartition(":")[2].partition(".")[0]


def _started(pid: int) -> str | None:
    """Return when a process started, as the kernel counts: empty once it has ended, None where it does not tell."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _version() -> str:
    try:
        return version("shotclock")
    except PackageNotFoundError:
        return ""
