"""The clocks of a gate: deadlines, what they count from, and phases in which nothing moves."""

from datetime import time

import pytest
from msgspec.structs import replace

from shotclock.core import gate
from shotclock.core.gate import Unstick
from shotclock.model import (
    Anchor,
    Deadline,
    Execution,
    Gate,
    Member,
    PhasePlan,
    Recovery,
)
from tests.unit.core.scenes import MAX_AGE, START, a_halt, a_scene, at, counts, minutes
from tests.unit.core.verdicts import STALL, opened, waits

# --- deadlines and their anchors -----------------------------------------------------------------------------------


def deadline(anchor: Anchor, expected: float | None = None) -> Gate:
    by = None if expected is None else minutes(expected)
    return Gate(deadline=Deadline(after=minutes(30), anchor=anchor), expected_by=by)


def test_a_deadline_counts_from_the_first_report() -> None:
    scene = a_scene(deadline(Anchor()), counts("", "sp"), first_at=at(7))
    assert waits(gate.decide(scene, at(36))).next_at == at(37)
    assert opened(gate.decide(scene, at(37))) == ("deadline", True)


def test_a_deadline_counts_from_the_runs_start() -> None:
    scene = a_scene(deadline(Anchor(kind="run_start")), counts("", "p"), run_started_at=at(-10))
    assert opened(gate.decide(scene, at(20))) == ("deadline", True)


def test_a_deadline_counts_from_a_time_of_the_pipelines_zone() -> None:
    scene = a_scene(deadline(Anchor(kind="clock", at=time(7, 0))), counts("", "p"))
    assert waits(gate.decide(scene, at(89))).next_at == at(90)
    assert opened(gate.decide(scene, at(90))) == ("deadline", True)


def test_a_time_that_has_passed_counts_as_the_phases_start() -> None:
    scene = a_scene(deadline(Anchor(kind="clock", at=time(7, 0), day=-1)), counts("", "p"))
    assert opened(gate.decide(scene, at(30))) == ("deadline", True)


@pytest.mark.parametrize("anchor", [Anchor(), Anchor(kind="signal", signal="odds")])
def test_an_anchor_that_is_absent_when_expected_counts_as_come_then(anchor: Anchor) -> None:
    scene = a_scene(deadline(anchor, 20), counts("", "p"))
    assert waits(gate.decide(scene, at(19))).next_at == at(20)
    assert waits(gate.decide(scene, at(20))).next_at == at(50)
    assert opened(gate.decide(scene, at(50))) == ("deadline", True)
    by_default = a_scene(deadline(anchor), counts("", "p"))
    assert waits(gate.decide(by_default, at(29))).next_at == at(30)
    assert opened(gate.decide(by_default, at(60))) == ("deadline", True)


def test_an_anchor_that_came_after_it_was_expected_changes_nothing() -> None:
    scene = a_scene(deadline(Anchor(), 20), counts("", "sp"), first_at=at(40))
    assert opened(gate.decide(scene, at(50))) == ("deadline", True)


def test_an_early_signal_counts_at_the_phases_start() -> None:
    scene = a_scene(deadline(Anchor(kind="signal", signal="odds")), counts("", "p"), signal_at=at(-120))
    assert waits(gate.decide(scene, at(29))).next_at == at(30)


def test_without_a_deadline_silence_only_alerts() -> None:
    scene = a_scene(Gate(expected_by=minutes(20)), counts("", "p"))
    early = waits(gate.decide(scene, at(19)))
    assert (early.alert, early.next_at) == (None, at(20))
    late = waits(gate.decide(scene, at(20)))
    assert late.mark is None
    assert late.alert == "nothing has reported within 20m of the phase's start"
    heard = replace(scene, phase=replace(scene.phase, first_at=at(3)))
    assert waits(gate.decide(heard, at(20))).alert is None


def test_a_deadline_that_blocks_keeps_waiting_under_that_name_until_all_is_in() -> None:
    blocking = Gate(deadline=Deadline(after=minutes(30), anchor=Anchor(kind="run_start"), then="block"))
    assert waits(gate.decide(a_scene(blocking, counts("", "sp")), at(30))).mark == "blocked"
    assert opened(gate.decide(a_scene(blocking, counts("", "ss")), at(31))) == ("all", False)


