"""Tokens as operators handle them: the first closes the service, a rotation stops nobody, a revoked one is refused."""

import json
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from shotclock.clock import seconds
from tests.acceptance.house import House, Started

BOUND = 1.0
SLACK = 0.5
"""What a look at the store and a request may take on a busy machine."""
PATIENCE = 30.0


class Door:
    """A service that runs, and how it is asked."""

    def __init__(self, started: Started, url: str) -> None:
        self.started = started
        self._place = urlsplit(url).netloc

    def __call__(self, token: str | None = None) -> int:
        """Ask for the runs; return the status."""
        connection = HTTPConnection(self._place, timeout=PATIENCE)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            connection.request("GET", "/v1/runs", headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def becomes(self, status: int, token: str | None = None) -> float:
        """Ask until that is the answer; return the seconds it took."""
        begun = seconds()
        while self(token) != status:
            assert seconds() - begun < PATIENCE
        return seconds() - begun


@pytest.fixture
def door(house: House) -> Iterator[Door]:
    more = {"SHOTCLOCK_ACCESS_BOUND": f"{BOUND:.0f}s"}
    started = house.start("serve", "--listen", "127.0.0.1:0", "--json", more=more)
    yield Door(started, json.loads(started.says("service.started"))["url"])
    assert started.send(signal.SIGTERM).finish().code == 0


def create(house: House, *words: str) -> str:
    done = house("tokens", "create", *words)
    assert done.code == 0, done.err
    (token,) = done.lines
    assert token not in done.err
    return token


def test_the_first_token_closes_a_service_that_was_open_to_this_machine(house: House, door: Door) -> None:
    assert (door(), door("sc_wrong")) == (200, 401)
    token = create(house, "dashboard", "--scope", "read")
    assert door.becomes(401) <= BOUND + SLACK
    assert (door(token), door()) == (200, 401)
    assert door.becomes(403, create(house, "loader", "--scope", "report")) <= BOUND


def test_a_rotation_stops_nobody_and_a_revoked_token_is_refused_within_the_bound(house: House, door: Door) -> None:
    first = create(house, "dashboard", "--scope", "read")
    door.becomes(200, first)
    second = house("tokens", "rotate", "dashboard", "--json").document["token"]
    door.becomes(200, second)
    assert door(first) == 200
    (listed,) = house("tokens", "list", "--json").document
    assert (listed["state"], listed["overlaps"] is not None, listed["used"] is not None) == ("valid", True, True)
    assert house("tokens", "rotate", "dashboard").code == 2
    third = house("tokens", "rotate", "dashboard", "--overlap", "0s").lines[0]
    door.becomes(200, third)
    assert (door(first), door(second)) == (401, 401)
    assert house("tokens", "revoke", "dashboard").code == 0
    assert door.becomes(401, third) <= BOUND + SLACK


def test_what_is_listed_and_kept_holds_no_secret(house: House) -> None:
    token = create(house, "dashboard", "--scope", "read", "--scope", "operate", "--pipeline", "nba", "--life", "never")
    (listed,) = house("tokens", "list", "--json").document
    assert (listed["scopes"], listed["pipelines"], listed["expires"]) == (["read", "operate"], ["nba"], None)
    assert "dashboard" in house("tokens", "list").out
    secret = token.rpartition("_")[2]
    assert secret not in f"{listed}{house.rows()}{house('tokens', 'list').out}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "x", "--scope", "all"), "is not one of"),
        (("create", " ", "--scope", "read"), "no name for a token"),
        (("create", "x", "--scope", "read", "--life", "soon"), "--life: 'soon' is not a duration"),
        (("create", "x", "--scope", "read", "--life", "0s"), "must be longer than zero"),
        (("rotate", "dashboard2"), "the nearest is dashboard"),
        (("revoke", "nobody"), "there is no token nobody"),
    ],
)
def test_wrong_use_says_what_is_wrong_in_a_line(house: House, words: tuple[str, ...], said: str) -> None:
    create(house, "dashboard", "--scope", "read")
    done = house("tokens", *words)
    assert (done.code, said in done.err, done.err.count("\n")) == (2, True, 1)
