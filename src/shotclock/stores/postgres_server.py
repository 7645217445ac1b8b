"""The server as one store uses it: sessions, patience with what passes, and errors that name the store."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Final, TypeVar

import psycopg

from shotclock.clock import stopwatch
from shotclock.errors import StoreUnavailableError, StoreVersionError
from shotclock.postgres import Address, Limits, connect, passing, why
from shotclock.stores.postgres_migration import RELEASE, State, state_of
from shotclock.stores.postgres_session import Session

T = TypeVar("T")

_FIRST_PAUSE: Final = 200
"""The first pause before another attempt is this part of the patience, the longest a tenth of it."""


class Patience:
    """The time in which something that passes may be tried again: pauses that double, until it is spent."""

    def __init__(self, limits: Limits) -> None:
        self._whole = limits.busy
        self._passed: Callable[[], timedelta] | None = None
        self._pause = limits.busy / _FIRST_PAUSE

    def again(self) -> bool:
        """Wait a little; False once the time since the first call is spent."""
        self._passed = self._passed or stopwatch()
        if self._passed() + self._pause > self._whole:
            return False
        Event().wait(self._pause.total_seconds())
        self._pause = min(self._pause * 2, self._whole / 10)
        return True


class Server:
    """Opens sessions for a store and speaks for it."""

    def __init__(self, address: Address, limits: Limits) -> None:
        self.address = address
        self.limits = limits

    def check(self) -> None:
        """Refuse a schema that has no store, or one that this release cannot work with."""
        state = self.patiently(self._state)
        if state is None:
            message = f"{self.address.shown}: there is no store: make it with `shotclock store init ADDRESS`"
            raise StoreVersionError(message)
        self._check_release(*state)

    def _check_release(self, schema: int, finished: int) -> None:
        if finished > RELEASE:
            told = f"upgraded for a newer release (schema {finished}, this one knows {RELEASE}): upgrade shotclock"
            message = f"{self.address.shown}: {told}"
            raise StoreVersionError(message)
        if schema < RELEASE:
            told = f"made by an older release (schema {schema}, this one needs {RELEASE})"
            message = f"{self.address.shown}: {told}: run `shotclock store upgrade ADDRESS`"
            raise StoreVersionError(message)

    def _state(self) -> State | None:
        session = self.session()
        try:
            return state_of(session.connection)
        finally:
            session.close()

    def session(self) -> Session:
        """Open a session."""
        return Session(connect(self.address, self.limits))

    def patiently(self, act: Callable[[], T]) -> T:
        """Do something that changes nothing, again for a while if a connection is refused or lost."""
        patience = Patience(self.limits)
        while True:
            try:
                return act()
            except psycopg.Error as error:
                if not passing(error) or not patience.again():
                    raise self.unavailable(error) from error

    def unavailable(self, error: psycopg.Error) -> StoreUnavailableError:
        """Put an error in words: the store and the next step."""
        return self.refused(why(error, self.limits))

    def refused(self, reason: str) -> StoreUnavailableError:
        """Return the error that says why the store cannot be used."""
        message = f"{self.address.shown}: {reason}"
        return StoreUnavailableError(message)
