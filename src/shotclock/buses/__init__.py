"""Adapters that carry doorbells between processes."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from shotclock.errors import BusError
from shotclock.ports import Bus
from shotclock.settings import Settings


def open_bus(settings: Settings) -> Bus:
    """Open the bus that goes with `settings.store`: through the server of a store that is served, else in `home`."""
    if _is_served(settings):
        from shotclock.buses.postgres import PostgresBus  # noqa: PLC0415 - only the bus in use is loaded
        from shotclock.postgres import Limits  # noqa: PLC0415 - likewise

        return PostgresBus(settings.store, Limits.of(settings))
    from shotclock.buses.local import LocalBus  # noqa: PLC0415 - likewise

    return LocalBus(settings.home)


@contextmanager
def bell(settings: Settings) -> Iterator[Callable[[], None]]:
    """Give what wakes those who work on a store, for who only changes it; a served store does so itself."""
    if _is_served(settings):
        yield lambda: None
        return
    with closing(open_bus(settings)) as bus:

        def ring() -> None:
            with suppress(BusError):  # they look by themselves, a little later
                bus.ring("doorbell", {})

        yield ring


def _is_served(settings: Settings) -> bool:
    return settings.store.startswith(("postgresql://", "postgres://"))
