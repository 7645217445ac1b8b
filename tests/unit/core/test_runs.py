"""Runs: which phases may start or are skipped, and how a run ends."""

import pytest

from shotclock.core import runs
from shotclock.model import Phase, PhasePlan, PhaseState, Plan, Ruling

PLAN = Plan(
    pipeline="nba",
    phases=(
        PhasePlan(name="raw"),
        PhasePlan(name="odds"),
        PhasePlan(name="features", needs=("raw", "odds")),
        PhasePlan(name="predict", needs=("features",)),
        PhasePlan(name="report", needs=("odds",)),
    ),
)


def phase(
    name: str,
    state: PhaseState = "done",
    *,
    partial: bool = False,
    failure: str | None = None,
    stale: tuple[str, ...] = (),
) -> Phase:
    ruling = Ruling(reason="deadline", partial=partial)
    return Phase(
        run="nba/2025-01-15", name=name, index=0, state=state, ruling=ruling, failure=failure, stale_inputs=stale
    )


@pytest.mark.parametrize("state", ["waiting", "active", "closing", "opened"])
def test_a_run_goes_on_while_a_phase_is_not_over_whatever_another_did(state: PhaseState) -> None:
    assert runs.ending([phase("raw", "failed"), phase("odds", state)]) is None


def test_a_run_whose_phases_are_all_done_is_complete() -> None:
    assert runs.ending([phase("raw"), phase("odds")]) == runs.Ending(state="complete")


def test_a_run_with_a_partial_opening_is_partial_and_names_the_phase() -> None:
    ended = runs.ending([phase("raw", partial=True), phase("odds")])
    assert ended == runs.Ending(state="partial", reason="opened partial: raw")


def test_a_run_with_stale_inputs_is_partial_and_names_them() -> None:
    ended = runs.ending([phase("raw", stale=("odds.lines",))])
    assert ended == runs.Ending(state="partial", reason="stale_inputs: raw (odds.lines)")


def test_a_failed_phase_fails_the_run_and_is_named_before_those_skipped_for_it() -> None:
    skipped = phase("features", "skipped", failure="upstream_failed: raw")
    ended = runs.ending([skipped, phase("raw", "failed", failure="hopeless", partial=True)])
    assert ended == runs.Ending(state="failed", reason="raw: hopeless")
    assert runs.ending([skipped]) == runs.Ending(state="failed", reason="features: upstream_failed: raw")


def test_a_phase_starts_when_every_upstream_is_done_its_consolidation_included() -> None:
    states: dict[str, PhaseState] = {"raw": "done", "odds": "opened"}
    assert not runs.may_start(PLAN, "features", states)
    assert runs.may_start(PLAN, "features", {**states, "odds": "done"})
    assert runs.may_start(PLAN, "raw", {})


@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_a_phase_is_skipped_as_soon_as_one_upstream_failed_or_was_skipped(state: PhaseState) -> None:
    assert runs.skipped_for(PLAN, "features", {"raw": "active", "odds": state}) == "odds"
    assert runs.skipped_for(PLAN, "features", {"raw": "active", "odds": "done"}) is None


def test_below_a_phase_is_all_that_stands_on_it() -> None:
    assert runs.below(PLAN, "raw") == {"features", "predict"}
    assert runs.below(PLAN, "odds") == {"features", "predict", "report"}
    assert runs.below(PLAN, "predict") == frozenset()
