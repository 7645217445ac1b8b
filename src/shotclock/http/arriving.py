"""Bodies as they arrive: not more bytes than allowed, and not later than allowed; one timer watches all of them."""

import asyncio
from typing import Final

from starlette.types import Message, Receive

from shotclock.http.refused import RefusedError

_CLOSE: Final = {"connection": "close"}
"""What is left of a body is not read."""


class Arrivals:
    """The bodies that have not arrived; for one event loop."""

    def __init__(self, most: int, wait: float) -> None:
        self.most = most
        self._wait = wait
        self._late: dict[Body, float] = {}
        """By when each must be here, the first due first: all have the same time."""
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, body: "Body") -> None:
        """Watch a body from now on."""
        loop = asyncio.get_running_loop()
        self._late[body] = loop.time() + self._wait
        if self._timer is None:
            self._timer = loop.call_later(self._wait, self._look)

    def forget(self, body: "Body") -> None:
        """Watch a body no longer; a repeat does nothing."""
        self._late.pop(body, None)

    def _look(self) -> None:
        """Cut what is late, and look again when the next is due."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._late:
            body, due = next(iter(self._late.items()))
            if due > now:
                self._timer = loop.call_later(due - now, self._look)
                return
            del self._late[body]
            body.cut(self._wait)
        self._timer = None


class Body:
    """The body of a request; `receive` raises `RefusedError` (413, 408) where it is too large or too slow."""

    __slots__ = ("_all", "_arrivals", "_cut", "_left", "_reading", "_receive")

    def __init__(self, receive: Receive, arrivals: Arrivals) -> None:
        self._receive = receive
        self._arrivals = arrivals
        self._left = arrivals.most
        self._all: bool | None = None
        """Whether all is here; None before it was asked for."""
        self._reading: asyncio.Task[object] | None = None
        self._cut: RefusedError | None = None

    async def receive(self) -> Message:
        """Return what comes next: a part of the body, or that nobody listens any longer."""
        if self._all:
            return await self._receive()
        if self._all is None:
            self._all = False
            self._arrivals.expect(self)
        message = await self._next()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large(self._arrivals.most)
        if not message.get("more_body", False):
            self._all = True
            self._arrivals.forget(self)
        return message

    async def _next(self) -> Message:
        self._reading = asyncio.current_task()
        try:
            if self._cut is not None:
                raise self._cut
            return await self._receive()
        except asyncio.CancelledError:
            if self._cut is None or self._reading is None or self._reading.uncancel():
                raise
            raise self._cut from None
        finally:
            self._reading = None

    def cut(self, wait: float) -> None:
        """End the waiting for the rest."""
        reason = f"the body has not arrived within {wait:g} seconds, setting request_wait"
        self._cut = RefusedError(408, reason, _CLOSE)
        if self._reading is not None:
            self._reading.cancel()


def too_large(most: int) -> RefusedError:
    """Return what says that a body is too large."""
    return RefusedError(413, f"a body may have {most} bytes, setting request_bytes: send fewer lines at once", _CLOSE)
