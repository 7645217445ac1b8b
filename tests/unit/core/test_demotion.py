"""Demotion: ten runs without anything good, and the way back."""

from typing import Literal

import pytest

from shotclock.core import demotion
from shotclock.core.demotion import Measure, Past
from shotclock.model import Importance, Member, PhasePlan

SILENT = Past(outcome="silent")
FAILED = Past(outcome="failed")
GOOD = Past(outcome="satisfied")
LATE = Past(outcome="silent", late_good=True)


def member(importance: Importance = "required", name: str = "odds") -> Member:
    return Member(name=name, importance=importance)


def test_a_required_member_silent_for_ten_runs_becomes_optional_and_is_named() -> None:
    assert demotion.measure(member(), [SILENT] * 10) == Measure(optional=True, named=True)
    assert demotion.measure(member(), [GOOD] + [SILENT] * 10) == Measure(optional=True, named=True)


def test_fewer_than_ten_runs_demote_nobody() -> None:
    assert demotion.measure(member(), [SILENT] * 9) == Measure()
    assert demotion.measure(member(), []) == Measure()


@pytest.mark.parametrize("good", [GOOD, LATE, Past(outcome="failed", late_good=True)])
@pytest.mark.parametrize("place", [0, 5, 9])
def test_any_good_report_late_ones_included_restores_a_member_from_the_next_run_on(good: Past, place: int) -> None:
    past = [SILENT] * 10
    past[place] = good
    assert demotion.measure(member(), past) == Measure()


@pytest.mark.parametrize(("importance", "optional"), [("required", True), ("optional", False)])
def test_a_failing_member_gets_one_attempt(importance: Literal["required", "optional"], optional: bool) -> None:  # noqa: FBT001 - an example
    assert demotion.measure(member(importance), [SILENT] * 9 + [FAILED]) == Measure(
        optional=optional, one_attempt=True, named=True
    )


def test_an_optional_member_that_is_merely_silent_is_left_alone() -> None:
    assert demotion.measure(member("optional"), [SILENT] * 10) == Measure()


def test_a_critical_member_is_only_named() -> None:
    assert demotion.measure(member("critical"), [FAILED] * 10) == Measure(named=True)


def test_a_plan_takes_every_measure_and_keeps_the_rolls_order() -> None:
    names: dict[str, Importance] = {"box": "critical", "odds": "required", "props": "required", "news": "optional"}
    roll = tuple(member(importance, name) for name, importance in names.items())
    plan = PhasePlan(name="raw", members=(*roll, member(name="new")))
    past = {"box": [SILENT] * 10, "odds": [SILENT] * 10, "props": [FAILED] * 10, "news": [FAILED] * 10}
    done = demotion.apply(plan, past)
    assert (done.optional, done.failing, done.critical) == (("odds", "props"), ("props", "news"), ("box",))
    box, odds, props, news, new = done.plan.members
    assert (box, new) == (roll[0], member(name="new"))
    assert (odds.importance, odds.demoted, odds.attempts) == ("optional", True, None)
    assert (props.importance, props.demoted, props.attempts) == ("optional", True, 1)
    assert (news.importance, news.demoted, news.attempts) == ("optional", False, 1)
