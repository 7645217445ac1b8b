"""New generations: what they carry, what they do anew, and how the one before is fenced off."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shotclock.errors import UsageError
from shotclock.model import Again, Amount, Deadline, Gate, Need, Note, PartOf
from tests.unit.engine.day import KEY, Day, external, fan_out

HALF_HOUR = Gate(deadline=Deadline(after=timedelta(minutes=30)))


def test_a_rerun_carries_good_settlements_and_other_branches_and_does_the_rest_anew(day: Day) -> None:
    phases = (
        external("a", "b", gate=HALF_HOUR),
        external("x", name="side"),
        external("z", name="next", needs=("raw",)),
    )
    day.start(*phases)
    day.say("a")
    day.say("x", phase="side")
    day.pass_time(minutes=31)
    day.say("z", phase="next")
    assert day.run().state == "partial"
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "raw")
    assert run.id == f"p/{KEY}#2"
    assert day.run().superseded
    assert day.run().state == "partial"
    assert day.phase("side", run.id).carried_from == f"p/{KEY}"
    assert day.phase("raw", run.id).counts.required.succeeded == 1
    assert day.say("b").kind == "accepted"
    assert day.phase("next", run.id).state == "active"
    day.say("z", phase="next")
    assert day.run(run.id).state == "complete"


def test_a_late_report_that_satisfies_is_carried_into_the_next_generation(day: Day) -> None:
    day.start(external("a", "b", gate=HALF_HOUR))
    day.say("a")
    day.pass_time(minutes=31)
    day.say("b", rows=7)
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "raw")
    assert day.run(run.id).state == "complete"


def test_a_member_named_for_the_rerun_is_done_again_although_it_was_satisfied(day: Day) -> None:
    day.start(external("a", "b"))
    day.say("a")
    day.say("b")
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "raw", ["b"])
    counts = day.phase("raw", run.id).counts.required
    assert (counts.succeeded, counts.pending) == (1, 1)


def test_a_report_that_names_the_old_generation_is_fenced(day: Day) -> None:
    day.start(external("a", "b"))
    day.coordinator.rerun(f"p/{KEY}", day.plan, "raw")
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "raw")
    assert run.generation == 3
    assert day.say("a", run=f"p/{KEY}#2").kind == "fenced"
    assert day.say("a").kind == "accepted"


def test_a_rerun_with_other_members_keeps_by_name_what_was_good(day: Day) -> None:
    day.start(external("a", "b", "c"))
    day.say("a", rows=1)
    day.say("c", rows=3)
    plan = replace(day.plan, phases=(external("c", "d", "a"),))
    run = day.coordinator.rerun(f"p/{KEY}", plan, "raw")
    counts = day.phase("raw", run.id).counts.required
    assert (counts.succeeded, counts.pending) == (2, 1)
    assert day.say("c", rows=3).kind == "duplicate"
    day.say("d")
    assert day.run(run.id).state == "complete"


def test_a_branch_beside_the_rerun_that_was_not_over_keeps_what_was_good(day: Day) -> None:
    day.start(external("a"), external("x", "y", name="side"))
    day.say("a")
    day.say("x", phase="side")
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "raw", ["a"])
    assert day.phase("side", run.id).counts.required.succeeded == 1
    day.say("y", phase="side")
    assert day.phase("side", run.id).state == "done"


def test_items_a_worker_finished_too_late_are_carried(day: Day) -> None:
    day.start(fan_out(gate=Gate(need=Need(amount=Amount(count=2)))))
    day.enumerate(["a", "b", "c", "d"])
    first, second = day.lease()
    day.done(first)
    said = {ordinal: Note(rows=ordinal) for ordinal in range(second.lo, second.hi)}
    assert day.done(second, notes=said).kind == "late"
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "items")
    carried = day.phase("items", run.id)
    assert carried.counts.required.succeeded == 4
    task = day.store.read(lambda view: view.task_at(carried.id, second.lo))
    assert task is not None
    assert {ordinal: note.rows for ordinal, note in task.notes.items()} == {2: 2, 3: 3}


def test_a_rerun_that_is_asked_for_again_by_its_generation_makes_one(day: Day) -> None:
    day.start(external("a"))
    day.coordinator.rerun(f"p/{KEY}#1", day.plan, "raw")
    assert day.coordinator.rerun(f"p/{KEY}#1", day.plan, "raw").id == f"p/{KEY}#2"
    assert day.coordinator.rerun(f"p/{KEY}#2", day.plan, "raw").id == f"p/{KEY}#3"


def test_a_superseded_generation_is_not_rerun(day: Day) -> None:
    day.start(external("a"))
    day.coordinator.rerun(f"p/{KEY}#1", day.plan, "raw")
    day.coordinator.rerun(f"p/{KEY}#2", day.plan, "raw")
    with pytest.raises(UsageError, match="newest generation is p/2025-01-15#3"):
        day.coordinator.rerun(f"p/{KEY}#1", day.plan, "raw")


def test_a_worker_of_the_old_generation_settles_nothing_in_the_new_one(day: Day) -> None:
    day.start(fan_out())
    day.enumerate(["a", "b"])
    (task,) = day.lease()
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "items")
    assert day.done(task).kind == "late"
    assert day.phase("items", run.id).counts.required.pending == 2
    (again,) = day.lease()
    day.done(again)
    assert day.run(run.id).state == "complete"


def test_late_reports_make_one_new_generation_after_they_had_time_to_settle(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(external("a", "b", "c", gate=gate))
    day.say("a")
    day.pass_time(minutes=30)
    assert day.say("b").kind == "late"
    day.pass_time(minutes=5)
    assert day.say("c").kind == "late"
    assert not day.run().superseded
    day.pass_time(minutes=5)
    assert day.run().superseded
    assert day.run(f"p/{KEY}#2").state == "complete"


def test_an_amendment_is_told_once_to_every_phase_below_and_to_operators(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="amend")
    below = [external("z", name=name, needs=("raw",)) for name in ("left", "right")]
    day.start(external("a", "b", gate=gate), *below, external("y", name="last", needs=("left",)))
    day.say("a")
    day.pass_time(minutes=30)
    before = day.phase("left")
    for rows in (3, 4):
        assert day.say("b", rows=rows, outputs={"file": "b"}).kind == "late"
    assert day.say("a").kind == "duplicate"
    told = [message for message in day.told() if message.route == "amended"]
    assert [(message.body["phase"], message.body["member"], message.body["rows"]) for message in told] == [
        ("left", "b", 3),
        ("right", "b", 3),
    ]
    assert told[0].body["outputs"] == {"file": "b"}
    assert day.phase("left") == before
    assert day.alerts().count("amended") == 1


def test_a_late_report_while_the_consolidation_runs_makes_its_generation_after_it(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(replace(external("a", "b", gate=gate), then="x:then"))
    day.say("a")
    day.pass_time(minutes=30)
    (task,) = day.lease()
    assert day.say("b").kind == "late"
    day.pass_time(seconds=10)
    assert day.done(task).kind == "accepted"
    assert day.run().state == "partial"
    day.pass_time(minutes=10)
    assert day.run().superseded


def test_a_late_report_between_the_close_and_the_opening_does_not_put_the_opening_off(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(external("a", "b", gate=gate))
    day.say("a")
    day.clock.instant += timedelta(minutes=30)
    day.close_only()
    assert day.say("b").kind == "late"
    day.pass_time(seconds=1)
    assert day.run().state == "partial"
    day.pass_time(minutes=10)
    assert day.run().superseded


def test_a_halt_of_a_run_holds_for_its_next_generations_and_late_reruns_wait_for_its_end(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(external("a", "b", gate=gate))
    day.say("a")
    day.pass_time(minutes=30)
    day.say("b")
    day.coordinator.halt(f"p/{KEY}", actor="ops", reason="drill")
    day.pass_time(minutes=20)
    assert not day.run().superseded
    run = day.coordinator.rerun(f"p/{KEY}", day.plan, "raw")
    day.pass_time(minutes=1)
    assert day.run(run.id).state == "running"
    day.coordinator.resume(f"p/{KEY}", actor="ops")
    day.pass_time(seconds=0)
    assert day.run(run.id).state == "complete"


def test_a_late_rerun_that_somebody_was_quicker_with_is_due_no_more_whatever_is_halted(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(external("a", "b", gate=gate))
    day.say("a")
    day.pass_time(minutes=30)
    day.say("b")
    day.coordinator.rerun(f"p/{KEY}", day.plan, "raw")
    day.coordinator.halt("*", actor="ops", reason="drill")
    day.pass_time(minutes=20)
    assert (day.phase().rerun_at, day.phase().due_at) == (None, None)


def test_a_late_rerun_that_is_due_under_a_halt_is_made_after_its_end(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(external("a", "b", gate=gate))
    day.say("a")
    day.pass_time(minutes=30)
    day.say("b")
    day.coordinator.halt("*", actor="ops", reason="drill")
    day.pass_time(minutes=20)
    assert not day.run().superseded
    day.coordinator.resume("*", actor="ops")
    day.pass_time(minutes=5)
    assert day.run(f"p/{KEY}#2").state == "complete"


def test_a_late_report_for_a_phase_that_became_too_old_before_it_started_makes_a_new_generation(day: Day) -> None:
    follows = replace(external("a", "b", gate=Gate(late="rerun")), needs_previous=("raw",))
    day.start(follows, key="2025-01-14")
    day.pass_time(hours=1)
    day.start(follows, max_age=timedelta(minutes=30))
    day.pass_time(minutes=30)
    assert (day.phase().state, day.phase().started_at) == ("failed", None)
    assert day.say("a").kind == "late"
    day.pass_time(minutes=10)
    assert day.run().superseded
    assert day.run(f"p/{KEY}#2").cause == "late"


def test_a_late_part_alone_makes_no_new_generation(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")
    day.start(external("a", "b", gate=gate))
    day.say("a")
    day.pass_time(minutes=30)
    day.say("b", part=PartOf(number=1, of=3))
    day.pass_time(hours=1)
    assert not day.run().superseded


def test_doing_a_consolidation_again_starts_branches_that_had_not_started(day: Day) -> None:
    day.start(fan_out(then="x:merge", attempts=1), external("z", name="other"))
    day.enumerate(["a"])
    (chunk,) = day.lease()
    day.done(chunk)
    (then,) = day.lease()
    day.done(then, whole=Again(cause="error", reason="disk full"))
    run = day.coordinator.rerun_then(f"p/{KEY}", day.plan, "items")
    assert day.phase("other", run.id).state == "active"
