"""The gate, rule by rule: what opens it, what fails it, what keeps it shut, and when it is looked at again."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from shotclock.core import gate
from shotclock.core.gate import Ask, Fail, Open, Wait
from shotclock.model import (
    Amount,
    Anchor,
    Counts,
    Deadline,
    Force,
    Gate,
    Hopeless,
    Need,
    Stall,
    Tier,
    Vote,
)
from tests.unit.core.scenes import MAX_AGE, START, a_halt, a_scene, at, counts, minutes
from tests.unit.core.verdicts import DEADLINE, STALL, failed, need, opened, waits

FORCE = Force(actor="ann", reason="the game is on", at=START)


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
    emptied = a_scene(replace(GRACE, check="nba.raw:check"), counts("", "", ""), grace_since=at(5), vote=vetoed)
    assert waits(gate.decide(emptied, at(16))).grace_since is None
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


@pytest.mark.parametrize("hopeless", ["fail", "open", "block"])
def test_a_spent_budget_opens_what_is_hopeless_whatever_the_policy_says(hopeless: Hopeless) -> None:
    scene = a_scene(Gate(hopeless=hopeless), counts("", "sf"), budget_spent=True)
    assert opened(gate.decide(scene, at(1))) == ("hopeless", True)


# --- the user's check ----------------------------------------------------------------------------------------------

CHECKED = Gate(check="nba.raw:check")


def checked(rules: Gate = CHECKED, **phase: Any) -> gate.Scene:  # noqa: ANN401 - any field of a phase
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
