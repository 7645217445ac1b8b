"""Callers that show a token signed by somebody who is trusted: pushed messages, requests of a scheduler.

Signature, times and audience are checked by google-auth. Here it is decided whom to believe: the issuer, the identities
that are let in, and what they may do, all of which are settings.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, Final, cast, get_args

from google.auth import exceptions, jwt
from google.oauth2 import id_token

from shotclock.clock import Clock
from shotclock.errors import UsageError
from shotclock.http.certificates import Certificates
from shotclock.http.refused import forbidden, unknown
from shotclock.model import Caller, Scope
from shotclock.settings import Settings

_MOST: Final = 1_024
"""Most tokens that are remembered as checked."""
_BY_ITSELF: Final = 1
"""Threads that check: they come one after another, and the later take the certificates that the first has fetched."""
_ALGORITHM: Final = "RS256"
_UNPROVEN: Final = "the signed token does not count here: wrong, expired, or made for somebody else"
_SECURE: Final = "https://"


class Oidc:
    """Who is let in by a signed token; every method may be called from any thread."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._scopes = _scopes(settings)
        self._identities = _identities(settings)
        self._issuers = {settings.oidc_issuer, settings.oidc_issuer.removeprefix(_SECURE)}
        self._certificates = Certificates(settings)
        self._checked: dict[bytes, tuple[Caller, float]] = {}
        """Who has shown a token of that hash, and when it ends."""
        self.beside = ThreadPoolExecutor(_BY_ITSELF, thread_name_prefix="oidc")
        """Where tokens are checked, so that no request waits for another's certificates."""

    def known(self, text: str) -> Caller | None:
        """Return who shows a token that was checked before and still counts; None if that is yet to be checked."""
        entry = self._checked.get(_key(text))
        return entry[0] if entry is not None and self._clock.now().timestamp() < entry[1] else None

    def check(self, text: str) -> Caller:
        """Return who shows a token; raises `RefusedError`: 401, 403, or 503 where certificates cannot be fetched."""
        claims = self._claims(text)
        if claims.get("iss") not in self._issuers:
            raise unknown(_UNPROVEN)
        caller = Caller(kind="oidc", name=self._identity(claims), scopes=self._scopes)
        if len(self._checked) >= _MOST:
            self._checked.clear()
        self._checked[_key(text)] = (caller, float(claims["exp"]))
        return caller

    def close(self) -> None:
        """Let go of the thread that checks; a repeat does nothing."""
        self.beside.shutdown()

    def _claims(self, text: str) -> Mapping[str, Any]:
        """Return what a token says; raises `RefusedError` unless it was signed, for us, and counts now."""
        settings = self._settings
        try:
            header = jwt.decode_header(text)  # type: ignore[no-untyped-call]  # the library has no types here
        except (exceptions.GoogleAuthError, ValueError, RecursionError) as error:
            raise unknown(_UNPROVEN) from error
        if header.get("alg") != _ALGORITHM:
            raise unknown(_UNPROVEN)
        self._certificates.expect(header.get("kid"))
        skew = round(settings.oidc_skew.total_seconds())
        try:
            return id_token.verify_token(
                text, self._certificates, settings.oidc_audience, settings.oidc_certs, clock_skew_in_seconds=skew
            )
        except (exceptions.GoogleAuthError, ValueError, RecursionError) as error:
            raise unknown(_UNPROVEN) from error

    def _identity(self, claims: Mapping[str, Any]) -> str:
        """Return who it is; raises `RefusedError` for who is not let in."""
        shown = [claims.get("sub"), claims.get("email") if claims.get("email_verified") is True else None]
        found = [name for name in shown if isinstance(name, str) and name in self._identities]
        if not found:
            message = "whoever the signed token names is not among oidc_identities"
            raise forbidden(message)
        return found[-1]


def _key(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _identities(settings: Settings) -> frozenset[str]:
    named = _words(settings.oidc_identities)
    if not named:
        message = "setting oidc_identities names nobody: anybody can have a token made for an oidc_audience"
        raise UsageError(message)
    return frozenset(named)


def _scopes(settings: Settings) -> frozenset[Scope]:
    named = _words(settings.oidc_scopes)
    unknown_ones = [name for name in named if name not in get_args(Scope)]
    if unknown_ones or not named:
        message = f"setting oidc_scopes: {', '.join(unknown_ones) or 'nothing'} is no scope: report, read or operate"
        raise UsageError(message)
    return frozenset(cast("list[Scope]", named))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
