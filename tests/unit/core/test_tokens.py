"""Tokens: which secret counts when, and what is taken for one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shotclock.core import tokens
from shotclock.model import Caller, Secret, Token

NOW = datetime(2025, 1, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=100))


def secret(text: str, created: datetime = NOW, life: timedelta | None = HOUR) -> Secret:
    return Secret(digest=tokens.hashed(text), created=created, expires=None if life is None else created + life)


def token(*secrets: Secret) -> Token:
    return Token(id="0a1b2c3d", name="loader", scopes=("report",), created=NOW, secrets=secrets or (secret("first"),))


def proves(one: Token, text: str, now: datetime = NOW) -> bool:
    return tokens.proves(one, tokens.hashed(text), now)


@given(text=st.text(max_size=90) | st.from_regex(tokens.WRITTEN, fullmatch=True))
def test_only_what_is_written_as_a_token_is_read_as_one(text: str) -> None:
    found = tokens.read(text)
    if tokens.WRITTEN.fullmatch(text):
        assert found == (text[3:11], tokens.hashed(text[12:]))
    else:
        assert found is None


def test_a_token_is_read_as_it_is_written() -> None:
    assert tokens.read(tokens.written("0a1b2c3d", "f" * 64)) == ("0a1b2c3d", tokens.hashed("f" * 64))


def test_a_secret_counts_until_its_time_is_over_and_no_other_does() -> None:
    one = token()
    assert proves(one, "first", NOW + HOUR - timedelta(microseconds=1))
    assert not proves(one, "first", NOW + HOUR)
    assert not proves(one, "other")
    assert tokens.state(one, NOW + HOUR) == "expired"
    assert proves(token(secret("first", life=None)), "first", NOW + 9999 * HOUR)


@given(life=SPANS, overlap=SPANS, at=SPANS)
def test_a_rotation_lets_the_secret_before_count_for_the_overlap_and_never_longer_than_before(
    life: timedelta, overlap: timedelta, at: timedelta
) -> None:
    one = token(secret("first", life=life))
    rotated = tokens.rotate(one, secret("second", life=None), overlap)
    assert proves(rotated, "second", NOW + at)
    assert proves(rotated, "first", NOW + at) == (at < min(life, overlap))
    assert (tokens.overlapping(rotated, NOW + at) is not None) == (at < min(life, overlap))
    assert len(rotated.secrets) <= 2


def test_a_secret_without_end_ends_with_the_overlap() -> None:
    rotated = tokens.rotate(token(secret("first", life=None)), secret("second"), HOUR)
    assert proves(rotated, "first")
    assert not proves(rotated, "first", NOW + HOUR)


def test_what_is_revoked_ends_with_all_its_secrets_and_stays_as_it_is() -> None:
    revoked = tokens.revoke(tokens.rotate(token(), secret("second"), HOUR), NOW, "ann")
    assert not any(proves(revoked, text) for text in ("first", "second"))
    assert tokens.state(revoked, NOW) == "revoked"
    assert tokens.revoke(revoked, NOW + HOUR, "bob") == revoked


def test_what_counts_is_never_forgotten() -> None:
    old, valid = token(secret("old", NOW - 2 * HOUR)), token()
    assert tokens.dispensable([valid, old], NOW) is old
    assert tokens.dispensable([valid], NOW) is None


def test_a_caller_has_the_scopes_of_its_token_and_covers_its_pipelines() -> None:
    caller = tokens.caller(replace(token(), pipelines=("nba",)))
    assert caller == Caller(
        kind="token", name="loader", id="0a1b2c3d", scopes=frozenset({"report"}), pipelines=frozenset({"nba"})
    )
    assert (caller.covers("nba"), caller.covers("nhl"), tokens.caller(token()).covers("nhl")) == (True, False, True)
    assert [str(caller), str(Caller(kind="local", name="local"))] == ["loader (0a1b2c3d)", "local"]
