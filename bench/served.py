"""Measures on a PostgreSQL server of the benchmark's own: a fleet of processes, bulk reports, hand-overs, and peers."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from bench.measuring import child, medians, peer
from bench.peers.redis import MissingPartError
from tests.servers import PostgresServer

WORKERS = 4
THREADS = 8
PATIENCE = 600.0
"""Most seconds a peer may take."""
SETTLING = 2.0
"""Seconds until processes that were started wait for work."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measure beside its target."""

    measure: str
    target: str
    shown: str
    met: bool | None


def lines(size: int, times: int) -> Iterator[Line]:
    """Yield what was measured on a server that waits for its disk at each commit."""
    server = PostgresServer(durable=True).start()
    try:
        yield _fleet(server, size, times)
        yield _bulk(server, size, times)
        yield _hand_over(server, times)
        yield from _peers(server, times)
    finally:
        server.remove()


def _fleet(server: PostgresServer, size: int, times: int) -> Line:
    found = []
    for _ in range(times):
        address = server.fresh()
        with serving(address, WORKERS) as home:
            found.append(child("fleet", home=home, address=address, items=size, workers=THREADS))
    rate = medians(found)["rate"]
    name = f"PostgreSQL: {size:,} items end to end, {WORKERS} processes of {THREADS} threads, chunk 500"
    return Line(measure=name, target="≥ 60,000/s", shown=f"{rate:,.0f}/s", met=rate >= 60_000)


def _bulk(server: PostgresServer, size: int, times: int) -> Line:
    ours, copied = [], []
    for _ in range(times):
        ours.append(child("bulk", items=size, address=server.fresh()))
        copied.append(child("copied", items=size, address=server.url))
    rate, bare = medians(ours)["rate"], medians(copied)["rate"]
    shown = f"{rate:,.0f}/s; COPY of a row each {bare:,.0f}/s: {rate / bare:.2f} ×"
    name = f"PostgreSQL: report of {size:,} members, 500 a transaction"
    return Line(measure=name, target="≥ 0.4 × COPY", shown=shown, met=rate / bare >= 0.4)


def _hand_over(server: PostgresServer, times: int) -> Line:
    found = []
    for _ in range(times):
        address = server.fresh()
        with serving(address, 1) as home:
            found.append(child("hand_over_across", home=home, runs=200, address=address))
    p50, p99 = medians(found)["p50_ms"], medians(found)["p99_ms"]
    name = "PostgreSQL: last report's commit to the first task of the next phase in another process"
    target = "p50 ≤ 2 ms, p99 ≤ 10 ms"
    return Line(measure=name, target=target, shown=f"p50 {p50:.2f} ms, p99 {p99:.2f} ms", met=p50 <= 2 and p99 <= 10)


def _peers(server: PostgresServer, times: int) -> Iterator[Line]:
    ours = []
    for _ in range(times):
        address = server.fresh()
        with serving(address, WORKERS) as home:
            ours.append(child("fleet", home=home, address=address, items=10_000, workers=THREADS))
    rate = medians(ours)["rate"]
    rows = medians([child("one_row_a_job", items=10_000, address=server.url, workers=THREADS) for _ in range(times)])
    yield _beside("a row a job, taken with SKIP LOCKED, 8 threads, at 10,000", rows["rate"], rate)
    for items in (1_000, 10_000):
        given: dict[str, Any] = {
            "items": items,
            "address": server.url,
            "processes": WORKERS,
            "at_once": THREADS,
            "limit": PATIENCE,
        }
        who = f"Procrastinate, a job an item, {WORKERS} processes of {THREADS} at once, at {items:,}"
        yield _beside_peer(who, rate, partial(peer, "procrastinate_app", "timed", **given))
    with TemporaryDirectory() as folder:
        dbos = partial(peer, "dbos_app", "timed", items=1_000, folder=folder, address=server.url)
        yield _beside_peer("DBOS queue at 1,000", rate, dbos)


def _beside_peer(who: str, ours: float, measure: Callable[[], dict[str, Any]]) -> Line:
    try:
        return _beside(who, float(measure()["rate"]), ours)
    except (MissingPartError, RuntimeError) as error:
        reason = f"not measured: {str(error).splitlines()[-1]}"
        return Line(measure=f"PostgreSQL: beside {who}", target="–", shown=reason, met=None)


def _beside(who: str, theirs: float, ours: float) -> Line:
    shown = f"{theirs:,.0f}/s; ours at 10,000, chunk 500: {ours:,.0f}/s: {ours / theirs:,.0f} ×"
    return Line(measure=f"PostgreSQL: beside {who}", target="–", shown=shown, met=None)


@contextmanager
def serving(address: str, number: int) -> Iterator[str]:
    """Give the home of that many processes that work on whatever comes; they are killed at the end."""
    with TemporaryDirectory() as home, ExitStack() as ends:
        given = json.dumps({"home": home, "address": address})
        for _ in range(number):
            args = [sys.executable, "-m", "bench.child", "serve", given]
            process = ends.enter_context(subprocess.Popen(args, cwd=Path(__file__).parent.parent))
            ends.callback(process.kill)
        Event().wait(SETTLING)
        yield home
