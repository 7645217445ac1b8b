"""The DuckDB warehouse: an effect once, whoever dies; files that are whole; one process at a time."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

import shotclock
from shotclock.errors import FencedError, StoreUnavailableError, UsageError
from shotclock.warehouse.duckdb import DuckDBWarehouse, scratch, write_parquet

LONG, SHORT = timedelta(seconds=20), timedelta(milliseconds=50)

KILLED_IN_THE_EFFECT = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from shotclock.warehouse.duckdb import DuckDBWarehouse
def effect(connection):
    connection.execute("CREATE TABLE IF NOT EXISTS numbers (number INTEGER)")
    connection.execute("INSERT INTO numbers VALUES (13)")
    os.kill(os.getpid(), signal.SIGKILL)
DuckDBWarehouse(Path(sys.argv[1]), busy=timedelta(seconds=20)).commit_once("k", (1, 5), effect)
"""

HOLDING = """
import sys
from datetime import timedelta
from pathlib import Path
from shotclock.warehouse.duckdb import DuckDBWarehouse
with DuckDBWarehouse(Path(sys.argv[1]), busy=timedelta(seconds=20)).reading():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "it's" / "warehouse.duckdb"


@pytest.fixture
def warehouse(file: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(file, busy=LONG)


def replacing(number: int) -> Callable[[DuckDBPyConnection], None]:
    def effect(connection: DuckDBPyConnection) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS numbers (number INTEGER)")
        connection.execute("DELETE FROM numbers")
        connection.execute("INSERT INTO numbers VALUES ($number)", {"number": number})

    return effect


def numbers(warehouse: DuckDBWarehouse) -> list[int]:
    with warehouse.reading() as connection:
        return [found[0] for found in connection.execute("SELECT number FROM numbers ORDER BY number").fetchall()]


def child(script: str, *arguments: object) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(Path(shotclock.__file__).parents[1])}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(  # noqa: S603 - runs the scripts above
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )


def ended(script: str, *arguments: object) -> int:
    with child(script, *arguments) as process:
        process.communicate()
    return process.returncode


@contextmanager
def held_elsewhere(file: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with child(HOLDING, file) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.communicate()


def test_an_equal_token_runs_nothing(warehouse: DuckDBWarehouse) -> None:
    assert warehouse.commit_once("k", (1, 2), replacing(1)) is True
    assert warehouse.commit_once("k", (1, 2), replacing(2)) is False
    assert numbers(warehouse) == [1]


@pytest.mark.parametrize("lower", [(1, 9), (2, 3)])
def test_a_lower_token_is_fenced_and_told_who_was_first(warehouse: DuckDBWarehouse, lower: tuple[int, int]) -> None:
    warehouse.commit_once("k", (2, 4), replacing(1))
    with pytest.raises(FencedError, match="k: generation 2, token 4 is committed"):
        warehouse.commit_once("k", lower, replacing(2))
    assert numbers(warehouse) == [1]


@pytest.mark.parametrize("higher", [(2, 5), (3, 1)])
def test_a_higher_token_replaces(warehouse: DuckDBWarehouse, higher: tuple[int, int]) -> None:
    warehouse.commit_once("k", (2, 4), replacing(1))
    assert warehouse.commit_once("k", higher, replacing(2)) is True
    assert warehouse.commit_once("k", higher, replacing(3)) is False
    assert numbers(warehouse) == [2]


def test_keys_do_not_fence_each_other(warehouse: DuckDBWarehouse) -> None:
    warehouse.commit_once("a", (2, 4), replacing(1))
    assert warehouse.commit_once("b", (1, 1), replacing(2)) is True


def test_an_effect_that_raises_leaves_nothing_and_may_come_again(warehouse: DuckDBWarehouse) -> None:
    def failing(connection: DuckDBPyConnection) -> None:
        replacing(7)(connection)
        message = "in the middle"
        raise RuntimeError(message)

    warehouse.commit_once("k", (1, 1), replacing(1))
    with pytest.raises(RuntimeError, match="in the middle"):
        warehouse.commit_once("k", (1, 2), failing)
    assert numbers(warehouse) == [1]
    assert warehouse.commit_once("k", (1, 2), replacing(2)) is True


def test_an_effect_with_wrong_sql_leaves_the_warehouse_usable(warehouse: DuckDBWarehouse) -> None:
    def wrong(connection: DuckDBPyConnection) -> None:
        replacing(7)(connection)
        connection.execute("SELECT nothing FROM nowhere")

    with pytest.raises(Exception, match="nowhere"):
        warehouse.commit_once("k", (1, 1), wrong)
    assert warehouse.commit_once("k", (1, 1), replacing(2)) is True
    assert numbers(warehouse) == [2]


def test_a_process_killed_in_its_effect_leaves_nothing(file: Path, warehouse: DuckDBWarehouse) -> None:
    warehouse.commit_once("k", (1, 4), replacing(1))
    assert ended(KILLED_IN_THE_EFFECT, file) == -signal.SIGKILL
    assert numbers(warehouse) == [1]
    assert warehouse.commit_once("k", (1, 5), replacing(2)) is True


def test_threads_commit_one_after_the_other(file: Path) -> None:
    def adding(number: int) -> bool:
        def effect(connection: DuckDBPyConnection) -> None:
            connection.execute("CREATE TABLE IF NOT EXISTS numbers (number INTEGER)")
            connection.execute("INSERT INTO numbers VALUES ($number)", {"number": number})

        return DuckDBWarehouse(file, busy=LONG).commit_once(f"k{number}", (1, 1), effect)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(adding, range(16)))
    assert numbers(DuckDBWarehouse(file, busy=LONG)) == list(range(16))


def test_one_of_many_threads_with_the_same_token_runs_the_effect(warehouse: DuckDBWarehouse) -> None:
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda number: warehouse.commit_once("k", (1, 1), replacing(number)), range(8)))
    assert ran.count(True) == 1
    assert numbers(warehouse) == [ran.index(True)]


def test_a_file_held_by_another_process_is_named_after_the_wait(file: Path) -> None:
    with (
        held_elsewhere(file),
        pytest.raises(StoreUnavailableError, match="another process has held the warehouse for 50ms") as said,
    ):
        DuckDBWarehouse(file, busy=SHORT).commit_once("k", (1, 1), replacing(1))
    assert str(file) in str(said.value)
    assert DuckDBWarehouse(file, busy=LONG).commit_once("k", (1, 1), replacing(1)) is True


def test_a_commit_waits_for_another_process_to_let_go(file: Path, warehouse: DuckDBWarehouse) -> None:
    with held_elsewhere(file) as other, ThreadPoolExecutor(1) as pool:
        done = pool.submit(warehouse.commit_once, "k", (1, 1), replacing(1))
        other.communicate()
        assert done.result() is True


def test_processes_take_turns_and_may_both_be_the_first(file: Path) -> None:
    files = [file.with_name(f"{number}.duckdb") for number in range(20)]
    with get_context("spawn").Pool(2) as pool:
        ran = pool.starmap(_commit, [(str(one), number) for one in files for number in range(2)], chunksize=1)
    assert ran == [True] * 40
    assert sorted(file.parent.iterdir()) == sorted(files)


def _three_hundred_thousand(connection: DuckDBPyConnection) -> None:
    connection.execute("CREATE TABLE t AS SELECT range AS n FROM range(300000)")


def _commit(file: str, number: int) -> bool:
    return DuckDBWarehouse(Path(file), busy=LONG).commit_once(f"k{number}", (1, 1), replacing(number))


def test_an_export_is_whole_in_order_and_the_same_each_time(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    warehouse.commit_once("k", (1, 1), _three_hundred_thousand)
    query = "-- the highest first\nSELECT n FROM t ORDER BY n DESC -- all of them"
    assert warehouse.export(query, tmp_path / "a.parquet") == 300_000
    assert warehouse.export(query, tmp_path / "b.parquet") == 300_000
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    with scratch() as connection:
        found = connection.execute(
            "SELECT n FROM read_parquet($f) LIMIT 1", {"f": str(tmp_path / "a.parquet")}
        ).fetchall()
    assert found == [(299_999,)]


def test_an_export_that_fails_leaves_the_old_file_and_no_other(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    target = tmp_path / "out" / "a.parquet"
    warehouse.export("SELECT 1 AS n", target)
    before = target.read_bytes()
    with pytest.raises(Exception, match="nowhere"):
        warehouse.export("SELECT n FROM nowhere", target)
    with pytest.raises(Exception, match="Could not convert"):
        warehouse.export("SELECT ('x' || range)::INTEGER AS n FROM range(9)", target)
    assert target.read_bytes() == before
    assert list(target.parent.iterdir()) == [target]


def test_values_fill_a_query_and_quotes_in_paths_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "it's" / "a.parquet"
    with scratch() as connection:
        assert write_parquet(connection, "SELECT unnest($n::BIGINT[]) AS n", target, {"n": [3, 1, 2]}) == 3
        assert connection.execute("FROM read_parquet($f)", {"f": str(target)}).fetchall() == [(3,), (1,), (2,)]


def test_a_file_that_is_no_warehouse_is_named(file: Path, warehouse: DuckDBWarehouse) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a warehouse" * 1_000)
    with pytest.raises(StoreUnavailableError, match=r"warehouse\.duckdb"):
        warehouse.commit_once("k", (1, 1), replacing(1))


def test_a_file_that_is_no_warehouse_is_not_taken_for_a_held_one(tmp_path: Path) -> None:
    file = tmp_path / "a lock in its name.duckdb"
    file.write_bytes(b"not a warehouse" * 1_000)
    with pytest.raises(StoreUnavailableError, match="not a valid DuckDB"):
        DuckDBWarehouse(file, busy=LONG).commit_once("k", (1, 1), replacing(1))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreUnavailableError, match=r"cannot write .*warehouse\.duckdb: a part of its path is a file"):
        DuckDBWarehouse(tmp_path / "file" / "warehouse.duckdb", busy=SHORT).commit_once("k", (1, 1), replacing(1))


def test_without_duckdb_the_extra_is_named(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match=r"pip install 'shotclock\[duckdb\]'"):
        warehouse.commit_once("k", (1, 1), replacing(1))


def test_duckdb_is_not_imported_before_it_is_used() -> None:
    script = "import sys, shotclock.warehouse.duckdb; sys.exit('duckdb' in sys.modules)"
    assert ended(script) == 0
