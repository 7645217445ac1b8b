"""What a service tries at its start, before it says that it is ready: every member's import, the store, every route."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from starlette.types import Message, Scope

from shotclock.errors import ShotclockError, SpecError
from shotclock.http.app import ROUTES
from shotclock.http.doors import Door, refused
from shotclock.http.routes import Route
from shotclock.http.service import Service
from shotclock.model import SCOPES, Caller

_log = logging.getLogger("shotclock.selfcheck")
_SELF = Caller(kind="local", name="self-check", scopes=frozenset(SCOPES))
_NAMES = {"pipeline": "self-check", "key": "none", "phase": "none"}
"""A run that nobody has."""
_UNEXPECTED = 500


@contextmanager
def checking(service: Service) -> Iterator[None]:
    """Check beside what goes on, again and again while something is wrong; the service's health tells what it is."""
    ended = Event()
    thread = Thread(target=_check, args=(service, ended), name="shotclock self-check", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _check(service: Service, ended: Event) -> None:
    told: tuple[str, ...] = ()
    while not ended.is_set():
        try:
            problems = check(service)
        except Exception as error:  # noqa: BLE001 - whatever keeps it from being made is a reason
            _log.exception("the self-check could not be made")
            problems = (f"the self-check could not be made: {type(error).__name__}: {error}",)
        service.vitals.health.started(problems)
        if not problems:
            return
        if problems != told:
            _log.error("not ready: %s", "; ".join(problems))
            told = problems
        ended.wait(service.settings.heartbeat.total_seconds())


def check(service: Service) -> tuple[str, ...]:
    """Return a line for each thing that does not work; nothing is changed by it."""
    return (*_members(service), *_store(service), *asyncio.run(_routes(service)))


def _members(service: Service) -> Iterator[str]:
    """Import every function of every mode of every pipeline."""
    for name in service.catalogue.names:
        try:
            service.catalogue.plans_of(name)
        except SpecError as error:
            yield from error.problems
        except ShotclockError as error:
            yield f"pipeline {name}: {error}"


def _store(service: Service) -> Iterator[str]:
    """Write nothing, durably, and read."""
    try:
        service.store.write(lambda _tx: None)
        service.store.read(lambda view: view.next_due())
    except ShotclockError as error:
        yield f"store: {error}"


async def _routes(service: Service) -> list[str]:
    """Send every route a request that does nothing, past whoever may call it."""
    found: list[str] = []
    for route in ROUTES:
        if route.harmless is None:
            continue
        try:
            reply = await Door(service, route).handled(_scope(route), _Harmless(route.harmless).receive, {}, _SELF)
            status = reply.status
        except Exception as error:  # noqa: BLE001 - whatever a route raises would be answered by its last door
            status = refused(error).status
        if status == _UNEXPECTED:
            found.append(f"{route.method} {route.path} answers {status}; the log says why")
    return found


class _Harmless:
    """A body that changes nothing."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def receive(self) -> Message:
        """Give it whole."""
        return {"type": "http.request", "body": self._body, "more_body": False}


def _scope(route: Route) -> Scope:
    """Return the request of somebody who asks for what is not there, or sends what nothing can be made of."""
    return {
        "type": "http",
        "method": route.method,
        "path": route.path,
        "query_string": b"",
        "headers": [(b"content-type", route.takes[0].encode())],
        "path_params": {name: value for name, value in _NAMES.items() if f"{{{name}}}" in route.path},
    }
