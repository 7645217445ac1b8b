"""Promises about the server: what passes is waited for, what does not is refused in words, nothing happens twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial
from operator import methodcaller
from typing import Any

import psycopg
import pytest
from psycopg import sql

from shotclock.errors import StoreUnavailableError, StoreUnsureError, UsageError
from shotclock.ports import Transaction
from shotclock.postgres import Limits, address_of
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from shotclock.stores.postgres import PostgresStore
from shotclock.stores.postgres_keeping import initialise
from shotclock.stores.postgres_session import Session
from tests.contract.conftest import OpenPostgres
from tests.contract.samples import RUN, a_message, a_phase, a_plan, a_run, a_task, add_run, add_tasks, an_entry, at
from tests.servers import PostgresServer

LIMITS = Limits.of(Settings())
BRIEFLY = timedelta(milliseconds=200)
"""A wait for what never comes."""


def count(tx: Transaction) -> int:
    """Count one and return the sum."""
    tx.tally(RUN, "n")
    return tx.tallies(RUN)["n"]


def restarted(server: PostgresServer) -> None:
    """Kill the server and start it again."""
    server.kill()
    server.start()


# --- what passes ---


def test_a_server_killed_and_restarted_keeps_what_was_acknowledged_and_goes_on(
    sturdy: PostgresServer, sturdy_store: PostgresStore
) -> None:
    add_run(sturdy_store, RUN, a_phase(due_at=at(9)))
    add_tasks(sturdy_store, a_task(0))
    before = list(sturdy_store.dump())
    restarted(sturdy)
    assert sturdy_store.read(lambda tx: tx.run(RUN)) == a_run()
    assert list(sturdy_store.dump()) == before
    restarted(sturdy)
    assert sturdy_store.write(count) == 1
    restarted(sturdy)
    assert sturdy_store.version() == 3


def test_a_server_killed_within_a_transaction_has_it_done_again_and_once(
    sturdy: PostgresServer, sturdy_store: PostgresStore
) -> None:
    killed: list[bool] = []

    def work(tx: Transaction) -> int:
        number = count(tx)
        if not killed:
            killed.append(True)
            restarted(sturdy)
        return number

    assert sturdy_store.write(work) == 1
    assert sturdy_store.read(lambda tx: tx.tallies(RUN)) == {"n": 1}


def test_a_read_whose_connection_is_lost_is_done_again(sturdy: PostgresServer, sturdy_store: PostgresStore) -> None:
    add_run(sturdy_store)
    killed: list[bool] = []

    def work(tx: Any) -> object:  # noqa: ANN401 - a snapshot of any store
        if not killed:
            killed.append(True)
            restarted(sturdy)
        return tx.run(RUN)

    assert sturdy_store.read(work) == a_run()


def test_writers_and_readers_go_on_through_restarts_and_every_acknowledged_write_counts_once(
    sturdy: PostgresServer, sturdy_store: PostgresStore
) -> None:
    stop = threading.Event()

    def write(thread: int) -> int:
        done = 0
        while not stop.is_set():
            sturdy_store.write(methodcaller("tally", "kept", f"{thread}-{done}"))
            done += 1
            sturdy_store.read(lambda tx: tx.tallies(RUN))
        return done

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, thread) for thread in range(4)]
        try:
            for _ in range(2):
                restarted(sturdy)
        finally:
            stop.set()
        done = sum(writer.result() for writer in writers)
    kept = sturdy_store.read(lambda tx: tx.tallies("kept"))
    assert len(kept) == done
    assert set(kept.values()) <= {1}


Doing = Callable[[], Any]
Strike = Callable[[Session, Doing], Any]


def faulty(monkeypatch: pytest.MonkeyPatch, strike: Strike) -> None:
    """Have `strike` stand between the store and its server: it is given each session, and what is to be done in it."""
    for door in ("rows", "row", "change"):
        doing = getattr(Session, door)

        def passed(self: Session, *said: Any, doing: Callable[..., Any] = doing) -> Any:  # noqa: ANN401 - as the door has it
            return strike(self, lambda: doing(self, *said))

        monkeypatch.setattr(Session, door, passed)


def serialisation(_session: Session, _doing: Doing) -> None:
    """Fail as a server that wants the transaction anew."""
    raise psycopg.errors.SerializationFailure


def lost_before(session: Session, _doing: Doing) -> None:
    """Lose the connection before the server has the statement."""
    session.close()
    message = "the connection is lost"
    raise psycopg.OperationalError(message)


def lost_after(session: Session, doing: Doing) -> None:
    """Lose the connection before the server's answer, which may be that of a commit."""
    doing()
    lost_before(session, doing)


