"""The gate, rule by rule: what opens it, what fails it, what keeps it shut, and when it is looked at again."""

from datetime import time, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from shotclock.core import gate
from shotclock.core.gate import Ask, Fail, Open, Unstick, Verdict, Wait
from shotclock.model import (
    Amount,
    Anchor,
    Counts,
    Deadline,
    Execution,
    Force,
    Gate,
    Hopeless,
    Member,
    Need,
    PhasePlan,
    Stall,
    Tier,
    Vote,
)
from tests.unit.core.scenes import MAX_AGE, START, a_halt, a_scene, at, counts, minutes

FORCE = Force(actor="ann", reason="the game is on", at=START)
DEADLINE = Gate(deadline=Deadline(after=minutes(30), anchor=Anchor(kind="run_start")))


def need(number: int) -> Need:
    return Need(amount=Amount(count=number))


def opened(verdict: Verdict) -> tuple[str, bool]:
    """Return reason and partiality of an opening."""
    assert isinstance(verdict, Open), verdict
    return verdict.ruling.reason, verdict.ruling.partial


def waits(verdict: Verdict) -> Wait:
    assert isinstance(verdict, Wait), verdict
    return verdict


def failed(verdict: Verdict) -> str:
    assert isinstance(verdict, Fail), verdict
    return verdict.reason


# --- all -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("required", ["s", "sek", "", "sw"])
def test_the_gate_opens_once_all_have_settled_well(required: str) -> None:
    assert opened(gate.decide(a_scene(Gate(), counts("s", required)), at(1))) == ("all", False)


def test_the_gate_waits_for_who_is_pending() -> None:
    verdict = waits(gate.decide(a_scene(Gate(), counts("s", "sp")), at(1)))
    assert (verdict.mark, verdict.next_at) == (None, START + MAX_AGE)
    assert verdict.reason == "1 pending and 0 unsatisfied of 3 critical and required members"


def test_tolerated_failures_open_by_all_and_are_not_partial() -> None:
    scene = a_scene(Gate(tolerate=Amount(count=1)), counts("s", "ssf"))
    verdict = gate.decide(scene, at(1))
    assert opened(verdict) == ("all", False)
    assert isinstance(verdict, Open)
    assert verdict.ruling.rule == "all: 3 of 4 critical and required members satisfied, 1 unsatisfied tolerated"


def test_a_tolerated_percentage_is_of_the_whole_roll_and_rounded_down() -> None:
    tolerant = Gate(tolerate=Amount(percent=Decimal(50)))
    assert opened(gate.decide(a_scene(tolerant, counts("", "sff", "s")), at(1))) == ("all", False)
    assert failed(gate.decide(a_scene(tolerant, counts("", "sff")), at(1))).startswith("hopeless")


def test_tolerance_covers_neither_pending_nor_critical_members() -> None:
    tolerant = Gate(tolerate=Amount(count=5))
    assert waits(gate.decide(a_scene(tolerant, counts("", "sp")), at(1))).mark is None
    assert failed(gate.decide(a_scene(tolerant, counts("f", "s")), at(1))).startswith("hopeless")


def test_the_withdrawn_leave_every_base() -> None:
    half = Gate(need=Need(amount=Amount(percent=Decimal(50))))
    assert opened(gate.decide(a_scene(half, counts("", "spww")), at(1))) == ("quorum", True)


# --- need and tiers ------------------------------------------------------------------------------------------------


def test_a_need_opens_at_once_as_quorum_and_is_partial_while_somebody_is_pending() -> None:
    assert opened(gate.decide(a_scene(Gate(need=need(2)), counts("s", "sp")), at(1))) == ("quorum", True)


def test_all_is_tried_before_the_need() -> None:
    assert opened(gate.decide(a_scene(Gate(need=need(1)), counts("", "ss")), at(1))) == ("all", False)


def test_a_needed_percentage_is_rounded_up() -> None:
    most = Gate(need=Need(amount=Amount(percent=Decimal(67))))
    assert waits(gate.decide(a_scene(most, counts("", "ssp")), at(1))).mark is None
    assert opened(gate.decide(a_scene(most, counts("", "sssp")), at(1))) == ("quorum", True)


