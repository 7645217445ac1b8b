"""Storm control: the same error over and over, and recoveries that change nothing."""

import pytest
from msgspec.structs import replace

from shotclock.core import storm
from shotclock.core.storm import Limits
from shotclock.model import Breaker, Failure, Gate, Recovery
from tests.unit.core.scenes import a_scene, at, counts, minutes

LIMITS = Limits(same=3, within=minutes(5), wait=minutes(10))


def failing(*failures: tuple[float, str], breaker: Breaker | None = None) -> tuple[Breaker, list[str]]:
    """Return the breaker after failures, and the alerts they gave."""
    breaker, alerts = breaker or Breaker(), []
    for minute, error in failures:
        step = storm.failed(breaker, Failure(at=at(minute), error=error), LIMITS)
        breaker = step.breaker
        alerts += [step.alert] if step.alert is not None else []
    return breaker, alerts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout after 31 s", "timeout after 7 s"),
        ("lost <conn at 0x7f3a>", "lost <conn at 0x10bc>"),
        ("no row 6f1d2c3e-0000-4abc-8def-0123456789ab", "no row abcdefab-cdef-abcd-efab-cdefabcdefab"),
        ("digest 9e107d9d differs", "digest E4D909C2 differs"),
        ("a\n  b", "a b"),
    ],
)
def test_errors_that_differ_in_numbers_and_ids_are_the_same(one: str, other: str) -> None:
    assert storm.normalised(one) == storm.normalised(other)


def test_words_are_not_taken_for_ids() -> None:
    assert storm.normalised("bad face added") == "bad face added"


def test_the_same_error_so_often_within_the_window_opens_the_breaker_with_one_alert() -> None:
    breaker, alerts = failing((0, "no row 1"), (1, "no row 2"), (4, "no row 3"), (4.5, "no row 4"))
    assert alerts == ["3 attempts within 4m have failed with the same error, one may try again in 10m: no row #"]
    assert breaker.error == "no row #"
    assert not storm.may_try(breaker, at(5))


def test_other_errors_and_old_ones_do_not_count() -> None:
    breaker, alerts = failing((0, "a"), (1, "b"), (2, "a"), (5, "a"))
    assert alerts == []
    assert storm.may_try(breaker, at(5))
    assert [failure.at for failure in breaker.recent] == [at(1), at(2), at(5)]


def test_after_the_wait_one_attempt_may_try() -> None:
    breaker, _ = failing((0, "a"), (1, "a"), (2, "a"))
    assert not storm.may_try(breaker, at(11))
    assert storm.may_try(breaker, at(12))
    trying = storm.tried(breaker, at(12), LIMITS)
    assert not storm.may_try(trying, at(13))
    assert storm.may_try(trying, at(22))


def test_a_trial_that_fails_starts_the_wait_anew_and_tells_nobody() -> None:
    opened, _ = failing((0, "a"), (1, "a"), (2, "a"))
    breaker, alerts = failing((13, "b"), breaker=storm.tried(opened, at(12), LIMITS))
    assert alerts == []
    assert not storm.may_try(breaker, at(22))
    assert storm.may_try(breaker, at(23))


def test_a_closed_breaker_lets_everybody_try() -> None:
    assert storm.may_try(Breaker(), at(0))
    assert storm.tried(Breaker(), at(0), LIMITS) == Breaker()


def test_a_recovery_that_twice_changes_nothing_is_suspended() -> None:
    once = storm.recovered(Recovery(), changed=False)
    assert not once.suspended
    assert storm.recovered(once, changed=False).suspended
    assert not storm.recovered(storm.recovered(once, changed=True), changed=False).suspended


def test_queueing_tasks_again_counts_as_fruitless_while_nothing_moved_since_the_last_time() -> None:
    phase = a_scene(Gate(), counts("", "p")).phase
    assert storm.unsticking(phase) == Recovery()
    stuck = replace(phase, stalled_at=at(30), recovery=Recovery(fruitless=1))
    assert storm.unsticking(stuck).suspended
    assert storm.unsticking(replace(stuck, progress_at=at(30))).suspended
    assert storm.unsticking(replace(stuck, progress_at=at(31))) == Recovery()
