"""The test of a flag: it errs as rarely as it says, sees what it should, and says how much more it needs."""

from math import log

import pytest

from bench import histories
from bench.ramps import Line, ramps
from shotclock.core import evidence
from shotclock.core.evidence import Bad, Design, Good, NotEnough
from shotclock.model import Arms, Evidence

DESIGN = Design(stages=2)
HISTORIES = 60
"""Of each kind; the tables in docs/ramps.md are made of thousands."""


def arms(flagged_bad: int, others_bad: int, flagged: int = 30, others: int = 270) -> Arms:
    return Arms(flagged=flagged, flagged_bad=flagged_bad, others=others, others_bad=others_bad)


def after(runs: list[Arms], stage: int = 0, before: Evidence | None = None, design: Design = DESIGN) -> Evidence:
    seen = before or evidence.begin(design)
    for one in runs:
        seen = evidence.add(seen, stage, one, design)
    return seen


@pytest.mark.parametrize("draw", [histories.independent, histories.shocks, histories.one_side, histories.lasting])
def test_a_slice_of_the_synthetic_histories_errs_no_more_than_the_table_says(draw: histories.Draw) -> None:
    line = Line("slice", draw, 300)
    same, doubled = (ramps(line, harm, HISTORIES) for harm in (1.0, 2.0))
    assert sum(one.end == "bad" for one in same) <= 0.05 * HISTORIES
    assert sum(one.end == "bad" for one in doubled) >= 0.9 * HISTORIES
    assert sum(one.end == "good" for one in doubled) <= 0.05 * HISTORIES


def test_nothing_is_known_before_the_first_run() -> None:
    assert evidence.verdict(evidence.begin(DESIGN), 0, DESIGN) == NotEnough()


def test_the_same_share_of_bad_units_is_good_after_a_while_and_the_wait_was_told() -> None:
    seen = after([arms(0, 6), arms(1, 5), arms(1, 6), arms(0, 5)])
    told = evidence.verdict(seen, 0, DESIGN)
    assert isinstance(told, NotEnough)
    assert told.runs is not None
    assert told.units == told.runs * 300
    seen = after([arms(0, 6), arms(1, 5), arms(1, 6), arms(0, 5)] * (told.runs // 2), before=seen)
    assert evidence.verdict(seen, 0, DESIGN) == Good()


def test_no_bad_units_at_all_are_good_after_a_while() -> None:
    told = evidence.verdict(after([arms(0, 0)]), 0, DESIGN)
    assert isinstance(told, NotEnough)
    assert told.runs is not None
    assert evidence.verdict(after([arms(0, 0)] * (told.runs + 1)), 0, DESIGN) == Good()


def test_units_that_all_go_bad_run_after_run_are_bad_in_the_third_and_in_one_run_alone_are_not() -> None:
    verdicts = [evidence.verdict(after([arms(30, 5)] * runs), 0, DESIGN) for runs in (1, 2, 3)]
    assert isinstance(verdicts[0], NotEnough)
    assert isinstance(verdicts[1], NotEnough)
    assert verdicts[2] == Bad()


def test_where_the_harm_shows_the_wait_until_it_is_shown_is_told() -> None:
    told = evidence.verdict(after([arms(3, 6)] * 2), 0, DESIGN)
    assert isinstance(told, NotEnough)
    assert told.runs is not None
    assert told.runs < 30


def test_a_harm_that_begins_with_the_second_stage_is_not_hidden_by_a_good_first_one() -> None:
    good = after([arms(0, 6), arms(1, 6)] * 60)
    worse = arms(7, 3, flagged=150, others=150)
    runs = next(
        number for number in range(1, 60) if evidence.verdict(after([worse] * number, 1, good), 1, DESIGN) == Bad()
    )
    assert runs <= 12


def test_a_stage_is_good_by_its_own_runs_alone() -> None:
    good = after([arms(0, 6), arms(1, 6)] * 60)
    assert evidence.verdict(good, 0, DESIGN) == Good()
    assert isinstance(evidence.verdict(good, 1, DESIGN), NotEnough)


def test_more_guards_ask_more_of_each() -> None:
    seen = after([arms(4, 6)] * 8)
    against = evidence.against(seen)
    assert against > log(1 / 0.05)
    assert evidence.verdict(seen, 0, DESIGN) == Bad()
    many = Design(stages=2, guards=int(0.05 * 2.718281828**against) + 2)
    assert evidence.verdict(seen, 0, many) != Bad()


def test_where_nothing_can_be_learnt_no_wait_is_told() -> None:
    told = evidence.verdict(after([arms(0, 0, flagged=0)]), 0, DESIGN)
    assert told == NotEnough()


@pytest.mark.parametrize(
    ("all_units", "told"),
    [(arms(1, 5), "single"), (arms(20, 60), "all"), (arms(16, 0), "all"), (arms(5, 2, flagged=6), "single")],
)
def test_single_units_are_blamed_only_where_neither_the_run_nor_a_side_failed_as_a_whole(
    all_units: Arms, told: str
) -> None:
    assert evidence.tells_of_units(all_units) is (told == "single")
