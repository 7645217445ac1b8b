"""How phases open, block, fail, stall and hand over, through the coordinator, on every store."""

from datetime import timedelta

import pytest

from shotclock.errors import FencedError, UsageError
from shotclock.model import Again, Amount, Deadline, Fresh, Gate, Member, Need, PhasePlan, Report, Stall
from tests.unit.engine.day import KEY, Day, external, fan_out, held

HALF_HOUR = Gate(deadline=Deadline(after=timedelta(minutes=30)))


def test_a_missing_critical_member_blocks_and_its_coming_opens_by_the_clock_already_due(day: Day) -> None:
    day.start(external("!a", "b", "c", gate=HALF_HOUR))
    day.say("b")
    day.pass_time(minutes=31)
    phase = day.phase()
    assert phase.mark is not None
    assert phase.mark.kind == "blocked"
    assert day.alerts() == ["blocked"]
    day.say("a")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("deadline", True, ("c",))


def test_a_blocked_phase_fails_at_max_age_and_what_stands_on_it_is_skipped(day: Day) -> None:
    day.start(external("!a", gate=HALF_HOUR), external("b", name="next", needs=("raw",)), max_age=timedelta(hours=2))
    day.pass_time(minutes=31)
    day.pass_time(hours=2)
    assert (day.phase().state, day.phase("next").state) == ("failed", "skipped")
    assert day.run().state == "failed"
    assert day.say("a").kind == "late"


def test_a_required_member_that_failed_without_a_deadline_is_decided_at_once(day: Day) -> None:
    day.start(external("a", "b"), external("c", name="next", needs=("raw",)))
    day.say("a", "failed", reason="404")
    assert day.run().state == "running"
    day.say("b")
    assert day.phase().state == "failed"
    assert (day.phase().failure or "").startswith("hopeless")
    assert day.run().state == "failed"
    assert "failed" in day.alerts()


def test_hopeless_open_opens_partial_and_hopeless_block_waits_for_better_news(day: Day) -> None:
    day.start(external("a", gate=Gate(hopeless="open")), external("b", name="other", gate=Gate(hopeless="block")))
    day.say("a", "failed")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("hopeless", True, ("a",))
    day.say("b", "failed", phase="other")
    assert day.phase("other").mark is not None
    day.say("b", phase="other")
    other = day.opening("other")
    assert other is not None
    assert other.reason == "all"


def test_a_failed_member_is_pending_again_after_a_retry(day: Day) -> None:
    day.start(external("a", "b", gate=Gate(hopeless="block")))
    day.say("a", "failed")
    assert day.coordinator.retry(f"p/{KEY}", "raw") == ["a"]
    assert day.phase().counts.required.pending == 2
    day.say("b")
    with pytest.raises(UsageError, match="final"):
        day.coordinator.retry(f"p/{KEY}", "raw", ["b"])


def test_the_grace_waits_for_optional_members_and_no_longer(day: Day) -> None:
    day.start(external("!a", "?b", "?c", gate=Gate(grace=timedelta(minutes=5))))
    day.say("a")
    assert day.opening() is None
    day.pass_time(minutes=5)
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.shortfall) == ("all", False, ("b", "c"))
    assert day.alerts() == []


def test_a_quorum_opens_at_once_and_says_so(day: Day) -> None:
    day.start(external("a", "b", "c", gate=Gate(need=Need(amount=Amount(count=2)))))
    day.say("a")
    day.say("b")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("quorum", True, ("c",))


def test_force_opens_whatever_is_missing_but_not_under_a_halt(day: Day) -> None:
    day.start(external("!a", "b"))
    day.coordinator.halt("*", actor="ops", reason="drill")
    with pytest.raises(UsageError, match="halted"):
        day.coordinator.force(f"p/{KEY}", "raw", actor="ops", reason="now")
    day.coordinator.resume("*", actor="ops")
    day.coordinator.force(f"p/{KEY}", "raw", actor="ops", reason="now")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("forced", True, ("a", "b"))


def test_under_a_halt_reports_are_recorded_and_overdue_gates_are_decided_on_resume(day: Day) -> None:
    day.start(external("a", "b", gate=HALF_HOUR))
    day.say("a")
    day.coordinator.halt("p", actor="ops", reason="drill")
    day.pass_time(minutes=45)
    assert day.opening() is None
    assert day.say("b", "failed").kind == "accepted"
    assert day.opening() is None
    day.coordinator.resume("p", actor="ops")
    day.pass_time(seconds=0)
    assert day.phase().state == "failed"


