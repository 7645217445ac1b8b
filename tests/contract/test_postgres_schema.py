"""Promises about the schema: made once, upgraded in two parts under running processes, refused where unfit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from shotclock.errors import StoreVersionError, UsageError
from shotclock.postgres import Limits, address_of
from shotclock.settings import Settings
from shotclock.stores import postgres_migration
from shotclock.stores.memory import MemoryStore
from shotclock.stores.postgres_keeping import initialise, unsafe, upgrade
from shotclock.stores.postgres_migration import RELEASE
from shotclock.stores.postgres_session import FOLDER
from tests.contract.conftest import OpenPostgres
from tests.contract.samples import RUN, add_run
from tests.contract.test_writes import everything
from tests.servers import PostgresServer

LIMITS = Limits.of(Settings())
NEXT = RELEASE + 1


@pytest.fixture
def place(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of a schema that is not there."""
    address = postgres_server.place()
    yield address
    postgres_server.drop(address)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """Give the migrations of the release after this one: it adds a column, and later drops a view."""
    folder = tmp_path / "newer"
    shutil.copytree(FOLDER, folder)
    (folder / f"{NEXT:04}_before_team.sql").write_text("ALTER TABLE run ADD COLUMN team text DEFAULT 'none';\n")
    (folder / f"{NEXT:04}_after_team.sql").write_text("DROP VIEW backlog;\n")
    return folder


def change(server: PostgresServer, address: str, statement: str) -> None:
    """Change something in a schema as another release would."""
    schema = sql.Identifier(address_of(address).schema)
    server.execute(sql.SQL("SET search_path = {}; ").format(schema) + sql.SQL(statement))


def test_a_store_is_made_once(place: str, open_postgres: OpenPostgres) -> None:
    with pytest.raises(StoreVersionError, match="shotclock store init"):
        open_postgres(place)
    assert initialise(address_of(place), LIMITS)
    add_run(open_postgres(place))
    assert not initialise(address_of(place), LIMITS)
    assert open_postgres(place).read(lambda tx: tx.run(RUN)) is not None


def test_a_schema_of_another_program_is_left_alone(place: str, postgres_server: PostgresServer) -> None:
    schema = sql.Identifier(address_of(place).schema)
    postgres_server.execute(sql.SQL("CREATE SCHEMA {0}; CREATE TABLE {0}.theirs (x int)").format(schema))
    with pytest.raises(UsageError, match="another program"):
        initialise(address_of(place), LIMITS)


def test_an_older_schema_is_refused_until_it_is_upgraded(
    place: str, postgres_server: PostgresServer, open_postgres: OpenPostgres, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(FOLDER, older)
    for path in older.glob(f"{RELEASE:04}_*.sql"):
        path.unlink()
    initialise(address_of(place), LIMITS, older)
    with pytest.raises(StoreVersionError, match=f"schema {RELEASE - 1}, this one needs {RELEASE}.*store upgrade"):
        open_postgres(place)
    assert upgrade(address_of(place), LIMITS, after=False)
    store = open_postgres(place)
    add_run(store)
    change(postgres_server, place, "SELECT * FROM runs")


def test_the_code_of_this_release_works_on_the_next_schema_until_what_it_needs_is_taken_away(
    place: str, newer: Path, open_postgres: OpenPostgres
) -> None:
    initialise(address_of(place), LIMITS)
    running, model = open_postgres(place), MemoryStore()
    add_run(running)
    assert upgrade(address_of(place), LIMITS, after=False, folder=newer) == [f"{NEXT:04}_before_team.sql"]
    assert upgrade(address_of(place), LIMITS, after=False, folder=newer) == []
    running.write(everything)
    add_run(model)
    model.write(everything)
    assert list(open_postgres(place).dump()) == list(model.dump())
    assert upgrade(address_of(place), LIMITS, after=True, folder=newer) == [f"{NEXT:04}_after_team.sql"]
    with pytest.raises(StoreVersionError, match=f"schema {NEXT}, this one knows {RELEASE}.*upgrade shotclock"):
        open_postgres(place)


def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    place: str, newer: Path, open_postgres: OpenPostgres
) -> None:
    initialise(address_of(place), LIMITS)
    (newer / f"{NEXT:04}_before_team.sql").write_text("ALTER TABLE run ADD COLUMN team text; SELECT 1 / 0;\n")
    with pytest.raises(Exception, match="division by zero"):
        upgrade(address_of(place), LIMITS, after=False, folder=newer)
    add_run(open_postgres(place))


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = sorted({found.number for found in postgres_migration.migrations()})
    assert numbers == list(range(1, RELEASE + 1))


def test_a_server_told_not_to_wait_for_its_disk_is_named(place: str) -> None:
    initialise(address_of(place), LIMITS)
    assert [line.partition(" ")[0] for line in unsafe(address_of(place), LIMITS)] == ["fsync"]
