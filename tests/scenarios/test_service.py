"""What happens at the running service: a real server on loopback over each kind of store."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any, cast

import pytest
from msgspec.structs import replace

from shotclock import Engine
from shotclock.engine.plans import Catalogue
from shotclock.engine.process import this_process
from shotclock.engine.reach import NOTHING
from shotclock.engine.timetable import Timetables
from shotclock.http import serving
from shotclock.http.access import Access
from shotclock.http.app import application
from shotclock.http.service import Service
from shotclock.observe.vitals import Vitals
from shotclock.ports import Store
from tests.scenarios.world import DAY, World

RUN = f"p/{DAY}"
RAW = "raw: {members: {odds: {external: true}, props: {external: true, aliases: [lines]}}, gate: {deadline: 30m}}"
NEXT = 'next: {needs: [raw], members: {score: {run: "here:score"}}}'
SCORE = "def score(ctx): return Succeeded(rows=1)\n"


class Caller:
    """Calls the service, a connection for each request."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) or body is None else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(HTTPConnection(*self._place, timeout=30)) as connection:
            connection.request(method, path, content, named)
            answer = connection.getresponse()
            text = answer.read().decode()
        return answer.status, json.loads(text.splitlines()[0])

    def report(self, member: str, **more: object) -> tuple[int, Any]:
        said = {"run": RUN, "phase": "raw", "member": member, "outcome": "succeeded", **more}
        return self("POST", "/v1/reports", said)

    def push(self, data: bytes, name: str = "1") -> tuple[int, Any]:
        return self("POST", "/v1/push", {"message": {"data": b64encode(data).decode(), "messageId": name}})


@contextmanager
def serving_on(world: World) -> Iterator[Caller]:
    """Give the service over a world's store; its sweep is the world's own."""
    store, catalogue = cast("Store", world.store), Catalogue([], world.settings, {})
    with ExitStack() as stack:
        engine = stack.enter_context(
            closing(Engine(store, world.settings, world.clock, reach=NOTHING, bus=world.line, channel=world.line))
        )
        access = stack.enter_context(closing(Access(store, world.settings, world.clock, open_to_all=True)))
        service = Service(
            engine,
            catalogue,
            Timetables(engine.coordinator, catalogue),
            access,
            Vitals(store, world.settings, world.clock),
        )
        stack.enter_context(closing(service))
        listening = serving.opened("127.0.0.1:0")
        stack.enter_context(serving.served(application(service), listening, world.settings))
        yield Caller(*listening.getsockname()[:2])


@pytest.fixture
def call(world: World) -> Iterator[Caller]:
    with serving_on(world) as caller:
        yield caller


def begin(world: World) -> None:
    world.start(f"phases:\n  {RAW}\n  {NEXT}", SCORE)


def test_a_report_under_an_unknown_name_is_parked_told_once_and_replayed_with_the_alias(
    world: World, call: Caller
) -> None:
    begin(world)
    for _ in range(2):
        assert call.report("Ódds")[0] in {200, 202}
    assert "the nearest is odds" in call.report("Ödds")[1]["detail"]
    world.look()
    assert len(world.alerts("parked")) == 2  # one for each name
    assert world.kinds() == {"pending": 2}
    assert call("POST", f"/v1/runs/{RUN}/phases/raw/aliases", {"name": "Ódds", "member": "odds"})[0] == 200
    assert world.kinds() == {"pending": 1, "succeeded": 1}


def test_a_hand_over_that_nobody_takes_up_is_sent_again_once_then_told(world: World, call: Caller) -> None:
    begin(world)
    for member in ("odds", "props"):
        call.report(member)
    for _ in range(4):
        assert call("POST", "/v1/sweep")[0] == 200
        world.clock.instant += world.settings.handover + timedelta(seconds=1)
    assert world.handovers("next") == 2
    world.line.await_alert("unacknowledged")
    assert [alert["phase"] for alert in world.alerts("unacknowledged")] == ["next"]


@pytest.mark.parametrize("wrong", [{"row": 5}, {"outcome": "done"}, {"part": {"number": 0}}, {"rows": "many"}])
def test_what_does_not_fit_the_schema_is_refused_where_it_is_published(
    world: World, call: Caller, wrong: dict[str, object]
) -> None:
    begin(world)
    before = world.rows()
    status, said = call.report("odds", **wrong)
    assert (status, said["title"]) == (400, "Malformed")
    assert world.rows() == before


