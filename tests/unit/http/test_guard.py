"""What stands around the application, over real connections: too much is refused, every answer is marked."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Semaphore
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from shotclock.errors import UsageError
from shotclock.http.guard import CALLER, REFUSED, REQUEST_ID, Guard
from shotclock.http.rates import MOST, Rates
from shotclock.http.serving import opened, served
from shotclock.model import Caller
from shotclock.settings import Settings

PATIENCE = 30.0
Tellings = list[tuple[str, str, int]]


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:  # noqa: ANN401 - JSON
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)


class Echo:
    """Answers with the number of bytes it read, and waits for whoever asks it to until they leave."""

    def __init__(self) -> None:
        self.held = Semaphore(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if dict(scope["headers"]).get(b"authorization") == b"Bearer right":
            scope[CALLER] = Caller(kind="token", name="loader", id="0a1b2c3d")
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        if scope["path"] == "/hold":
            self.held.release()
            await receive()
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"20")]})
        await send({"type": "http.response.body", "body": f"{size:10}{scope[REQUEST_ID][-10:]:>10}".encode()})


@dataclass
class Place:
    """A guarded application that is served."""

    address: tuple[str, int]
    app: Echo
    told: Tellings

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE)

    def __call__(self, head: str, body: bytes = b"") -> Answer:
        """Send a request as it is; return its answer."""
        with self.connect() as connection:
            connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
            return answer(connection)


def answer(connection: socket.socket) -> Answer:
    with connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        lines = iter(file.readline, b"\r\n")
        pairs = [line.decode().strip().split(": ", 1) for line in lines]
        headers = dict(pairs)
        assert len(headers) == len(pairs), "a header came twice"
        return Answer(status, headers, file.read(int(headers["content-length"])))


@contextmanager
def placed(**more: object) -> Iterator[Place]:
    settings, told, app = Settings(**more), Tellings(), Echo()  # type: ignore[arg-type]  # settings by name
    guard: ASGIApp = Guard(app, settings, lambda route, method, status, _seconds: told.append((route, method, status)))
    listening = opened("127.0.0.1:0")
    with served(guard, listening, settings):
        yield Place(listening.getsockname()[:2], app, told)


def test_a_body_that_is_declared_too_large_is_refused_unread() -> None:
    with placed(request_bytes=1_000) as ask:
        assert ask("POST /v1/reports HTTP/1.1\nHost: x\nContent-Length: 1000", b"x" * 1_000).status == 200
        found = ask("POST /v1/reports HTTP/1.1\nHost: x\nContent-Length: 1001")
        assert (found.status, found.headers["connection"]) == (413, "close")
        assert "setting request_bytes" in found.problem["detail"]
        assert ask.told == [(REFUSED, "POST", 413)]


def test_a_body_that_grows_too_large_is_refused_midway() -> None:
    head = "POST /v1/reports HTTP/1.1\nHost: x\nTransfer-Encoding: chunked"
    with placed(request_bytes=1_000) as ask:
        small = ask(head, b"3E8\r\n" + b"x" * 1_000 + b"\r\n0\r\n\r\n")
        assert (small.status, small.body[:10].strip()) == (200, b"1000")
        assert ask(head, b"3E8\r\n" + b"x" * 1_000 + b"\r\n1\r\nx\r\n").status == 413


@pytest.mark.parametrize("begun", [b"", b"half"])
def test_a_body_that_does_not_arrive_is_not_waited_for(begun: bytes) -> None:
    with placed(request_wait=timedelta(milliseconds=100)) as ask:
        for _ in range(2):
            found = ask("POST /v1/reports HTTP/1.1\nHost: x\nContent-Length: 8", begun)
            assert (found.status, found.headers["connection"]) == (408, "close")
            assert "setting request_wait" in found.problem["detail"]
        assert ask("GET /v1/runs HTTP/1.1\nHost: x").status == 200


def test_a_caller_who_leaves_before_its_body_came_harms_nobody() -> None:
    with placed(requests=1) as ask:
        with ask.connect() as connection:
            connection.sendall(b"POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf")
        while ask("GET /v1/runs HTTP/1.1\nHost: x").status == 503:
            pass


def test_more_requests_at_once_than_allowed_are_asked_to_come_again() -> None:
    with placed(requests=2) as ask, ask.connect() as first, ask.connect() as second:
        for connection in (first, second):
            connection.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
            assert ask.app.held.acquire(timeout=PATIENCE)
        found = ask("GET /v1/runs HTTP/1.1\nHost: x")
        assert (found.status, found.headers["retry-after"]) == (503, "1")
        assert "setting requests" in found.problem["detail"]
        assert ask("GET /health/live HTTP/1.1\nHost: x").status == 200


def test_a_caller_who_comes_too_often_is_told_when_to_come_again_and_health_is_always_told() -> None:
    with placed(request_rate=3) as ask:
        statuses = [ask("GET /v1/runs HTTP/1.1\nHost: x").status for _ in range(10)]
        assert statuses[:3] == [200] * 3
        assert 429 in statuses
        found = ask("GET /v1/runs HTTP/1.1\nHost: x")
        assert (found.status, found.headers["retry-after"]) == (429, "1")
        assert "setting request_rate" in found.problem["detail"]
        assert {ask("GET /health/live HTTP/1.1\nHost: x").status for _ in range(10)} == {200}


def test_who_was_admitted_is_counted_by_its_token_and_who_invents_tokens_is_not() -> None:
    with placed(request_rate=2) as ask:
        ask("GET /v1/runs HTTP/1.1\nHost: x\nAuthorization: Bearer right")
        invented = [f"GET /v1/runs HTTP/1.1\nHost: x\nAuthorization: Bearer {number}" for number in range(12)]
        assert 429 in {ask(head).status for head in invented}
        assert ask("GET /v1/runs HTTP/1.1\nHost: x\nAuthorization: Bearer right").status == 200


def test_every_answer_has_the_headers_that_keep_browsers_out_and_caches_empty() -> None:
    with placed(requests=1, request_bytes=1) as ask:
        for head in ("GET /v1/runs HTTP/1.1\nHost: x", "POST / HTTP/1.1\nHost: x\nContent-Length: 2"):
            headers = ask(head).headers
            assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"
            assert "strict-transport-security" not in headers


def test_only_who_is_told_to_says_that_it_is_always_reached_by_https() -> None:
    with placed(hsts="max-age=31536000") as ask:
        found = ask("GET /v1/runs HTTP/1.1\nHost: x")
        assert found.headers["strict-transport-security"] == "max-age=31536000"
    with pytest.raises(UsageError, match="setting hsts"), placed(hsts="max-age=1\r\nx: y"):
        pass


@pytest.mark.parametrize(
    ("given", "kept"), [("a-1.B_2", True), ("", False), ("a" * 65, False), ("a b", False), ('x"}', False)]
)
def test_a_request_has_an_id_that_is_answered_and_what_a_caller_gives_is_kept_if_it_is_sane(
    given: str, *, kept: bool
) -> None:
    with placed() as ask:
        first, second = (ask(f"GET /v1/runs HTTP/1.1\nHost: x\nX-Request-Id: {given}") for _ in range(2))
        assert (first.headers["x-request-id"] == given) == kept
        assert (first.headers["x-request-id"] == second.headers["x-request-id"]) == kept
        assert first.body[10:].decode().strip() == first.headers["x-request-id"][-10:]


def test_a_pace_allows_a_second_ahead_and_then_an_even_pace() -> None:
    rates = Rates(10)
    assert [rates.wait("a", 5.0) for _ in range(10)] == [0.0] * 10
    assert rates.wait("a", 5.0) == pytest.approx(0.1)
    assert rates.wait("b", 5.0) == 0.0
    assert rates.wait("a", 5.11) == 0.0
    assert rates.wait("a", 5.11) > 0


def test_no_number_of_callers_fills_the_table() -> None:
    rates = Rates(1)
    for number in range(3 * MOST):
        rates.wait(str(number), 0.0)
        assert len(rates._busy_until) <= MOST  # noqa: SLF001 - the bound is what is promised
