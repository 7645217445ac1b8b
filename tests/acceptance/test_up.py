"""The service as a user starts it: reports by HTTP drive a run to its end, a kill loses nothing that was answered."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.house import DAY, House, Started

RUN = f"served/{DAY}"
FILE = """
key: {name: day, type: date, timezone: UTC}
phases:
  raw:
    members: {odds: {external: true}, props: {external: true}}
    gate: {deadline: 30m}
  scores:
    needs: [raw]
    members: {score: {run: "served.steps:score"}}
"""
MANY = """
key: {name: day, type: date, timezone: UTC}
phases:
  raw:
    items: "many.steps:names"
    external: true
    gate: {deadline: 30m}
"""
NAMES = "def names(ctx): return (f'item-{number}' for number in range(5_000))\n"


class Client:
    """Asks a service over one connection."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=30)

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        self._connection.request(method, path, None if body is None else json.dumps(body))
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def report(self, run: str, member: str) -> tuple[int, Any]:
        return self("POST", "/v1/reports", {"run": run, "phase": "raw", "member": member, "outcome": "succeeded"})

    def close(self) -> None:
        self._connection.close()


@contextmanager
def serving(house: House, *words: str) -> Iterator[tuple[Started, Client]]:
    """Give a service and somebody who asks it."""
    started = house.start(*words, "--listen", "127.0.0.1:0", "--json")
    client = Client(json.loads(started.says("service.started"))["url"])
    try:
        yield started, client
    finally:
        client.close()


def test_reports_by_http_open_a_phase_and_the_next_is_worked_on_in_the_same_process(house: House) -> None:
    house.pipeline("served", FILE, "def score(ctx): return Succeeded(rows=1)\n")
    with serving(house, "up", "served") as (started, ask):
        assert ask("POST", "/v1/runs", {"pipeline": "served", "key": DAY})[0] == 201
        assert ask.report(RUN, "odds")[1]["answer"] == "accepted"
        assert house("missing", RUN).lines == ["raw props: required, pending, reports from outside"]
        assert ask.report(RUN, "props")[1]["answer"] == "accepted"
        started.says('"task.done"')
        assert house("status", RUN, "--json").document["state"] == "complete"
        (seen,) = house("processes", "--json").document
        assert seen["kind"] == "up"
        done = started.send(signal.SIGTERM).finish()
    assert (done.code, done.documents[-1]["event"]) == (0, "service.stopped")


def test_a_service_without_workers_leaves_the_work_to_them(house: House) -> None:
    house.pipeline("served", FILE, "def score(ctx): return Succeeded(rows=1)\n")
    with serving(house, "serve", "served") as (started, ask):
        ask("POST", "/v1/runs", {"pipeline": "served", "key": DAY})
        for member in ("odds", "props"):
            ask.report(RUN, member)
        (waits,) = ask("GET", "/v1/backlog")[1]["backlog"]
        assert (waits["phase"], waits["tasks"]) == ("scores", 1)
        worker = house.start("worker")
        worker.says("scores.score: done")
        assert worker.send(signal.SIGTERM).finish().code == 0
        assert ask("GET", f"/v1/runs/{RUN}")[1]["state"] == "complete"
        assert started.send(signal.SIGTERM).finish().code == 0


def test_what_was_answered_is_there_after_the_service_was_killed(house: House) -> None:
    house.pipeline("many", MANY, NAMES)
    run, answered, enough = f"many/{DAY}", [], Event()

    def report(url: Client, first: int) -> None:
        for number in range(first, 5_000, 4):
            try:
                status, said = url.report(run, f"item-{number}")
            except (OSError, HTTPException):
                return
            assert (status, said["answer"]) == (200, "accepted")
            answered.append(number)
            if len(answered) >= 200:
                enough.set()

    with serving(house, "up", "many") as (started, ask):
        ask("POST", "/v1/runs", {"pipeline": "many", "key": DAY})
        started.says('"task.done"')  # the roll is called
        url = f"http://{ask._connection.host}:{ask._connection.port}"  # noqa: SLF001 - of this file
        threads = [Thread(target=report, args=(Client(url), first)) for first in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        started.send(signal.SIGKILL).finish()
        for thread in threads:
            thread.join()
    view = house("status", run, "--json").document
    assert len(answered) <= view["phases"][0]["satisfied"] <= len(answered) + len(threads)


def test_a_look_once_says_what_it_did(house: House) -> None:
    house.pipeline("served", FILE, "def score(ctx): return Succeeded(rows=1)\n")
    assert house("sweep", "served", "--once", "--json").document == {"phases": 0, "started": []}


def test_an_address_that_is_taken_or_none_is_wrong_use(house: House) -> None:
    with serving(house, "serve") as (started, ask):
        taken = f"127.0.0.1:{ask._connection.port}"  # noqa: SLF001 - of this file
        done = house("serve", "--listen", taken)
        assert (done.code, f"cannot listen on {taken}" in done.err) == (2, True)
        assert started.send(signal.SIGTERM).finish().code == 0
    done = house("serve", "--listen", "nowhere:at:all")
    assert (done.code, "setting listen" in done.err) == (2, True)


def test_it_is_closed_by_default_where_others_reach_it(house: House) -> None:
    done = house("serve", "--listen", "0.0.0.0:0")
    assert (done.code, "shotclock tokens create" in done.err) == (2, True)


def test_a_file_that_cannot_be_used_ends_it_at_once(house: House, tmp_path: Path) -> None:
    house.pipeline("served", FILE.replace("external", "extrenal"), "")
    done = house("up", "served", "--listen", "127.0.0.1:0")
    assert (done.code, "extrenal" in done.err) == (2, True)
    assert not (tmp_path / "served" / ".shotclock").exists()
