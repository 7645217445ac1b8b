"""Lines of the log: one JSON object each whatever is logged, about the work in hand, without secrets, not too many."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.errors import UsageError
from shotclock.model import Fact
from shotclock.observe import logs
from shotclock.observe.ids import trace_id
from shotclock.saying import saying
from shotclock.settings import Settings

AT = datetime(2025, 1, 15, 12, tzinfo=UTC)
OTHERS = logging.getLogger("somebody.else")


class Heard:
    """Where lines go."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def only(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


@contextmanager
def logging_to(**settings: object) -> Iterator[Heard]:
    heard = Heard()
    chosen = Settings(**{"log_format": "json", **settings})  # type: ignore[arg-type]  # fields of the settings
    with logs.configured(chosen, stream=heard.stream):
        yield heard


def test_a_fact_is_a_line_under_its_name_with_the_fields_that_cloud_logging_finds_it_by() -> None:
    opened = Fact(name="gate.opened", at=AT, run="p/1", phase="raw", reason="all", took=timedelta(seconds=90))
    with logging_to() as heard:
        logs.heard([opened])
    line = heard.only()
    assert (line["severity"], line["message"], line["event"]) == ("INFO", "gate.opened", "gate.opened")
    assert line["logging.googleapis.com/labels"] == {"pipeline": "p", "run": "p/1", "phase": "raw"}
    assert line["logging.googleapis.com/trace"] == trace_id("p/1")
    assert (line["reason"], line["seconds"], line["time"][-1]) == ("all", 90.0, "Z")


def test_what_happens_with_every_report_is_for_debugging() -> None:
    with logging_to() as heard:
        logs.heard([Fact(name="report.accepted", at=AT, run="p/1", phase="raw", reason="outside")])
    assert heard.lines() == []


def test_extras_and_records_of_others_say_what_the_work_is_about() -> None:
    with logging_to() as heard, saying({"run": "p/1", "attempt": 2}):
        OTHERS.warning("took %d ms", 12, extra={"rows": 7})
    line = heard.only()
    assert (line["message"], line["rows"], line["run"], line["attempt"]) == ("took 12 ms", 7, "p/1", 2)
    assert line["logging.googleapis.com/sourceLocation"]["file"].endswith("test_logs.py")


def test_what_the_work_is_about_follows_into_coroutines_and_stays_out_of_other_threads() -> None:
    async def inner() -> None:
        OTHERS.warning("within")

    with logging_to() as heard:
        with saying({"run": "p/1"}):
            asyncio.run(inner())
            other = Thread(target=OTHERS.warning, args=("beside",))
            other.start()
            other.join()
        OTHERS.warning("after")
    assert [line.get("run") for line in heard.lines()] == ["p/1", None, None]


class Broken:
    """What cannot even be shown."""

    def __repr__(self) -> str:
        message = "no"
        raise RuntimeError(message)


CYCLE: list[object] = []
CYCLE.append(CYCLE)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.builds(Broken)
    | st.sampled_from(["\ud800", CYCLE, "x" * 100_000, float("nan"), object(), AT]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(value=ANYTHING, words=ANYTHING)
def test_no_value_makes_a_line_fail_or_unreadable(value: object, words: object) -> None:
    heard, alone = Heard(), logging.getLogger("alone")
    alone.propagate, alone.handlers = False, []
    alone.addHandler(logs.Lines(heard.stream, 1_000, as_json=True))
    alone.warning(words, extra={"given": value})
    alone.warning("%s %d", value, extra={"inner": {"deep": value}})
    assert len(heard.lines()) == 2
    assert all(len(line) < 300_000 for line in heard.stream.getvalue().splitlines())


SECRETS = (
    "Authorization: Bearer abcdef123456",
    "postgresql://ann:hunter22@host/db",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl",
    "xoxb-1234567890-abcdef",
    "https://hooks.slack.com/services/T000/B000/XXXXYYYY",
    "password=hunter22 and more",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_not_said_wherever_it_stands(secret: str) -> None:
    with logging_to() as heard:
        OTHERS.error("failed with %s", secret, extra={"detail": [secret]})
        OTHERS.error("raised", exc_info=ValueError(secret))
    text = heard.stream.getvalue()
    assert text.count("[redacted]") >= 3
    for part in ("abcdef123456", "hunter22", "c2lnbmF0dXJl", "xoxb-1234567890", "XXXXYYYY"):
        assert part not in text


def test_what_is_called_a_secret_is_not_said() -> None:
    given = {"password": "a", "nested": {"api_key": "b", "Set-Cookie": "c"}, "token": 7, "rows": 3}
    with logging_to() as heard:
        OTHERS.warning("logged in", extra=given)
    line = heard.only()
    assert (line["password"], line["nested"]) == ("[redacted]", {"api_key": "[redacted]", "Set-Cookie": "[redacted]"})
    assert (line["token"], line["rows"]) == (7, 3)


def test_repeats_are_written_up_to_a_number_and_told_by_their_count() -> None:
    with logging_to(log_repeats=3) as heard:
        for number in range(10):
            OTHERS.warning("cannot reach %d", number)
        OTHERS.warning("something else")
    *written, other, told = heard.lines()
    assert [line["message"] for line in written] == ["cannot reach 0", "cannot reach 1", "cannot reach 2"]
    assert other["message"] == "something else"
    assert (told["message"], told["number"]) == ("log.repeated: cannot reach %d", 7)


def test_people_get_a_line_of_words() -> None:
    with logging_to(log_format="text") as heard:
        logs.heard([Fact(name="phase.failed", at=AT, run="p/1", phase="raw", more={"detail": "two\nlines"})])
    assert heard.stream.getvalue()[8:] == " error: phase.failed detail=two lines run=p/1 phase=raw\n"


@pytest.mark.parametrize("wrong", [{"log_level": "loud"}, {"log_format": "xml"}])
def test_a_level_or_a_format_that_there_is_not_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="it is one of"), logging_to(**wrong):
        pass
