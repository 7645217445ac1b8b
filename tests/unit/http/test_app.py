"""The routes: what is asked is answered in words a program can read, and an error names what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.http.house import DAY, RUN, Asking, asking, said

PHASE = f"/v1/runs/{RUN}/phases/raw"


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    with asking(tmp_path) as made:
        yield made


@pytest.fixture
def started(ask: Asking) -> Asking:
    assert ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY}).status == 201
    return ask


def test_a_run_is_started_once_and_a_repeat_attaches_to_it(ask: Asking) -> None:
    wish = {"pipeline": "sources", "key": DAY}
    first, again = ask("POST", "/v1/runs", wish), ask("POST", "/v1/runs", wish)
    assert (first.status, first.body["run"], first.body["made"]) == (201, RUN, True)
    assert (again.status, again.body["run"], again.body["made"]) == (200, RUN, False)


def test_reports_drive_a_phase_to_its_opening(started: Asking) -> None:
    assert started.report("odds").body == {"answer": "accepted", "detail": "odds is succeeded"}
    assert started("GET", PHASE).body["missing"][0]["member"] == "props"
    assert started("GET", f"{PHASE}/missing").body["members"][0]["member"] == "props"
    assert started.report("props").status == 200
    shown = started("GET", f"/v1/runs/{RUN}").body
    assert [(phase["name"], phase["state"]) for phase in shown["phases"]] == [("raw", "done"), ("next", "active")]
    assert started("GET", PHASE).body["opening"]["reason"] == "all"
    assert [line["id"] for line in started("GET", "/v1/runs").body["runs"]] == [RUN]


@pytest.mark.parametrize(
    ("more", "status", "answer"),
    [
        ({}, 200, "duplicate"),
        ({"rows": 4}, 202, "conflict"),
        ({"member": "oddz"}, 202, "parked"),
        ({"token": 5}, 409, "fenced"),
    ],
)
def test_each_answer_has_its_status(started: Asking, more: dict[str, object], status: int, answer: str) -> None:
    started.report("odds")
    found = started.report("odds", **more)
    assert (found.status, found.body["answer"]) == (status, answer)


def test_many_reports_come_as_lines_and_a_bad_one_spoils_none(started: Asking) -> None:
    lines = [
        b'{"run":"sources/2025-01-15","phase":"raw","member":"odds","outcome":"succeeded"}',
        b'{"run":"sources/2025-01-15","phase":"raw","member":"props","outcome":"won"}',
        b"",
        b"no JSON",
        b'{"run":"sources/2025-01-15","phase":"raw","member":"props","outcome":"empty","outputs":{"n":[1]}}',
        b'{"run":"sources/2025-01-15","phase":"raw","member":" ","outcome":"empty"}',
    ]
    found = started("POST", "/v1/reports", b"\n".join(lines), content_type="application/x-ndjson")
    assert found.status == 207
    assert [line.get("answer", line.get("status")) for line in found.lines] == ["accepted", 400, 400, "accepted", 409]
    good = started("POST", "/v1/reports", lines[0], content_type="application/x-ndjson; charset=utf-8")
    assert (good.status, good.lines[0]["answer"]) == (200, "duplicate")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"run": "sources/2025-01-15"}', "missing required field"),
        ({**said(), "row": 5}, "unknown field `row`"),
        ({**said(), "rows": -1}, "rows"),
        ({**said(), "run": "no run"}, "regex"),
        ({**said(), "as_of": "2025-01-15T00:00:00"}, "timezone"),
    ],
)
def test_a_body_nothing_can_be_made_of_is_named(started: Asking, body: object, detail: str) -> None:
    found = started("POST", "/v1/reports", body)
    assert (found.status, found.headers["content-type"]) == (400, "application/problem+json")
    assert detail in found.body["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/runs/sources/2025-01-16", 404),
        ("GET", f"/v1/runs/sources/{DAY}?generation=7", 404),
        ("GET", f"/v1/runs/sources/{DAY}?generation=none", 400),
        ("GET", f"/v1/runs/sources/{DAY}?mode=default&mode=default", 400),
        ("GET", "/v1/runs?limits=3", 400),
        ("GET", f"/v1/runs/sources/{DAY}/phases/rav", 404),
        ("GET", "/v1/runs/So%20urces/x", 404),
        ("GET", "/v2/runs", 404),
        ("DELETE", "/v1/runs", 405),
    ],
)
def test_what_is_not_there_is_said_and_the_nearest_is_named(
    started: Asking, method: str, path: str, status: int
) -> None:
    found = started(method, path)
    assert (found.status, found.body["status"]) == (status, status), found
    if path.endswith("rav"):
        assert "the nearest is raw" in found.body["detail"]


def test_operators_halt_withdraw_force_and_do_again(started: Asking) -> None:
    why = {"reason": "a try"}
    assert started("POST", "/v1/halt", {"scope": "sources", **why}).status == 200
    assert [halt["scope"] for halt in started("GET", "/v1/halts").body["halts"]] == ["sources"]
    assert started("POST", f"{PHASE}/force", why).status == 409
    assert started("POST", "/v1/resume", {"scope": "sources"}).status == 200
    assert started("POST", "/v1/resume", {"scope": "sources"}).status == 409
    assert started("POST", f"{PHASE}/withdraw", {"member": "props", **why}).body["detail"] == "props is out of the roll"
    assert started("POST", f"{PHASE}/readmit", {"member": "props"}).status == 200
    assert started("POST", f"{PHASE}/aliases", {"name": "oddz", "member": "odds"}).status == 200
    assert started.report("oddz").body["answer"] == "accepted"
    assert started("POST", f"{PHASE}/signals", {"signal": "go"}).status == 409
    assert started("POST", f"{PHASE}/force", why).status == 200
    again = started("POST", f"/v1/runs/{RUN}/rerun", {"phase": "raw"})
    assert (again.status, again.body["run"]) == (201, f"{RUN}#2")
    assert started("POST", f"/v1/runs/{RUN}/rerun?generation=1", {"phase": "raw"}).status == 200


def test_the_sweep_can_be_asked_for_from_outside(started: Asking) -> None:
    assert started("POST", "/v1/sweep").body == {"phases": 0, "started": []}


def test_a_pipeline_that_the_process_does_not_know_is_refused(ask: Asking) -> None:
    found = ask("POST", "/v1/runs", {"pipeline": "nba", "key": DAY})
    assert (found.status, "knows no pipeline nba, only: sources" in found.body["detail"]) == (404, True)


def test_a_day_that_is_none_is_refused(ask: Asking) -> None:
    assert ask("POST", "/v1/runs", {"pipeline": "sources", "key": "2025-02-30"}).status == 409


def test_a_run_is_followed_until_it_is_over(started: Asking) -> None:
    for member in ("odds", "props"):
        started.report(member)
    started("POST", "/v1/reports", {**said("last"), "phase": "next"})
    found = started("GET", f"/v1/runs/{RUN}/events")
    assert found.headers["content-type"] == "text/event-stream"
    assert found.text.startswith("event: run\nid: ")
    assert '"state":"complete"' in found.text


def test_following_more_than_may_be_followed_is_refused(tmp_path: Path) -> None:
    with asking(tmp_path, streams=1) as ask:
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        ask.service.watching.admit()
        followed = ask.service.watching.follow(RUN)
        followed.__aiter__()
        ask.service.watching._open += 1  # noqa: SLF001 - a reader that stays
        found = ask("GET", f"/v1/runs/{RUN}/events")
        assert (found.status, "retry-after" in found.headers) == (503, True)


def test_every_route_is_described_with_all_it_may_answer(ask: Asking) -> None:
    described = ask("GET", "/openapi.json").body
    assert described["openapi"] == "3.1.0"
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["summary"].endswith("."), path
            assert "503" in operation["responses"], path


def test_it_says_that_it_lives(ask: Asking) -> None:
    assert ask("GET", "/health/live").body == {"live": True}
