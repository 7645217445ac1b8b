"""Promises about handlers whose effect is in the same PostgreSQL database: made once, and never without its record."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from shotclock import Settings, idempotent
from shotclock.engine.claiming import figures
from shotclock.stores.postgres import PostgresStore
from tests.contract.conftest import OpenPostgres
from tests.servers import PostgresServer

SETTINGS = Settings()


@pytest.fixture
def charges(postgres_server: PostgresServer) -> Iterator[str]:
    """Give a table of the handler's own, outside the store's schema."""
    postgres_server.execute(sql.SQL("CREATE TABLE charge (name text UNIQUE)"))
    yield "charge"
    postgres_server.execute(sql.SQL("DROP TABLE charge"))


def charged(server: PostgresServer) -> list[str]:
    """Return what another program finds in the table."""
    with psycopg.connect(server.url) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM charge ORDER BY name")]


def charge(database: "psycopg.Connection[tuple[object, ...]]", name: str) -> str:
    database.execute("INSERT INTO charge VALUES (%s)", (name,))
    return f"charged {name}"


def kept(store: PostgresStore) -> int:
    return store.read(figures)["kept"]


def test_an_effect_is_made_once_with_its_record(
    postgres_server: PostgresServer, open_postgres: OpenPostgres, charges: str
) -> None:
    store = open_postgres()
    handler = idempotent(lambda name: f"{charges}:{name}", store=store, settings=SETTINGS, transaction=True)(charge)
    assert [handler("a"), handler("b"), handler("a")] == ["charged a", "charged b", "charged a"]
    assert (charged(postgres_server), kept(store)) == (["a", "b"], 2)


def test_an_effect_that_raises_or_ends_the_transaction_leaves_nothing(
    postgres_server: PostgresServer, open_postgres: OpenPostgres, charges: str
) -> None:
    store = open_postgres()

    def twice(database: "psycopg.Connection[tuple[object, ...]]") -> None:
        charge(database, charges)
        charge(database, charges)

    def ending(database: "psycopg.Connection[tuple[object, ...]]") -> None:
        charge(database, charges)
        database.commit()

    for effect, error in ((twice, psycopg.errors.UniqueViolation), (ending, psycopg.ProgrammingError)):
        with pytest.raises(error):
            idempotent("k", store=store, settings=SETTINGS, transaction=True)(effect)()
    assert (charged(postgres_server), kept(store)) == ([], 0)