@pytest.mark.parametrize("fault", [serialisation, lost_before, lost_after], ids=lambda fault: fault.__name__)
def test_a_fault_at_any_statement_loses_nothing_and_repeats_nothing(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch, fault: Strike
) -> None:
    store, model = open_postgres(busy=timedelta(seconds=3)), MemoryStore()
    seen, nth = 0, 0

    def strike(session: Session, doing: Doing) -> Any:  # noqa: ANN401 - as the door has it
        nonlocal seen
        seen += 1
        return fault(session, doing) if seen == nth else doing()

    with monkeypatch.context() as patched:
        faulty(patched, strike)
        while seen >= nth:
            seen, nth = 0, nth + 1
            for one in (store, model):
                one.write(partial(_some_of_all, nth))
    assert nth > 10
    assert list(store.dump()) == list(model.dump())


def _some_of_all(number: int, tx: Transaction) -> None:
    run, created = tx.add_run(a_run(f"nba/x{number}"), a_plan(), [a_phase(f"nba/x{number}")])
    phase = tx.phases(run.id)[0]
    tx.put_phase(a_phase(run.id, id=phase.id, version=1))
    tx.add_tasks([a_task(number, phase=phase.id), a_task(number + 1, phase=phase.id)])
    tx.put_tasks([(a_task(number, phase=phase.id, token=1), 0), (a_task(number + 1, phase=phase.id, token=2), 0)])
    tx.append(an_entry())
    tx.tally(RUN, "created", int(created))
    tx.post(a_message(f"k{number}"))


@pytest.mark.parametrize("fault", [serialisation, lost_before, lost_after], ids=lambda fault: fault.__name__)
def test_a_fault_at_any_statement_of_a_read_has_it_done_again(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch, fault: Strike
) -> None:
    store = open_postgres(busy=timedelta(seconds=3))
    store.write(partial(_some_of_all, 1))
    seen, nth = 0, 0

    def strike(session: Session, doing: Doing) -> Any:  # noqa: ANN401 - as the door has it
        nonlocal seen
        seen += 1
        return fault(session, doing) if seen == nth else doing()

    def look(tx: Any) -> object:  # noqa: ANN401 - a snapshot of any store
        return [tx.runs(), tx.phases("nba/x1"), tx.tallies(RUN), tx.next_due()]

    wanted = store.read(look)
    with monkeypatch.context() as patched:
        faulty(patched, strike)
        while seen >= nth:
            seen, nth = 0, nth + 1
            assert store.read(look) == wanted
            assert store.version() == 1
    assert nth > 5


@pytest.mark.parametrize("fault", [serialisation, lost_before, lost_after], ids=lambda fault: fault.__name__)
def test_a_fault_that_does_not_pass_is_told_and_stores_nothing(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch, fault: Strike
) -> None:
    store = open_postgres(busy=BRIEFLY)
    version = store.version()
    with monkeypatch.context() as patched:
        faulty(patched, fault)
        with pytest.raises(StoreUnavailableError, match=r"cannot be reached|PostgreSQL says"):
            store.write(count)
    assert store.version() == version
    assert store.write(count) == 1


