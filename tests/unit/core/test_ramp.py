"""The ramp of a fan-out: wide while workers take what they are given, narrow and slow when they refuse."""

from datetime import timedelta

import pytest

from shotclock.core import ramp
from shotclock.core.ramp import Limits
from shotclock.model import Ramp
from tests.unit.core.scenes import START

LIMITS = Limits(most=32, step=timedelta(seconds=1))


def window(given: Ramp, seconds: float) -> int | None:
    return ramp.window(given, START + timedelta(seconds=seconds), LIMITS)


def answered(given: Ramp, number: int, seconds: float = 0) -> Ramp:
    for _ in range(number):
        given = ramp.acknowledged(given, START + timedelta(seconds=seconds), LIMITS)
    return given


def refused(given: Ramp, seconds: float, *, leased: float | None = None, in_flight: int = 100) -> Ramp:
    now = START + timedelta(seconds=seconds)
    leased_at = now if leased is None else START + timedelta(seconds=leased)
    return ramp.refused(given, leased_at, in_flight, now, LIMITS)


def test_it_starts_at_what_one_worker_takes_and_doubles_for_each_window_that_is_answered() -> None:
    begun = ramp.begin(4, START)
    assert window(begun, 0) == 4
    assert window(answered(begun, 3), 0) == 4
    assert window(answered(begun, 4), 0) == 8
    assert window(answered(begun, 4 + 8), 0) == 16


def test_at_the_most_nothing_is_counted_any_more() -> None:
    wide = answered(ramp.begin(4, START), 4 + 8 + 16 + 1)
    assert wide.window is None
    assert window(wide, 0) is None
    assert ramp.acknowledged(wide, START, LIMITS) is wide


@pytest.mark.parametrize(("seconds", "most"), [(0.9, 4), (1, 8), (2.5, 16), (3, None), (10_000_000, None)])
def test_time_without_a_refusal_widens_it_too_so_that_long_tasks_wait_for_nobody(
    seconds: float, most: int | None
) -> None:
    assert window(ramp.begin(4, START), seconds) == most


def test_a_refusal_halves_it_and_brings_a_pause_that_doubles() -> None:
    once = refused(ramp.begin(8, START), 0)
    assert [window(once, second) for second in (0, 0.9, 1)] == [0, 0, 4]
    twice = refused(once, 1)
    assert [window(twice, second) for second in (1, 2.9, 3)] == [0, 0, 2]
    often = refused(refused(refused(refused(twice, 3), 7), 15), 23)
    assert [window(often, second) for second in (30.9, 31)] == [0, 1]


def test_refusals_of_tasks_that_were_in_flight_together_are_one() -> None:
    once = refused(ramp.begin(8, START), 2, leased=0)
    assert refused(once, 2.1, leased=1) is once
    assert refused(once, 4, leased=3.5).refusals == 2


def test_a_wide_ramp_is_halved_from_what_was_in_flight() -> None:
    assert window(refused(Ramp(window=None, since=START), 0, in_flight=20), 1) == 10


def test_an_answer_ends_the_pause() -> None:
    paused = refused(refused(ramp.begin(8, START), 0), 1)
    going = answered(paused, 1, 1.5)
    assert (window(going, 1.5), going.refusals) == (2, 0)
    assert window(answered(going, 1, 1.5), 1.5) == 4
