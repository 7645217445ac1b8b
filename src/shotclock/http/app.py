"""The ASGI application: each route of the table behind its path."""

from collections.abc import Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Receive, Scope, Send

from shotclock.http import feeling, operating, reading, reporting, streaming
from shotclock.http.doors import ENCODER, JSON, Door, refused
from shotclock.http.openapi import document
from shotclock.http.service import Service

ROUTES: Final = (*reporting.ROUTES, *reading.ROUTES, *streaming.ROUTES, *operating.ROUTES, *feeling.ROUTES)
"""Every door of the service but the document that describes them."""


def application(service: Service) -> ASGIApp:
    """Return the application; the guard against too much of everything is put around it by whoever serves it."""
    described = ENCODER.encode(document(ROUTES))

    async def openapi(_request: Request) -> Response:
        return Response(described, media_type=JSON)

    paths = [_Path(service, path) for path in dict.fromkeys(route.path for route in ROUTES)]
    routed = Starlette(
        routes=[
            *(Path(path.path, path, methods=list(path.doors)) for path in paths),
            Path("/openapi.json", openapi, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_routed},
    )
    quick = {path.path: path.doors for path in paths if "{" not in path.path}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once where the path is a route's as it stands, which is where reports come; else have it routed."""
        doors = quick.get(scope.get("path", ""), _NONE)
        door = doors.get(scope.get("method", ""), routed)
        await door(scope, receive, send)

    return app


_NONE: Final[Mapping[str, Door]] = {}


class _Path:
    """The doors of one path, by method."""

    def __init__(self, service: Service, path: str) -> None:
        self.path = path
        self.doors = {route.method: Door(service, route) for route in ROUTES if route.path == path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; the router lets no other method in, and the server leaves out the body where only HEAD is asked."""
        door = self.doors["GET" if scope["method"] == "HEAD" else scope["method"]]
        await door(scope, receive, send)


async def _not_routed(_request: Request, error: Exception) -> Response:
    """Answer what leads to no route, or uses a method that its route does not have."""
    reply = refused(error)
    return Response(ENCODER.encode(reply.body), reply.status, dict(reply.headers))
