"""Adapters that carry doorbells between processes."""

from shotclock.ports import Bus
from shotclock.settings import Settings


def open_bus(settings: Settings) -> Bus:
    """Open the bus that goes with `settings.store`: through the server of a store that is served, else in `home`."""
    if settings.store.startswith(("postgresql://", "postgres://")):
        from shotclock.buses.postgres import PostgresBus  # noqa: PLC0415 - only the bus in use is loaded
        from shotclock.postgres import Limits  # noqa: PLC0415 - likewise

        return PostgresBus(settings.store, Limits.of(settings))
    from shotclock.buses.local import LocalBus  # noqa: PLC0415 - likewise

    return LocalBus(settings.home)
