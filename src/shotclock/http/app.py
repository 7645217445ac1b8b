"""The ASGI application: each route of the table as an endpoint, with one way in and one way out for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from time import perf_counter
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Receive, Scope, Send

from shotclock.http import feeling, operating, reading, reporting, streaming
from shotclock.http.bodies import Problem
from shotclock.http.guard import CALLER
from shotclock.http.openapi import document
from shotclock.http.problems import TITLES, headers_of, problem_of
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service
from shotclock.model import Caller

ROUTES: Final = (*reporting.ROUTES, *reading.ROUTES, *streaming.ROUTES, *operating.ROUTES, *feeling.ROUTES)
"""Every door of the service but the document that describes them."""
_JSON: Final = "application/json"
_ENCODER: Final = msgspec.json.Encoder()
_EMPTY: Final = b"{}"
_ANYBODY: Final = Caller(kind="local", name="anybody", scopes=frozenset())

Endpoint = Callable[[Request], Awaitable[Response]]


def application(service: Service) -> ASGIApp:
    """Return the application; the guard against too much of everything is put around it by whoever serves it."""
    described = _ENCODER.encode(document(ROUTES))

    async def openapi(_request: Request) -> Response:
        return Response(described, media_type=_JSON)

    doors = [(path, methods, _door(service, [one for one in ROUTES if one.path == path])) for path, methods in _paths()]
    routed = Starlette(
        routes=[
            *(Path(path, door, methods=methods) for path, methods, door in doors),
            Path("/openapi.json", openapi, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_routed},
    )
    quick = {(path, method): door for path, methods, door in doors if "{" not in path for method in methods}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once where the path is a route's as it stands, which is where reports come; else have it routed."""
        door = quick.get((str(scope.get("path")), str(scope.get("method"))))
        if door is None:
            await routed(scope, receive, send)
            return
        response = await door(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _paths() -> list[tuple[str, list[str]]]:
    """Return every path once, with its methods."""
    paths = dict.fromkeys(route.path for route in ROUTES)
    return [(path, [route.method for route in ROUTES if route.path == path]) for path in paths]


def _door(service: Service, routes: Sequence[Route]) -> Endpoint:
    """Return the endpoint of one path."""
    endpoints = {route.method: _endpoint(service, route) for route in routes}
    if "GET" in endpoints:
        endpoints["HEAD"] = endpoints["GET"]  # type: ignore[index]  # the server leaves the body out

    async def door(request: Request) -> Response:
        return await endpoints[request.method](request)  # type: ignore[index]  # the router lets no other method in

    return door


def _endpoint(service: Service, route: Route) -> Endpoint:
    """Return what admits a caller, reads the request, has it handled, and answers, whatever happens."""
    told = service.told

    async def endpoint(request: Request) -> Response:
        began, status = perf_counter(), 500
        try:
            headers = headers_of_request(request)
            caller = await _caller(service, route, request, headers)
            response = await handled(service, route, request, headers, caller)
            status = response.status_code
        except (asyncio.CancelledError, ClientDisconnect):
            status = 499
            raise
        except BaseException as error:  # noqa: BLE001 - the last door: every error is answered
            response = refused(error)
            status = response.status_code
        finally:
            told(route.path, route.method, status, perf_counter() - began)
        return response

    return endpoint


def headers_of_request(request: Request) -> dict[str, str]:
    """Return the headers by name, for the many who look one up; of one that comes twice, the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}


async def _caller(service: Service, route: Route, request: Request, headers: Mapping[str, str]) -> Caller:
    """Return who calls; raises `RefusedError` where they may not."""
    if route.scope is None:
        return _ANYBODY
    pipeline = request.path_params.get("pipeline")
    caller = await service.access.admitted(headers, route.scope, pipeline=pipeline)
    request.scope[CALLER] = caller
    return caller


async def handled(
    service: Service, route: Route, request: Request, headers: Mapping[str, str], caller: Caller
) -> Response:
    """Return the answer to a request of somebody who may ask; its errors go to the caller."""
    asked = await _asked(route, request, headers, caller)
    if iscoroutinefunction(route.handler):
        reply = await route.handler(service, asked)
    else:
        reply = await asyncio.to_thread(route.handler, service, asked)
    return _response(reply)


async def _asked(route: Route, request: Request, headers: Mapping[str, str], caller: Caller) -> Asked:
    """Read and check what is asked."""
    raw = await request.body() if route.method == "POST" else b""
    body = None
    if route.body is not None and not route.raw:
        body = msgspec.json.decode(raw if raw.strip() else _EMPTY, type=route.body)
    return Asked(
        path=_path(route, request),
        query=_query(route, request),
        body=body,
        raw=raw,
        headers=headers,
        caller=caller,
    )


def _path(route: Route, request: Request) -> Any:  # noqa: ANN401 - what the route says
    """Return what stands in the path; what cannot name anything is not there."""
    if route.in_path is None:
        return None
    try:
        return msgspec.convert(request.path_params, route.in_path)
    except msgspec.ValidationError as error:
        raise HTTPException(404, f"nothing can have that name: {error}") from error


def _query(route: Route, request: Request) -> Any:  # noqa: ANN401 - what the route says
    """Return what stands after the question mark; a name given twice is one too many."""
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    if len(given) < len(pairs):
        message = "a name stands twice after the question mark"
        raise msgspec.ValidationError(message)
    return msgspec.convert(given, route.query, strict=False)


def _response(reply: Reply) -> Response:
    if not isinstance(reply.body, (bytes, msgspec.Struct)):
        return StreamingResponse(reply.body, reply.status, dict(reply.headers))
    content = reply.body if isinstance(reply.body, bytes) else _ENCODER.encode(reply.body)
    return Response(content, reply.status, {"content-type": _JSON, **reply.headers})


def refused(error: BaseException) -> Response:
    """Return an error as an answer."""
    if isinstance(error, HTTPException):
        return _problem(error.status_code, error.detail, dict(error.headers or {}))
    problem = problem_of(error)
    return Response(_ENCODER.encode(problem), problem.status, headers_of(error, problem.status))


async def _not_routed(_request: Request, error: Exception) -> Response:
    """Answer what leads to no route, or uses a method that its route does not have."""
    return refused(error)


def _problem(status: int, detail: str, headers: dict[str, str]) -> Response:
    problem = Problem(title=TITLES.get(status, "Refused"), status=status, detail=detail)
    return Response(_ENCODER.encode(problem), status, {"content-type": "application/problem+json", **headers})
