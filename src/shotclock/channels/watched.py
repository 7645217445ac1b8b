"""A call to an address outside after each good sweep: who does not hear it any more knows that the service is gone."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.client import HTTPException
from os import environ
from threading import Event, Thread
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from shotclock.clock import seconds
from shotclock.errors import UsageError
from shotclock.settings import Settings

_log = logging.getLogger("shotclock.watched")


class Watched:
    """Calls the address from a thread of its own, at most every so often; one that does not answer harms nothing."""

    def __init__(self, address: str, every: timedelta, within: timedelta, now: Callable[[], float] = seconds) -> None:
        self._address = address
        self._every = every.total_seconds()
        self._within = within.total_seconds()
        self._now = now
        self._next = float("-inf")
        self._bell = Event()
        self._closed = False
        self._thread: Thread | None = None

    def swept(self) -> None:
        """Have the address called, unless it was a short while ago; returns at once."""
        if not self._address or self._now() < self._next:
            return
        self._next = self._now() + self._every
        if self._thread is None:
            self._thread = Thread(target=self._work, name="shotclock watched", daemon=True)
            self._thread.start()
        self._bell.set()

    def close(self) -> None:
        """End the thread once a call that is under way has ended."""
        self._closed = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join(self._within)
            self._thread = None

    def _work(self) -> None:
        while not self._closed:
            self._bell.wait()
            self._bell.clear()
            if not self._closed:
                self._call()

    def _call(self) -> None:
        request = Request(self._address, method="GET")  # noqa: S310 - the scheme was checked when it was opened
        try:
            with urlopen(request, timeout=self._within):  # noqa: S310 - likewise
                pass
        except (OSError, HTTPException) as error:
            _log.warning("the address in watched_by did not answer: %s", type(error).__name__)


def open_watched(settings: Settings, environment: Mapping[str, str] = environ) -> Watched:
    """Return what calls the address of the setting, or calls nobody; raises `UsageError` for one that is none."""
    text = str(settings.watched_by)
    address = environment.get(text[1:], "").strip() if text.startswith("$") else text
    parts = urlsplit(address)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        missing = text.startswith("$") and not address
        why = f"the environment variable {text[1:]} is not set, or empty" if missing else "no https:// address"
        message = f"setting watched_by ({settings.origin('watched_by')}): {why}"
        raise UsageError(message)
    return Watched(address, settings.watched_every, settings.alerts_send)