# --- stall ---------------------------------------------------------------------------------------------------------


def test_a_stall_opens_if_its_need_is_met() -> None:
    scene = a_scene(STALL, counts("", "ssp"), progress_at=at(5))
    assert waits(gate.decide(scene, at(14))).next_at == at(15)
    assert opened(gate.decide(scene, at(15))) == ("stall", True)


def test_a_stall_without_its_need_queues_the_tasks_again_once_until_something_moves() -> None:
    scene = a_scene(STALL, counts("", "spp"), progress_at=at(5))
    assert isinstance(gate.decide(scene, at(15)), Unstick)
    stalled = replace(scene, phase=replace(scene.phase, stalled_at=at(15)))
    verdict = waits(gate.decide(stalled, at(60)))
    assert (verdict.mark, verdict.next_at) == ("stalled", START + MAX_AGE)
    moved = replace(stalled, phase=replace(stalled.phase, progress_at=at(61)))
    assert waits(gate.decide(moved, at(61))).mark is None
    assert isinstance(gate.decide(moved, at(71)), Unstick)


def test_tasks_that_were_queued_again_twice_for_nothing_are_left_alone_and_operators_are_told() -> None:
    scene = a_scene(STALL, counts("", "spp"), progress_at=at(5), stalled_at=at(15), retry_until=at(20))
    assert isinstance(gate.decide(scene, at(30)), Unstick)
    tried = replace(scene, phase=replace(scene.phase, recovery=Recovery(fruitless=1)))
    assert waits(gate.decide(tried, at(29))).alert is None
    verdict = waits(gate.decide(tried, at(30)))
    assert verdict.mark == "stalled"
    assert verdict.alert is not None
    assert "suspended: nothing moved although its tasks were queued again 2 times" in verdict.alert
    moved = replace(tried, phase=replace(tried.phase, progress_at=at(16)))
    assert isinstance(gate.decide(moved, at(30)), Unstick)


def test_a_stall_counts_from_the_latest_of_start_progress_retry_wait_and_resume() -> None:
    scene = a_scene(STALL, counts("", "ppp"))
    assert waits(gate.decide(scene, at(1))).next_at == at(10)
    retrying = replace(scene, phase=replace(scene.phase, retry_until=at(8)))
    assert waits(gate.decide(retrying, at(1))).next_at == at(18)
    resumed = replace(scene, halts=(a_halt(1, 9),))
    assert waits(gate.decide(resumed, at(9))).next_at == at(19)


def test_halted_time_does_not_count_for_a_stall() -> None:
    scene = a_scene(STALL, counts("", "ppp"), retry_until=at(8), halts=(a_halt(2, 4), a_halt(10, 15)))
    assert waits(gate.decide(scene, at(24))).next_at == at(25)


def test_tasks_of_ours_stall_by_default_and_external_members_do_not() -> None:
    scene = a_scene(Gate(), counts("", "p"))
    assert waits(gate.decide(scene, at(600))).mark is None
    assert isinstance(gate.decide(replace(scene, ours=True), at(30)), Unstick)


def test_the_default_stall_is_longer_than_any_members_timeout() -> None:
    slow = Member(name="box", run="nba.raw:box", timeout=minutes(40))
    outside = Member(name="odds", timeout=minutes(300))
    plan = PhasePlan(name="raw", members=(slow, outside), execution=Execution(timeout=minutes(20)))
    scene = a_scene(Gate(), counts("", "pp"), plan=plan, ours=True)
    assert waits(gate.decide(scene, at(79))).next_at == at(80)
    assert isinstance(gate.decide(scene, at(80)), Unstick)


def test_a_phase_in_which_nobody_is_pending_is_not_stuck() -> None:
    scene = a_scene(Gate(hopeless="block"), counts("", "f"), ours=True)
    assert waits(gate.decide(scene, at(100))).mark == "blocked"


def test_a_stall_that_a_critical_member_is_missing_from_blocks() -> None:
    verdict = waits(gate.decide(a_scene(STALL, counts("p", "ss")), at(10)))
    assert verdict.mark == "blocked"
    assert "stall" in verdict.reason
