"""This process as the store knows it, and whether another one of this machine still lives."""

import os
import socket
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from shotclock.model import Process, Rule
from shotclock.settings import Settings, shown

_numbers = count(1)


def this_process(now: datetime, settings: Settings, *, kind: str, tags: Iterable[str]) -> Process:
    """Return the record of an engine in this process: ``host:pid:start``, and a number, since there may be several."""
    host, pid = socket.gethostname(), os.getpid()
    started = _started(pid) or str(int(now.timestamp()))
    name = f"{host}:{pid}:{started}.{next(_numbers)}"
    return Process(
        name=name,
        host=host,
        pid=pid,
        started_at=now,
        beat_at=now,
        version=_version(),
        kind=kind,
        tags=tuple(sorted(tags)),
        settings=shown(settings),
    )


def beaten(
    process: Process, now: datetime, flags: Mapping[str, Rule] = MappingProxyType({}), *, ended: bool = False
) -> Process:
    """Return the record with a fresh sign of life and what is believed, or with the last one of who leaves."""
    return replace(process, beat_at=now, flags=dict(flags), ended_at=now if ended else None)


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


def lives(process: Process, now: datetime, lease: timedelta) -> bool:
    """Say whether a process may be at work: it has not left, was heard of in time, is not known to be dead."""
    return process.ended_at is None and process.beat_at + lease >= now and alive(process.name)


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
