"""Signed tokens: whom they let in, what they are refused with, and what happens while the issuer cannot be asked."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shotclock.errors import UsageError
from shotclock.http.access import Access, RefusedError
from tests.unit.http.front import Front, showing
from tests.unit.http.issuer import AUDIENCE, WHO, Issuer, Key, issuing, unsigned

KEY = Key("first")
OTHER = Key("second")
HOUR = timedelta(hours=1)
SKEW = timedelta(seconds=1)


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the reading of the monotonic clock, to be set."""
    now = [1_000.0]
    monkeypatch.setattr("shotclock.http.certificates.seconds", lambda: now[0])
    return now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(KEY) as made:
        yield made


def taking(front: Front, issuer: Issuer, **more: object) -> Access:
    given = {"oidc_audience": AUDIENCE, "oidc_identities": f"{WHO}, 4711", "oidc_certs": issuer.url, **more}
    return front.access(**given)  # type: ignore[arg-type]  # settings by name


@pytest.fixture
def access(front: Front, issuer: Issuer) -> Iterator[Access]:
    made = taking(front, issuer)
    yield made
    made.close()


def status(access: Access, text: str) -> int:
    """Return what a token is answered with; 0 where the answer gives it away."""
    try:
        access.admit(showing(text), "report")
    except RefusedError as error:
        return 0 if text and text in f"{error}{error.headers}" else error.status
    return 200


def test_a_signed_token_of_who_is_let_in_is_admitted_for_the_scopes_of_the_setting(
    access: Access, issuer: Issuer
) -> None:
    text = KEY.signs()
    for _ in range(3):
        caller = access.admit(showing(text), "report")
    assert (caller.kind, caller.name, *caller.scopes) == ("oidc", WHO, "report")
    assert issuer.asked == 1
    with pytest.raises(RefusedError) as refused:
        access.admit(showing(text), "operate")
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "accounts.google.com"}, 200),
        ({"sub": "4711", "email": None}, 200),
        ({"exp": -SKEW}, 200),
        ({"aud": "https://other.example"}, 401),
        ({"aud": None}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"iss": None}, 401),
        ({"iat": -2 * HOUR, "exp": -HOUR}, 401),
        ({"iat": HOUR, "exp": 2 * HOUR}, 401),
        ({"exp": None}, 401),
        ({"email": "other@project.iam.example"}, 403),
        ({"email_verified": False}, 403),
        ({"email_verified": "true"}, 403),
        ({"email": None, "sub": ["4711"]}, 403),
    ],
)
def test_what_a_signed_token_says_decides(access: Access, claims: dict[str, object], expected: int) -> None:
    assert status(access, KEY.signs(**claims)) == expected


def test_what_another_key_signed_is_refused(access: Access) -> None:
    assert status(access, OTHER.signs()) == 401
    forged = Key("first")
    assert status(access, forged.signs()) == 401


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256", "kid": "first"}, {"alg": ["RS256"]}, [], "x", {}])
def test_what_is_signed_otherwise_is_refused(access: Access, header: object) -> None:
    assert status(access, unsigned(header, {"aud": AUDIENCE})) == 401


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.tuples(*[st.text(max_size=40).map(lambda text: text.replace(".", ""))] * 3))
def test_whatever_is_shown_is_answered(access: Access, parts: tuple[str, str, str]) -> None:
    assert status(access, ".".join(parts)) == 401


def test_a_token_that_was_checked_is_checked_again_once_it_has_ended(
    elapsed: list[float], access: Access, front: Front, issuer: Issuer
) -> None:
    text = KEY.signs()
    assert status(access, text) == 200
    issuer.answer = (500, b"")
    elapsed[0] += 3601
    assert status(access, text) == 200
    front.clock.move_to(datetime.now(UTC) + HOUR)
    assert status(access, text) == 503


def test_a_key_that_is_new_is_fetched_and_strangers_cause_few_looks(
    elapsed: list[float], access: Access, issuer: Issuer
) -> None:
    assert status(access, KEY.signs()) == 200
    issuer.publish(KEY, OTHER)
    for _ in range(5):
        assert status(access, OTHER.signs()) == 401
    assert issuer.asked == 1
    elapsed[0] += 5
    assert [status(access, OTHER.signs()), status(access, KEY.signs()), issuer.asked] == [200, 200, 2]


@pytest.mark.parametrize("answer", [(500, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b'{"keys": []}')])
def test_certificates_that_cannot_be_had_are_a_reason_to_come_again_not_to_refuse(
    elapsed: list[float], access: Access, issuer: Issuer, answer: tuple[int, bytes]
) -> None:
    issuer.answer = answer
    text = KEY.signs()
    assert [status(access, text) for _ in range(3)] == [503] * 3
    assert issuer.asked == 1
    issuer.publish(KEY)
    elapsed[0] += 5
    assert status(access, text) == 200


def test_certificates_that_are_too_old_admit_nobody(elapsed: list[float], access: Access, issuer: Issuer) -> None:
    assert status(access, KEY.signs()) == 200
    issuer.answer = (500, b"")
    elapsed[0] += 3601
    assert status(access, KEY.signs(sub="2")) == 503


def test_an_issuer_that_does_not_answer_keeps_nobody_else_waiting(front: Front, issuer: Issuer) -> None:
    access = taking(front, issuer, oidc_wait=timedelta(milliseconds=300))
    own = front.create().text
    issuer.goes_on.clear()

    async def asked() -> tuple[str, int]:
        slow = asyncio.create_task(access.admitted(showing(KEY.signs()), "report"))
        await asyncio.sleep(0)
        quick = (await access.admitted(showing(own), "report")).name
        assert not slow.done()
        with pytest.raises(RefusedError) as refused:
            await slow
        assert refused.value.headers == {"retry-after": "5"}
        return quick, refused.value.status

    assert asyncio.run(asked()) == ("loader", 503)
    access.close()


def test_settings_that_would_let_in_anybody_or_for_nothing_are_refused(front: Front, issuer: Issuer) -> None:
    with pytest.raises(UsageError, match="oidc_identities"):
        taking(front, issuer, oidc_identities=" , ")
    with pytest.raises(UsageError, match="oidc_scopes: reprot"):
        taking(front, issuer, oidc_scopes="reprot")
