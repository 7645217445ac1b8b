"""How a ramp goes on: from stage to stage where it is good, to nobody where it is bad, nowhere where it was stopped."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shotclock.core import evidence, rollout
from shotclock.core.evidence import Design
from shotclock.core.rollout import Advance, Finish, RollBack, Stay
from shotclock.model import BUCKETS, ON, Arms, FlagRamp, Guard, Metric, RampState, RunFacts
from tests.unit.core.scenes import START

HOLD = timedelta(hours=4)
UNITS = [(f"item {number}", number < 30) for number in range(300)]


def ramp(*metrics: Metric, stages: tuple[int, ...] = (1_000, 5_000, BUCKETS)) -> FlagRamp:
    begun = evidence.begin(Design(stages=sum(share < BUCKETS for share in stages)))
    guards = tuple(Guard(metric=metric, evidence=begun) for metric in metrics or ("unsatisfied",))
    return FlagRamp(name="new", value=ON, stages=stages, hold=HOLD, since=START, started_at=START, guards=guards)


def facts(run: int, bad: frozenset[int], share: int = 1_000) -> RunFacts:
    units: dict[Metric, list[tuple[str, bool, bool]]] = {
        "unsatisfied": [(name, has, number in bad) for number, (name, has) in enumerate(UNITS)]
    }
    return RunFacts(run=f"p/{run}", where="p/default", share=share, units=units)


def good(given: FlagRamp, share: int = 1_000) -> FlagRamp:
    """Return the ramp after runs in which nothing goes bad."""
    return rollout.count(given, [facts(given.runs + run, frozenset(), share) for run in range(60)])


def bad(given: FlagRamp) -> FlagRamp:
    """Return the ramp after runs in which every unit with the flag goes bad."""
    return rollout.count(given, [facts(given.runs + run, frozenset(range(30))) for run in range(3)])


def test_a_good_stage_is_left_when_its_hold_is_over_and_not_before() -> None:
    one = good(ramp())
    assert rollout.decide(one, START + HOLD - timedelta(seconds=1)) == Stay()
    assert rollout.decide(one, START + HOLD) == Advance()
    two = rollout.advanced(one, START + HOLD)
    assert (two.stage, two.since) == (1, START + HOLD)
    assert rollout.decide(two, START + 10 * HOLD) == Stay()
    assert rollout.decide(good(two, 5_000), START + 10 * HOLD) == Advance()


def test_where_everybody_has_the_flag_the_hold_is_all_that_is_left() -> None:
    last = rollout.advanced(rollout.advanced(ramp(), START), START)
    assert rollout.decide(last, START + HOLD / 2) == Stay()
    assert rollout.decide(last, START + HOLD) == Finish()
    assert isinstance(rollout.decide(bad(last), START), RollBack)


def test_a_ramp_that_ends_below_everybody_ends_when_its_last_stage_is_good() -> None:
    assert rollout.decide(good(ramp(stages=(1_000,))), START + HOLD) == Finish()


def test_a_bad_guard_rolls_it_back_at_once() -> None:
    step = rollout.decide(bad(ramp()), START)
    assert isinstance(step, RollBack)
    assert step.guard.metric == "unsatisfied"


def test_paused_it_stays_and_is_still_rolled_back_and_frozen_nothing_happens() -> None:
    paused, frozen = (rollout.stopped(ramp(), START, frozen=frozen) for frozen in (False, True))
    assert rollout.decide(good(paused), START + HOLD) == Stay()
    assert isinstance(rollout.decide(bad(paused), START), RollBack)
    assert rollout.decide(bad(frozen), START + HOLD) == Stay()


def test_while_it_was_stopped_the_hold_did_not_count() -> None:
    paused = rollout.stopped(ramp(), START + HOLD / 4, frozen=False)
    frozen = rollout.stopped(paused, START + HOLD / 2, frozen=True)
    resumed = rollout.resumed(frozen, START + HOLD)
    assert (resumed.state, resumed.since) == ("ramping", START + HOLD * 3 / 4)
    assert rollout.resumed(resumed, START + 2 * HOLD) is resumed


@pytest.mark.parametrize("state", ["done", "rolled_back", "overtaken"])
def test_a_ramp_that_is_over_counts_nothing_and_does_nothing(state: RampState) -> None:
    over = replace(ramp(), state=state)
    assert bad(over) == over
    assert rollout.decide(good(over), START + HOLD) == Stay()


def test_a_run_counts_once_and_for_the_stage_whose_share_it_carried() -> None:
    counted = rollout.count(ramp(), [facts(1, frozenset()), facts(1, frozenset()), facts(2, frozenset(), 5_000)])
    assert counted.runs == 2
    assert [stage.runs for stage in counted.guards[0].evidence.stages] == [1, 1]


def test_a_run_that_carried_another_share_or_had_no_unit_with_the_flag_says_nothing() -> None:
    none = RunFacts(run="p/3", where="p/default", share=1_000, units={"unsatisfied": [("one", False, True)]})
    stranger = RunFacts(run="q/1", where="q/default", share=None)
    counted = rollout.count(ramp(), [facts(1, frozenset(), 77), facts(2, frozenset(), BUCKETS), none, stranger])
    assert (counted.runs, counted.guards[0].evidence.whole.runs) == (3, 0)
    assert counted.counted == ("p/1", "p/2", "p/3", "q/1")


def test_of_a_run_with_very_many_units_sums_are_enough() -> None:
    sums = Arms(flagged=100_000, flagged_bad=2_000, others=900_000, others_bad=18_000)
    large = RunFacts(run="p/1", where="p/default", share=1_000, sums={"unsatisfied": sums})
    (guard,) = rollout.count(ramp(), [large]).guards
    assert (guard.evidence.whole.arms, guard.known) == (sums, {})
    assert guard.evidence.whole.accounts.cleared > 0


def test_a_unit_that_stays_bad_counts_once_and_again_only_when_it_has_done_well_for_a_while() -> None:
    seen = rollout.count(ramp(), [facts(run, frozenset({5, 200})) for run in range(30)])
    assert seen.guards[0].evidence.whole.arms.flagged_bad == 1
    seen = rollout.count(seen, [facts(30 + run, frozenset()) for run in range(evidence.KNOWN)])
    assert seen.guards[0].known == {"item 5": 30 + evidence.KNOWN, "item 200": 30 + evidence.KNOWN}
    seen = rollout.count(seen, [facts(100, frozenset({5}))])
    assert seen.guards[0].evidence.whole.arms.flagged_bad == 2


def test_units_of_a_side_that_fails_as_a_whole_count_each_time() -> None:
    assert bad(ramp()).guards[0].evidence.whole.arms.flagged_bad == 90


def of_runs(run: int, seconds: float, *, flagged: bool, where: str = "p/default") -> RunFacts:
    return RunFacts(run=f"p/{run}", where=where, share=1_000, flagged=flagged, values={"duration": seconds})


def test_a_run_with_the_flag_is_compared_with_the_nearest_one_without_of_the_same_pipeline_and_mode() -> None:
    seen = rollout.count(
        ramp("duration"),
        [
            of_runs(1, 100, flagged=True),
            of_runs(2, 10, flagged=False),
            of_runs(3, 99, flagged=False),
            of_runs(4, 1, flagged=False, where="p/same_day"),
            of_runs(5, 50, flagged=True),
            of_runs(6, 50, flagged=True),
            of_runs(7, 50, flagged=True),
        ],
    )
    arms = seen.guards[0].evidence.whole.arms
    assert (arms.flagged, arms.flagged_bad, arms.others_bad) == (2, 1, 1)


def test_runs_with_the_flag_that_are_always_worse_are_bad_after_some_pairs() -> None:
    seen = ramp("duration")
    for pair in range(40):
        seen = rollout.count(seen, [of_runs(2 * pair, 10, flagged=False), of_runs(2 * pair + 1, 20, flagged=True)])
        if isinstance(rollout.decide(seen, START), RollBack):
            break
    assert 5 <= pair <= 25
