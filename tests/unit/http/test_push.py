"""Pushed messages: answered once they are stored; what nothing can be made of is kept once and does not come again."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.http.envelopes import Message, UnreadableError, read
from tests.unit.http.house import DAY, Asking, asking, said

DATA = json.dumps(said()).encode()
TEXT = b64encode(DATA).decode()
EVENT = {"specversion": "1.0", "id": "e1", "source": "//odds", "type": "report"}


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    with asking(tmp_path) as made:
        made("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        yield made


def kept(ask: Asking) -> list[dict[str, object]]:
    return [entry["body"] for entry in ask("GET", "/v1/quarantine").body["messages"]]


@pytest.mark.parametrize("spelling", ["messageId", "message_id"])
def test_a_pushed_report_counts_once_however_often_it_comes(ask: Asking, spelling: str) -> None:
    envelope = {"message": {"data": TEXT, spelling: "7", "attributes": {"a": "b"}}, "subscription": "projects/p/s"}
    answers = [ask("POST", "/v1/push", envelope) for _ in range(3)]
    assert [(one.status, one.body["answer"]) for one in answers] == [
        (200, "accepted"),
        (200, "duplicate"),
        (200, "duplicate"),
    ]
    assert kept(ask) == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (DATA, {f"ce_{name}": value for name, value in EVENT.items()}),
        ({**EVENT, "data": said()}, {"content_type": "application/cloudevents+json"}),
        ({**EVENT, "data_base64": TEXT}, {"content_type": "application/cloudevents+json; charset=utf-8"}),
        (
            {
                **EVENT,
                "type": "google.cloud.pubsub.topic.v1.messagePublished",
                "data": {"message": {"data": TEXT, "messageId": "1"}},
            },
            {"content_type": "application/cloudevents+json"},
        ),
    ],
)
def test_events_count_in_either_form(ask: Asking, body: object, headers: dict[str, str]) -> None:
    found = ask("POST", "/v1/push", body, **headers)
    assert (found.status, found.body["answer"]) == (200, "accepted")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "not an object"),
        ({"message": 5}, "neither a Pub/Sub envelope"),
        ({"message": {"data": TEXT}}, "no messageId"),
        ({"message": {"messageId": "1", "data": "%"}}, "not base64"),
        ({"message": {"messageId": "1", "data": b64encode(b"{}").decode()}}, "missing required field"),
        ({**EVENT, "id": ""}, "has no id"),
        (
            {"message": {"messageId": "1", "data": b64encode(json.dumps({**said(), "member": " "}).encode()).decode()}},
            "cannot name a member",
        ),
    ],
)
def test_what_nothing_can_be_made_of_is_kept_once_with_what_it_held(ask: Asking, body: object, reason: str) -> None:
    for _ in range(3):
        found = ask("POST", "/v1/push", body)
        assert (found.status, found.body["answer"]) == (200, "quarantined")
    (message,) = kept(ask)
    assert reason in str(message["reason"])
    assert message["payload"]


def test_real_work_goes_on_beside_a_full_quarantine_which_takes_no_more(tmp_path: Path) -> None:
    with asking(tmp_path, parked=2) as ask:
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        for number in range(2):
            assert ask("POST", "/v1/push", {"message": {"messageId": str(number), "data": ""}}).status == 200
        full = ask("POST", "/v1/push", {"message": {"messageId": "2", "data": ""}})
        assert (full.status, int(full.headers["retry-after"]) > 0) == (503, True)
        good = ask("POST", "/v1/push", {"message": {"messageId": "3", "data": TEXT}})
        assert (good.status, good.body["answer"]) == (200, "accepted")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.binary(max_size=200)
    | st.builds(
        lambda fields: json.dumps(fields).encode(),
        st.fixed_dictionaries(
            {}, optional={"message": json_values, "subscription": json_values, "specversion": json_values}
        ),
    )
)
def test_any_bytes_are_a_message_or_say_why_not(body: bytes) -> None:
    try:
        found = read({}, body)
    except UnreadableError as error:
        found = Message(data=str(error).encode())
    assert isinstance(found, Message)
