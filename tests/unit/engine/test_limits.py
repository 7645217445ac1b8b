"""Limits that are nearly reached are told once, durably; deadlines reach whatever a task starts."""

import json
import sys
from datetime import datetime, timedelta

from msgspec.structs import replace

from shotclock.context import Assignment, Context
from shotclock.engine import explaining
from shotclock.engine.assign import Assigner
from shotclock.engine.desk import Question
from shotclock.engine.doctor import examine
from shotclock.model import Again, Anchor, Deadline, Execution, Gate, Member, PhasePlan, TaskReport
from shotclock.settings import Settings
from tests.unit.engine.day import KEY, START, Day, external, fan_out
from tests.unit.engine.shop import Shop

RUN = f"p/{KEY}"
TEN = timedelta(minutes=10)


def ours(**more: object) -> PhasePlan:
    members = (Member(name="a", run="x:a"), Member(name="b", run="x:b", timeout=timedelta(minutes=1)))
    execution = Execution(mode="parallel", max_workers=2)
    return PhasePlan(name="raw", members=members, execution=execution, **more)  # type: ignore[arg-type]  # fields


def near(day: Day, name: str = "raw") -> tuple[str, ...]:
    """Return what an explanation says was nearly reached."""
    run = day.run()
    return day.store.read(lambda view: explaining.explain(view, run, name, day.settings, day.clock.now()).near)


def findings(day: Day) -> dict[str, str]:
    found = day.store.read(lambda view: examine(view, day.settings, day.clock.now(), lambda _name: True))
    return {finding.where: finding.text for finding in found if finding.kind == "limit"}


def test_a_task_that_used_four_fifths_of_its_timeout_is_told_and_one_that_used_less_is_not(day: Day) -> None:
    day.start(ours())
    a, b = day.lease()
    day.pass_time(seconds=47)
    assert day.done(b).kind == "accepted"
    assert (near(day), findings(day)) == ((), {})
    day.pass_time(minutes=7, seconds=13)
    assert day.done(a).kind == "accepted"
    text = "a used 8m of 10m: 80 % of the timeout of a task"
    assert (near(day), findings(day)) == ((text,), {f"{RUN} raw": text})


def test_a_members_own_timeout_counts_where_it_has_one(day: Day) -> None:
    day.start(ours())
    _, b = day.lease()
    day.pass_time(seconds=48)
    assert day.done(b).kind == "accepted"
    assert near(day) == ("b used 48s of 1m: 80 % of the timeout of a task",)


def test_many_that_come_near_are_one_line_which_changes_only_as_they_come_a_tenth_nearer(day: Day) -> None:
    day.start(fan_out(chunk=1, timeout=TEN))
    day.enumerate([f"i{number}" for number in range(6)])
    tasks = day.lease() + day.lease() + day.lease()
    versions = []
    for minutes, task in zip((8, 0.5, 0.4, 0.2, 0), tasks, strict=False):
        day.pass_time(minutes=minutes)
        assert day.done(task).kind == "accepted"
        versions.append(near(day, "items"))
    assert len(tasks) >= 5
    assert versions[0] == versions[1] == ("items 0-0 used 8m of 10m: 80 % of the timeout of a task",)
    assert versions[3] == versions[4] == ("items 3-3 used 9m6s of 10m: 91 % of the timeout of a task",)


def test_a_task_that_was_cut_at_its_timeout_is_a_failed_attempt_and_no_warning(day: Day) -> None:
    day.start(ours())
    a, _ = day.lease()
    day.pass_time(minutes=10)
    cut = Again(cause="timed_out", reason="cut")
    report = TaskReport(phase=a.phase, work="member", lo=0, token=a.token, whole=cut)
    assert day.coordinator.task_report(report).kind == "accepted"
    assert near(day) == ()


def test_a_phase_that_opens_late_before_its_deadline_is_told_and_one_whose_deadline_comes_near_too(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=TEN, anchor=Anchor(kind="run_start")))
    day.start(external("a", "b", gate=gate))
    day.pass_time(minutes=7)
    assert findings(day) == {}
    day.pass_time(minutes=1, seconds=30)
    text = "85 % of its deadline of 10m is over, and 2 members are pending"
    assert findings(day) == {f"{RUN} raw": text}
    day.say("a")
    day.say("b")
    assert near(day) == ("raw used 8m30s of 10m: 85 % of the phase's deadline",)


def test_a_phase_that_opened_by_its_deadline_is_told_by_its_opening_alone(day: Day) -> None:
    day.start(external("a", gate=Gate(deadline=Deadline(after=TEN, anchor=Anchor(kind="run_start")))))
    day.pass_time(minutes=10)
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, near(day)) == ("deadline", ())


def test_a_check_that_took_most_of_its_time_is_told(day: Day) -> None:
    day.start(external("a", gate=Gate(check="x:fine")))
    day.say("a")
    asked = day.phase()
    day.pass_time(seconds=27)
    question = Question(phase=asked.id, function="x:fine", ruling=None)  # type: ignore[arg-type]  # not looked at
    day.coordinator.vote(question, yes=True, reason="", asked=asked)
    assert near(day) == ("x:fine used 27s of 30s: 90 % of the time that a check has",)


