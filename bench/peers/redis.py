"""A Redis server of our own: on a free port of the loopback, in a folder of its own, ended by its number."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic

START = 10.0
"""Most seconds a server may take to come up."""


class MissingPartError(Exception):
    """A peer cannot be measured here: what to install."""


@contextmanager
def server() -> Iterator[str]:
    """Give the address of a running Redis that keeps every write in a log, flushed each second."""
    program = shutil.which("redis-server")
    if program is None:
        message = "redis-server is missing: install Debian's redis-server"
        raise MissingPartError(message)
    with TemporaryDirectory() as folder:
        port = _free_port()
        args = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes"]
        with (Path(folder) / "log").open("wb") as log, subprocess.Popen(args, stdout=log, stderr=log) as child:
            try:
                _wait(port)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                child.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    limit = monotonic() + START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=START).close()
        except OSError:
            if monotonic() > limit:
                raise
            Event().wait(0.05)
        else:
            return
