"""Who may call: each request is admitted as a caller with scopes, or refused.

::

    access = Access(store, settings, clock, open_to_all=opens(store, settings, clock, host))
    caller = await access.admitted(headers, "report")            # never blocks the event loop
    caller = access.admit(headers, "read", pipeline="nba")       # the same; may wait for the store or for certificates
    require(caller, "operate", "nba")                            # for what stands in a body: 403 if it may not
    access.close()

`headers` has names in small letters, or is a Starlette `Headers`. Both raise `RefusedError` with `status` (401, 403,
or 503 where it cannot be known), `headers` to answer with, and a reason in `str()` that holds no secret; and
`StoreError` where the tokens cannot be read, which is a 503, too. A caller that is limited to pipelines is to be shown,
and may change, only what `caller.covers(pipeline)`.

On loopback all is open until the first token is made, see `opens`; elsewhere each request shows who it comes from.
"""

from asyncio import get_running_loop
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shotclock.clock import Clock
from shotclock.core import tokens
from shotclock.engine.tokens import known
from shotclock.errors import StoreError, UsageError
from shotclock.http.book import Book
from shotclock.http.refused import RefusedError, forbidden, unknown
from shotclock.model import SCOPES, Caller, Scope
from shotclock.ports import Store
from shotclock.settings import Settings

if TYPE_CHECKING:
    from shotclock.http.oidc import Oidc

__all__ = ["Access", "RefusedError", "opens", "require"]

_LOCAL: Final = Caller(kind="local", name="local", scopes=frozenset(SCOPES))
_THROUGH_OTHERS: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "via")
"""What a request has that somebody passes on."""
_NOTHING: Final = "show a token: Authorization: Bearer sc_..."
_UNPROVEN: Final = "what was shown is no token that counts here: wrong, expired, revoked, or made for somebody else"
_DOTS: Final = 2
_BY_ITSELF: Final = 1
"""Threads that look beside the requests: they look one after another, and the later take what the earlier found."""


class Access:
    """Who may call the service that works on a store; every method may be called from any thread."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, *, open_to_all: bool) -> None:
        self._book = Book(store, settings, clock)
        self._open = open_to_all
        self._oidc = _oidc(settings, clock)
        self._beside = ThreadPoolExecutor(_BY_ITSELF, thread_name_prefix="access")
        self._renewing = Lock()

    def admit(self, headers: Mapping[str, str], scope: Scope, *, pipeline: str | None = None) -> Caller:
        """Return who calls, if they may do what `scope` says, with that pipeline where one is given."""
        caller = self._at_hand(headers)
        return require(self._after_a_look(headers) if caller is None else caller, scope, pipeline)

    async def admitted(self, headers: Mapping[str, str], scope: Scope, *, pipeline: str | None = None) -> Caller:
        """Do what `admit` does, and wait for the store or for certificates beside the event loop."""
        caller = self._at_hand(headers)
        if caller is None:
            aside = self._beside if self._oidc is None or _signed(headers) is None else self._oidc.beside
            caller = await get_running_loop().run_in_executor(aside, self._after_a_look, headers)
        elif self._book.is_ageing and self._renewing.acquire(blocking=False):
            self._beside.submit(self._renew)
        return require(caller, scope, pipeline)

    def close(self) -> None:
        """Let go of the threads that look; a repeat does nothing."""
        self._beside.shutdown()
        if self._oidc is not None:
            self._oidc.close()

    def _renew(self) -> None:
        try:
            self._book.renew()
        except StoreError:
            return  # the next request that finds the book too old is told
        finally:
            self._renewing.release()

    def _at_hand(self, headers: Mapping[str, str]) -> Caller | None:
        """Return who calls by what is known here; None where a look elsewhere may tell. Raises `RefusedError`."""
        shown = headers.get("authorization")
        if shown is None and not self._open:
            raise unknown(_NOTHING, shown=False)
        if self._oidc is not None and (text := _signed(headers)) is not None:
            return self._oidc.known(text)
        if self._book.is_old:
            return None
        if shown is None:
            return self._nobody(headers)
        caller = self._book.recall(shown) or self._book.find(*_proof(shown), shown)
        if caller is None and self._book.is_new:
            raise unknown(_UNPROVEN)
        return caller

    def _after_a_look(self, headers: Mapping[str, str]) -> Caller:
        if self._oidc is not None and (text := _signed(headers)) is not None:
            return self._oidc.check(text)
        if not self._book.is_new:
            self._book.renew()
        shown = headers.get("authorization")
        if shown is None:
            return self._nobody(headers)
        caller = self._book.find(*_proof(shown), shown)
        if caller is None:
            raise unknown(_UNPROVEN)
        return caller

    def _nobody(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls without showing anything, where all is open."""
        if not self._book.is_empty:
            raise unknown(_NOTHING, shown=False)
        return _local(headers)


