"""Every question of the page about logs finds its lines, and no others, among those that a run has made."""

import io
import json
import operator
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from shotclock import Coordinator, Settings, open_store
from shotclock.engine.telling import Audience
from shotclock.observe import logs
from shotclock.ports import Store
from tests.scenarios.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^```text\n(.*?)\n```\n\n```sh\njq -c 'select\((.*)\)' log\.jsonl\n```", PAGE, re.MULTILINE)
FILE = """phases:
  raw: {members: {a: {external: true}, b: {external: true}}, gate: {deadline: {after: 90m, from: run_start}}}
  next: {needs: [raw], members: {n: 'here:box'}, execution: {attempts: 2}}
"""
STEPS = "def box(ctx):\n    ctx.log.warning('this is attempt %d', ctx.attempt)\n    raise ValueError('never')\n"
LIFTED = ("severity", "time", "labels", "trace", "spanId", "sourceLocation")
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Line = dict[str, Any]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """Return what a run logs that goes wrong in many ways."""
    home, stream = tmp_path_factory.mktemp("logs"), io.StringIO()
    with logs.configured(Settings(log_format="json"), stream=stream) as heard:
        world = World(open_store(Settings(home=home, store="memory://")), home)
        store, audience = cast("Store", world.store), Audience({"logs": heard})
        world.coordinator = Coordinator(store, world.settings, world.clock, audience=audience)
        world.start(FILE, STEPS)
        world.coordinator.halt("p", actor="ann", reason="a bad deploy")
        world.coordinator.resume("p", actor="ann")
        for member in ("a", "nobody"):
            world.say(member)
        world.go(minutes=91)
        worker = world.worker()
        for _ in range(3):
            worker.work()
            world.go(minutes=5)
        world.store.inner.close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def entry(line: Line) -> Line:
    """Return a line as Cloud Logging keeps it: what it knows is lifted out, the rest is the payload."""
    short = {name.rpartition("/")[2]: value for name, value in line.items()}
    lifted = {name: short.pop(name) for name in LIFTED if name in short}
    return lifted | {"jsonPayload": short}


def fits(term: str, document: Line) -> bool:
    found = re.fullmatch(r"\.?([\w.]+) ?(>=|!=|==|=|>) ?(.*)", term)
    assert found is not None, term
    path, sign, wanted = found[1], found[2], json.loads(found[3])
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return sign == "!=" and wanted is not None and wanted != ""
    return COMPARED[sign](value, wanted)


def chosen(query: str, lines: list[Line], seen: Callable[[Line], Line]) -> list[Line]:
    terms = re.split(r" AND | and ", query)
    return [line for line in lines if all(map(partial(_fits_seen, seen(line)), terms))]


def _fits_seen(document: Line, term: str) -> bool:
    return fits(term, document)


def test_the_page_has_questions_in_both_languages() -> None:
    assert len(QUESTIONS) == PAGE.count("```sh") == PAGE.count("```text") >= 9


@pytest.mark.parametrize(("cloud", "jq"), QUESTIONS)
def test_a_question_finds_the_same_lines_in_both_languages(cloud: str, jq: str, lines: list[Line]) -> None:
    found = chosen(jq, lines, dict)
    assert 0 < len(found) < len(lines)
    assert chosen(cloud, lines, entry) == found


def test_every_event_of_the_run_is_on_the_page(lines: list[Line]) -> None:
    named = set(re.findall(r"`([a-z_.]+)`", PAGE)) | {f"report.{kind}" for kind in ("accepted", "parked")}
    assert {line["event"] for line in lines if "event" in line} <= named
