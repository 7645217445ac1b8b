"""Promises about several processes on one SQLite file, some of which are killed."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.ports import Transaction
from shotclock.stores.sqlite import SqliteStore
from tests.contract.conftest import OpenSqlite
from tests.contract.samples import RUN

_FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")

PATIENCE = timedelta(minutes=1)


def take_number(tx: Transaction) -> int:
    """Count one and return the sum."""
    tx.tally(RUN, "n")
    return tx.tallies(RUN)["n"]


def take_numbers(path: Path, count: int) -> list[int]:
    """Open the store and take so many numbers."""
    store = SqliteStore(path, busy=PATIENCE, backlog=500)
    try:
        return [store.write(take_number) for _ in range(count)]
    finally:
        store.close()


def test_processes_that_write_at_once_lose_nothing_and_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        parts = pool.starmap(take_numbers, [(path, 60)] * 3)
        pool.close()
        pool.join()
    assert sorted(number for part in parts for number in part) == list(range(1, 181))


def test_processes_that_make_the_store_at_once_make_one(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        for round_ in range(8):
            parts = pool.starmap(take_numbers, [(tmp_path / f"store{round_}.db", 1)] * 4, chunksize=1)
            assert sorted(number for part in parts for number in part) == [1, 2, 3, 4]
        pool.close()
        pool.join()


_FORKING = """
import os, sys
from datetime import timedelta
from pathlib import Path
from shotclock.stores.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]), busy=timedelta(minutes=1), backlog=500)
def take_number(tx):
    tx.tally("forked", "n")
    return tx.tallies("forked")["n"]
store.write(take_number)
store.read(lambda tx: tx.tallies("forked"))
store.version()
out, into = os.pipe()
child = os.fork()
print(*[store.write(take_number) for _ in range(20)], flush=True)
if child:
    store.close()
    os.write(into, b".")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.read(out, 1)  # the parent has closed its store
print(*[store.write(take_number) for _ in range(20)], flush=True)
"""

_FORKING_INSIDE = """
import os, sys
from datetime import timedelta
from pathlib import Path
from shotclock.errors import StoreUnavailableError
from shotclock.stores.sqlite import SqliteStore
def opened():
    return SqliteStore(Path(sys.argv[1]), busy=timedelta(minutes=1), backlog=500)
store = opened()
child = getattr(store, sys.argv[2])(lambda tx: os.fork())
if child:
    store.write(lambda tx: tx.tally("forked", "n"))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
for use in (opened, lambda: opened().close()):
    try:
        use()
    except StoreUnavailableError as error:
        print(error, flush=True)
os._exit(0)
"""


def _said_by(script: str, path: Path, *words: str) -> list[str]:
    command = [sys.executable, "-c", script, str(path), *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())  # noqa: S603 - this very interpreter
    return answer.stdout.splitlines()


@_FORKS
def test_a_forked_child_writes_on_after_its_parent_closed_the_store(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    said = _said_by(_FORKING, tmp_path / "store.db")
    taken = [[int(number) for number in line.split()] for line in said]
    assert all(numbers == sorted(numbers) for numbers in taken)
    assert sorted(number for numbers in taken for number in numbers) == list(range(2, 62))
    assert open_sqlite().read(lambda tx: tx.tallies("forked")) == {"n": 61}


@_FORKS
@pytest.mark.parametrize("within", ["write", "read"])
def test_a_child_forked_within_a_transaction_is_refused_the_file(tmp_path: Path, within: str) -> None:
    said = _said_by(_FORKING_INSIDE, tmp_path / "store.db", within)
    assert len(said) == 2
    assert all("forked" in line and "spawn" in line for line in said)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


_WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from threading import Thread
from shotclock.stores.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]), busy=timedelta(minutes=1), backlog=500)
def write(thread):
    for number in range(1_000_000):
        name = f"{thread}-{number}"
        store.write(lambda tx: tx.tally("kept", name))
        sys.stdout.write(f"{name}\\n")
        sys.stdout.flush()
for thread in range(4):
    Thread(target=write, args=(thread,)).start()
"""


@pytest.mark.parametrize("seed", range(3))
def test_what_was_acknowledged_is_there_after_a_kill(open_sqlite: OpenSqlite, tmp_path: Path, seed: int) -> None:
    lines_before_the_kill = random.Random(seed).randint(20, 400)  # noqa: S311 - chooses the moment
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "store.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as child:  # noqa: S603 - this very interpreter
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines_before_the_kill)]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
    acknowledged = {line.strip() for line in said if line.endswith("\n")}
    kept = open_sqlite().read(lambda tx: tx.tallies("kept"))
    assert len(acknowledged) >= lines_before_the_kill
    assert acknowledged <= set(kept)
    assert set(kept.values()) == {1}
