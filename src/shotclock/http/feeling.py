"""Routes that say how the process feels."""

from shotclock.http.bodies import Alive
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service


async def live(_service: Service, _asked: Asked) -> Reply:
    """Say that the process answers; it touches nothing."""
    return Reply(body=Alive())


ROUTES = (
    Route(
        method="GET", path="/health/live", handler=live, summary="Say that the process answers.", replies={200: Alive}
    ),
)
