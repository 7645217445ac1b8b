"""Where state lives: one module per store, and the choice between them by the `store` setting."""

from pathlib import Path
from typing import Final

from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.ports import Store
from shotclock.settings import Settings

SERVED: Final = ("postgresql://", "postgres://")
"""How the address of a store on a server begins."""
MEMORY: Final = "memory://"


def open_store(settings: Settings) -> Store:
    """Open the store that `settings.store` names, creating its folder; raises `UsageError` for an unknown scheme.

    Empty is ``shotclock.db`` in `settings.home`; ``sqlite:///PATH`` is relative, ``sqlite:////PATH`` absolute;
    ``postgresql://USER@HOST:PORT/DATABASE?schema=NAME`` must have been made by ``shotclock store init``.
    """
    if settings.store.startswith(SERVED):
        return _open_served(settings)
    if settings.store == MEMORY:
        from shotclock.stores.memory import MemoryStore  # noqa: PLC0415 - only the store in use is loaded

        return MemoryStore()
    return _open_file(file_of(settings), settings)


def file_of(settings: Settings) -> Path:
    """Return the file in which a store that is neither served nor in memory lives."""
    file = settings.store.removeprefix("sqlite:///")
    if settings.store and file in {"", settings.store}:
        known = "memory://, sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        message = f"setting store is {settings.store!r}: write {known}, or leave it empty for a file in home"
        raise UsageError(message)
    return Path(file) if file else settings.home / "shotclock.db"


def _open_served(settings: Settings) -> Store:
    try:
        from shotclock.postgres import Limits  # noqa: PLC0415 - only the store in use is loaded
        from shotclock.stores.postgres import PostgresStore  # noqa: PLC0415 - likewise
    except ImportError as error:
        message = f"a store on PostgreSQL needs its driver ({error}): pip install 'shotclock[postgres]'"
        raise UsageError(message) from error
    return PostgresStore(settings.store, limits=Limits.of(settings), backlog=settings.backlog)


def _open_file(path: Path, settings: Settings) -> Store:
    from shotclock.stores.sqlite import SqliteStore  # noqa: PLC0415 - only the store in use is loaded

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path.parent}: the store's folder cannot be made ({error.strerror}): choose another with `store`"
        raise StoreUnavailableError(message) from error
    return SqliteStore(path, busy=settings.store_busy, backlog=settings.backlog)
