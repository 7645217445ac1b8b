"""Dramatiq's side: a group with a completion callback, of actors that do nothing, on Redis, with one worker process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend

WORKERS = 8
URL = os.environ["BENCH_REDIS"]
broker = RedisBroker(url=URL)
broker.add_middleware(GroupCallbacks(RedisBackend(url=URL)))
dramatiq.set_broker(broker)


def _item(number: int, fault: str = "", seen: str = "") -> None:
    if number == 0 and fault == "permanent":
        message = "can never succeed"
        raise ValueError(message)
    if number == 0 and fault == "hung" and not Path(seen).exists():
        Path(seen).touch()
        time.sleep(3600)


def _total(target: str) -> None:
    with Path(target).open("a", encoding="utf-8") as told:
        told.write(f"{time.monotonic()!r}\n")


item = dramatiq.actor(_item, max_retries=1, min_backoff=100, max_backoff=100)
total = dramatiq.actor(_total)


@contextmanager
def worker() -> Iterator[None]:
    """Run Dramatiq's worker as a child: one process of eight threads."""
    args = [sys.executable, "-m", "dramatiq", "bench.peers.dramatiq_app", "-p", "1", "-t", str(WORKERS)]
    with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as child:
        try:
            yield
        finally:
            os.killpg(child.pid, signal.SIGKILL)


def timed(items: int, target: str, limit: float) -> dict[str, float]:
    """Return the rate of one fan-in, from its first message to its callback."""
    told = Path(target)
    with worker():
        total.send(str(told) + ".up")
        _wait(Path(str(told) + ".up"), limit)
        start = time.monotonic()
        _publish(items, "", "", target)
        _wait(told, limit)
        return {"rate": items / (float(told.read_text().split()[0]) - start)}


def _publish(items: int, fault: str, seen: str, target: str) -> None:
    group = dramatiq.group([item.message(number, fault, seen) for number in range(items)])
    group.add_completion_callback(total.message(target))
    group.run()


def _wait(told: Path, limit: float) -> bool:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if told.exists() and told.read_text().endswith("\n"):
            return True
        time.sleep(0.01)
    return False


def faulty(fault: str, seen: str, limit: float) -> dict[str, str]:
    """Publish a fan-in of ten, do harm to it, then let a worker see to it; say what became of it."""
    target = Path(seen).with_name("told")
    _publish(10, fault, seen, str(target))
    queue = redis.Redis.from_url(URL)
    if fault == "duplicate":
        _twice(queue)
    if fault == "lost":
        queue.lpop("dramatiq:default")
    with worker():
        if not _wait(target, limit):
            return {"observed": f"callback did not run in {limit:.0f} s, and nothing says why"}
        time.sleep(1)
        return {"observed": f"callback ran {len(target.read_text().split())} time(s)"}


def _twice(queue: "redis.Redis") -> None:
    """Deliver one message twice: a copy under an id of its own, as a redelivery before the acknowledgement is."""
    name = queue.lindex("dramatiq:default", 0)
    copy = b"again-" + name
    queue.hset("dramatiq:default.msgs", copy, queue.hget("dramatiq:default.msgs", name))
    queue.rpush("dramatiq:default", copy)
    for other in queue.lrange("dramatiq:default", 1, 1):
        queue.lrem("dramatiq:default", 1, other)
        queue.rpush("dramatiq:default", other)
