"""Counts of a roll: what moves is never lost, what is folded agrees with what it folds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.model import (
    CODE,
    IMPORTANCES,
    KINDS,
    SATISFIED,
    UNSATISFIED,
    Counts,
    Importance,
    Kind,
    Tally,
    standing_of,
)

importances = st.sampled_from(IMPORTANCES)
kinds = st.sampled_from(KINDS)
members = st.lists(st.tuples(importances, kinds), max_size=60)


def counted(roll: list[tuple[Importance, Kind]]) -> Counts:
    counts = Counts()
    for importance, kind in roll:
        counts = counts.add(importance, kind)
    return counts


def number(roll: list[tuple[Importance, Kind]], standings: set[str]) -> int:
    return sum(standing_of(kind) in standings for _, kind in roll)


@given(members)
def test_counts_equal_a_recount_of_the_members(roll: list[tuple[Importance, Kind]]) -> None:
    counts = counted(roll)
    for importance in IMPORTANCES:
        for kind in KINDS:
            assert counts.of(importance).of(kind) == roll.count((importance, kind))


@given(members)
def test_totals_are_the_sums_over_all_importances(roll: list[tuple[Importance, Kind]]) -> None:
    counts = counted(roll)
    assert counts.pending == number(roll, {"pending"})
    assert counts.satisfied == number(roll, {"satisfied"})
    assert counts.unsatisfied == number(roll, {"unsatisfied"})
    assert counts.withdrawn == number(roll, {"withdrawn"})
    assert counts.expected == len(roll) - counts.withdrawn
    assert counts.expected == counts.pending + counts.satisfied + counts.unsatisfied


@given(members.filter(bool), kinds, st.data())
def test_a_move_changes_two_kinds_of_one_importance_and_nothing_else(
    roll: list[tuple[Importance, Kind]], now: Kind, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(roll) - 1))
    importance, was = roll[place]
    assert counted(roll).move(importance, was, now) == counted([*roll[:place], (importance, now), *roll[place + 1 :]])


@given(members.filter(bool), st.data())
def test_a_move_and_its_reverse_leave_the_counts_as_they_were(
    roll: list[tuple[Importance, Kind]], data: st.DataObject
) -> None:
    importance, was = data.draw(st.sampled_from(roll))
    now = data.draw(kinds)
    counts = counted(roll)
    assert counts.move(importance, was, now).move(importance, now, was) == counts


@given(importances, kinds, st.integers(0, 5), st.integers(1, 5))
def test_a_count_below_zero_is_refused_by_name(importance: Importance, kind: Kind, have: int, more: int) -> None:
    counts = Counts().add(importance, kind, have)
    with pytest.raises(AssertionError, match=f"{kind} would become -{more}"):
        counts.add(importance, kind, -(have + more))


def test_every_kind_folds_to_exactly_one_standing() -> None:
    assert {kind for kind in KINDS if standing_of(kind) == "satisfied"} == SATISFIED
    assert {kind for kind in KINDS if standing_of(kind) == "unsatisfied"} == UNSATISFIED
    assert {kind for kind in KINDS if standing_of(kind) == "pending"} == {"pending"}
    assert {kind for kind in KINDS if standing_of(kind) == "withdrawn"} == {"withdrawn"}


def test_pending_is_the_byte_zero_so_that_fresh_members_are_zeros() -> None:
    assert CODE["pending"] == 0
    assert sorted(CODE.values()) == list(range(len(KINDS)))
    assert bytes(3) == bytes([CODE["pending"]] * 3)


def test_a_tally_counts_each_kind_under_its_own_name() -> None:
    tally = Tally(
        pending=1, succeeded=2, empty=3, skipped=4, failed=5, timed_out=6, abandoned=7, suspect=8, withdrawn=9
    )
    assert [tally.of(kind) for kind in KINDS] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (tally.satisfied, tally.unsatisfied, tally.expected) == (9, 26, 36)
