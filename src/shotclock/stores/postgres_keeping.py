"""What operators do to a store on PostgreSQL: make it, upgrade it, look whether it keeps what it promises."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import psycopg

from shotclock.postgres import Address, Limits
from shotclock.stores import postgres_migration as migration
from shotclock.stores.postgres_server import Server
from shotclock.stores.postgres_session import FOLDER

T = TypeVar("T")

_UNSAFE: Final = {
    "fsync": "a crash of its machine may destroy the database",
    "full_page_writes": "a crash of its machine may destroy the database",
    "synchronous_commit": "a crash may lose what was acknowledged; this store asks for it itself",
}
_SETTINGS: Final = "SELECT name FROM pg_settings WHERE name = ANY(%s) AND reset_val = 'off' ORDER BY name"


def initialise(address: Address, limits: Limits, folder: Path = FOLDER) -> bool:
    """Make the store; False if it is there already."""
    return _worded(address, limits, lambda: migration.initialise(address, limits, folder))


def upgrade(address: Address, limits: Limits, *, after: bool, folder: Path = FOLDER) -> list[str]:
    """Make the missing migrations, with `after` those too that need older releases gone; return their names."""
    return _worded(address, limits, lambda: migration.upgrade(address, limits, after=after, folder=folder))


def unsafe(address: Address, limits: Limits) -> list[str]:
    """Return what the server was told that breaks a promise, a line each."""
    server = Server(address, limits)

    def ask() -> list[str]:
        session = server.session()
        try:
            found = session.connection.execute(_SETTINGS, (list(_UNSAFE),)).fetchall()
        finally:
            session.close()
        return [f"{name} is off: {_UNSAFE[name]}" for (name,) in found]

    return server.patiently(ask)


def _worded(address: Address, limits: Limits, act: Callable[[], T]) -> T:
    try:
        return act()
    except psycopg.Error as error:
        raise Server(address, limits).unavailable(error) from error