def test_a_need_of_optional_members_asks_for_them_beside_all_the_rest() -> None:
    two = Gate(need=Need(amount=Amount(count=2), of="optional"))
    assert waits(gate.decide(a_scene(two, counts("", "s", "sp")), at(1))).mark is None
    assert waits(gate.decide(a_scene(two, counts("", "p", "ss")), at(1))).mark is None
    assert opened(gate.decide(a_scene(two, counts("", "s", "ssf")), at(1))) == ("quorum", False)
    assert opened(gate.decide(a_scene(two, counts("", "s", "ss")), at(1))) == ("all", False)
    assert failed(gate.decide(a_scene(two, counts("", "s", "sf")), at(1))).startswith("hopeless")


TIERS = Gate(need=need(3), tiers=(Tier(after=minutes(10), need=need(2)), Tier(after=minutes(20), need=need(1))))


def test_tiers_lower_the_need_as_time_passes() -> None:
    scene = a_scene(TIERS, counts("", "sppp"))
    assert waits(gate.decide(scene, at(9))).next_at == at(10)
    assert waits(gate.decide(scene, at(10))).next_at == at(20)
    assert opened(gate.decide(scene, at(20))) == ("quorum", True)


def test_tiers_count_from_the_deadlines_anchor_once_it_has_come() -> None:
    anchored = replace(TIERS, deadline=Deadline(after=minutes(60), anchor=Anchor(kind="signal", signal="odds")))
    assert waits(gate.decide(a_scene(anchored, counts("", "ssp")), at(15))).mark is None
    assert opened(gate.decide(a_scene(anchored, counts("", "ssp"), signal_at=at(5)), at(15))) == ("quorum", True)


def test_what_a_later_tier_will_open_is_not_hopeless() -> None:
    verdict = waits(gate.decide(a_scene(TIERS, counts("", "ssff")), at(1)))
    assert (verdict.mark, verdict.next_at) == (None, at(10))
    signalled = replace(TIERS, deadline=Deadline(after=minutes(60), anchor=Anchor(kind="signal", signal="odds")))
    assert waits(gate.decide(a_scene(signalled, counts("", "ssff")), at(1))).mark is None


def test_a_need_that_is_no_longer_in_force_keeps_nobody_from_being_hopeless() -> None:
    rising = Gate(need=need(1), tiers=(Tier(after=minutes(10), need=need(3)),))
    assert failed(gate.decide(a_scene(rising, counts("", "sff")), at(10))).startswith("hopeless")


# --- critical members ----------------------------------------------------------------------------------------------


def test_a_pending_critical_member_blocks_from_the_moment_anything_else_would_open() -> None:
    roll = counts("p", "ss")
    assert waits(gate.decide(a_scene(DEADLINE, roll), at(29))).mark is None
    blocked = waits(gate.decide(a_scene(DEADLINE, roll), at(30)))
    assert blocked.mark == "blocked"
    assert blocked.alert is not None
    assert waits(gate.decide(a_scene(Gate(need=need(2)), roll), at(1))).mark == "blocked"


def test_a_pending_critical_member_blocks_a_deadline_that_would_fail() -> None:
    failing = Gate(deadline=Deadline(after=minutes(30), anchor=Anchor(kind="run_start"), then="fail"))
    assert waits(gate.decide(a_scene(failing, counts("p", "s")), at(30))).mark == "blocked"
    assert failed(gate.decide(a_scene(failing, counts("s", "p")), at(30))).startswith("deadline")


def test_a_blocked_phase_opens_by_the_clock_already_due_when_the_critical_member_comes() -> None:
    assert opened(gate.decide(a_scene(DEADLINE, counts("s", "sp")), at(45))) == ("deadline", True)


@pytest.mark.parametrize("rules", [Gate(), Gate(need=need(1))])
def test_a_lost_critical_member_with_nothing_left_pending_fails_at_once(rules: Gate) -> None:
    assert failed(gate.decide(a_scene(rules, counts("f", "ss")), at(1))).startswith("hopeless")


