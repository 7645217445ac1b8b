"""Pushed messages of any kind: none crashes the service, none is acknowledged unless it is stored or in quarantine."""

import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from shotclock.http.envelopes import UnreadableError, read
from tests.unit.http.house import DAY, Asking, asking, said

BATCHES: Final = 10
"""How often the store is looked at."""
SLICE, WHOLE = 300, 10_000
MEMBERS: Final = frozenset({"odds", "props", "lines"})
"""Who is known, by its name or another one."""
ODD: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 2**70, 1.5, "", " ", "x" * 3_000, "\0", "\u202e", "é", [], {}, [[]], "succeeded", "%", "=",
)  # fmt: skip
"""What may stand anywhere."""


class Pusher:
    """Draws envelopes, pushes them, and knows which were acknowledged with what."""

    def __init__(self, ask: Asking, seed: int) -> None:
        self.ask = ask
        self.lots = Random(seed)  # noqa: S311 - draws tests
        self.quarantined: set[bytes] = set()
        self.stored: set[str] = set()
        self.answers: Counter[str] = Counter()

    def push(self) -> None:
        """Push one envelope; assert that it did not crash the service, and keep what was answered."""
        name = self.lots.choice(["odds", "props", "lines", "nobody", f"n{self.lots.randrange(1_000)}"])
        data = self.bent(json.dumps(self.changed(said(name))).encode())
        body, headers = self.envelope(data)
        found = self.ask("POST", "/v1/push", body, **headers)
        assert found.status < 500, (body, found.text)
        answer = found.body["answer"] if found.status == 200 else f"{found.status}"
        self.answers[answer] += 1
        inside = within(body, headers)
        if answer == "quarantined":
            self.quarantined.add(inside)
        elif found.status < 300:
            self.stored.add(json.loads(inside)["member"])

    def expect_kept(self) -> None:
        """Assert that the store holds everything that was acknowledged."""
        store = self.ask.service.store
        kept = store.read(lambda view: view.entries("quarantine", scope="push", limit=2 * WHOLE))
        assert self.quarantined <= {b64decode(entry.body["payload"]) for entry in kept}
        rows = "".join(repr(row) for _, row in store.dump())
        assert [name for name in self.stored - MEMBERS if repr(name)[1:-1] not in rows] == []
        missing = self.ask("GET", f"/v1/runs/sources/{DAY}/phases/raw/missing").text
        assert [name for name in MEMBERS & self.stored if f'"{name}"' in missing] == []

    def changed(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return a report as it is, or with a field that is odd, gone or unknown."""
        made = dict(report)
        for _ in range(self.lots.choice([0, 0, 1, 2])):
            name = self.lots.choice([*report, "token", "part", "unknown", "as_of"])
            if self.lots.random() < 0.3:
                made.pop(name, None)
            else:
                made[name] = self.lots.choice(ODD)
        return made

    def bent(self, data: bytes) -> bytes:
        """Return bytes as they are, or cut, doubled, or with some that are others."""
        kind = self.lots.randrange(6)
        at = self.lots.randrange(len(data) + 1)
        return {0: data[:at], 1: data + data, 2: data[:at] + bytes([self.lots.randrange(256)]) + data[at:]}.get(
            kind, data
        )

    def envelope(self, data: bytes) -> tuple[bytes, dict[str, str]]:
        """Return a request that holds data, as one of the envelopes, which may be odd itself."""
        name, text = f"{self.lots.randrange(10**6)}", b64encode(data).decode()
        event = {"specversion": "1.0", "id": name, "source": "//fuzz", "type": "report"}
        kind = self.lots.choice(["messageId", "message_id", "binary", "structured", "bare"])
        if kind == "binary" and self.lots.random() < 0.9:
            return data, {f"ce_{field}": value for field, value in event.items()}
        if kind == "structured":
            whole: dict[str, Any] = {**event, "data_base64": text}
            return self.bent(json.dumps(self.changed(whole)).encode()), {"content_type": "application/cloudevents+json"}
        if kind == "bare":
            return data, {}
        message = self.changed({"data": text, kind: name, "attributes": self.lots.choice([{"a": "b"}, *ODD])})
        return self.bent(json.dumps(self.changed({"message": message, "subscription": "s"})).encode()), {}


def within(body: bytes, headers: dict[str, str]) -> bytes:
    """Return what an envelope holds, or all of it where it is none."""
    try:
        return read({name.replace("_", "-"): value for name, value in headers.items()}, body).data
    except UnreadableError:
        return body


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    with asking(tmp_path, parked=2 * WHOLE) as made:
        made("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        yield made


def fuzz(ask: Asking, number: int) -> Counter[str]:
    pusher = Pusher(ask, seed=20250115)
    for _ in range(BATCHES):
        for _ in range(number // BATCHES):
            pusher.push()
        pusher.expect_kept()
    return pusher.answers


def test_a_slice_of_odd_messages_is_kept_or_refused(ask: Asking) -> None:
    answers = fuzz(ask, SLICE)
    assert {"accepted", "duplicate", "parked", "quarantined"} <= answers.keys()


@pytest.mark.long
def test_ten_thousand_odd_messages_are_kept_or_refused(
    ask: Asking, record_property: Callable[[str, object], None]
) -> None:
    answers = fuzz(ask, WHOLE)
    record_property("answers", dict(answers))
    assert answers.total() == WHOLE
