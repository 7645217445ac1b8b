"""Freshness: what the ages of a phase's inputs ask for."""

from typing import Literal

import pytest

from shotclock.core import freshness
from shotclock.core.freshness import DataTime
from shotclock.model import Fresh
from tests.unit.core.scenes import at, minutes

HOUR = Fresh(within=minutes(60))


def given(name: str, minute: float | None) -> DataTime:
    return DataTime(name=name, as_of=None if minute is None else at(minute))


def test_an_inputs_age_is_the_time_from_its_data_to_the_phases_start() -> None:
    found = freshness.ages([given("odds", 10), given("box", 70), given("news", None)], at(60))
    assert found == {"odds": minutes(50), "box": minutes(0)}


@pytest.mark.parametrize("otherwise", ["flag", "block"])
def test_inputs_that_are_all_too_old_are_dealt_with_as_declared(otherwise: Literal["flag", "block"]) -> None:
    policy = Fresh(within=minutes(60), otherwise=otherwise)
    found = freshness.judge(policy, [given("odds", -10), given("box", -20)], at(60))
    assert (found.action, found.stale) == (otherwise, ("odds", "box"))


def test_one_fresh_input_is_enough_and_the_old_ones_are_named() -> None:
    found = freshness.judge(HOUR, [given("odds", 0), given("box", -1)], at(60))
    assert (found.action, found.stale) == ("fresh", ("box",))


def test_inputs_of_unknown_age_are_named_and_decide_nothing() -> None:
    found = freshness.judge(HOUR, [given("odds", -10), given("box", None)], at(60))
    assert (found.action, found.stale, found.unknown) == ("flag", ("odds",), ("box",))
    assert freshness.judge(HOUR, [given("box", None)], at(60)).action == "fresh"


def test_without_inputs_or_a_policy_nothing_is_stale() -> None:
    assert freshness.judge(HOUR, [], at(60)).action == "fresh"
    assert freshness.judge(None, [given("odds", -9_999)], at(60)).action == "fresh"
