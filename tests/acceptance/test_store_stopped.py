"""A service whose database is killed under load: it says so at once, and loses nothing that it has acknowledged."""

import json
import signal
from collections.abc import Iterator
from http.client import HTTPException
from threading import Event, Thread

import pytest

from shotclock.clock import seconds
from tests.acceptance.house import DAY, House
from tests.acceptance.test_up import MANY, NAMES, Client, serving
from tests.servers import PostgresServer

RUN = f"many/{DAY}"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Give a server of its own, for it is killed."""
    found = PostgresServer(durable=True)
    found.start()
    yield found
    found.remove()


def status(ask: Client, path: str) -> tuple[int, float]:
    """Return what a path was answered, and how many seconds that took."""
    began = seconds()
    return ask("GET", path)[0], seconds() - began


class Load:
    """Callers that report one item after the other, and keep which of them were acknowledged."""

    def __init__(self, url: str) -> None:
        self.answered: set[str] = set()
        self.enough = Event()
        self.ended = Event()
        self._url = url
        self._threads = [Thread(target=self._report, args=(first,)) for first in range(4)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Have all callers end."""
        self.ended.set()
        for thread in self._threads:
            thread.join()

    def _report(self, first: int) -> None:
        for number in range(first, 5_000, 4):
            if self.ended.is_set():
                return
            self._once(f"item-{number}")

    def _once(self, name: str) -> None:
        client = Client(self._url)
        try:
            code, _ = client.report(RUN, name)
        except (OSError, HTTPException, json.JSONDecodeError):
            return
        finally:
            client.close()
        if code == 200:
            self.answered.add(name)
        if len(self.answered) >= 100:
            self.enough.set()


def test_a_store_that_is_stopped_under_load_is_told_within_two_seconds_and_nothing_acknowledged_is_missing(
    house: House, server: PostgresServer
) -> None:
    house.pipeline("many", MANY, NAMES)
    address = server.place()
    assert house("store", "init", address).code == 0
    with serving(house, "up", "many", "--store", address) as (started, ask):
        url = f"http://{ask._connection.host}:{ask._connection.port}"  # noqa: SLF001 - of these tests
        ask("POST", "/v1/runs", {"pipeline": "many", "key": DAY})
        started.says('"task.done"')  # the roll is called
        until = seconds() + 30
        while status(ask, "/health/ready")[0] != 200:
            assert seconds() < until, ask("GET", "/health/ready")
        callers = Load(url)
        assert callers.enough.wait(30)
        server.kill()
        stopped_at = seconds()
        while status(ask, "/health/ready")[0] == 200:
            assert seconds() - stopped_at < 2
        assert seconds() - stopped_at < 2
        code, took = status(ask, "/health/live")
        assert (code, took < 1) == (200, True)
        server.start()
        until = seconds() + 30
        while status(ask, "/health/ready")[0] != 200:
            assert seconds() < until, ask("GET", "/health/ready")
        callers.end()
        assert started.send(signal.SIGTERM).finish().code == 0
    view = house("status", RUN, "--store", address, "--json").document
    assert view["phases"][0]["satisfied"] >= len(callers.answered) >= 100