def test_a_run_that_nears_its_greatest_age_is_told_halted_time_not_counted(day: Day) -> None:
    day.start(external("a"), max_age=timedelta(hours=10))
    day.coordinator.halt("*", actor="me", reason="pause")
    day.pass_time(hours=9)
    assert findings(day) == {}
    day.coordinator.resume("*", actor="me")
    day.pass_time(hours=8)
    assert findings(day) == {RUN: "it has run for 8h, 80 % of max_age (10h), and fails then"}


def test_a_pipeline_that_has_parked_most_of_what_it_may_is_told(day: Day) -> None:
    day.settings = Settings(parked=5)
    day.start(external("a"))
    for number in range(4):
        assert day.say(f"nobody{number}").kind == "parked"
    assert findings(day) == {"p": "4 reports are parked, of 5 that may be; further ones are refused then"}


# --- deadlines that reach whatever a task starts ----------------------------------------------------------------------


def deadlines(day: Day, *, minutes: float = 0) -> dict[str, datetime | None]:
    """Return until when the answers of the tasks that are leased now count, by member."""
    day.pass_time(minutes=minutes)
    jobs = Assigner(day.store, day.settings).jobs(day.coordinator.lease("w", {}))
    return {job.assignment.member: job.assignment.deadline for job in jobs}


def gate(after: timedelta, **more: object) -> Gate:
    return Gate(deadline=Deadline(after=after, anchor=Anchor(kind="run_start"), **more))  # type: ignore[arg-type]  # fields


def test_a_task_is_told_the_earliest_of_its_timeout_its_phases_deadline_and_the_runs_greatest_age(day: Day) -> None:
    day.start(ours(gate=gate(timedelta(minutes=5))), max_age=timedelta(hours=2))
    assert deadlines(day, minutes=1) == {"a": START + timedelta(minutes=5), "b": START + timedelta(minutes=2)}


def test_the_greatest_age_of_the_run_bounds_what_no_deadline_does(day: Day) -> None:
    day.start(ours(), max_age=timedelta(minutes=8))
    assert deadlines(day) == {"a": START + timedelta(minutes=8), "b": START + timedelta(minutes=1)}


def test_a_deadline_that_nobody_is_left_out_at_bounds_no_task(day: Day) -> None:
    day.start(ours(gate=gate(timedelta(minutes=5), then="block")))
    assert deadlines(day)["a"] == START + TEN


def test_a_deadline_bounds_no_critical_member_and_none_once_it_has_passed(day: Day) -> None:
    phase = ours(gate=gate(timedelta(minutes=5)))
    critical = replace(phase.members[0], importance="critical")
    day.start(replace(phase, members=(critical, phase.members[1])))
    assert deadlines(day, minutes=1)["a"] == START + timedelta(minutes=11)
    day.pass_time(minutes=5)
    assert deadlines(day)["b"] == START + timedelta(minutes=7)


def test_every_chunk_of_a_fan_out_is_told_its_phases_deadline(day: Day) -> None:
    day.start(fan_out(chunk=1, gate=gate(timedelta(minutes=3))))
    day.enumerate(["a", "b"])
    assert set(deadlines(day, minutes=1).values()) == {START + timedelta(minutes=3)}


def test_the_time_that_remains_is_never_negative_and_never_more_than_asked_for() -> None:
    told = Assignment(
        run=RUN,
        pipeline="p",
        key=KEY,
        mode="default",
        generation=1,
        phase="raw",
        work="member",
        lo=0,
        member="a",
        token=1,
        attempt=1,
        home=".",
        deadline=START + TEN,
    )
    assert Context(told, now=lambda: START).remaining() == TEN
    assert Context(told, now=lambda: START).remaining(timedelta(seconds=3)) == timedelta(seconds=3)
    assert Context(told, now=lambda: START + 2 * TEN).remaining() == timedelta(0)
    assert Context(replace(told, deadline=None)).remaining(TEN) == TEN


def test_functions_children_and_commands_of_a_phase_with_a_deadline_see_the_time_that_is_left(shop: Shop) -> None:
    shop.write("""
        import os, subprocess, sys
        def left(ctx):
            return Succeeded(outputs={"left": ctx.remaining().total_seconds(), "deadline": ctx.deadline.isoformat()})
        def child(ctx):
            ask = "import os; print(os.environ['SHOTCLOCK_DEADLINE'])"
            said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
            return Succeeded(outputs={"deadline": said.stdout.strip(), "left": ctx.remaining().total_seconds()})
    """)
    bound = gate(timedelta(seconds=50))
    script = 'import json, os; print(json.dumps({"outputs": {"deadline": os.environ["SHOTCLOCK_DEADLINE"]}}))'
    program = Member(name="program", command=(sys.executable, "-c", script))
    thread = replace(shop.members("left", name="thread", gate=bound), members=(*shop.members("left").members, program))
    assert shop.run(thread, shop.members("child", name="process", mode="process", gate=bound)).state == "complete"
    said = [note.outputs for name in ("thread", "process") for note in shop.notes(name).values()]
    run = shop.store.read(lambda view: view.run("shop/2025-01-15"))
    assert run is not None
    due = run.started_at + timedelta(seconds=50)
    assert all(abs(datetime.fromisoformat(one["deadline"]) - due) <= timedelta(milliseconds=1) for one in said), said
    assert [0 < one["left"] < 50 for one in said if "left" in one] == [True, True], json.dumps(said)
