"""Procrastinate's side: jobs that do nothing, on PostgreSQL, with its own worker in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from psycopg import sql

DATABASE = f"procrastinate_{os.getpid()}"
GROUP = 1_000
"""Jobs that are deferred at once."""


def _app(address: str, *, served: bool) -> App:
    made = App(connector=(PsycopgConnector if served else SyncPsycopgConnector)(conninfo=address))

    async def nothing(number: int) -> None:
        """Do nothing, in the worker's own loop: what costs it least."""

    made.task(name="nothing")(nothing)
    return made


def serve(address: str, at_once: int) -> dict[str, float]:
    """Be one worker process, until it is killed."""
    _app(address, served=True).run_worker(concurrency=at_once)
    return {}


@contextmanager
def _workers(address: str, processes: int, at_once: int) -> Iterator[None]:
    given = json.dumps({"address": address, "at_once": at_once})
    args = [sys.executable, "-m", "bench.peers.child", "procrastinate_app", "serve", given]
    with ExitStack() as ends:
        for _ in range(processes):
            quiet = subprocess.DEVNULL
            child = ends.enter_context(subprocess.Popen(args, stdout=quiet, stderr=quiet, start_new_session=True))
            ends.callback(os.killpg, child.pid, signal.SIGKILL)
        yield


def timed(items: int, address: str, processes: int, at_once: int, limit: float) -> dict[str, float]:
    """Return the rate of jobs, from the first that is deferred to the end of the last."""
    with psycopg.connect(address, autocommit=True) as db:
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    own = f"{address.rpartition('/')[0]}/{DATABASE}"
    with _app(own, served=False).open() as app, psycopg.connect(own, autocommit=True) as db:
        app.schema_manager.apply_schema()
        nothing = app.tasks["nothing"]
        with _workers(own, processes, at_once):
            nothing.batch_defer(*({"number": number} for number in range(processes * at_once)))
            _wait(db, processes * at_once, limit)
            start = time.monotonic()
            for lo in range(0, items, GROUP):
                nothing.batch_defer(*({"number": number} for number in range(lo, min(lo + GROUP, items))))
            _wait(db, processes * at_once + items, limit)
            return {"rate": items / (time.monotonic() - start)}


def _wait(db: "psycopg.Connection[tuple[int]]", done: int, limit: float) -> None:
    until = time.monotonic() + limit
    count = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
    while db.execute(count).fetchone() != (done,):
        if time.monotonic() > until:
            message = f"procrastinate has not done {done} jobs in {limit:.0f} s"
            raise TimeoutError(message)
        time.sleep(0.05)
