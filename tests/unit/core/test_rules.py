"""What counts satisfy, without any clock."""

from decimal import Decimal

import pytest
from hypothesis import given

from shotclock.core import rules
from shotclock.model import Amount, Counts, Gate, Need
from tests.unit.core.scenes import counts, gates, rolls


def test_missing_are_the_critical_and_required_members_that_are_not_satisfied() -> None:
    roll = counts("spf", "sspfw", "pf")
    assert rules.critical_missing(roll) == 2
    assert rules.missing(roll) == 4


@given(gates, rolls)
def test_all_of_everyone_is_exactly_what_is_not_partial(gate: Gate, roll: Counts) -> None:
    assert rules.everyone(gate, roll) == (not rules.partial(gate, roll, roll_incomplete=False))
    assert rules.partial(gate, roll, roll_incomplete=True)


@given(gates, rolls)
def test_a_percentage_of_a_hundred_asks_for_every_member(gate: Gate, roll: Counts) -> None:
    every = Need(amount=Amount(percent=Decimal(100)))
    assert rules.met(every, gate, roll) == (rules.missing(roll) == 0)


@pytest.mark.parametrize(("optional", "done"), [("p", False), ("f", True)])
def test_optional_members_are_waited_for_only_where_a_need_counts_them(optional: str, done: bool) -> None:  # noqa: FBT001 - an example
    roll = counts("s", "f", optional)
    assert rules.settled((), roll)
    assert rules.settled((Need(amount=Amount(count=1), of="optional"),), roll) == done
    assert not rules.settled((), counts("", "p"))
