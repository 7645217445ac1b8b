"""Who may call: tokens that count are admitted, everything else is refused, soon after it changed, without secrets."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.http.access import Access, RefusedError, opens, require
from shotclock.model import SCOPES, Scope
from shotclock.ports import Snapshot
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from tests.unit.http.front import HOUR, START, Front, showing

T = TypeVar("T")
BOUND = Settings().access_bound.total_seconds()


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the reading of the monotonic clock, to be set."""
    now = [1_000.0]
    monkeypatch.setattr("shotclock.http.book.seconds", lambda: now[0])
    return now


def refused(access: Access, headers: dict[str, str], scope: Scope = "report", **more: Any) -> RefusedError:  # noqa: ANN401 - a pipeline
    with pytest.raises(RefusedError) as found:
        access.admit(headers, scope, **more)
    return found.value


def test_a_token_is_admitted_for_its_scopes_alone(front: Front) -> None:
    for given in SCOPES:
        issued = front.create(given, given)
        access = front.access()
        for scope in SCOPES:
            if scope == given:
                assert access.admit(showing(issued.text), scope).id == issued.token.id
            else:
                error = refused(access, showing(issued.text), scope)
                assert error.status == 403
                assert f'scope="{scope}"' in error.headers["www-authenticate"]


def test_a_token_that_is_limited_to_pipelines_is_refused_for_others(front: Front) -> None:
    issued = front.create(pipelines=("nba",))
    access = front.access()
    caller = access.admit(showing(issued.text), "report", pipeline="nba")
    assert refused(access, showing(issued.text), pipeline="nhl").status == 403
    assert access.admit(showing(issued.text), "report") == caller
    with pytest.raises(RefusedError, match="limited to pipelines, other than nhl"):
        require(caller, "report", "nhl")


@pytest.mark.parametrize("kind", ["", "Bearer", "Basic {}", "Bearer sc_0a1b2c3d_", "Bearer {}0", "{}", "Bearer x.y.z"])
def test_what_is_no_token_is_refused(front: Front, kind: str) -> None:
    headers = {"authorization": kind.format(front.create().text)}
    error = refused(front.access(), headers)
    assert (error.status, error.headers["www-authenticate"].partition(", ")[2]) == (401, 'error="invalid_token"')


def test_a_wrong_secret_of_a_known_token_is_refused(front: Front) -> None:
    text = front.create().text
    wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
    assert refused(front.access(), showing(wrong)).status == 401


def test_without_a_token_the_answer_asks_for_one(front: Front) -> None:
    error = refused(front.access(), {})
    assert (error.status, error.headers) == (401, {"www-authenticate": 'Bearer realm="shotclock"'})


def test_no_refusal_tells_what_was_shown(front: Front) -> None:
    text = front.create().text
    front.tokens.revoke("loader", by="ann")
    error = refused(front.access(), showing(text))
    assert text[12:] not in f"{error}{error!r}{error.headers}{error.args}"


def test_an_expired_token_is_refused_at_once(front: Front) -> None:
    text, access = front.create().text, front.access()
    access.admit(showing(text), "report")
    front.clock.advance(HOUR)
    assert refused(access, showing(text)).status == 401


def test_both_secrets_are_admitted_while_a_rotation_overlaps(front: Front, elapsed: list[float]) -> None:
    first, access = front.create().text, front.access()
    access.admit(showing(first), "report")
    second = front.tokens.rotate("loader", by="ann", life=HOUR, overlap=HOUR / 2).text
    elapsed[0] += BOUND / 2
    assert access.admit(showing(second), "report") == access.admit(showing(first), "report")
    front.clock.advance(HOUR / 2)
    assert refused(access, showing(first)).status == 401
    access.admit(showing(second), "report")


def test_a_revoked_token_is_refused_within_the_bound(front: Front, elapsed: list[float]) -> None:
    text, access = front.create().text, front.access()
    access.admit(showing(text), "report")
    front.tokens.revoke("loader", by="ann")
    elapsed[0] += BOUND + 0.001
    assert refused(access, showing(text)).status == 401


def test_a_new_token_is_known_within_a_part_of_the_bound_and_strangers_cause_few_looks(elapsed: list[float]) -> None:
    store = Counting()
    front = Front(store)
    access = front.access()
    stranger = f"sc_00000000_{'0' * 64}"
    for _ in range(50):
        refused(access, showing(stranger))
    assert store.looks == 1
    text = front.create().text
    elapsed[0] += BOUND / 5
    access.admit(showing(text), "report")
    for _ in range(50):
        refused(access, showing(stranger))
    assert store.looks == 2


