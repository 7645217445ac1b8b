"""The certificates of who signs tokens: fetched with a time-out, kept for as long as the issuer says."""

import re
from math import inf
from threading import Lock
from typing import Final

import msgspec
from google.auth import exceptions
from google.auth.transport import Request, Response
from google.auth.transport.requests import Request as Fetching

from shotclock.clock import seconds
from shotclock.http.refused import later
from shotclock.settings import Settings

_MAX_AGE: Final = re.compile(r"max-age=(\d{1,8})")
_OK: Final = 200


class Certificates(Request):
    """The certificates as they were fetched last; it is what google-auth asks for them."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.oidc_certs
        self._wait = settings.oidc_wait
        self._again = settings.access_bound
        self._lock = Lock()
        self._fetch = Fetching()
        self._kept: Response | None = None
        self._names: frozenset[str] = frozenset()
        self._until = -inf
        self._tried_at = -inf

    def expect(self, name: object) -> None:
        """Have certificates at hand that are not too old, and look again where none has that name.

        Raises `RefusedError` (503) where there are none and they cannot be fetched; a look that failed is not repeated
        within `access_bound`, so that nobody waits for a time-out after another.
        """
        with self._lock:
            old = seconds() > self._until
            tried = seconds() - self._tried_at < self._again.total_seconds()
            if (old or name not in self._names) and not tried:
                self._load()
                old = seconds() > self._until
            if old:
                message = "the certificates that signed tokens are checked by cannot be fetched"
                raise later(503, message, self._again)

    def __call__(self, url: str, method: str = "GET", **_more: object) -> Response:  # type: ignore[override]  # all that is asked
        """Return what was fetched last."""
        if self._kept is None:
            message = f"{method} {url}: nothing was fetched"
            raise exceptions.TransportError(message)  # type: ignore[no-untyped-call]  # the library has no types here
        return self._kept

    def _load(self) -> None:
        """Fetch them; where that fails, what is kept stays as it is."""
        try:
            found = self._fetch(self._url, timeout=self._wait.total_seconds())
            names = frozenset(msgspec.json.decode(found.data, type=dict[str, str]) if found.status == _OK else ())
        except (exceptions.TransportError, msgspec.MsgspecError):
            names = frozenset()
        self._tried_at = seconds()
        if names:
            self._kept, self._names = found, names
            said = _MAX_AGE.search(found.headers.get("cache-control", ""))
            self._until = seconds() + (float(said[1]) if said else self._again.total_seconds())
