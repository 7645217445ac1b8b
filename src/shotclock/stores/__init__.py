"""Where state lives: one module per store, and the choice between them by the `store` setting."""

from pathlib import Path
from typing import Final

from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.ports import Store
from shotclock.settings import Settings

SERVED: Final = ("postgresql://", "postgres://")
"""How the address of a store on a server begins."""


def open_store(settings: Settings) -> Store:
    """Open the store that `settings.store` names, creating its folder; raises `UsageError` for an unknown scheme.

    Empty is ``shotclock.db`` in `settings.home`; ``sqlite:///PATH`` is relative, ``sqlite:////PATH`` absolute;
    ``postgresql://USER@HOST:PORT/DATABASE?schema=NAME`` must have been made by ``shotclock store init``.
    """
    where = settings.store
    if where.startswith(SERVED):
        return _open_served(where, settings)
    if where == "memory://":
        from shotclock.stores.memory import MemoryStore  # noqa: PLC0415 - only the store in use is loaded

        return MemoryStore()
    file = where.removeprefix("sqlite:///")
    if where and file in {"", where}:
        known = "memory://, sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        message = f"setting store is {where!r}: write {known}, or leave it empty for a file in home"
        raise UsageError(message)
    return _open_file(Path(file) if file else settings.home / "shotclock.db", settings)


def _open_served(address: str, settings: Settings) -> Store:
    try:
        from shotclock.postgres import Limits  # noqa: PLC0415 - only the store in use is loaded
        from shotclock.stores.postgres import PostgresStore  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        message = f"a store on PostgreSQL needs {error.name}: pip install 'shotclock[postgres]'"
        raise UsageError(message) from error
    return PostgresStore(address, limits=Limits.of(settings), backlog=settings.backlog)


def _open_file(path: Path, settings: Settings) -> Store:
    from shotclock.stores.sqlite import SqliteStore  # noqa: PLC0415 - only the store in use is loaded

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path.parent}: the store's folder cannot be made ({error.strerror}): choose another with `store`"
        raise StoreUnavailableError(message) from error
    return SqliteStore(path, busy=settings.store_busy, backlog=settings.backlog)