def test_a_store_that_cannot_be_read_refuses_nobody_within_the_bound_and_admits_nobody_after(
    elapsed: list[float],
) -> None:
    store = Counting()
    front = Front(store)
    text, access = front.create().text, front.access()
    access.admit(showing(text), "report")
    store.down = True
    elapsed[0] += BOUND - 0.001
    access.admit(showing(text), "report")
    elapsed[0] += 0.002
    with pytest.raises(StoreUnavailableError):
        access.admit(showing(text), "report")


def test_the_hour_of_the_last_use_is_kept_once(elapsed: list[float]) -> None:
    store = Counting()
    front = Front(store)
    text, access = front.create().text, front.access()
    before = store.version()
    for _ in range(10):
        access.admit(showing(text), "report")
        elapsed[0] += BOUND + 1
    access.admit(showing(text), "report")
    assert store.version() == before + 1
    assert front.tokens.list()[0].used == START.replace(minute=0)
    front.clock.advance(HOUR / 2)
    for _ in range(2):
        elapsed[0] += BOUND + 1
        access.admit(showing(front.tokens.rotate("loader", by="a", life=HOUR, overlap=0 * HOUR).text), "report")
    elapsed[0] += BOUND + 1
    refused(access, showing(text))
    assert front.tokens.list()[0].used == START.replace(minute=0) + HOUR


def test_beside_the_event_loop_the_answers_are_the_same_and_the_book_is_renewed_before_it_is_old(
    front: Front, elapsed: list[float]
) -> None:
    text, access = front.create().text, front.access()

    async def asked() -> str:
        return (await access.admitted(showing(text), "report")).name

    assert asyncio.run(asked()) == "loader"
    front.tokens.revoke("loader", by="ann")
    elapsed[0] += BOUND / 2 + 0.001
    assert asyncio.run(asked()) == "loader"
    access.close()
    with pytest.raises(RefusedError):
        asyncio.run(asked())


# --- before there is a token ---------------------------------------------------------------------------------------


def test_on_loopback_all_is_open_until_the_first_token_is_made(front: Front, elapsed: list[float]) -> None:
    assert opens(front.store, Settings(), front.clock, "127.0.0.1")
    access = front.access(open_to_all=True)
    assert [access.admit({"host": "localhost:80"}, scope).name for scope in SCOPES] == ["local"] * 3
    assert refused(access, showing("sc_wrong")).status == 401
    front.create()
    elapsed[0] += BOUND + 0.001
    assert refused(access, {"host": "localhost"}).status == 401
    front.tokens.revoke("loader", by="ann")
    elapsed[0] += BOUND + 0.001
    assert refused(access, {"host": "localhost"}).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1", "origin": "https://evil.example"},
        {"host": "127.0.0.1", "origin": "null"},
        {"host": "127.0.0.1", "x-forwarded-for": "192.0.2.1"},
        {"host": "127.0.0.1", "forwarded": "for=192.0.2.1"},
    ],
)
def test_what_may_come_from_elsewhere_is_not_let_in_as_local(front: Front, headers: dict[str, str]) -> None:
    assert refused(front.access(open_to_all=True), headers).status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1", "[::1]"])
def test_loopback_is_open(front: Front, host: str) -> None:
    assert opens(front.store, Settings(), front.clock, host)
    assert not opens(front.store, Settings(oidc_audience="https://service.example"), front.clock, host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "service.example", ""])  # noqa: S104 - what is refused
def test_elsewhere_a_start_without_a_token_that_counts_is_refused_with_the_command(front: Front, host: str) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match="shotclock tokens create"):
            opens(front.store, Settings(), front.clock, host)
        front.create()
        assert not opens(front.store, Settings(), front.clock, host)
        front.tokens.revoke("loader", by="ann")
    assert not opens(front.store, Settings(oidc_audience="https://service.example"), front.clock, host)


class Counting(MemoryStore):
    """A store that counts looks, and may be down."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.down = False

    def read(self, work: Callable[[Snapshot], T]) -> T:
        self.looks += 1
        if self.down:
            message = "the disk is gone"
            raise StoreUnavailableError(message)
        return super().read(work)
