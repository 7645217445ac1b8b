"""Doorbells on one machine: processes that share a home folder ring each other through sockets in it."""

import errno
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final

from shotclock.errors import BusError

_LONGEST: Final = 100
"""Characters of a socket's path that every system takes."""

_numbers = count(1)


class LocalBus:
    """Rings whoever shares the folder, here and in other processes; without a folder, only here.

    A bell carries nothing but that it rang. Where the folder allows no sockets, others are not rung, and find what
    there is by looking at the store.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._bells = None if home is None else home.absolute() / "bells"
        self._own = f"{os.getpid()}-{next(_numbers)}"
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._here, self._heard = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._here.setblocking(False)
        self._selector = DefaultSelector()
        self._ears: list[socket.socket] = []
        self._listen_to(self._heard)
        if self._bells is not None:
            self._hang_up(self._bells)
        self._closed = False

    def ring(self, route: str, body: Mapping[str, Any]) -> None:  # noqa: ARG002 - a local bell carries nothing
        """Ring everybody who listens; raises `BusError` once the bus is closed or its folder is gone."""
        if self._closed:
            message = "the bus is closed"
            raise BusError(message)
        with suppress(BlockingIOError):  # it rings already
            self._here.send(b"!")
        if self._bells is not None:
            try:
                self._ring_others(self._bells)
            except OSError as error:
                message = f"{self._bells}: the bells cannot be reached: {error.strerror or error}"
                raise BusError(message) from error

    def wait(self, timeout: float) -> bool:
        """Wait until it rings, `timeout` seconds at most; bells that were not heard yet are one."""
        if self._closed:
            return False
        ready = self._selector.select(timeout)
        for ear in self._ears if ready else ():
            with suppress(BlockingIOError):
                while ear.recv(1):
                    pass
        return bool(ready)

    def close(self) -> None:
        """Take the bell down; a repeat does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._bells is not None:
            (self._bells / self._own).unlink(missing_ok=True)
        self._selector.close()
        for end in (self._sender, self._here, *self._ears):
            end.close()

    def _listen_to(self, ear: socket.socket) -> None:
        ear.setblocking(False)
        self._ears.append(ear)
        self._selector.register(ear, EVENT_READ)

    def _hang_up(self, bells: Path) -> None:
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            bells.mkdir(parents=True, exist_ok=True)
            with _reachable(bells) as near:
                ear.bind(f"{near}/{self._own}")
        except OSError:
            # No sockets here: too long a path, a file system without them. The engine looks at the store anyway.
            ear.close()
            self._bells = None
        else:
            self._listen_to(ear)

    def _ring_others(self, bells: Path) -> None:
        with _reachable(bells) as near:
            for name in os.listdir(bells):  # noqa: PTH208 - names are all that is needed, at every bell
                if name != self._own:
                    self._ring(bells / name, f"{near}/{name}")

    def _ring(self, bell: Path, address: str) -> None:
        try:
            self._sender.sendto(b"!", address)
        except BlockingIOError:
            return  # it rings already
        except ConnectionRefusedError:
            bell.unlink(missing_ok=True)  # its process is dead
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOBUFS}:
                raise


@contextmanager
def _reachable(folder: Path) -> Iterator[str]:
    """Give a path to the folder that is short enough for a socket's address, where the system has one."""
    if len(os.fsencode(folder)) + len(str(os.getpid())) + len("/-999999") <= _LONGEST:
        yield str(folder)
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)
