"""Promises about transactions, kept by every store: whole or not at all, one after the other, seen by all."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.ports import Snapshot, Store, Transaction
from tests.contract.samples import (
    RAW,
    RUN,
    a_flag,
    a_halt,
    a_message,
    a_page,
    a_phase,
    a_plan,
    a_process,
    a_run,
    a_task,
    add_run,
    an_entry,
    an_opening,
    at,
    each,
)


class BrokenError(Exception):
    """What a failing work raises."""


def everything(tx: Transaction) -> None:
    """Write into every table."""
    tx.add_run(a_run("nba/x"), a_plan(), [a_phase("nba/x"), a_phase("nba/x", "sum", index=1, due_at=at(1))])
    phase = tx.phases("nba/x")[0]
    tx.put_run(a_run("nba/x", state="partial"))
    tx.put_phase(a_phase("nba/x", id=phase.id, version=1, due_at=at(2)))
    tx.add_page(a_page(), [a_task(0, work="chunk", hi=3)])
    tx.add_names(RAW, {"é": 0})
    tx.add_tasks([a_task(9)])
    tx.put_tasks([(a_task(9, token=1, state="leased", owner="w", lease_until=at(9)), 0)])
    tx.add_opening(an_opening())
    tx.append(an_entry())
    tx.remove_entries([1])
    tx.tally(RUN, "duplicate", 3)
    tx.post(a_message())
    tx.take_outbox(at(3), 5, at(9) - at(0))
    tx.unsent("k", at(4), "503")
    tx.sent(["k"])
    tx.put_halt(a_halt())
    tx.beat(a_process())
    tx.put_flag(a_flag())


def test_work_that_raises_leaves_no_trace(store: Store) -> None:
    add_run(store)
    store.write(lambda tx: tx.append(an_entry()))
    before = list(store.dump())

    def work(tx: Transaction) -> None:
        everything(tx)
        raise BrokenError

    with pytest.raises(BrokenError):
        store.write(work)
    assert list(store.dump()) == before
    store.write(everything)
    assert {table for table, _ in store.dump()} == {
        *("run", "plan", "phase", "page", "item_name", "task", "opening"),
        *("entry", "tally", "outbox", "halt", "flag", "process"),
    }


def test_what_raised_leaves_the_same_numbers_for_the_next(store: Store) -> None:
    def work(tx: Transaction) -> None:
        add = tx.add_run(a_run(), a_plan(), [a_phase()])
        tx.append(an_entry())
        assert add[1]
        raise BrokenError

    with pytest.raises(BrokenError):
        store.write(work)
    add_run(store)
    store.write(lambda tx: tx.append(an_entry()))
    assert store.read(lambda tx: (tx.phases(RUN)[0].id, tx.entries("late", scope=RUN)[0].id)) == (1, 1)


def test_work_sees_what_it_wrote(store: Store) -> None:
    def work(tx: Transaction) -> tuple[object, ...]:
        everything(tx)
        task = tx.task(RAW, "member", 9)
        return tx.run("nba/x"), tx.opening(RAW), tx.ordinals(RAW, ["é"]), task and task.token, tx.tallies(RUN)

    add_run(store)
    seen = store.write(work)
    assert seen == (a_run("nba/x", state="partial"), an_opening(), {"é": 0}, 1, {"duplicate": 3})


def test_a_work_that_fails_spoils_no_other_that_shares_its_commit(store: Store) -> None:
    gathered = threading.Barrier(24)

    def write(number: int) -> object:
        def work(tx: Transaction) -> int:
            tx.tally(RUN, f"n{number}")
            if number % 3 == 0:
                raise BrokenError
            return number

        gathered.wait()
        try:
            return store.write(work)
        except BrokenError:
            return "broken"

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(write, range(24)))
    assert answers == ["broken" if number % 3 == 0 else number for number in range(24)]
    assert set(store.read(lambda tx: tx.tallies(RUN))) == {f"n{number}" for number in range(24) if number % 3}


def test_concurrent_writers_lose_nothing_and_see_each_other(store: Store) -> None:
    def next_number(tx: Transaction) -> int:
        tx.tally(RUN, "n")
        return tx.tallies(RUN)["n"]

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: store.write(next_number), range(400)))
    assert sorted(numbers) == list(range(1, 401))


def test_a_reader_sees_one_moment_however_much_is_written_meanwhile(store: Store) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            each(store, lambda tx, scope: tx.tally(scope, "n"), ["a", "b"])

    def consistent(tx: Snapshot) -> bool:
        return all(tx.tallies("a") == tx.tallies("b") for _ in range(20))

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        try:
            assert all(store.read(consistent) for _ in range(50))
        finally:
            stop.set()
        assert [writer.result() for writer in writers] == [None, None]


def test_the_version_differs_after_a_commit_of_another_thread_and_only_then(store: Store) -> None:
    before = store.version()
    store.read(lambda tx: tx.tallies(RUN))
    assert store.version() == before
    with ThreadPoolExecutor(1) as pool:
        pool.submit(store.write, lambda tx: tx.tally(RUN, "n")).result()
    assert store.version() != before


NESTED: list[Callable[[Store], object]] = [
    lambda store: store.write(lambda _: store.write(lambda tx: tx.tally("in", "n"))),
    lambda store: store.write(lambda _: store.read(lambda tx: tx.run(RUN))),
    lambda store: store.read(lambda _: store.write(lambda tx: tx.tally("in", "n"))),
    lambda store: store.read(lambda _: store.read(lambda tx: tx.run(RUN))),
]


@pytest.mark.parametrize("nested", NESTED)
def test_a_transaction_within_a_transaction_is_refused(store: Store, nested: Callable[[Store], object]) -> None:
    with pytest.raises(UsageError, match="running in this thread"):
        nested(store)
    assert list(store.dump()) == []
    assert store.write(lambda tx: tx.post(a_message())) is True


def test_a_dump_does_not_depend_on_the_order_of_writing(store: Store) -> None:
    for run in ("nba/b", "nba/a"):
        add_run(store, run)
    store.write(lambda tx: tx.add_tasks([a_task(5), a_task(3), a_task(3, phase=2)]))
    tasks = [row[:2] for table, row in store.dump() if table == "task"]
    assert tasks == [(1, 3), (1, 5), (2, 3)]
    assert [row[0] for table, row in store.dump() if table == "plan"] == ["nba/a", "nba/b"]


def test_a_closed_store_refuses_every_call_and_closing_again_does_nothing(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.write(lambda tx: tx.tally(RUN, "n"))
    with pytest.raises(StoreUnavailableError, match="closed"):
        store.read(lambda tx: tx.run(RUN))


def test_an_interrupt_within_work_leaves_no_trace_and_reaches_the_caller(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.tally(RUN, "n")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(work)
    assert list(store.dump()) == []
    assert store.write(lambda tx: tx.post(a_message())) is True
