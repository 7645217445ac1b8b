"""Tokens in every kind of store: told once, kept as hashes, rotated, revoked, with a record of who did it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.engine import tokens
from shotclock.errors import ConflictError, NotFoundError, UsageError
from shotclock.settings import Settings
from shotclock.stores import open_store
from tests.servers import PostgresServer
from tests.unit.http.front import HOUR, START, Front


@pytest.fixture(params=["memory", "file", "postgres"])
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    if request.param != "postgres":
        address = "memory://" if request.param == "memory" else ""
        with closing(open_store(Settings(home=tmp_path, store=address))) as store:
            yield Front(store)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    address = server.fresh()
    with closing(open_store(Settings(home=tmp_path, store=address))) as store:
        yield Front(store)
    server.give_back(address)


def everything(front: Front) -> str:
    return "".join(f"{name} {row!r}\n" for name, row in front.store.dump())


def test_no_secret_is_in_the_store_or_in_what_is_written_of_it(front: Front) -> None:
    texts = []
    for issued in (front.create(), front.tokens.rotate("loader", by="ann", life=HOUR, overlap=HOUR)):
        assert issued.text not in repr(issued)
        assert issued.text[12:] not in everything(front)
        texts.append(issued.text)
    assert texts[0][:12] == texts[1][:12]
    assert texts[0] != texts[1]


def test_a_listing_tells_how_each_token_stands(front: Front) -> None:
    front.create("first")
    front.create("second")
    front.tokens.revoke("second", by="bob")
    front.tokens.rotate("first", by="bob", life=HOUR, overlap=HOUR / 2)
    first, second = front.tokens.list()
    assert (first.token.name, first.state, first.overlaps, first.used) == (
        "first",
        "valid",
        front.clock.now() + HOUR / 2,
        None,
    )
    assert (second.token.name, second.state, second.token.revoked_by) == ("second", "revoked", "bob")


def test_who_did_what_is_kept(front: Front) -> None:
    token_id = front.create().token.id
    front.tokens.rotate("loader", by="bob", life=HOUR, overlap=HOUR)
    for _ in range(2):
        front.tokens.revoke(token_id, by="cem")
    kept = front.store.read(lambda view: view.entries("audit", scope=tokens.SCOPE))
    assert [(entry.body["what"], entry.body["actor"]) for entry in kept] == [
        ("created", "ann"),
        ("rotated", "bob"),
        ("revoked", "cem"),
    ]


def test_a_second_rotation_waits_for_the_end_of_the_overlap_unless_nothing_overlaps(front: Front) -> None:
    front.create()
    front.tokens.rotate("loader", by="ann", life=2 * HOUR, overlap=HOUR / 2)
    with pytest.raises(ConflictError, match="--overlap 0s"):
        front.tokens.rotate("loader", by="ann", life=HOUR, overlap=HOUR / 2)
    assert len(front.tokens.rotate("loader", by="ann", life=HOUR, overlap=timedelta(0)).token.secrets) == 1
    front.tokens.rotate("loader", by="ann", life=HOUR, overlap=HOUR / 2)
    front.clock.advance(HOUR / 2)
    front.tokens.rotate("loader", by="ann", life=HOUR, overlap=HOUR / 2)


def test_what_cannot_be_is_refused_with_the_next_step(front: Front) -> None:
    issued = front.create()
    with pytest.raises(ConflictError, match="named loader"):
        front.create()
    with pytest.raises(NotFoundError, match="the nearest is loader"):
        front.tokens.revoke("loadr", by="ann")
    with pytest.raises(UsageError, match="needs a scope"):
        front.tokens.create("x", (), by="ann", life=HOUR)
    with pytest.raises(UsageError, match="no name"):
        front.tokens.create("a\nb", ("read",), by="ann", life=HOUR)
    front.tokens.revoke(issued.text, by="ann")
    with pytest.raises(ConflictError, match="create another"):
        front.tokens.rotate("loader", by="ann", life=HOUR, overlap=HOUR)
    assert front.create().token.id != issued.token.id


def test_beyond_the_bound_the_oldest_that_count_no_more_are_forgotten(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST", 3)
    for name in ("first", "second", "third"):
        front.create(name)
    with pytest.raises(UsageError, match="revoke one"):
        front.create("fourth")
    front.tokens.revoke("second", by="ann")
    front.create("fourth")
    assert [one.token.name for one in front.tokens.list()] == ["first", "third", "fourth"]


def test_the_hour_of_a_use_is_kept_and_an_earlier_one_never_replaces_it(front: Front) -> None:
    token_id = front.create().token.id
    hour = START.replace(minute=0)
    for given in (hour, hour + HOUR, hour):
        front.store.write(lambda tx, given=given: tokens.note_uses(tx, {token_id, "gone"}, given))  # type: ignore[misc]  # bound now
    assert front.store.read(tokens.uses) == {token_id: hour + HOUR}
    assert front.tokens.list()[0].used == hour + HOUR
