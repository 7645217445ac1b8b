"""Doorbells over PostgreSQL: processes on any host that share a store ring each other through NOTIFY."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from threading import Lock
from typing import Any

import psycopg
from psycopg import sql

from shotclock.clock import seconds
from shotclock.errors import BusError
from shotclock.postgres import Limits, address_of, connect, here, why


class PostgresBus:
    """Rings whoever listens to the same store; the store itself rings at commits that give others something to do.

    A bell carries nothing but who rang it. One that is lost, as while the server restarts, delays: whoever waits for it
    looks at the store anyway. What this process rings is heard by its own listeners at once, by others through the
    server.
    """

    def __init__(self, address: str, limits: Limits) -> None:
        self._address = address_of(address)
        self._limits = limits
        self._voice: psycopg.Connection[Any] | None = None
        self._ear: psycopg.Connection[Any] | None = None
        self._speaking = Lock()
        self._here, self._heard = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._here, self._heard):
            end.setblocking(False)
        self._listen_at = 0.0
        self._closed = False
        self._listen()

    def ring(self, route: str, body: Mapping[str, Any]) -> None:  # noqa: ARG002 - a bell carries nothing
        """Ring everybody who listens; raises `BusError` once the bus is closed or if the server did not take it."""
        if self._closed:
            message = "the bus is closed"
            raise BusError(message)
        self._ring_here()
        with self._speaking:
            try:
                self._notify()
            except psycopg.Error as error:
                _end(self._voice)
                self._voice = None
                message = f"{self._address.shown}: {why(error, self._limits)}"
                raise BusError(message) from error

    def wait(self, timeout: float) -> bool:
        """Wait until it rings, `timeout` seconds at most; bells that were not heard yet are one.

        A connection that was lost and found again counts as a ring: one may have been missed.
        """
        until = seconds() + timeout
        while not self._closed:
            came_back = self._listen()
            look_at = until if self._ear is not None else min(until, self._listen_at)
            if self._rung(0 if came_back else max(look_at - seconds(), 0)) or came_back:
                return True
            if seconds() >= until:
                return False
        return False

    def close(self) -> None:
        """Take the bell down; a repeat does nothing."""
        if self._closed:
            return
        self._closed = True
        self._ring_here()
        with self._speaking:
            _end(self._voice)
            self._voice = None
        _end(self._ear)
        self._ear = None
        for end in (self._here, self._heard):
            end.close()

    def _ring_here(self) -> None:
        with suppress(BlockingIOError):  # it rings already
            self._here.send(b"!")

    def _notify(self) -> None:
        if self._voice is None:
            self._voice = connect(self._address, self._limits)
        self._voice.execute("SELECT pg_notify(%s, %s)", (self._address.channel, here()))

    def _listen(self) -> bool:
        """Connect if nothing is heard; say whether that has just succeeded. A server that is away is asked seldom."""
        if self._ear is not None or seconds() < self._listen_at:
            return False
        self._listen_at = seconds() + self._limits.connect.total_seconds()
        try:
            ear = connect(self._address, self._limits)
            ear.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._address.channel)))
        except psycopg.Error:
            return False
        self._ear = ear
        return True

    def _rung(self, timeout: float) -> bool:
        """Wait for a ring from here or from elsewhere; empty what has rung."""
        with DefaultSelector() as selector:
            selector.register(self._heard, EVENT_READ)
            if self._ear is not None:
                selector.register(self._ear, EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(timeout)]
        rung = False
        if self._heard in ready:
            with suppress(BlockingIOError):
                while self._heard.recv(1):
                    rung = True
        return (self._ear in ready and self._hear()) or rung

    def _hear(self) -> bool:
        assert self._ear is not None
        try:
            return any(notice.payload != here() for notice in self._ear.notifies(timeout=0))
        except psycopg.Error:
            _end(self._ear)
            self._ear = None
            self._listen_at = 0.0
            return False


def _end(connection: "psycopg.Connection[Any] | None") -> None:
    if connection is not None:
        connection.close()
