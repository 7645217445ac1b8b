"""The service under load on loopback: single reports of 64 connections, many as lines, and a kill amid them."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from bench.ours import KEY, opened, rolled
from bench.peers.redis import MissingPartError
from shotclock import Coordinator
from shotclock.clock import SystemClock

SECONDS: Final = 5
"""How long each load lasts."""
CONNECTIONS: Final = 64
ROLL: Final = 400_000
"""Members of the roll: more than are reported in that time."""
LINES: Final = 10_000
"""Reports in one request of lines."""
SCRIPT: Final = str(Path(__file__).parent / "reports.lua")
RUN: Final = f"bench/{KEY}"


def single(connections: int = CONNECTIONS) -> dict[str, float]:
    """Report single members over HTTP, each durable before its answer; beside the same stack doing nothing."""
    with _nothing() as url:
        bare = _load(url, connections)
    with TemporaryDirectory() as home:
        phase = _roll(Path(home), ROLL)
        with served(home) as (_, url):
            mine = _load(url, connections)
        settled = _settled(Path(home), phase)
        assert settled >= mine["stored"], (settled, mine)
    rate, most = mine["stored"] / mine["seconds"], bare["stored"] / bare["seconds"]
    return {"rate": rate, "bare": most, "p50_ms": mine["p50_ms"], "p99_ms": mine["p99_ms"], "refused": mine["refused"]}


def lines(reports: int = 300_000, callers: int = 4) -> dict[str, float]:
    """Report many members over HTTP, ten thousand lines a request."""
    with TemporaryDirectory() as home:
        phase = _roll(Path(home), reports)
        with served(home) as (_, url):
            groups = [_body(lo, min(lo + LINES, reports)) for lo in range(0, reports, LINES)]
            start = monotonic()
            threads = [Thread(target=_post, args=(url, groups[first::callers])) for first in range(callers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = monotonic() - start
        assert _settled(Path(home), phase) == reports
    return {"rate": reports / took}


def killed(after: float = 2.0) -> dict[str, float]:
    """Kill the service amid load; return how many reports were answered, and how many of the store has."""
    with TemporaryDirectory() as home:
        phase = _roll(Path(home), ROLL)
        with served(home) as (process, url):
            killer = Thread(target=_kill, args=(process, after))
            killer.start()
            told = _load(url, CONNECTIONS)
            killer.join()
        return {"answered": told["stored"], "stored": float(_settled(Path(home), phase))}


def _kill(process: "subprocess.Popen[str]", after: float) -> None:
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)


def _roll(home: Path, items: int) -> int:
    """Make a store with a roll of members that report from outside; return the phase's number."""
    with opened(home) as (store, settings):
        _, phase = rolled(Coordinator(store, settings, SystemClock()), items, 500, "")
        return phase


def _settled(home: Path, phase: int) -> int:
    with opened(home) as (store, _):
        return store.read(lambda view: view.phase(phase).counts.satisfied)


@contextmanager
def served(home: str) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Give a service on the store of a folder and where it listens."""
    args = ["-m", "shotclock", "serve", "--home", home, "--listen", "127.0.0.1:0", "--json"]
    with _started(args) as (process, said):
        yield process, said["url"]


@contextmanager
def _nothing() -> Iterator[str]:
    with _started(["-m", "bench.nothing"]) as (_, said):
        yield said["url"]


@contextmanager
def _started(args: list[str]) -> "Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]":
    process = subprocess.Popen([sys.executable, *args], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def _load(url: str, connections: int) -> dict[str, float]:
    """Send reports for a while from that many connections."""
    program = shutil.which("wrk")
    if program is None:
        message = "wrk is missing: install Debian's wrk"
        raise MissingPartError(message)
    args = [program, "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", SCRIPT, url, "--", RUN, "1"]
    done = subprocess.run(args, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _body(lo: int, hi: int) -> bytes:
    said = (
        f'{{"run":"{RUN}","phase":"fan","member":"item-{name}","outcome":"succeeded","rows":1}}\n'
        for name in range(lo, hi)
    )
    return "".join(said).encode()


def _post(url: str, bodies: list[bytes]) -> None:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=120)
    for body in bodies:
        connection.request("POST", "/v1/reports", body, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, (answer.status, said[:300])
    connection.close()


MEASURES: dict[str, Callable[..., dict[str, float]]] = {
    "http_single": single,
    "http_lines": lines,
    "http_killed": killed,
}