@pytest.mark.parametrize("policy", ["open", "block"])
@pytest.mark.parametrize("rules", [Gate(), Gate(need=need(1)), DEADLINE])
def test_a_lost_critical_member_blocks_where_the_hopeless_would_open_or_block(rules: Gate, policy: Hopeless) -> None:
    scene = a_scene(replace(rules, hopeless=policy), counts("f", "ss"))
    assert waits(gate.decide(scene, at(60))).mark == "blocked"


# --- grace ---------------------------------------------------------------------------------------------------------

GRACE = replace(DEADLINE, grace=minutes(10))


def test_optional_members_are_waited_for_only_during_the_grace() -> None:
    scene = a_scene(GRACE, counts("", "s", "p"))
    verdict = waits(gate.decide(scene, at(5)))
    assert (verdict.mark, verdict.grace_since, verdict.next_at) == (None, at(5), at(15))
    running = replace(scene, phase=replace(scene.phase, grace_since=at(5)))
    assert waits(gate.decide(running, at(14))).grace_since == at(5)
    assert opened(gate.decide(running, at(15))) == ("all", False)


def test_without_grace_nobody_waits_for_optional_members() -> None:
    assert opened(gate.decide(a_scene(Gate(), counts("", "s", "p")), at(1))) == ("all", False)


def test_the_grace_ends_when_the_optional_members_have_settled() -> None:
    assert opened(gate.decide(a_scene(GRACE, counts("", "s", "sf"), grace_since=at(5)), at(6))) == ("all", False)


def test_the_grace_ends_at_the_deadline_and_the_reason_stays() -> None:
    scene = a_scene(GRACE, counts("", "s", "p"), grace_since=at(25))
    assert waits(gate.decide(scene, at(29))).next_at == at(30)
    assert opened(gate.decide(scene, at(30))) == ("all", False)
    quorum = replace(GRACE, need=need(1))
    assert opened(gate.decide(a_scene(quorum, counts("", "sp", "p"), grace_since=at(25)), at(30))) == ("quorum", True)


def test_the_grace_starts_anew_only_if_the_rule_stopped_holding() -> None:
    scene = a_scene(GRACE, counts("", "sp", "p"), grace_since=at(5))
    assert waits(gate.decide(scene, at(6))).grace_since is None
    vetoed = Vote(yes=False, at=at(15), changes=0, worse=0)
    checked = a_scene(replace(GRACE, check="nba.raw:check"), counts("", "s", "p"), grace_since=at(5), vote=vetoed)
    assert waits(gate.decide(checked, at(16))).grace_since == at(5)
    halted = a_scene(GRACE, counts("", "s", "p"), grace_since=at(5), halts=(a_halt(6),))
    assert waits(gate.decide(halted, at(7))).grace_since == at(5)


# --- empty and unsealed rolls --------------------------------------------------------------------------------------


@pytest.mark.parametrize("roll", [Counts(), counts("", "ww")])
def test_a_sealed_roll_without_members_opens_empty_and_is_not_partial(roll: Counts) -> None:
    assert opened(gate.decide(a_scene(Gate(), roll), at(1))) == ("empty", False)


def test_an_empty_roll_that_is_refused_is_decided_as_hopeless() -> None:
    refused = replace(DEADLINE, empty="refuse", stall=Stall(after=minutes(5), need=need(0)))
    assert failed(gate.decide(a_scene(refused, Counts()), at(1))).startswith("empty_not_allowed")
    spent = a_scene(refused, Counts(), budget_spent=True)
    assert failed(gate.decide(spent, at(1))).startswith("empty_not_allowed")
    verdict = gate.decide(a_scene(replace(refused, hopeless="open"), Counts()), at(1))
    assert opened(verdict) == ("hopeless", False)


def test_no_clock_opens_an_empty_roll_that_is_refused() -> None:
    refused = replace(DEADLINE, empty="refuse", hopeless="block", stall=Stall(after=minutes(5), need=need(0)))
    verdict = waits(gate.decide(a_scene(refused, Counts()), at(60)))
    assert verdict.mark == "blocked"
    assert verdict.reason.startswith("empty_not_allowed")


