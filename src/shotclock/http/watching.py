"""Progress as it happens: a run's state again and again, as server-sent events, until the run is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

from shotclock.clock import Clock, seconds
from shotclock.engine.naming import find_run
from shotclock.engine.views import RunView, run_view
from shotclock.errors import BusyError, ShotclockError
from shotclock.model import digest
from shotclock.ports import Store
from shotclock.settings import Settings


class Watching:
    """Follows runs for any number of readers; the store is asked once for all of them whether anything has changed."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._open = 0
        self._version = 0
        self._asked_at = float("-inf")
        self._asking: asyncio.Future[None] | None = None

    def admit(self) -> None:
        """Raise `BusyError` where no more streams may be opened."""
        if self._open >= self._settings.streams:
            message = f"{self._open} streams are open, as many as setting streams allows"
            raise BusyError(message, self._settings.heartbeat)

    async def follow(self, name: str) -> AsyncIterator[bytes]:
        """Yield the run's view as an event whenever it has changed, a comment when all is quiet, until it is over."""
        self._open += 1
        try:
            async for event in self._events(name):
                yield event
        finally:
            self._open -= 1

    async def _events(self, name: str) -> AsyncIterator[bytes]:
        known, version, quiet_since = "", -1, seconds()
        while True:
            now = await self._now()
            if now != version:
                version = now
                view = await asyncio.to_thread(self._view, name)
                mark = digest(msgspec.json.encode(_steady(view)))
                if mark != known:
                    known, quiet_since = mark, seconds()
                    yield _event("run", view, version)
                if view.state != "running":
                    return
            if seconds() - quiet_since >= self._settings.heartbeat.total_seconds():
                quiet_since = seconds()
                yield b": nothing has changed\n\n"
            await asyncio.sleep(self._settings.poll.total_seconds())

    def _view(self, name: str) -> RunView:
        now = self._clock.now()
        return self._store.read(lambda view: run_view(view, find_run(view, name), self._settings, now))

    async def _now(self) -> int:
        """Return the store's version, asked for once every `poll` at most, however many follow."""
        old = seconds() - self._asked_at >= self._settings.poll.total_seconds() / 2
        if self._asking is None and old:
            self._asking = asyncio.ensure_future(self._ask())
        if self._asking is not None:
            await asyncio.shield(self._asking)
        return self._version

    async def _ask(self) -> None:
        try:
            with suppress(ShotclockError):  # it is asked again: a stream outlives a store that restarts
                self._version = await asyncio.to_thread(self._store.version)
        finally:
            self._asking, self._asked_at = None, seconds()


def _steady(view: RunView) -> RunView:
    """Return a view without what changes while nothing happens."""
    phases = tuple(msgspec.structs.replace(phase, took=None, rate=None, left=None, clock=None) for phase in view.phases)
    return msgspec.structs.replace(view, at=view.started_at, phases=phases)


def _event(name: str, value: object, number: int) -> bytes:
    return f"event: {name}\nid: {number}\ndata: ".encode() + msgspec.json.encode(value) + b"\n\n"