def test_nothing_is_leased_under_a_halt(day: Day) -> None:
    day.start(PhasePlan(name="raw", members=(Member(name="a", run="x:y"),)))
    day.coordinator.halt(f"p/{KEY}", actor="ops", reason="drill")
    assert day.lease() == []
    day.coordinator.resume(f"p/{KEY}", actor="ops")
    assert len(day.lease()) == 1


def test_a_fan_out_counts_each_item_once_and_consolidates_before_downstream_starts(day: Day) -> None:
    day.start(fan_out(then="x:merge"), external("z", name="next", needs=("items",)))
    day.enumerate(["a", "b", "c"], ["d", "e"])
    tasks = day.lease()
    assert [(task.lo, task.hi) for task in tasks] == [(0, 2), (2, 3), (3, 5)]
    for task in tasks:
        assert day.done(task).kind == "accepted"
        assert day.done(task).kind == "duplicate"
    assert (day.phase("items").state, day.phase("next").state) == ("opened", "waiting")
    assert day.phase("items").counts.required.succeeded == 5
    (then,) = day.lease()
    day.done(then)
    assert (day.phase("items").state, day.phase("next").state) == ("done", "active")


def test_an_empty_roll_opens_at_once(day: Day) -> None:
    day.start(fan_out(), external("z", name="next", needs=("items",)))
    day.enumerate()
    opening = day.opening("items")
    assert opening is not None
    assert (opening.reason, opening.partial) == ("empty", False)
    assert day.phase("next").state == "active"


def test_an_empty_roll_fails_where_the_gate_refuses_it(day: Day) -> None:
    day.start(fan_out(gate=Gate(empty="refuse")))
    day.enumerate()
    assert (day.phase("items").failure or "").startswith("empty_not_allowed")


def test_no_rule_holds_before_the_roll_is_sealed_and_a_deadline_seals_it_first(day: Day) -> None:
    day.start(fan_out(gate=Gate(need=Need(amount=Amount(count=1)), deadline=Deadline(after=timedelta(minutes=30)))))
    (task,) = day.lease()
    day.coordinator.add_pages(held(task), 0, [[("a", None), ("b", None)]])
    (chunk,) = day.lease()
    day.done(chunk)
    assert day.opening("items") is None
    day.pass_time(minutes=30)
    opening = day.opening("items")
    assert opening is not None
    assert (opening.reason, opening.roll_incomplete, opening.partial) == ("deadline", True, True)
    with pytest.raises(FencedError):
        day.coordinator.add_pages(held(task), 1, [[("c", None)]])


def test_an_enumeration_resumed_in_another_order_is_refused(day: Day) -> None:
    day.start(fan_out())
    (task,) = day.lease()
    day.coordinator.add_pages(held(task), 0, [[("a", None)]])
    day.coordinator.add_pages(held(task), 0, [[("a", None)]])
    with pytest.raises(UsageError, match="fixed order"):
        day.coordinator.add_pages(held(task), 0, [[("b", None)]])
    assert day.phase("items").size == 1


def test_an_enumeration_resumed_with_fewer_items_fails_for_good(day: Day) -> None:
    day.start(fan_out())
    (task,) = day.lease()
    day.coordinator.add_pages(held(task), 0, [[("a", None)]])
    day.coordinator.add_pages(held(task), 1, [[("b", None)]])
    day.done(task, pages=1)
    for chunk in day.lease():
        day.done(chunk)
    assert "2 the first time" in (day.phase("items").failure or "")


def test_a_lease_that_ran_out_counts_until_the_task_is_leased_again(day: Day) -> None:
    day.start(PhasePlan(name="raw", members=(Member(name="a", run="x:y"), Member(name="b", run="x:y"))))
    (first,) = day.lease("dead")
    day.pass_time(minutes=2)
    assert day.done(first).kind == "accepted"
    (second,) = day.lease("dead")
    day.pass_time(minutes=2)
    (again,) = day.lease("alive")
    assert again.token == second.token + 1
    assert day.done(second).kind == "fenced"
    assert day.done(again).kind == "accepted"
    assert day.run().state == "complete"


