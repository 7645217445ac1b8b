"""Bets on one run: at most fair against what they are put on, bounded, and silent where nothing can be said."""

from math import comb, exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.core import bets
from shotclock.core.bets import Harm
from shotclock.model import Accounts, Arms

ABOUT = Harm()
ROUNDING = 1e-9


def arms(flagged: int, flagged_bad: int, others: int, others_bad: int) -> Arms:
    return Arms(flagged=flagged, flagged_bad=flagged_bad, others=others, others_bad=others_bad)


def splits(flagged: int, others: int, bad: int, odds: float) -> list[tuple[Arms, float]]:
    """Return every way in which so many bad units fall on the two sides, with its chance."""
    numbers = range(max(0, bad - others), min(bad, flagged) + 1)
    weights = [comb(flagged, one) * comb(others, bad - one) * odds**one for one in numbers]
    total = sum(weights)
    return [
        (arms(flagged, one, others, bad - one), weight / total) for one, weight in zip(numbers, weights, strict=True)
    ]


def mean(account: str, found: list[tuple[Arms, float]]) -> float:
    return sum(chance * exp(getattr(bets.place(one, ABOUT), account)) for one, chance in found)


RUNS = [(3, 27, 2), (30, 270, 6), (30, 270, 90), (150, 150, 9), (100, 900, 40), (1, 1, 1), (5, 5, 9)]


@pytest.mark.parametrize(("flagged", "others", "bad"), RUNS)
@pytest.mark.parametrize("odds", [1.0, 0.5, 0.1])
def test_a_flag_that_does_no_harm_wins_nothing_for_harm_on_average(
    flagged: int, others: int, bad: int, odds: float
) -> None:
    assert mean("harm", splits(flagged, others, bad, odds)) <= 1 + ROUNDING


@pytest.mark.parametrize(("flagged", "others", "bad"), RUNS)
def test_a_flag_that_does_no_harm_is_struck_more_rarely_than_its_account_allows(
    flagged: int, others: int, bad: int
) -> None:
    found = splits(flagged, others, bad, 1.0)
    struck = sum(chance for one, chance in found if bets.place(one, ABOUT).struck > 0)
    assert struck <= bets.STRUCK + ROUNDING
    by_chance = ABOUT.outside + bets.STRUCK
    wins, loses = bets.STRUCK_SHARE / by_chance, (1 - bets.STRUCK_SHARE) / (1 - by_chance)
    assert by_chance * wins + (1 - by_chance) * loses == pytest.approx(1)


@pytest.mark.parametrize(("flagged", "others", "bad"), RUNS)
@pytest.mark.parametrize("odds", [2.0, 3.0, 10.0])
def test_a_flag_that_does_the_harm_or_more_is_not_cleared_on_average(
    flagged: int, others: int, bad: int, odds: float
) -> None:
    assert mean("cleared", splits(flagged, others, bad, odds)) <= 1 + ROUNDING


@pytest.mark.parametrize(("flagged", "rate"), [(1, 0.01), (30, 0.01), (30, 0.05), (500, 0.01), (2_000, 0.02)])
def test_bad_units_are_not_called_rare_where_they_are_not(flagged: int, rate: float) -> None:
    total = 0.0
    for bad in range(flagged + 1):
        chance = exp(bets._choose(flagged, bad) + bad * log(rate) + (flagged - bad) * log(1 - rate))  # noqa: SLF001 - large numbers
        total += chance * exp(bets.place(arms(flagged, bad, 10, 0), ABOUT).rare)
    assert total <= 1 + ROUNDING


@given(st.integers(0, 300), st.integers(0, 300), st.data())
def test_no_run_moves_an_account_by_more_than_its_bound(flagged: int, others: int, data: st.DataObject) -> None:
    one = arms(flagged, data.draw(st.integers(0, flagged)), others, data.draw(st.integers(0, others)))
    moved = bets.place(one, ABOUT)
    assert moved.harm <= bets.MOST + ROUNDING
    assert moved.cleared <= bets.MOST + ROUNDING
    assert moved.rare <= bets.RARE_MOST + ROUNDING


def test_a_split_that_nothing_explains_wins_nothing_for_harm_and_counts_as_one_strike() -> None:
    moved = bets.place(arms(30, 30, 270, 0), ABOUT)
    assert moved.harm < 0
    assert moved.cleared < 0
    assert 0 < moved.struck <= log(bets.STRUCK_SHARE / ABOUT.outside)


def test_twice_the_bad_units_speak_against_the_flag_and_the_same_share_for_it() -> None:
    worse, same = (bets.place(arms(100, bad, 900, 18), ABOUT) for bad in (4, 2))
    assert worse.harm > 0 > worse.cleared
    assert same.harm < 0 < same.cleared


@pytest.mark.parametrize("one", [arms(0, 0, 10, 3), arms(10, 3, 0, 0)])
def test_a_run_without_one_of_the_sides_says_nothing(one: Arms) -> None:
    assert bets.place(one, ABOUT) == Accounts()


@pytest.mark.parametrize("one", [arms(30, 0, 270, 0), arms(30, 30, 270, 270)])
def test_a_run_in_which_all_or_none_went_bad_says_nothing_of_the_difference(one: Arms) -> None:
    moved = bets.place(one, ABOUT)
    assert (moved.harm, moved.cleared) == (0, 0)


def test_a_run_of_a_million_units_is_weighed_as_quickly_and_says_the_same_as_a_large_one() -> None:
    small = bets.place(arms(10_000, 400, 90_000, 1_600), ABOUT)
    large = bets.place(arms(100_000, 4_000, 900_000, 16_000), ABOUT)
    assert (large.harm, large.cleared) == pytest.approx((small.harm, small.cleared), abs=0.01)


@pytest.mark.parametrize("flagged_bad", [0, 3, 10])
@pytest.mark.parametrize("others_bad", [0, 5, 90])
def test_what_a_bet_is_expected_to_win_is_above_nothing_where_there_is_anything_to_be_seen(
    flagged_bad: int, others_bad: int
) -> None:
    wins = bets.expected(10, arms(300, flagged_bad, 2_700, others_bad), ABOUT)
    seen = round((flagged_bad + others_bad) / 10) > 0
    assert (wins.harm > 0, wins.cleared > 0) == (seen, seen)


def test_nothing_is_expected_of_runs_that_have_no_unit_without_the_flag() -> None:
    assert bets.expected(2, arms(20, 3, 0, 0), ABOUT).harm == 0