def test_no_rule_holds_on_an_unsealed_roll() -> None:
    tolerant = Gate(need=need(1), tolerate=Amount(count=9))
    assert waits(gate.decide(a_scene(tolerant, counts("", "ss"), sealed=False), at(1))).mark is None
    verdict = waits(gate.decide(a_scene(Gate(), Counts(), sealed=False), at(1)))
    assert verdict.reason.endswith("the roll is not sealed")


def test_a_deadline_opens_an_unsealed_roll_as_incomplete() -> None:
    verdict = gate.decide(a_scene(DEADLINE, counts("", "ss"), sealed=False), at(30))
    assert opened(verdict) == ("deadline", True)
    assert isinstance(verdict, Open)
    assert verdict.ruling.roll_incomplete


def test_a_failed_enumeration_without_items_fails_the_phase() -> None:
    scene = a_scene(Gate(hopeless="open"), Counts(), sealed=False, enumeration_failed=True)
    assert failed(gate.decide(scene, at(1))).startswith("enumeration failed")


def test_a_failed_enumeration_with_items_is_hopeless_once_they_have_settled() -> None:
    opening = Gate(hopeless="open", need=need(1))
    assert waits(gate.decide(a_scene(opening, counts("", "sp"), enumeration_failed=True), at(1))).mark is None
    verdict = gate.decide(a_scene(opening, counts("", "ss"), enumeration_failed=True), at(1))
    assert opened(verdict) == ("hopeless", True)
    assert isinstance(verdict, Open)
    assert verdict.ruling.roll_incomplete


# --- hopeless ------------------------------------------------------------------------------------------------------


def test_what_can_no_longer_be_met_is_decided_at_once_by_its_policy() -> None:
    roll = counts("s", "sf")
    assert failed(gate.decide(a_scene(Gate(), roll), at(1))).startswith("hopeless")
    assert opened(gate.decide(a_scene(Gate(hopeless="open"), roll), at(1))) == ("hopeless", True)
    blocked = waits(gate.decide(a_scene(Gate(hopeless="block"), roll), at(1)))
    assert blocked.mark == "blocked"
    assert blocked.reason.startswith("hopeless")


def test_optional_members_keep_nobody_from_being_hopeless() -> None:
    assert failed(gate.decide(a_scene(Gate(), counts("", "f", "p")), at(1))).startswith("hopeless")


def test_a_spent_budget_opens_what_would_fail_as_hopeless() -> None:
    assert opened(gate.decide(a_scene(Gate(), counts("", "sf"), budget_spent=True), at(1))) == ("hopeless", True)


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
    assert late.alert == "nothing has reported within 0:20:00 of the phase's start"
    heard = replace(scene, phase=replace(scene.phase, first_at=at(3)))
    assert waits(gate.decide(heard, at(20))).alert is None


def test_a_deadline_that_blocks_keeps_waiting_under_that_name_until_all_is_in() -> None:
    blocking = Gate(deadline=Deadline(after=minutes(30), anchor=Anchor(kind="run_start"), then="block"))
    assert waits(gate.decide(a_scene(blocking, counts("", "sp")), at(30))).mark == "blocked"
    assert opened(gate.decide(a_scene(blocking, counts("", "ss")), at(31))) == ("all", False)


# --- stall ---------------------------------------------------------------------------------------------------------

STALL = Gate(stall=Stall(after=minutes(10), need=need(2)))


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


# --- the user's check ----------------------------------------------------------------------------------------------

CHECKED = Gate(check="nba.raw:check")


def checked(rules: Gate = CHECKED, **phase: object) -> gate.Scene:
    return a_scene(rules, counts("", "ss"), **phase)


def no(minute: float, changes: int = 0) -> Vote:
    return Vote(yes=False, reason="too few rows", at=at(minute), changes=changes, worse=0)


def test_a_check_is_asked_before_an_opening_and_told_the_ruling() -> None:
    verdict = gate.decide(checked(), at(1))
    assert isinstance(verdict, Ask)
    assert verdict.ruling.reason == "all"


def test_a_check_is_never_asked_about_a_failure_or_a_wait() -> None:
    assert isinstance(gate.decide(a_scene(CHECKED, counts("", "f")), at(1)), Fail)
    assert isinstance(gate.decide(a_scene(CHECKED, counts("", "p")), at(1)), Wait)


