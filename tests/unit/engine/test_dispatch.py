"""What goes out and when: refusing workers are given less, errors that repeat are held up, fruitless recovery ends."""

from datetime import timedelta

from msgspec.structs import replace

from shotclock.model import Again, Execution, Gate, Member, PhasePlan, Stall, Task
from tests.unit.engine.day import Day, fan_out

ERROR = Again(cause="error", reason="no connection to 10.0.0.1")
REFUSED = Again(cause="retry", reason="cold")


def processor(name: str, attempts: int = 100, **more: object) -> PhasePlan:
    execution = Execution(mode="parallel", max_workers=10, attempts=attempts)
    return PhasePlan(name="raw", members=(Member(name=name, run="x:a"),), execution=execution, **more)  # type: ignore[arg-type]  # fields


def failing(day: Day, task: Task) -> None:
    assert day.done(task, 0, whole=ERROR).kind == "accepted"


def test_a_member_that_fails_with_the_same_error_over_and_over_is_held_up_with_one_alert(day: Day) -> None:
    day.start(processor("box"))
    for _ in range(5):
        (task,) = day.lease()
        failing(day, task)
        day.pass_time(seconds=20)
    assert day.alerts() == ["breaker"]
    assert day.lease() == []
    day.pass_time(seconds=281)
    (task,) = day.lease()
    failing(day, task)
    day.pass_time(seconds=299)
    assert day.lease() == []
    day.pass_time(seconds=1)
    (task,) = day.lease()
    day.done(task)
    assert day.alerts() == ["breaker"]
    assert day.run().state == "complete"


def test_an_operator_who_asks_for_another_attempt_gets_it_at_once(day: Day) -> None:
    day.start(processor("box", 5, gate=Gate(hopeless="block")))
    for _ in range(5):
        failing(day, day.lease()[0])
        day.pass_time(seconds=20)
    assert day.phase().breakers[0].until is not None
    day.coordinator.retry("p/2025-01-15", "raw")
    assert day.phase().breakers == {}
    assert len(day.lease()) == 1


def test_items_that_all_fail_alike_are_held_up_together_and_one_task_tries_for_all(day: Day) -> None:
    day.start(replace(fan_out(chunk=1, attempts=9), name="raw"))
    day.enumerate([str(number) for number in range(60)])
    tasks = day.lease()
    assert len(tasks) == 60
    for task in tasks[:50]:
        failing(day, task)
    assert day.alerts() == ["breaker"]
    day.pass_time(minutes=4)
    assert day.lease() == []
    day.pass_time(minutes=1)
    trial = day.lease()
    assert len(trial) == 1
    assert day.lease() == []
    day.done(trial[0])
    assert day.phase().breakers == {}
    assert len(day.lease()) == 59


def test_a_success_between_failures_holds_nobody_up(day: Day) -> None:
    day.start(replace(fan_out(chunk=1, attempts=1), name="raw"))
    day.enumerate([str(number) for number in range(90)])
    for number, task in enumerate(day.lease()):
        if number % 10:
            failing(day, task)
        else:
            day.done(task)
    assert day.phase().state == "failed"
    assert day.alerts() == ["failed"]


def test_workers_that_refuse_are_given_less_and_more_again_when_they_answer(day: Day) -> None:
    day.start(replace(fan_out(chunk=1), name="raw"))
    day.enumerate([str(number) for number in range(300)])
    for task in day.lease():
        day.done(task, 0, whole=REFUSED)
    assert day.lease() == []
    day.pass_time(seconds=1)
    first = day.lease()
    assert len(first) == 50
    for task in first:
        day.done(task)
    assert len(day.lease()) == 100


def test_several_workers_begin_with_what_one_of_them_takes(day: Day) -> None:
    few = replace(fan_out(chunk=1), name="raw", execution=Execution(mode="parallel", max_workers=2))
    day.start(few)
    day.enumerate([str(number) for number in range(30)])
    tasks = day.lease("one")
    assert (len(tasks), len(day.lease("two"))) == (2, 0)
    for task in tasks:
        day.done(task)
    assert [len(day.lease(owner)) for owner in ("one", "two", "three")] == [2, 2, 0]
    day.pass_time(seconds=1)
    assert len(day.lease("three")) == 2


def test_queueing_tasks_again_that_twice_changed_nothing_is_suspended_and_told(day: Day) -> None:
    stalling = Gate(stall=Stall(after=timedelta(minutes=30)))
    day.start(processor("box", gate=stalling))
    for _ in range(4):
        (task,) = day.lease()
        day.done(task, 0, whole=REFUSED)
        day.pass_time(minutes=31)
    assert day.alerts() == ["stalled", "stalled"]  # that it is stuck, and that nothing more is done about it
    mark = day.phase().mark
    assert mark is not None
    assert mark.reason.startswith("suspended: nothing moved")
    (task,) = day.lease()
    day.done(task)
    assert day.run().state == "complete"
