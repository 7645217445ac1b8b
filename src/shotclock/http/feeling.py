"""Routes that say how the process feels."""

from asyncio import get_running_loop

from prometheus_client import CONTENT_TYPE_LATEST

from shotclock.http.bodies import Alive
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service
from shotclock.observe.health import HealthView, MetricsView, Readiness


async def live(_service: Service, _asked: Asked) -> Reply:
    """Say that the process answers; it touches nothing."""
    return Reply(body=Alive())


async def ready(service: Service, _asked: Asked) -> Reply:
    """Say whether the process can do its work."""
    found = await get_running_loop().run_in_executor(service.feeling, service.vitals.health.ready)
    return Reply(body=found, status=200 if found.ok else 503)


async def health(service: Service, _asked: Asked) -> Reply:
    """Say all there is to know of the process; it answers 200 whatever it says."""
    view, vitals = service.vitals.health.view, service.vitals
    found = await get_running_loop().run_in_executor(service.showing, view, service.store, vitals.metrics)
    return Reply(body=found)


async def figures(service: Service, _asked: Asked) -> Reply:
    """Say how requests were answered."""
    return Reply(body=service.vitals.health.metrics_view(service.vitals.metrics))


async def metrics(service: Service, _asked: Asked) -> Reply:
    """Return the metrics as Prometheus reads them."""
    text = await get_running_loop().run_in_executor(service.showing, service.vitals.metrics.text)
    return Reply(body=text, headers={"content-type": CONTENT_TYPE_LATEST})


ROUTES = (
    Route(
        method="GET", path="/health/live", handler=live, summary="Say that the process answers.", replies={200: Alive}
    ),
    Route(
        method="GET",
        path="/health/ready",
        handler=ready,
        summary="Say whether the process can do its work, and if not, why.",
        replies={200: Readiness, 503: Readiness},
    ),
    Route(
        method="GET",
        path="/health",
        handler=health,
        summary="Say how each part of the process is.",
        scope="read",
        replies={200: HealthView},
    ),
    Route(
        method="GET",
        path="/health/metrics",
        handler=figures,
        summary="Say how requests were answered.",
        scope="read",
        replies={200: MetricsView},
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=metrics,
        summary="Return the metrics as Prometheus reads them.",
        scope="read",
        replies={200: "text/plain"},
    ),
)
