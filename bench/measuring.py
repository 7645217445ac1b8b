"""Measures in processes of their own, repeated and interleaved: medians of what each said."""

import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any, Final

from bench.peers.redis import MissingPartError, server

LIMIT: Final = 1_800.0
"""Most seconds one measure may take."""
PACKAGES: Final = ("shotclock", "msgspec", "psycopg", "celery", "dramatiq", "dbos", "procrastinate", "redis")


def child(name: str, **given: object) -> dict[str, Any]:
    """Take one measure of ours, or of the bare store."""
    return _run(["bench.child", name, json.dumps(given)], {})


def peer(module: str, function: str, **given: object) -> dict[str, Any]:
    """Take one measure of a peer, on a Redis of its own; raises `MissingPartError` where a part is not here."""
    if not _has(module.removesuffix("_app")):
        message = f"{module.removesuffix('_app')} is missing: run make bench, which installs it"
        raise MissingPartError(message)
    with server() as url:
        return _run(["bench.peers.child", module, function, json.dumps(given)], {"BENCH_REDIS": url})


def _run(args: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", *args]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode or not done.stdout.strip():
        message = f"{' '.join(args)}: exit code {done.returncode}: {done.stderr[-2_000:]}"
        raise RuntimeError(message)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _has(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def medians(found: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median of every number."""
    return {name: median(float(one[name]) for one in found) for name in found[0]}


def command_ms(args: list[str], home: Path) -> float:
    """Return how long a command takes, from start to end, in milliseconds."""
    start = monotonic()
    environment = {**os.environ, "SHOTCLOCK_HOME": str(home)}
    subprocess.run(args, env=environment, capture_output=True, timeout=LIMIT, check=True)
    return (monotonic() - start) * 1_000


def versions() -> str:
    """Name what was measured, and on what."""
    found = [f"{name} {version(name)}" for name in PACKAGES if _has(name)]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"
    return f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {', '.join(found)}; {machine}"


def load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return os.getloadavg()[0]