def test_a_chunk_that_dies_is_halved_until_the_poisonous_item_stands_alone(day: Day) -> None:
    day.start(fan_out(chunk=4, attempts=2, gate=Gate(tolerate=Amount(count=1))))
    day.enumerate(["a", "b", "poison", "d"])
    died = Again(cause="died", reason="exit code -11")
    for _ in range(20):
        for task in day.lease():
            if task.lo <= 2 < task.hi:
                day.done(task, kind=0, whole=died)
            else:
                day.done(task)
        day.pass_time(minutes=10)
    counts = day.phase("items").counts.required
    assert (counts.succeeded, counts.failed, counts.pending) == (3, 1, 0)
    letters = day.store.read(lambda view: view.entries("dead_letter", scope=f"p/{KEY}"))
    assert [(letter.member, letter.body["reason"]) for letter in letters] == [("poison", "exit code -11")]


def test_a_stalled_phase_fences_its_tasks_and_gives_them_out_again(day: Day) -> None:
    gate = Gate(stall=Stall(after=timedelta(minutes=30)))
    day.start(PhasePlan(name="raw", members=(Member(name="a", run="x:y"),), gate=gate))
    (task,) = day.lease()
    for _ in range(6):
        day.clock.instant += timedelta(minutes=5)
        assert day.coordinator.renew([held(task)]) == []
    day.pass_time(seconds=0)
    mark = day.phase().mark
    assert mark is not None
    assert mark.kind == "stalled"
    assert day.coordinator.renew([held(task)]) == [held(task)]
    assert day.done(task).kind == "fenced"
    (again,) = day.lease()
    day.done(again)
    assert day.run().state == "complete"


def test_workers_of_a_phase_that_is_over_are_told_to_stop_and_their_reports_are_late(day: Day) -> None:
    day.start(fan_out(gate=Gate(need=Need(amount=Amount(count=2)))))
    day.enumerate(["a", "b", "c", "d"])
    first, second = day.lease()
    day.done(first)
    assert day.phase("items").state == "done"
    assert day.coordinator.renew([held(second)]) == [held(second)]
    assert day.done(second).kind == "late"
    assert day.lease() == []


def test_a_consolidation_out_of_attempts_fails_the_phase_and_can_be_done_again(day: Day) -> None:
    day.start(fan_out(then="x:merge", attempts=1), external("z", name="next", needs=("items",)))
    day.enumerate(["a"])
    (chunk,) = day.lease()
    day.done(chunk)
    (then,) = day.lease()
    day.done(then, whole=Again(cause="error", reason="disk full"))
    assert (day.phase("items").state, day.phase("next").state) == ("failed", "skipped")
    assert day.run().state == "failed"
    again = day.coordinator.rerun_then(f"p/{KEY}", day.plan, "items")
    (then,) = day.lease()
    assert then.work == "then"
    day.done(then)
    assert day.phase("items", again.id).state == "done"
    assert day.phase("next", again.id).state == "active"


def test_a_budget_that_is_spent_abandons_what_has_not_started_and_decides_at_once(day: Day) -> None:
    gate = Gate()
    day.start(
        PhasePlan(
            name="raw",
            members=tuple(Member(name=name, run="x:y") for name in "abc"),
            execution=fan_out(budget=timedelta(minutes=10)).execution,
            gate=gate,
        )
    )
    taken = day.coordinator.lease("w", {day.phase().id: 98})
    assert len(taken) == 2
    day.pass_time(minutes=10)
    for lease in taken:
        day.done(lease.task)
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("hopeless", True, ("c",))


def test_max_in_flight_holds_over_all_workers(day: Day) -> None:
    day.start(fan_out(chunk=1, max_in_flight=3))
    day.enumerate([str(number) for number in range(10)])
    assert len(day.lease("one")) == 3
    assert day.lease("two") == []


def test_stale_inputs_block_a_phase_until_it_is_forced(day: Day) -> None:
    fresh = Fresh(within=timedelta(hours=24), otherwise="block")
    after = PhasePlan(name="next", needs=("raw",), members=(Member(name="z", run="x:y"),), fresh=fresh)
    day.start(external("a"), after)
    day.say("a", as_of=day.clock.now() - timedelta(hours=25))
    mark = day.phase("next").mark
    assert mark is not None
    assert (mark.kind, day.lease()) == ("blocked", [])


