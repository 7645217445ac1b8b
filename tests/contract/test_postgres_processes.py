"""Promises about what must not matter: zones, odd text, several processes, forks, and processes that are killed."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from operator import methodcaller

import psycopg
import pytest
from psycopg import sql

from shotclock.errors import UsageError
from shotclock.ports import Transaction
from shotclock.postgres import Limits, address_of
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from shotclock.stores.postgres import PostgresStore
from tests.contract.conftest import OpenPostgres
from tests.contract.elsewhere import environment, said_by
from tests.contract.samples import RUN, a_message, add_run, an_entry, at
from tests.contract.test_writes import everything
from tests.servers import PostgresServer

LIMITS = Limits.of(Settings())


def count(tx: Transaction) -> int:
    """Count one and return the sum."""
    tx.tally(RUN, "n")
    return tx.tallies(RUN)["n"]


@pytest.mark.parametrize(
    "statement",
    [
        "COMMIT",
        "begin",
        "/* now */ ROLLBACK",
        "SELECT 1; END",
        "START TRANSACTION READ ONLY",
        b"abort",
        sql.SQL("commit"),
    ],
)
def test_a_lent_connection_refuses_to_begin_or_end_a_transaction(open_postgres: OpenPostgres, statement: str) -> None:
    store = open_postgres()

    def work(tx: Transaction) -> None:
        count(tx)
        with tx.lend() as connection:
            connection.execute(statement)

    with pytest.raises(UsageError, match="the transaction is the store's"):
        store.write(work)
    assert store.read(lambda view: view.tallies(RUN)) == {}
    assert store.write(count) == 1


def test_a_lent_connection_takes_text_and_savepoints_that_only_look_so(open_postgres: OpenPostgres) -> None:
    store = open_postgres()

    def work(tx: Transaction) -> list[tuple[str]]:
        count(tx)
        with tx.lend() as connection:
            connection.execute("SAVEPOINT mine")
            connection.execute("ROLLBACK TO mine")
            connection.execute("DO $do$ BEGIN NULL; END $do$ -- ; COMMIT")
            return list(connection.execute("SELECT 'a; COMMIT'"))

    assert store.write(work) == [("a; COMMIT",)]
    assert store.write(count) == 2


def test_the_time_zone_and_settings_of_server_and_session_do_not_matter(
    postgres_server: PostgresServer, open_postgres: OpenPostgres
) -> None:
    address, model = postgres_server.fresh(), MemoryStore()
    for setting in (
        "TimeZone = 'America/St_Johns'",
        "DateStyle = 'SQL, DMY'",
        "default_transaction_isolation = serializable",
    ):
        postgres_server.execute(sql.SQL("ALTER DATABASE postgres SET " + setting))
    try:
        store = open_postgres(address)
        for one in (store, model):
            add_run(one)
            one.write(everything)
        assert list(store.dump()) == list(model.dump())
        with psycopg.connect(postgres_server.url) as connection:
            connection.execute("SET DateStyle = ISO")
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(address_of(address).schema)))
            assert connection.execute("SELECT started_at FROM runs WHERE id = %s", (RUN,)).fetchone() == (at(0),)
    finally:
        postgres_server.execute(sql.SQL("ALTER DATABASE postgres RESET ALL"))
    postgres_server.give_back(address)


def test_text_that_postgresql_cannot_hold_comes_back_as_it_was(open_postgres: OpenPostgres) -> None:
    store, model = open_postgres(), MemoryStore()
    odd = ["a\0b", "\ufdd0", "\ufdd00", "\0", "x" * 5_000]
    for one in (store, model):
        for text in odd:
            one.write(methodcaller("append", an_entry(member=text[:1_500], phase=text)))
            one.write(methodcaller("tally", RUN, text))
            one.write(methodcaller("post", a_message(text, error=text)))
        assert one.read(lambda tx: tx.tallies(RUN)) == dict.fromkeys(odd, 1)
        assert one.read(lambda tx: len(tx.entries("late", scope=RUN, member="a\0b"))) == 1
        assert one.write(lambda tx: tx.post(a_message("a\0b"))) is False
    assert list(store.dump()) == list(model.dump())


_COUNT = """
import os, sys
from shotclock import Settings, open_store
from tests.contract.test_postgres_processes import count
store = open_store(Settings(store=sys.argv[1]))
child = os.fork() if len(sys.argv) > 2 else None
for _ in range(25):
    sys.stdout.write(f"{store.write(count)}\\n")
sys.stdout.flush()
if child == 0:
    os._exit(0)
if child:
    os.waitpid(child, 0)
"""


def test_several_processes_write_one_after_the_other(postgres_server: PostgresServer) -> None:
    address = postgres_server.fresh()
    with ThreadPoolExecutor(3) as pool:
        said = [line for lines in pool.map(lambda _: said_by(_COUNT, address), range(3)) for line in lines]
    assert sorted(int(line) for line in said) == list(range(1, 76))
    postgres_server.give_back(address)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_store_is_usable_after_a_fork(postgres_server: PostgresServer) -> None:
    address = postgres_server.fresh()
    said = said_by(_COUNT, address, "fork")
    assert sorted(int(line) for line in said) == list(range(1, 51))
    postgres_server.give_back(address)


_WRITER = """
import sys
from threading import Thread
from shotclock import Settings, open_store
store = open_store(Settings(store=sys.argv[1]))
def write(thread):
    for number in range(1_000_000):
        name = f"{thread}-{number}"
        store.write(lambda tx: tx.tally("kept", name))
        sys.stdout.write(f"{name}\\n")
        sys.stdout.flush()
for thread in range(4):
    Thread(target=write, args=(thread,)).start()
"""


@pytest.mark.parametrize("seed", range(2))
def test_what_was_acknowledged_is_there_after_a_kill_of_the_process(sturdy_store: PostgresStore, seed: int) -> None:
    lines_before_the_kill = random.Random(seed).randint(20, 200)  # noqa: S311 - chooses the moment
    command = [sys.executable, "-c", _WRITER, sturdy_store._server.address.conninfo + _schema(sturdy_store)]  # noqa: SLF001 - as a child is told
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as child:  # noqa: S603 - this very interpreter
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines_before_the_kill)]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
    acknowledged = {line.strip() for line in said if line.endswith("\n")}
    sturdy_store.write(count)  # waits for what the server still does for the dead
    kept = sturdy_store.read(lambda tx: tx.tallies("kept"))
    assert acknowledged <= set(kept)
    assert set(kept.values()) == {1}


def _schema(store: PostgresStore) -> str:
    return f"?schema={store._server.address.schema}"  # noqa: SLF001 - as a child is told
