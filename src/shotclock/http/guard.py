"""What stands around the application: limits on size, time, number and pace of requests, and headers of every answer.

A caller is counted by its address until a token that it shows was admitted, and from then on by that token: nobody gets
more by inventing tokens, and callers behind one proxy do not share a pace for long. Questions about health are neither
counted nor refused: who is told that a busy process is dead makes it worse.
"""

import re
from datetime import timedelta
from itertools import count
from time import monotonic
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shotclock.clock import secret
from shotclock.errors import UsageError
from shotclock.http.arriving import Arrivals, Body, too_large
from shotclock.http.problems import headers_of, problem_of
from shotclock.http.rates import MOST, Rates
from shotclock.http.refused import RefusedError, later
from shotclock.http.service import Told
from shotclock.model import Caller
from shotclock.settings import Settings

CALLER: Final = "shotclock.caller"
"""Where in a request's scope the application puts who was admitted."""
REQUEST_ID: Final = "shotclock.request_id"
"""Where in a request's scope its id is."""
REFUSED: Final = "(refused)"
"""The route under which refusals are told."""
_HEALTH: Final = "/health"
_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""What an id may be that a caller gives a request: it goes into logs."""
_ALWAYS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)

_SOON: Final = timedelta(seconds=1)
"""After which to come again where too many requests are carried out."""


class Guard:
    """An ASGI application around another; it is used by one event loop."""

    def __init__(self, app: ASGIApp, settings: Settings, told: Told) -> None:
        self._app = app
        self._told = told
        self._bytes = settings.request_bytes
        self._arrivals = Arrivals(settings.request_bytes, settings.request_wait.total_seconds())
        self._most = settings.requests
        self._headers = (*_ALWAYS, *_hsts(settings.hsts))
        self._running = 0
        self._rates = Rates(settings.request_rate)
        self._proven: dict[int, str] = {}
        """Who was admitted by a header, by the header's hash: one that was never admitted is nobody's."""
        self._mark = secret(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length, shown, request_id = _read(scope["headers"])
        if request_id is None:
            request_id = f"{self._mark}-{next(self._numbers):x}".encode()
        scope[REQUEST_ID] = request_id.decode()
        answer = _Answer(send, (*self._headers, (b"x-request-id", request_id)))
        refusal = self._refusal(scope, length, shown)
        if refusal is not None:
            await self._refuse(scope, answer, refusal)
            return
        body = Body(receive, self._arrivals)
        self._running += 1
        try:
            await self._app(scope, body.receive, answer.send)
        except RefusedError as error:
            if answer.begun:
                raise
            await self._refuse(scope, answer, error)
        finally:
            self._running -= 1
            self._arrivals.forget(body)
            if shown is not None:
                self._learn(shown, scope.get(CALLER))

    def _refusal(self, scope: Scope, length: int, shown: bytes | None) -> RefusedError | None:
        """Return why a request is not carried out; None where it is."""
        if length > self._bytes:
            return too_large(self._bytes)
        if scope["path"].startswith(_HEALTH):
            return None
        wait = self._rates.wait(self._counted(scope, shown), monotonic())
        if wait:
            return later(429, "more requests a second than setting request_rate allows", timedelta(seconds=wait))
        if self._running >= self._most:
            return later(503, f"{self._running} requests are carried out, as many as setting requests allows", _SOON)
        return None

    def _counted(self, scope: Scope, shown: bytes | None) -> str:
        """Return for whom a request counts."""
        proven = None if shown is None else self._proven.get(hash(shown))
        if proven is not None:
            return proven
        client = scope.get("client")
        return client[0] if client else ""

    def _learn(self, shown: bytes, caller: Caller | None) -> None:
        """Remember whom a header stands for, once it was admitted."""
        if caller is not None and caller.kind != "local":
            if len(self._proven) > MOST:
                self._proven.clear()
            self._proven[hash(shown)] = f"{caller.kind}:{caller.id or caller.name}"

    async def _refuse(self, scope: Scope, answer: "_Answer", error: RefusedError) -> None:
        """Answer what is not carried out, and tell of it."""
        body = msgspec.json.encode(problem_of(error))
        headers = {**headers_of(error, error.status), "content-length": str(len(body))}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await answer.send({"type": "http.response.start", "status": error.status, "headers": raw})
        await answer.send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        self._told(REFUSED, scope["method"], error.status, 0.0)


class _Answer:
    """What goes out, with the headers of every answer."""

    __slots__ = ("_headers", "_send", "begun")

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._headers = headers
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            message["headers"] = [*message["headers"], *self._headers]
        await self._send(message)


def _read(headers: Any) -> tuple[int, bytes | None, bytes | None]:  # noqa: ANN401 - pairs of bytes
    """Return a body's declared length, what is shown as a proof, and the request's id if it has a sane one."""
    length, shown, request_id = 0, None, None
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if value.isdigit() else 0
        elif name == b"authorization":
            shown = value
        elif name == b"x-request-id" and _SANE.fullmatch(value):
            request_id = value
    return length, shown, request_id


def _hsts(value: str) -> tuple[tuple[bytes, bytes], ...]:
    if not value:
        return ()
    if not (value.isascii() and value.isprintable()):
        message = "setting hsts is no value of a header: write one such as max-age=31536000"
        raise UsageError(message)
    return ((b"strict-transport-security", value.encode()),)