def test_stale_inputs_that_are_flagged_make_the_run_partial(day: Day) -> None:
    after = PhasePlan(name="next", needs=("raw",), members=(Member(name="z"),), fresh=Fresh(within=timedelta(hours=1)))
    day.start(external("a"), after)
    day.say("a", as_of=day.clock.now() - timedelta(hours=2))
    day.say("z", phase="next")
    assert (day.run().state, day.run().reason) == ("partial", "stale_inputs: next (raw.a)")


def test_a_phase_that_reads_the_previous_run_waits_for_it_and_starts_without_one(day: Day) -> None:
    reads = PhasePlan(name="grade", needs_previous=("raw",), members=(Member(name="g"),))
    day.start(external("a"), reads, key="2025-01-14")
    assert day.phase("grade", "p/2025-01-14").absent_upstream == ("raw",)
    day.start(external("a"), reads)
    assert day.phase("grade").state == "waiting"
    day.coordinator.report(
        [
            Report(run="p/2025-01-14", phase="raw", member="a", outcome="succeeded"),
            Report(run="p/2025-01-14", phase="grade", member="g", outcome="succeeded"),
        ]
    )
    assert (day.phase("grade").state, day.phase("grade").previous) == ("active", "p/2025-01-14")


def test_a_silent_member_is_no_longer_waited_for_after_ten_runs_and_comes_back_with_a_good_report(day: Day) -> None:
    for number in range(10):
        key = f"2025-01-{number + 1:02}"
        day.start(external("a", "b", gate=HALF_HOUR), key=key)
        day.say("a", run=f"p/{key}")
        day.pass_time(minutes=31)
    assert day.alerts() == ["opening"] * 10
    day.start(external("a", "b", gate=HALF_HOUR))
    assert day.alerts()[-1] == "demoted"
    day.say("a")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.shortfall) == ("all", ("b",))
    assert day.say("b").kind == "late"
    day.start(external("a", "b", gate=HALF_HOUR), key="2025-01-16")
    assert day.phase(run_id="p/2025-01-16").counts.required.pending == 2


def test_items_listed_after_the_budget_is_spent_are_abandoned_too(day: Day) -> None:
    day.start(fan_out(budget=timedelta(minutes=10)))
    (task,) = day.lease()
    day.coordinator.add_pages(held(task), 0, [[("a", None), ("b", None)]])
    (chunk,) = day.lease()
    day.done(chunk)
    day.pass_time(minutes=11)
    (task,) = day.lease()
    day.coordinator.add_pages(held(task), 0, [[("a", None), ("b", None)]])
    day.coordinator.add_pages(held(task), 1, [[("c", None)]])
    day.done(task)
    opening = day.opening("items")
    assert opening is not None
    assert (opening.reason, opening.missing) == ("hopeless", ("c",))


def test_why_an_enumeration_failed_is_said_where_the_phase_opens_all_the_same(day: Day) -> None:
    day.start(fan_out(attempts=1, gate=Gate(hopeless="open")))
    (task,) = day.lease()
    day.coordinator.add_pages(held(task), 0, [[("a", None)]])
    day.done(task, whole=Again(cause="error", reason="ValueError: middle"))
    (chunk,) = day.lease()
    day.done(chunk)
    opening = day.opening("items")
    assert opening is not None
    assert "ValueError: middle" in opening.rule


def test_a_phase_of_the_previous_run_is_read_though_another_phase_of_it_failed(day: Day) -> None:
    reads = PhasePlan(name="grade", needs_previous=("raw", "bad"), members=(Member(name="g"),))
    phases = (external("a"), external("b", name="bad"), reads)
    day.start(*phases, key="2025-01-14")
    for phase, member, outcome in (("raw", "a", "succeeded"), ("bad", "b", "failed"), ("grade", "g", "succeeded")):
        day.say(member, outcome, phase=phase, run="p/2025-01-14")  # type: ignore[arg-type]  # outcomes as above
    day.start(*phases)
    grade = day.phase("grade")
    assert (grade.state, grade.previous, grade.absent_upstream) == ("active", "p/2025-01-14", ("bad",))
