"""The route that follows a run as it goes."""

import asyncio

from shotclock.http.bodies import RunPath, RunQuery
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service, name_of

EVENTS = "text/event-stream"


async def events(service: Service, asked: Asked) -> Reply:
    """Return the run's state as events, one for each change, until it is over."""
    run = await asyncio.to_thread(service.run, asked.path, asked.query)
    name = run.id if asked.query.generation is not None else name_of(asked.path, asked.query)
    service.watching.admit()
    return Reply(body=service.watching.follow(name), headers={"content-type": EVENTS})


ROUTES = (
    Route(
        method="GET",
        path="/v1/runs/{pipeline}/{key}/events",
        handler=events,
        scope="read",
        summary="Follow a run: server-sent events, each its whole state, until it is over.",
        in_path=RunPath,
        query=RunQuery,
        replies={200: EVENTS},
    ),
)
