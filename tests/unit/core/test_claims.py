"""Who may carry out what a key stands for, and what is said to whoever comes again."""

from datetime import UTC, datetime, timedelta

import pytest

from shotclock.core import claims
from shotclock.core.claims import Busy, Claim, Claimed, Conflict, Done

NOW = datetime(2025, 1, 15, 12, tzinfo=UTC)
LEASE, WEEK = timedelta(minutes=1), timedelta(days=7)
SECOND = timedelta(seconds=1)
HELD = Claim(payload="p", at=NOW, until=NOW + LEASE)


def begin(known: Claim | None, after: timedelta = timedelta(0), payload: str = "p") -> claims.Answer:
    return claims.begin(known, payload, NOW + after, LEASE, WEEK)


def test_the_first_who_comes_claims_a_key() -> None:
    answer = begin(None)
    assert isinstance(answer, Claimed)
    assert (answer.claim, answer.token, answer.expired) == (HELD, 1, False)


def test_whoever_comes_meanwhile_is_told_for_how_long() -> None:
    assert begin(HELD, 20 * SECOND) == Busy(retry_after=40 * SECOND)


def test_a_claim_that_ran_out_or_was_given_up_is_taken_over_under_a_higher_token() -> None:
    for known, after in ((HELD, LEASE), (claims.release(HELD, NOW), SECOND)):
        answer = begin(known, after)
        assert isinstance(answer, Claimed)
        assert (answer.token, answer.claim.until) == (2, NOW + after + LEASE)


def test_a_repeat_is_given_the_result() -> None:
    assert begin(claims.finish(HELD, {"n": 1}, NOW), WEEK - SECOND) == Done(result={"n": 1})


@pytest.mark.parametrize("known", [HELD, claims.release(HELD, NOW), claims.finish(HELD, None, NOW)])
def test_another_payload_under_the_same_key_is_a_conflict(known: Claim) -> None:
    assert begin(known, SECOND, payload="other") == Conflict()


def test_what_was_done_long_ago_is_done_again() -> None:
    answer = begin(claims.finish(HELD, 1, NOW), WEEK, payload="other")
    assert isinstance(answer, Claimed)
    assert (answer.expired, answer.token, answer.claim.payload) == (True, 2, "other")


def test_only_the_current_token_of_a_claim_that_has_not_ended_holds_it() -> None:
    held = [claims.is_held(known, 1) for known in (None, HELD, claims.release(HELD, NOW), claims.finish(HELD, 1, NOW))]
    assert held == [False, True, False, False]
    assert not claims.is_held(HELD, 2)


def test_a_claim_is_held_for_longer() -> None:
    renewed = claims.renew(HELD, NOW + SECOND, LEASE)
    assert begin(renewed, LEASE) == Busy(retry_after=SECOND)