def test_nobody_else_asks_while_a_check_has_time_to_answer() -> None:
    verdict = waits(gate.decide(checked(asking_until=at(2)), at(1)))
    assert (verdict.mark, verdict.next_at) == (None, at(2))
    assert isinstance(gate.decide(checked(asking_until=at(2)), at(2)), Ask)


def test_a_no_keeps_the_gate_shut_past_any_deadline_and_is_asked_again() -> None:
    deadlined = replace(DEADLINE, check="nba.raw:check")
    verdict = waits(gate.decide(checked(deadlined, vote=no(40)), at(44)))
    assert (verdict.mark, verdict.next_at) == ("vetoed", at(45))
    assert verdict.reason == "nba.raw:check says no: too few rows"
    assert isinstance(gate.decide(checked(deadlined, vote=no(40)), at(45)), Ask)


def test_a_no_is_asked_again_at_once_when_something_changed() -> None:
    assert isinstance(gate.decide(checked(vote=no(1), changes=1), at(1)), Ask)


def test_a_yes_stays_valid_unless_a_member_became_worse_or_the_roll_changed() -> None:
    yes = Vote(yes=True, at=at(1), changes=0, worse=0)
    assert opened(gate.decide(checked(vote=yes, changes=5), at(60))) == ("all", False)
    assert isinstance(gate.decide(checked(vote=yes, worse=1), at(2)), Ask)


def test_a_vetoed_phase_is_looked_at_when_another_clock_is_due() -> None:
    failing = Deadline(after=minutes(12), anchor=Anchor(kind="run_start"), then="fail")
    scene = a_scene(replace(STALL, check="nba.raw:check", deadline=failing), counts("", "ssp"), vote=no(10))
    assert waits(gate.decide(scene, at(11))).next_at == at(12)
    assert failed(gate.decide(scene, at(12))).startswith("deadline")


def test_a_stall_asks_the_check_too() -> None:
    verdict = gate.decide(a_scene(replace(STALL, check="nba.raw:check"), counts("", "ssp")), at(10))
    assert isinstance(verdict, Ask)
    assert verdict.ruling.reason == "stall"


# --- halt, age, force ----------------------------------------------------------------------------------------------


def test_a_halt_stops_every_decision_while_clocks_run_on() -> None:
    scene = a_scene(DEADLINE, counts("", "ss"), halts=(a_halt(1),), force=FORCE)
    verdict = waits(gate.decide(scene, at(60)))
    assert (verdict.mark, verdict.next_at, verdict.reason) == ("halted", None, "halted by ann: test")
    overdue = a_scene(DEADLINE, counts("", "sp"), halts=(a_halt(1, 60),))
    assert opened(gate.decide(overdue, at(60))) == ("deadline", True)


def test_a_halt_with_a_known_end_is_looked_at_then() -> None:
    assert waits(gate.decide(a_scene(Gate(), counts("", "s"), halts=(a_halt(1, 9),)), at(2))).next_at == at(9)


def test_max_age_fails_whatever_else_holds_and_does_not_count_halted_time() -> None:
    scene = a_scene(DEADLINE, counts("", "s"), force=FORCE)
    assert opened(gate.decide(scene, START + MAX_AGE - minutes(1))) == ("forced", False)
    assert failed(gate.decide(scene, START + MAX_AGE)).startswith("max_age")
    halted = replace(scene, halts=(a_halt(0, 60),))
    assert opened(gate.decide(halted, START + MAX_AGE + minutes(59))) == ("forced", False)
    assert failed(gate.decide(halted, START + MAX_AGE + timedelta(hours=1))).startswith("max_age")


def test_force_overrides_critical_members_veto_and_block() -> None:
    roll = counts("p", "sf")
    verdict = gate.decide(a_scene(CHECKED, roll, force=FORCE, vote=no(1), sealed=False), at(2))
    assert opened(verdict) == ("forced", True)
    assert isinstance(verdict, Open)
    assert verdict.ruling.rule == "forced by ann: the game is on"
