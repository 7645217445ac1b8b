"""The rule that a thread has one transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

from shotclock.errors import UsageError


class Alone:
    """Refuses a transaction within a transaction, which would wait for itself."""

    def __init__(self) -> None:
        self._threads: set[int] = set()

    @contextmanager
    def here(self) -> Iterator[None]:
        """Have this thread be in a transaction; raises `UsageError` if it is in one already."""
        thread = get_ident()
        if thread in self._threads:
            message = "a transaction is running in this thread: use the one that was given instead of the store"
            raise UsageError(message)
        self._threads.add(thread)
        try:
            yield
        finally:
            self._threads.discard(thread)
