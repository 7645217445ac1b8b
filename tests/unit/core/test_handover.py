"""Hand-overs: sent again once, then only told; a phase that starts late has still started."""

from shotclock.core import handover
from shotclock.model import Handover
from tests.unit.core.scenes import a_halt, at, minutes

TOLD = Handover(triggered_at=at(0))
TAKEN = handover.delivered(TOLD, at(1))
WAIT = minutes(5)


def test_time_counts_from_the_delivery() -> None:
    assert handover.due_at(TOLD, (), at(60), WAIT) is None
    assert handover.due_at(TAKEN, (), at(1), WAIT) == at(6)
    assert handover.next_step(TOLD, at(60), (), WAIT) == "wait"
    assert handover.next_step(TAKEN, at(5), (), WAIT) == "wait"
    assert handover.next_step(TAKEN, at(6), (), WAIT) == "send_again"


def test_what_nobody_takes_up_is_sent_again_once_and_then_told() -> None:
    again = handover.sent_again(TAKEN, at(6))
    assert (again.state, again.sent, again.delivered_at) == ("triggered", 2, None)
    assert handover.next_step(again, at(60), (), WAIT) == "wait"
    taken = handover.delivered(again, at(7))
    assert handover.next_step(taken, at(11), (), WAIT) == "wait"
    assert handover.next_step(taken, at(12), (), WAIT) == "escalate"
    given_up = handover.unacknowledged(taken)
    assert given_up.state == "unacknowledged"
    assert handover.next_step(given_up, at(600), (), WAIT) == "wait"


def test_halted_time_does_not_count_and_nothing_is_due_under_a_halt() -> None:
    halt = a_halt(2, 12)
    assert handover.due_at(TAKEN, [halt], at(6), WAIT) is None
    assert handover.next_step(TAKEN, at(6), [halt], WAIT) == "wait"
    assert handover.due_at(TAKEN, iter([halt]), at(12), WAIT) == at(16)
    assert handover.next_step(TAKEN, at(16), iter([halt]), WAIT) == "send_again"


def test_a_phase_may_still_start_after_it_was_given_up_on() -> None:
    for known in (TOLD, TAKEN, handover.unacknowledged(TAKEN)):
        assert handover.started(known, at(9)).started_at == at(9)


def test_only_the_first_sign_of_life_counts() -> None:
    begun = handover.started(TAKEN, at(3))
    assert handover.started(begun, at(9)) == begun
    assert handover.next_step(begun, at(60), (), WAIT) == "wait"


def test_a_delivery_that_is_told_twice_or_too_late_changes_nothing() -> None:
    for known in (TAKEN, handover.started(TAKEN, at(3)), handover.unacknowledged(TAKEN)):
        assert handover.delivered(known, at(9)) == known
