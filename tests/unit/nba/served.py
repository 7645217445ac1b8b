"""A real server on loopback that publishes one file, and does what servers and networks do to those who fetch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What is published, how it misbehaves, and what was asked for."""

    content: bytes
    tag: str = '"first"'
    cut_after: list[int] = field(default_factory=list)
    """For each of the next answers: after so many bytes the connection ends."""
    answers: list[HTTPStatus] = field(default_factory=list)
    """Refusals to give first, one an answer."""
    ranges: bool = True
    silent: threading.Event | None = None
    """While it is not set, an answer stops after its head."""
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """Serve on a free port; gives the template of the file's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, served)

        def log_message(self, *_: object) -> None:
            """Say nothing; the test looks at what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/player_box_{{year}}.csv"
    finally:
        if served.silent is not None:
            served.silent.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, served: Served) -> None:
    asked = {name.lower(): value for name, value in handler.headers.items()}
    served.asked.append(asked)
    if served.answers:
        handler.send_response(served.answers.pop(0))
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    if asked.get("if-none-match") == served.tag:
        handler.send_response(HTTPStatus.NOT_MODIFIED)
        handler.end_headers()
        return
    start = _start(asked, served)
    rest = served.content[start:]
    handler.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(served.content) - 1}/{len(served.content)}")
    handler.send_header("Content-Length", str(len(rest)))
    handler.send_header("ETag", served.tag)
    handler.end_headers()
    handler.wfile.flush()
    if served.silent is not None:
        served.silent.wait()
    handler.wfile.write(rest[: served.cut_after.pop(0)] if served.cut_after else rest)
    handler.close_connection = True


def _start(asked: dict[str, str], served: Served) -> int:
    if not served.ranges or "range" not in asked or asked.get("if-range") != served.tag:
        return 0
    return int(asked["range"].removeprefix("bytes=").removesuffix("-"))
