"""Promises about commits that several threads share in the SQLite store."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from shotclock.errors import StoreUnavailableError
from shotclock.ports import Transaction
from shotclock.stores.sqlite import SqliteStore
from tests.contract.conftest import OpenSqlite
from tests.contract.samples import RUN, add_run, an_entry

FOLLOWERS = 12

Work = Callable[[Transaction], Any]


@contextmanager
def gathered(store: SqliteStore, leader: Work, follower: Work) -> Iterator[tuple["Future[Any]", list["Future[Any]"]]]:
    """Run `leader` and hold it until every follower waits in its queue, then let it go on."""
    started, go_on = threading.Event(), threading.Event()

    def lead(tx: Transaction) -> object:
        started.set()
        go_on.wait()
        return leader(tx)

    with ThreadPoolExecutor(FOLLOWERS + 1) as pool:
        first = pool.submit(store.write, lead)
        started.wait()
        others = [pool.submit(store.write, follower) for _ in range(FOLLOWERS)]
        try:
            wait_for(lambda: len(store._here().writer._queue._waiting) == FOLLOWERS)  # noqa: SLF001 - nothing public tells it
        finally:
            go_on.set()
        yield first, others


def wait_for(reached: Callable[[], bool]) -> None:
    """Let other threads run until it is so."""
    patience = threading.Event()
    while not reached():
        patience.wait(0.001)


def count(tx: Transaction) -> int:
    """Count one and return the sum."""
    tx.tally(RUN, "n")
    return tx.tallies(RUN)["n"]


def commits(store: SqliteStore) -> int:
    """Return what grows with every commit."""
    return store.version()


def test_all_who_wait_share_one_commit(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()
    before = commits(store)
    with gathered(store, count, count) as (first, others):
        numbers = [future.result() for future in (first, *others)]
    assert sorted(numbers) == list(range(1, FOLLOWERS + 2))
    assert commits(store) == before + 1


def test_a_leader_whose_own_work_fails_still_commits_for_the_others(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()

    def fail(tx: Transaction) -> None:
        count(tx)
        raise ZeroDivisionError

    with gathered(store, fail, count) as (first, others):
        assert sorted(future.result() for future in others) == list(range(1, FOLLOWERS + 1))
        with pytest.raises(ZeroDivisionError):
            first.result()


def test_an_interrupted_leader_leaves_no_follower_hanging(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()

    def interrupt(tx: Transaction) -> None:
        count(tx)
        raise KeyboardInterrupt

    with gathered(store, interrupt, count) as (first, others):
        assert sorted(future.result() for future in others) == list(range(1, FOLLOWERS + 1))
        with pytest.raises(KeyboardInterrupt):
            first.result()
    assert store.read(lambda tx: tx.tallies(RUN)) == {"n": FOLLOWERS}


def test_a_leader_interrupted_in_anothers_work_stores_nothing_of_that_and_all_of_the_rest(
    open_sqlite: OpenSqlite,
) -> None:
    store = open_sqlite()
    runs = iter(range(100))

    def interrupt_once(tx: Transaction) -> int:
        if next(runs) == FOLLOWERS // 2:
            raise KeyboardInterrupt
        return count(tx)

    with gathered(store, count, interrupt_once) as (first, others):
        errors = [type(future.exception()) for future in others]
        with pytest.raises(KeyboardInterrupt):
            first.result()
    assert errors.count(StoreUnavailableError) == 1
    assert errors.count(type(None)) == FOLLOWERS - 1
    assert store.read(lambda tx: tx.tallies(RUN)) == {"n": FOLLOWERS - 1}


def test_a_commit_that_fails_acknowledges_none_of_its_group(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()
    store.write(lambda tx: tx.append(an_entry()))
    before = list(store.dump())

    def break_the_reference(tx: Transaction) -> None:
        # A deferred foreign key is checked at the commit, which makes that fail and nothing before it.
        db = tx._db  # type: ignore[attr-defined]  # noqa: SLF001 - no work through the port can do this
        db.execute("PRAGMA defer_foreign_keys = ON")
        db.execute("INSERT INTO plan (run, body) VALUES ('nobody', '{}')")

    with gathered(store, count, break_the_reference) as (first, others):
        errors = [future.exception() for future in (first, *others)]
    assert {type(error) for error in errors} == {StoreUnavailableError}
    assert len({id(error) for error in errors}) == FOLLOWERS + 1
    assert list(store.dump()) == before
    add_run(store)


def test_a_work_that_does_not_fit_spoils_no_other_of_its_group(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()
    store.write(count)

    def fill(tx: Transaction) -> None:
        tx._db.execute("PRAGMA max_page_count = 60")  # type: ignore[attr-defined]  # noqa: SLF001 - as a full disk
        for _ in range(100):
            tx.append(an_entry(body={"text": "x" * 10_000}))

    with gathered(store, count, fill) as (first, others):
        assert first.exception() is None or isinstance(first.exception(), StoreUnavailableError)
        assert {type(future.exception()) for future in others} == {StoreUnavailableError}
    kept = 2 if first.exception() is None else 1
    assert store.read(lambda tx: tx.tallies(RUN)) == {"n": kept}
    assert store.read(lambda tx: tx.entries("late", scope=RUN)) == []


def test_a_reader_neither_blocks_a_writer_nor_sees_what_it_wrote(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()
    with ThreadPoolExecutor(1) as pool:

        def before_and_after(tx: Any) -> tuple[object, object]:  # noqa: ANN401 - a snapshot of any store
            before = tx.tallies(RUN)
            pool.submit(store.write, count).result()
            return before, tx.tallies(RUN)

        assert store.read(before_and_after) == ({}, {})
    assert store.read(lambda tx: tx.tallies(RUN)) == {"n": 1}


def test_closing_waits_for_a_commit_under_way_and_refuses_what_comes_after(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()
    with ThreadPoolExecutor(1) as pool:
        with gathered(store, count, count) as (first, others):
            closing = pool.submit(store.close)
        closing.result()
    outcomes = [future.exception() for future in (first, *others)]
    done = [outcome for outcome in outcomes if outcome is None]
    assert all(outcome is None or isinstance(outcome, StoreUnavailableError) for outcome in outcomes)
    assert open_sqlite().read(lambda tx: tx.tallies(RUN)) == {"n": len(done)}
