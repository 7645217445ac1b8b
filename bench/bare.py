"""The bare store underneath: loops written by hand on the same tables, with none of the promises."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from shotclock.stores.statements import schema

GROUP = 500
PAGE = 1_000
Result = dict[str, float]
Each = Callable[[Callable[[list[str]], dict[str, None]], list[list[str]]], Iterable[dict[str, None]]]


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    with TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        try:
            yield db
        finally:
            db.close()


def bulk(items: int, *, many: bool) -> Result:
    """Insert a settlement row for every member, 500 a transaction."""
    with _database() as db:
        db.execute(
            "CREATE TABLE settlement (phase INTEGER, ordinal INTEGER, kind INTEGER, PRIMARY KEY (phase, ordinal))"
        )
        rows = ",".join(["(?,?,?)"] * GROUP)
        start = monotonic()
        for lo in range(0, items, GROUP):
            db.execute("BEGIN IMMEDIATE")
            if many:
                values = [part for ordinal in range(lo, lo + GROUP) for part in (1, ordinal, 1)]
                db.execute(f"INSERT INTO settlement VALUES {rows}", values)  # noqa: S608 - question marks only
            else:
                settled = [(1, ordinal, 1) for ordinal in range(lo, lo + GROUP)]
                db.executemany("INSERT INTO settlement VALUES (?,?,?)", settled)
            db.execute("COMMIT")
        return {"rate": items / (monotonic() - start)}


def whole(items: int, chunk: int, workers: int, *, threads: bool) -> Result:
    """Enumerate, lease, do nothing, report and open, with what the same tables need for it and nothing else.

    With `threads` the work is done in a pool of `workers`, as work that may block must be; without, in the loop itself.
    """
    with _database() as db, ThreadPoolExecutor(workers) as pool:
        for statement in schema():
            db.execute(statement)
        db.execute("INSERT INTO run VALUES (1, 'bench/1', 'bench', 'default', '1', 1, 'running', 0, 0, '{}')")
        db.execute("INSERT INTO phase VALUES (1, 'bench/1', 'fan', 0, 'active', 0, NULL, '{}')")
        start = monotonic()
        for number, lo in enumerate(range(0, items, PAGE)):
            _page(db, number, lo, chunk)
        _work(db, chunk, workers, items, pool.map if threads else map)
        db.execute("INSERT INTO opening VALUES (1, '{}')")
        return {"rate": items / (monotonic() - start)}


def _page(db: sqlite3.Connection, number: int, lo: int, chunk: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    body = json.dumps({"ids": [f"item-{name}" for name in range(lo, lo + PAGE)]})
    db.execute("INSERT INTO page VALUES (1, ?, ?, ?, ?)", (number, lo, PAGE, body))
    tasks = [
        (1, at, 1, at + chunk, 1, 0, 0, -1, None, chunk, bytes(chunk), _range(at, chunk) + "}")
        for at in range(lo, lo + PAGE, chunk)
    ]
    db.executemany("INSERT INTO task VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", tasks)
    db.execute("COMMIT")


def _range(lo: int, chunk: int) -> str:
    return f'{{"phase":1,"work":"chunk","lo":{lo},"hi":{lo + chunk}'


def _leased(lo: int, chunk: int, at: str) -> str:
    said = f'"state":"leased","token":1,"owner":"bare","leased_at":"{at}","lease_until":"{at}"'
    return f'{_range(lo, chunk)},{said},"hour_at":"{at}","hour_leases":1}}'


def _ended(lo: int, chunk: int, at: str) -> str:
    batch = f'{{"token":1,"at":"{at}","ranges":[[{lo},{lo + chunk}]]}}'
    said = f'"state":"ended","token":1,"leased_at":"{at}","batches":[{batch}]'
    return f'{_range(lo, chunk)},{said},"hour_at":"{at}","hour_leases":1}}'


def _work(db: sqlite3.Connection, chunk: int, workers: int, items: int, each: Each) -> None:
    """Report what was leased and lease the next tasks, in one transaction each time; who, when and what is kept."""
    given: list[int] = []
    pages: dict[int, list[str]] = {}
    settled = 0
    while settled < items:
        db.execute("BEGIN IMMEDIATE")
        at = datetime.now(UTC).isoformat()
        ended = [(bytes((1,)) * chunk, _ended(lo, chunk, at), lo) for lo in given]
        db.executemany(
            "UPDATE task SET state = 2, owner = NULL, available_at = NULL, unsettled = 0, kinds = ?, body = ?"
            " WHERE phase = 1 AND lo = ? AND work = 1 AND token = 1",
            ended,
        )
        settled += len(given) * chunk
        found = db.execute(
            "SELECT lo FROM task WHERE phase = 1 AND available_at = -1 ORDER BY rank, lo, work LIMIT ?", (workers,)
        )
        given = [row[0] for row in found]
        leased = [(9, "bare", _leased(lo, chunk, at), lo) for lo in given]
        db.executemany(
            "UPDATE task SET state = 1, token = token + 1, available_at = ?, owner = ?, body = ?"
            " WHERE phase = 1 AND lo = ? AND work = 1 AND token = 0",
            leased,
        )
        db.execute("UPDATE phase SET version = version + 1, body = ? WHERE id = 1", (f'{{"settled":{settled}}}',))
        db.execute("COMMIT")
        _do_nothing(db, given, chunk, pages, each)


def _do_nothing(db: sqlite3.Connection, given: list[int], chunk: int, pages: dict[int, list[str]], each: Each) -> None:
    chunks = []
    for lo in given:
        start = lo - lo % PAGE
        if start not in pages:
            pages.clear()
            (body,) = db.execute("SELECT body FROM page WHERE phase = 1 AND lo = ?", (start,)).fetchone()
            pages[start] = json.loads(body)["ids"]
        chunks.append(pages[start][lo - start : lo - start + chunk])
    assert all(len(done) == chunk for done in each(dict.fromkeys, chunks))


def copied(items: int, address: str) -> Result:
    """Copy a settlement row for every member into PostgreSQL, 500 a transaction."""
    import psycopg  # noqa: PLC0415 - only this measure needs it

    with psycopg.connect(address, autocommit=True) as db:
        db.execute("CREATE TABLE settled (phase BIGINT, ordinal BIGINT, kind SMALLINT, PRIMARY KEY (phase, ordinal))")
        start = monotonic()
        for lo in range(0, items, GROUP):
            with db.transaction(), db.cursor().copy("COPY settled FROM STDIN") as copy:
                for ordinal in range(lo, lo + GROUP):
                    copy.write_row((1, ordinal, 1))
        took = monotonic() - start
        db.execute("DROP TABLE settled")
        return {"rate": items / took}


def one_row_a_job(items: int, address: str, workers: int) -> Result:
    """Do nothing with jobs that are a row each: taken with SKIP LOCKED, marked when done, as job queues do it."""
    import psycopg  # noqa: PLC0415 - only this measure needs it

    def work(_: int) -> int:
        done = 0
        with psycopg.connect(address, autocommit=True) as db:
            while (row := db.execute(_TAKE).fetchone()) is not None:
                db.execute("UPDATE job SET state = 2 WHERE id = %s", row)
                done += 1
        return done

    with psycopg.connect(address, autocommit=True) as db, ThreadPoolExecutor(workers) as pool:
        db.execute("CREATE TABLE job (id BIGSERIAL PRIMARY KEY, state SMALLINT NOT NULL, name TEXT NOT NULL)")
        db.execute("CREATE INDEX job_open ON job (id) WHERE state = 0")
        start = monotonic()
        with db.cursor().copy("COPY job (state, name) FROM STDIN") as copy:
            for number in range(items):
                copy.write_row((0, f"item-{number}"))
        assert sum(pool.map(work, range(workers))) == items
        took = monotonic() - start
        db.execute("DROP TABLE job")
        return {"rate": items / took}


_TAKE = """
UPDATE job SET state = 1 WHERE id = (SELECT id FROM job WHERE state = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""

MEASURES: dict[str, Callable[..., Result]] = {
    "bare_bulk": bulk,
    "bare_whole": whole,
    "copied": copied,
    "one_row_a_job": one_row_a_job,
}
