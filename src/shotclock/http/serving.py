"""The server beside the engine: uvicorn in a thread of its own, on a socket that is open before all else begins."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from shotclock.errors import UsageError
from shotclock.settings import Settings

_TURN: Final = 0.00005
"""Seconds a thread may keep the interpreter: who commits must not wait long for who reads requests."""
_QUEUE: Final = 2_048
"""Connections that may wait to be taken."""


def address(listen: str) -> tuple[str, int]:
    """Return host and port of what `listen` says; a port alone is on this machine only. Raises `UsageError`."""
    host, _, port = listen.rpartition(":")
    try:
        number = int(port)
    except ValueError:
        number = -1
    if not 0 <= number <= 65_535:  # noqa: PLR2004 - the highest port there is
        message = f"setting listen ({listen}) must be HOST:PORT or PORT, such as 127.0.0.1:8420"
        raise UsageError(message)
    return host.strip("[]") or "127.0.0.1", number


def opened(listen: str) -> socket.socket:
    """Return a socket that listens; raises `UsageError` that says what is wrong with the address."""
    host, port = address(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_QUEUE)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror or error}; give another --listen HOST:PORT"
        raise UsageError(message) from error


def url(listening: socket.socket) -> str:
    """Return where a socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def served(app: ASGIApp, listening: socket.socket, settings: Settings) -> Iterator[Thread]:
    """Answer requests meanwhile, in a thread; at the end, those that have begun have `stop` to end."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, round(settings.stop.total_seconds())),
    )
    sys.setswitchinterval(_TURN)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=([listening],), name="shotclock http", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
