"""Celery's side: a chord, or chunks under a chord, of tasks that do nothing, on Redis, with one worker process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from celery import Celery, chord

WORKERS = 2
app = Celery("bench", broker=os.environ.get("BENCH_REDIS"), backend=os.environ.get("BENCH_REDIS"))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=64,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 5},
)


def _item(number: int, fault: str = "", seen: str = "") -> int:
    if fault and number == 0:
        _suffer(fault, seen)
    return 1


def _suffer(fault: str, seen: str) -> None:
    mark = Path(seen)
    first = not mark.exists()
    mark.touch()
    if fault == "permanent":
        message = "can never succeed"
        raise ValueError(message)
    if fault == "hung" and first:
        time.sleep(3600)


def _many(numbers: list[int]) -> int:
    return sum(_item(number) for number in numbers)


def _total(counted: list[int]) -> int:
    return sum(counted)


item = app.task(name="item")(_item)
many = app.task(name="many")(_many)
total = app.task(name="total")(_total)


@contextmanager
def worker() -> Iterator[None]:
    """Run Celery's worker as a child, with its default pool."""
    args = [sys.executable, "-m", "celery", "-A", "bench.peers.celery_app", "worker", "-c", str(WORKERS), "-l", "ERROR"]
    with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as child:
        try:
            yield
        finally:
            os.killpg(child.pid, signal.SIGKILL)


def timed(items: int, chunk: int, limit: float) -> dict[str, float]:
    """Return the rate of one fan-in, from its first message to the result of its callback."""
    with worker():
        item.delay(1).get(timeout=limit)
        start = time.monotonic()
        if chunk == 1:
            header = [item.s(number) for number in range(items)]
        else:
            header = [many.s(list(range(lo, min(lo + chunk, items)))) for lo in range(0, items, chunk)]
        assert chord(header, total.s()).delay().get(timeout=limit) == items
        return {"rate": items / (time.monotonic() - start)}


def faulty(fault: str, seen: str, limit: float) -> dict[str, str]:
    """Publish a fan-in of ten, do harm to it, then let a worker see to it; say what became of it."""
    found = chord([item.s(number, fault, seen) for number in range(10)], total.s()).delay()
    queue = redis.Redis.from_url(os.environ["BENCH_REDIS"])
    if fault == "duplicate":
        queue.rpush("celery", queue.lindex("celery", 0))
    if fault == "lost":
        queue.lpop("celery")
    with worker():
        try:
            return {"observed": f"callback ran with {found.get(timeout=limit)} of 10"}
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is observed
            return {"observed": f"callback did not run in {limit:.0f} s: {type(error).__name__}: {error}"[:140]}