def test_a_commit_whose_outcome_cannot_be_learnt_says_so_and_is_not_repeated(
    sturdy: PostgresServer, open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sturdy.fresh()
    store = open_postgres(address, busy=BRIEFLY)
    down: list[bool] = []

    def strike(session: Session, doing: Doing) -> Any:  # noqa: ANN401 - as the door has it
        done = doing()
        if store._here().writer._committing and not down:  # noqa: SLF001 - the moment between commit and answer
            down.append(True)
            sturdy.kill()
            lost_before(session, doing)
        return done

    with monkeypatch.context() as patched:
        faulty(patched, strike)
        with pytest.raises(StoreUnsureError, match="nobody can tell"):
            store.write(count)
    sturdy.start()
    assert open_postgres(address).read(lambda tx: tx.tallies(RUN)) == {"n": 1}
    store.close()
    sturdy.give_back(address)


# --- what does not pass ---


def refused(act: Callable[[], object], kind: type[Exception] = StoreUnavailableError) -> str:
    """Do what is refused; return the one line that says why, which never holds a password."""
    with pytest.raises(kind) as caught:
        act()
    text = str(caught.value)
    assert "\n" not in text
    assert "secret" not in text
    return text


def test_a_server_that_is_not_there_is_refused_with_its_address(open_postgres: OpenPostgres) -> None:
    address = "postgresql://ann:secret@127.0.0.1:1/pipelines"
    text = refused(lambda: open_postgres(address, busy=BRIEFLY))
    assert text.startswith("postgresql://127.0.0.1:1/pipelines?schema=shotclock: it cannot be reached")


def test_a_database_that_is_not_there_is_refused(postgres_server: PostgresServer, open_postgres: OpenPostgres) -> None:
    address = postgres_server.url.rpartition("/")[0] + "/nowhere"
    assert "there is no such database" in refused(lambda: open_postgres(address, busy=BRIEFLY))


def test_a_database_of_another_encoding_is_refused(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    make = "CREATE DATABASE narrow ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    postgres_server.execute(sql.SQL(make))
    address = postgres_server.url.rpartition("/")[0] + "/narrow"
    assert "UTF8" in refused(lambda: open_postgres(address, busy=BRIEFLY), UsageError)
    postgres_server.execute(sql.SQL("DROP DATABASE narrow"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://h/d?schema=Ä",
        "postgresql://h/d?schema=",
        "postgresql://h/d?schema=1a",
        "postgresql://ann:secret@h/%zz",
    ],
)
def test_an_address_that_cannot_be_read_is_refused(address: str) -> None:
    assert "setting store: " in refused(lambda: address_of(address), UsageError)


def test_a_server_without_a_free_connection_is_waited_for_then_refused(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    address = postgres_server.fresh()
    with ExitStack() as taken:
        with suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(psycopg.connect(postgres_server.url))
        text = refused(lambda: open_postgres(address, busy=BRIEFLY))
    assert "no connection left" in text
    add_run(open_postgres(address))
    postgres_server.give_back(address)


def test_a_server_that_only_reads_is_told_from_one_that_is_down(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    address = postgres_server.fresh()
    add_run(open_postgres(address))
    postgres_server.execute(sql.SQL("ALTER DATABASE postgres SET default_transaction_read_only = on"))
    try:
        store = open_postgres(address)
        assert "it only reads" in refused(lambda: store.write(count))
        assert store.read(lambda tx: tx.run(RUN)) == a_run()
    finally:
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    postgres_server.give_back(address)


def test_a_store_that_is_dropped_under_a_process_is_told_to_be_gone(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    address = postgres_server.place()
    initialise(address_of(address), LIMITS)
    store = open_postgres(address)
    add_run(store)
    postgres_server.drop(address)
    assert "the store is gone" in refused(lambda: store.write(count))
    assert "the store is gone" in refused(lambda: store.read(lambda tx: tx.run(RUN)))
    assert "the store is gone" in refused(store.version)


def test_a_user_who_may_only_read_is_told_what_is_missing(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    address = postgres_server.fresh()
    add_run(open_postgres(address))
    schema = sql.Identifier(address_of(address).schema)
    allowed = "CREATE ROLE bi LOGIN; GRANT USAGE ON SCHEMA {0} TO bi; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO bi"
    postgres_server.execute(sql.SQL(allowed).format(schema))
    try:
        store = open_postgres(address.replace("postgres@", "bi@"))
        assert store.read(lambda tx: tx.run(RUN)) == a_run()
        assert "its user may not do that" in refused(lambda: store.write(count))
        store.close()
    finally:
        postgres_server.execute(sql.SQL("DROP OWNED BY bi; DROP ROLE bi"))
    postgres_server.give_back(address)


def test_a_store_that_another_process_holds_is_busy(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    address = postgres_server.fresh()
    store = open_postgres(address, busy=BRIEFLY)
    with psycopg.connect(postgres_server.url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (address_of(address).lock,))
        assert "longer than 200ms" in refused(lambda: store.write(count))
        assert store.read(lambda tx: tx.tallies(RUN)) == {}
    assert store.write(count) == 1
    postgres_server.give_back(address)


def test_a_process_that_stands_still_loses_its_turn_and_does_its_work_anew(open_postgres: OpenPostgres) -> None:
    still, other = open_postgres(busy=BRIEFLY), open_postgres()
    stood: list[bool] = []

    def stand_still(tx: Transaction) -> int:
        if not stood:
            count(tx)
            stood.append(True)
            other.write(count)  # waits for the lock until the server has taken it away
        return count(tx)

    assert still.write(stand_still) == 2


def test_a_statement_that_takes_too_long_is_ended(open_postgres: OpenPostgres) -> None:
    store = open_postgres(statement=BRIEFLY)

    def slow(tx: Transaction) -> None:
        tx.tally(RUN, "n")
        tx._db.connection.execute("SELECT pg_sleep(60)")  # type: ignore[attr-defined]  # noqa: SLF001 - no work through the port takes long

    assert "longer than 200ms" in refused(lambda: store.write(slow))
    assert store.write(count) == 1


def test_a_work_that_postgresql_refuses_spoils_no_other_that_shares_its_commit(open_postgres: OpenPostgres) -> None:
    store = open_postgres()
    gathered = threading.Barrier(12)

    def write(number: int) -> object:
        def work(tx: Transaction) -> int:
            tx.tally(RUN, f"n{number}")
            for _ in range(0 if number % 4 else 2):
                tx.tally("huge", "n", 2**62)  # the sum is more than a column holds
            return number

        gathered.wait()
        try:
            return store.write(work)
        except StoreUnavailableError:
            return "refused"

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(write, range(12)))
    assert answers == ["refused" if number % 4 == 0 else number for number in range(12)]
    assert set(store.read(lambda tx: tx.tallies(RUN))) == {f"n{number}" for number in range(12) if number % 4}
