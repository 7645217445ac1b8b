"""Where state lives: one module per store, and the choice between them by the `store` setting."""

from pathlib import Path

from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.ports import Store
from shotclock.settings import Settings


def open_store(settings: Settings) -> Store:
    """Open the store that `settings.store` names, creating its folder; raises `UsageError` for an unknown scheme.

    Empty is ``shotclock.db`` in `settings.home`; ``sqlite:///PATH`` is relative, ``sqlite:////PATH`` absolute.
    """
    where = settings.store
    if where == "memory://":
        from shotclock.stores.memory import MemoryStore  # noqa: PLC0415 - only the store in use is loaded

        return MemoryStore()
    file = where.removeprefix("sqlite:///")
    if where and file in {"", where}:
        message = f"setting store is {where!r}: write memory:// or sqlite:///PATH, or leave it empty for a file in home"
        raise UsageError(message)
    return _open_file(Path(file) if file else settings.home / "shotclock.db", settings)


def _open_file(path: Path, settings: Settings) -> Store:
    from shotclock.stores.sqlite import SqliteStore  # noqa: PLC0415 - only the store in use is loaded

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path.parent}: the store's folder cannot be made ({error.strerror}): choose another with `store`"
        raise StoreUnavailableError(message) from error
    return SqliteStore(path, busy=settings.store_busy, backlog=settings.backlog)
