"""Promises about the SQLite store's file: it is found again, and what cannot be used is refused in words."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.errors import StoreUnavailableError, StoreVersionError, UsageError
from shotclock.ports import Transaction
from shotclock.settings import Settings
from shotclock.stores import open_store
from shotclock.stores.memory import MemoryStore
from shotclock.stores.sqlite import SqliteStore
from tests.contract.conftest import OpenSqlite
from tests.contract.samples import RUN, a_message, a_phase, a_run, a_task, add_run, add_tasks, an_entry, at

BRIEFLY = timedelta(milliseconds=20)
"""A wait for a lock that is never given."""


def one_line(error: pytest.ExceptionInfo[StoreUnavailableError], path: Path) -> bool:
    """Say whether the error names the path and a next step, on one line."""
    text = str(error.value)
    return text.startswith(f"{path}: ") and "\n" not in text and ": " in text.removeprefix(f"{path}: ")


def outside(path: Path, *statements: str) -> None:
    """Change the file as another program would."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_store_opened_again_finds_everything(open_sqlite: OpenSqlite) -> None:
    first = open_sqlite()
    add_run(first, RUN, a_phase(due_at=at(9)))
    add_tasks(first, a_task(0), a_task(1, work="chunk", hi=4))
    first.write(lambda tx: tx.post(a_message()))
    before = list(first.dump())
    first.close()
    second = open_sqlite()
    assert list(second.dump()) == before
    assert second.read(lambda tx: tx.run(RUN)) == a_run()
    assert second.write(lambda tx: tx.post(a_message())) is False


def test_two_stores_on_one_file_see_each_others_commits(open_sqlite: OpenSqlite) -> None:
    one, two = open_sqlite(), open_sqlite()
    version = two.version()
    add_run(one)
    assert two.read(lambda tx: tx.run(RUN)) == a_run()
    assert two.version() != version


def test_an_empty_file_becomes_a_store(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    add_run(open_sqlite())


def test_a_path_with_odd_letters_is_taken_as_it_is(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro#%20é 'x'.db"
    add_run(open_sqlite(path))
    assert path.is_file()


def test_a_file_that_is_no_database_is_refused_and_left_alone(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"game_date,player\n" * 100)
    with pytest.raises(StoreUnavailableError, match="not a SQLite file") as caught:
        open_sqlite()
    assert one_line(caught, path)
    assert path.read_bytes() == b"game_date,player\n" * 100


def test_another_programs_database_is_refused_and_left_alone(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    outside(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreUnavailableError, match="another program") as caught:
        open_sqlite()
    assert one_line(caught, path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_release_is_refused_and_left_alone(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    open_sqlite().close()
    path = tmp_path / "store.db"
    outside(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match=r"newer release \(schema 99, this one knows 1\)"):
        open_sqlite()
    assert path.read_bytes() == before


def test_a_store_of_an_older_release_gets_what_it_lacks(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    add_run(open_sqlite())
    open_sqlite().close()
    path = tmp_path / "store.db"
    outside(path, "DROP TABLE flag")
    for _ in range(2):
        store = open_sqlite()
        assert store.read(lambda view: view.run(RUN)) is not None
        assert store.read(lambda view: view.flags()) == []


def test_a_damaged_file_is_refused(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_sqlite()
    add_run(store)
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreUnavailableError, match="damaged") as caught:
        open_sqlite().read(lambda tx: tx.run(RUN))
    assert one_line(caught, path)


def test_a_folder_that_is_not_there_is_refused(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="its folder exists") as caught:
        open_sqlite(tmp_path / "nowhere" / "store.db")
    assert one_line(caught, tmp_path / "nowhere" / "store.db")


def test_a_store_that_another_process_holds_is_busy(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    store = open_sqlite(busy=BRIEFLY)
    add_run(store)
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="longer than 20ms") as caught:
        store.write(lambda tx: tx.tally(RUN, "n"))
    assert one_line(caught, tmp_path / "store.db")
    assert store.read(lambda tx: tx.run(RUN)) == a_run()
    holder.close()
    store.write(lambda tx: tx.tally(RUN, "n"))


def test_a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest(open_sqlite: OpenSqlite) -> None:
    store = open_sqlite()
    add_run(store)
    before = list(store.dump())

    def fill(tx: Transaction) -> None:
        # A bound on the file's size makes SQLite answer as it does for a full disk; it holds for one connection only.
        tx._db.execute("PRAGMA max_page_count = 60")  # type: ignore[attr-defined]  # noqa: SLF001 - see above
        for _ in range(100):
            tx.append(an_entry(body={"text": "x" * 10_000}))

    with pytest.raises(StoreUnavailableError, match="no room") as caught:
        store.write(fill)
    assert "free some" in str(caught.value)
    assert list(store.dump()) == before
    store.write(lambda tx: tx.tally(RUN, "n"))
    assert store.read(lambda tx: tx.tallies(RUN)) == {"n": 1}


def test_a_file_put_in_the_place_of_an_open_store_is_noticed(open_sqlite: OpenSqlite, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_sqlite()
    add_run(store)
    path.rename(tmp_path / "moved.db")
    with pytest.raises(StoreUnavailableError, match="gone") as caught:
        store.write(lambda tx: tx.tally(RUN, "n"))
    assert one_line(caught, path)
    shutil.copy(tmp_path / "moved.db", path)
    with pytest.raises(StoreUnavailableError, match="another file was put in its place"):
        store.write(lambda tx: tx.tally(RUN, "n"))
    assert store.read(lambda tx: tx.tallies(RUN)) == {}


_UNPRIVILEGED = """
import os, sys
from datetime import timedelta
from pathlib import Path
from shotclock.errors import StoreUnavailableError
from shotclock.stores.sqlite import SqliteStore
if os.geteuid() == 0:
    os.seteuid(65534)  # file permissions do not bind the superuser
try:
    store = SqliteStore(Path(sys.argv[1]), busy=timedelta(seconds=1), backlog=1)
    store.write(lambda tx: tx.tally("a", "n"))
except StoreUnavailableError as error:
    print(error)
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_only_be_read_is_refused(there: bool) -> None:  # noqa: FBT001 - an example
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "store.db"
        if there:
            SqliteStore(path, busy=BRIEFLY, backlog=1).close()
            path.chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", _UNPRIVILEGED, str(path)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())  # noqa: S603 - this very interpreter
        folder.chmod(0o755)
    assert answer.stdout.startswith(f"{path}: it cannot be ")
    assert answer.stdout.count("\n") == 1


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_setting_chooses_the_store(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    for text, path in (("", home / "shotclock.db"), (f"sqlite:///{tmp_path}/a/b.db", tmp_path / "a" / "b.db")):
        store = open_store(Settings(home=home, store=text))
        assert isinstance(store, SqliteStore)
        assert path.is_file()
        store.close()
    assert isinstance(open_store(Settings(store="memory://")), MemoryStore)


@pytest.mark.parametrize("text", ["mysql://host/db", "sqlite://x.db", "store.db", "memory", "sqlite:///"])
def test_a_store_that_nobody_knows_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(UsageError, match=r"memory://.*sqlite:///PATH"):
        open_store(Settings(store=text))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="cannot be made") as caught:
        open_store(Settings(home=tmp_path / "file" / "home"))
    assert one_line(caught, tmp_path / "file" / "home")
