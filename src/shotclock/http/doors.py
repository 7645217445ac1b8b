"""One route as an ASGI application: who may call, what is asked, the handler, and one way out for every answer.

It speaks ASGI itself, as every report goes through it: what a framework builds around each request costs more than the
handler of a report does.
"""

import asyncio
from collections.abc import Mapping
from inspect import iscoroutinefunction
from time import perf_counter
from typing import Any, Final

import msgspec
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from shotclock.http.bodies import Problem
from shotclock.http.guard import CALLER
from shotclock.http.problems import TITLES, headers_of, problem_of
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service
from shotclock.model import Caller

JSON: Final = "application/json"
ENCODER: Final = msgspec.json.Encoder()
_EMPTY: Final = b"{}"
_ANYBODY: Final = Caller(kind="local", name="anybody", scopes=frozenset())


class Door:
    """The application that answers requests for one route, whatever happens."""

    def __init__(self, service: Service, route: Route) -> None:
        self._service = service
        self._route = route
        self._waits = iscoroutinefunction(route.handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell how that went."""
        began, status, route = perf_counter(), 500, self._route
        try:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            caller = await self._caller(scope, headers)
            reply = await self.handled(scope, receive, headers, caller)
            status = reply.status
        except (asyncio.CancelledError, ClientDisconnect):
            status = 499
            raise
        except BaseException as error:  # noqa: BLE001 - the last door: every error is answered
            reply = refused(error)
            status = reply.status
        finally:
            self._service.told(route.path, route.method, status, perf_counter() - began)
        await answer(reply, scope, receive, send)

    async def handled(self, scope: Scope, receive: Receive, headers: Mapping[str, str], caller: Caller) -> Reply:
        """Return the answer to a request of somebody who may ask; its errors go to the caller."""
        asked = await self._asked(scope, receive, headers, caller)
        if self._waits:
            reply: Reply = await self._route.handler(self._service, asked)
            return reply
        return await asyncio.to_thread(self._route.handler, self._service, asked)

    async def _caller(self, scope: Scope, headers: Mapping[str, str]) -> Caller:
        """Return who calls; raises `RefusedError` where they may not."""
        if self._route.scope is None:
            return _ANYBODY
        pipeline = scope["path_params"].get("pipeline") if "path_params" in scope else None
        caller = await self._service.access.admitted(headers, self._route.scope, pipeline=pipeline)
        scope[CALLER] = caller
        return caller

    async def _asked(self, scope: Scope, receive: Receive, headers: Mapping[str, str], caller: Caller) -> Asked:
        """Read and check what is asked."""
        route, body = self._route, None
        raw = await _body(receive) if route.method == "POST" else b""
        if route.body is not None and not route.raw:
            body = msgspec.json.decode(raw if raw.strip() else _EMPTY, type=route.body)
        return Asked(
            path=_path(route, scope),
            query=_query(route, scope),
            body=body,
            raw=raw,
            headers=headers,
            caller=caller,
        )


async def _body(receive: Receive) -> bytes:
    """Return the whole body; raises `ClientDisconnect` where whoever sends it has gone."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _path(route: Route, scope: Scope) -> Any:  # noqa: ANN401 - what the route says
    """Return what stands in the path; what cannot name anything is not there."""
    if route.in_path is None:
        return None
    try:
        return msgspec.convert(scope["path_params"], route.in_path)
    except msgspec.ValidationError as error:
        raise HTTPException(404, f"nothing can have that name: {error}") from error


def _query(route: Route, scope: Scope) -> Any:  # noqa: ANN401 - what the route says
    """Return what stands after the question mark; a name given twice is one too many."""
    said = scope["query_string"]
    pairs = QueryParams(said).multi_items() if said else ()
    given = dict(pairs)
    if len(given) < len(pairs):
        message = "a name stands twice after the question mark"
        raise msgspec.ValidationError(message)
    return msgspec.convert(given, route.query, strict=False)


def refused(error: BaseException) -> Reply:
    """Return an error as an answer."""
    if isinstance(error, HTTPException):
        problem = Problem(title=TITLES.get(error.status_code, "Refused"), status=error.status_code, detail=error.detail)
        return Reply(
            body=problem, status=problem.status, headers=headers_of(error, problem.status) | dict(error.headers or {})
        )
    problem = problem_of(error)
    return Reply(body=problem, status=problem.status, headers=headers_of(error, problem.status))


async def answer(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer: a value as JSON, bytes as they are, anything else part by part."""
    if not isinstance(reply.body, (bytes, msgspec.Struct)):
        await StreamingResponse(reply.body, reply.status, dict(reply.headers))(scope, receive, send)
        return
    content = reply.body if isinstance(reply.body, bytes) else ENCODER.encode(reply.body)
    headers = {"content-type": JSON, **reply.headers, "content-length": str(len(content))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
