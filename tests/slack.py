"""A Slack on loopback: takes what is posted, and answers as it is told to, or not at all."""

import json
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final

WAIT: Final = 60.0
"""Seconds after which a test has failed rather than waits on."""


class Slack:
    """What has come, and how the next requests are answered: a status, `cut` before or `lost` after it was taken."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.texts: list[str] = []
        self.posted: list[dict[str, Any]] = []
        self.answers: deque[int | str] = deque()
        self.free = Event()
        self.free.set()
        self.came = Event()
        self.lock = Lock()

    def came_times(self) -> Counter[str]:
        """Count the messages by their text."""
        return Counter(self.texts)


class _Handler(BaseHTTPRequestHandler):
    """Takes one message."""

    slack: Slack

    def do_POST(self) -> None:
        slack = self.slack
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with slack.lock:
            answer = slack.answers.popleft() if slack.answers else 200
            if answer in {200, "lost"}:
                slack.texts.append(body["text"] if "text" in body else body["message"])
                slack.posted.append(body)
        slack.came.set()
        assert slack.free.wait(WAIT)
        if isinstance(answer, str):
            self.close_connection = True
            return
        self.send_response(answer)
        if answer == 429:
            self.send_header("Retry-After", "90")
        said = b"ok" if answer == 200 else b"no"
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self) -> None:
        self.slack.came.set()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def a_slack() -> Iterator[Slack]:
    """Give a Slack that is there until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    slack = Slack(f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/secret")
    handler.slack = slack  # type: ignore[attr-defined]  # each server has its own
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield slack
    finally:
        slack.free.set()
        server.shutdown()
        thread.join()
        server.server_close()