def opens(store: Store, settings: Settings, clock: Clock, host: str) -> bool:
    """Say whether a service that listens on `host` is open to all until the first token is made.

    It is where `host` is a loopback address or ``localhost``, and OIDC is not set up. Raises `UsageError` for any other
    address as long as there is no token that counts and no OIDC: then nobody could call.
    """
    if is_loopback(host):
        return not settings.oidc_audience
    now = clock.now()
    if not settings.oidc_audience and all(tokens.state(one, now) != "valid" for one in store.read(known)):
        command = "shotclock tokens create NAME --scope report"
        message = f"nobody could call a service on {host}: make a token first ({command}), or listen on 127.0.0.1"
        raise UsageError(message)
    return False


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _leads_here(address: str) -> bool:
    """Say whether an address with a host in it is one of this machine alone."""
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:
        return False


def require(caller: Caller, scope: Scope, pipeline: str | None = None) -> Caller:
    """Return the caller, if they have the scope and cover the pipeline; raises `RefusedError` (403).

    What is about all pipelines, `*`, is for callers that are not limited.
    """
    if scope not in caller.scopes:
        message = f"{caller} may not {scope}: its scopes are {', '.join(sorted(caller.scopes)) or 'none'}"
        raise forbidden(message, scope)
    if pipeline is not None and not caller.covers(pipeline):
        named = "and this is about all" if pipeline == "*" else f"other than {pipeline}"
        message = f"{caller} is limited to pipelines, {named}"
        raise forbidden(message)
    return caller


def _oidc(settings: Settings, clock: Clock) -> "Oidc | None":
    """Return what checks signed tokens, where they are taken; raises `UsageError` if its settings cannot be."""
    if not settings.oidc_audience:
        return None
    from shotclock.http.oidc import Oidc  # noqa: PLC0415 - only where signed tokens are taken

    return Oidc(settings, clock)


def _signed(headers: Mapping[str, str]) -> str | None:
    """Return the token that a request shows, if it is written as those that are signed."""
    kind, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" and text.count(".") == _DOTS else None


def _proof(shown: str) -> tuple[str, str]:
    """Return the id of the token that a header shows, and what its secret hashes to; raises `RefusedError`."""
    kind, _, text = shown.partition(" ")
    found = tokens.read(text.strip()) if kind.lower() == "bearer" else None
    if found is None:
        raise unknown(_UNPROVEN)
    return found


def _local(headers: Mapping[str, str]) -> Caller:
    """Return who calls without showing anything, from this machine; raises `RefusedError` where that is not sure.

    A page that a browser has open may call loopback addresses, too, and so may whoever a proxy here lets through.
    """
    if any(name in headers for name in _THROUGH_OTHERS):
        message = "a request that was passed on must show a token: make one with shotclock tokens create"
        raise forbidden(message)
    origin = headers.get("origin")
    if not _leads_here(f"//{headers.get('host', 'localhost')}") or not (origin is None or _leads_here(origin)):
        message = "a request of a page or for a name elsewhere must show a token: make one with shotclock tokens create"
        raise forbidden(message)
    return _LOCAL