def test_a_malformed_message_is_kept_after_one_attempt_and_real_work_goes_on(world: World, call: Caller) -> None:
    begin(world)
    for _ in range(3):
        assert call.push(b"no report", "bad")[1]["answer"] == "quarantined"
    good = json.dumps({"run": RUN, "phase": "raw", "member": "odds", "outcome": "succeeded"}).encode()
    assert call.push(good, "good")[1]["answer"] == "accepted"
    _, kept = call("GET", "/v1/quarantine")
    (message,) = kept["messages"]
    assert (message["body"]["id"], message["body"]["payload"]) == ("bad", b64encode(b"no report").decode())
    assert message["body"]["reason"]
    world.look()
    assert len(world.alerts("quarantined")) == 1


def test_a_message_whose_report_could_not_be_stored_comes_again_and_does_the_work(world: World, call: Caller) -> None:
    begin(world)
    good = json.dumps({"run": RUN, "phase": "raw", "member": "odds", "outcome": "succeeded"}).encode()
    world.store.fail_at = 1
    assert call.push(good)[0] == 503
    world.store.fail_at = None
    assert world.kinds() == {"pending": 2}
    assert call.push(good)[1]["answer"] == "accepted"
    assert call.push(good)[1]["answer"] == "duplicate"
    assert world.kinds() == {"pending": 1, "succeeded": 1}


def test_while_the_store_is_down_nothing_is_acknowledged_and_afterwards_all_is_there(
    world: World, call: Caller
) -> None:
    begin(world)
    world.store.down = True
    lines = b"\n".join(
        json.dumps({"run": RUN, "phase": "raw", "member": name, "outcome": "succeeded"}).encode()
        for name in ("odds", "props")
    )
    assert call("POST", "/v1/reports", lines, content_type="application/x-ndjson")[0] == 503
    assert call.report("odds")[0] == 503
    assert call("GET", "/health/live")[0] == 200
    world.store.down = False
    assert call.report("odds")[1]["answer"] == "accepted"
    assert call("POST", "/v1/reports", lines, content_type="application/x-ndjson")[0] == 200
    assert world.opened().counts.satisfied == 2


def test_a_process_with_other_settings_is_shown(world: World, call: Caller) -> None:
    for pid, lease in enumerate((60, 60, 90), 1):
        settings = replace_setting(world, timedelta(seconds=lease))
        process = this_process(world.clock.now(), settings, kind="worker", tags=frozenset())
        world.coordinator.beat(replace(process, name=f"w{pid}"))
    _, seen = call("GET", "/v1/processes")
    assert {one["name"]: one["differs"] for one in seen["processes"]} == {"w1": False, "w2": False, "w3": True}


def replace_setting(world: World, lease: timedelta) -> Any:  # noqa: ANN401 - settings
    from dataclasses import replace as changed  # noqa: PLC0415 - msgspec's is meant elsewhere

    return changed(world.settings, lease=lease)


def test_everything_halted_says_so_in_every_answer_and_reports_still_count(world: World, call: Caller) -> None:
    begin(world)
    assert call("POST", "/v1/halt", {"scope": "*", "reason": "a bad deploy"})[0] == 200
    assert call.report("odds")[1]["answer"] == "accepted"
    assert call.report("props")[1]["answer"] == "accepted"
    assert world.opening() is None
    assert "a bad deploy" in call("GET", f"/v1/runs/{RUN}")[1]["halted"]
    world.clock.instant += timedelta(minutes=1)
    assert call("POST", "/v1/resume", {"scope": "*"})[0] == 200
    assert call("POST", "/v1/sweep")[0] == 200
    assert world.opened().reason == "all"


def test_reports_as_lines_are_written_in_few_commits(world: World, call: Caller) -> None:
    names = "".join(f"m{number}: {{external: true}}, " for number in range(200))
    world.start(f"phases:\n  raw: {{members: {{{names}}}, gate: {{deadline: 30m}}}}")
    commits, write = Counter[str](), world.store.inner.write

    def counted(work: Any) -> Any:  # noqa: ANN401 - as the store's own
        commits["made"] += 1
        return write(work)

    world.store.inner.write = counted  # type: ignore[method-assign]  # counted, and passed on
    said = [{"run": RUN, "phase": "raw", "member": f"m{number}", "outcome": "succeeded"} for number in range(200)]
    lines = "\n".join(map(json.dumps, said)).encode()
    assert call("POST", "/v1/reports", lines, content_type="application/x-ndjson")[0] == 200
    assert commits["made"] <= 3
    assert world.opened().counts.satisfied == 200
