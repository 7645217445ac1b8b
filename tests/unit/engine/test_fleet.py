"""Workers differ in what they have: tasks go only where they can be done, and views say who works and what waits."""

from datetime import timedelta

from msgspec.structs import replace

from shotclock.engine import explaining, fleet, views
from shotclock.engine.fleet import BacklogLine
from shotclock.engine.process import beaten, this_process
from shotclock.engine.reach import Reach, reach_of
from shotclock.model import Execution, Member, PhasePlan, Process
from shotclock.settings import Settings, fingerprint, shown
from tests.unit.engine.day import KEY, START, Day, fan_out

GPU = Reach(tags=frozenset({"gpu"}))
RUN = f"p/{KEY}"


def members(*needs: tuple[str, ...], tags: tuple[str, ...] = ()) -> PhasePlan:
    """Return a phase of members `m0`, `m1`…, each with its needs."""
    named = tuple(Member(name=f"m{place}", run="x:a", tags=own) for place, own in enumerate(needs))
    return PhasePlan(name="raw", members=named, execution=Execution(mode="parallel", max_workers=9, tags=tags))


def taken(day: Day, reach: Reach, owner: str = "w") -> list[int]:
    return [lease.task.lo for lease in day.coordinator.lease(owner, {}, reach)]


def one(tags: tuple[str, ...] = (), **settings: object) -> Process:
    own = Settings(**settings)  # type: ignore[arg-type]  # fields of the settings
    return this_process(START, own, kind="worker", tags=tags)


def waiting(day: Day, phase: str = "raw") -> BacklogLine:
    lines = day.store.read(lambda view: fleet.backlog(view, day.settings, day.clock.now()))
    (line,) = (line for line in lines if line.phase == phase)
    return line


def test_a_member_goes_only_to_a_worker_that_has_what_it_and_its_phase_need(day: Day) -> None:
    day.start(members((), ("gpu",), ("big", "gpu"), tags=("fast",)))
    assert taken(day, Reach(tags=frozenset({"gpu", "big"}))) == []
    assert taken(day, Reach(tags=frozenset({"fast"}))) == [0]
    assert taken(day, Reach(tags=frozenset({"fast", "gpu"}))) == [1]
    assert taken(day, Reach(tags=frozenset({"fast", "gpu", "big", "more"}))) == [2]


def test_members_that_nobody_here_can_do_keep_no_other_from_going_out(day: Day) -> None:
    day.start(members(*[("gpu",)] * 5, (), ()))
    assert taken(day, Reach(most=1)) == [5]
    assert taken(day, Reach()) == [6]


def test_items_go_only_to_a_worker_that_has_what_their_phase_needs_but_anybody_lists_and_consolidates(
    day: Day,
) -> None:
    phase = replace(fan_out(chunk=1), name="raw", then="x:then")
    day.start(replace(phase, execution=replace(phase.execution, tags=("gpu",))))
    day.enumerate(["a", "b"])
    assert day.lease() == []
    for lease in day.coordinator.lease("w", {}, GPU):
        day.done(lease.task)
    (then,) = day.lease()
    assert then.work == "then"


def test_a_worker_holds_no_more_than_its_bound_over_all_phases(day: Day) -> None:
    other = replace(members(*[()] * 5), name="other")
    day.start(members(*[()] * 5), other)
    assert len(day.coordinator.lease("w", {}, Reach(most=7))) == 7
    assert len(day.coordinator.lease("w", {1: 5, 2: 2}, Reach(most=7))) == 0
    assert len(day.coordinator.lease("w", {1: 5, 2: 1}, Reach(most=7))) == 1


def test_a_worker_of_some_pipelines_leaves_others_alone(day: Day) -> None:
    day.start(members((), ()))
    assert taken(day, Reach(pipelines=frozenset({"q"}))) == []
    assert taken(day, Reach(pipelines=frozenset({"q", "p"}))) == [0, 1]


def test_what_a_process_takes_on_is_said_by_its_settings() -> None:
    reach = reach_of(Settings(tags="gpu, big", max_tasks=3))
    assert (set(reach.tags), reach.most) == ({"gpu", "big"}, 3)


def test_what_no_living_process_can_do_is_named_until_one_comes_that_can(day: Day) -> None:
    run = day.start(members((), ("big", "gpu")))
    day.coordinator.beat(one(("gpu",)))

    def named() -> tuple[tuple[str, ...], ...]:
        now = day.clock.now()
        seen = day.store.read(lambda view: views.run_view(view, run, day.settings, now))
        told = day.store.read(lambda view: explaining.explain(view, run, "raw", day.settings, now))
        assert ("shotclock worker --tags big,gpu" in [one.command for one in told.commands]) is bool(told.lacks)
        return seen.phases[0].lacks, told.lacks, waiting(day).lacks

    assert named() == (("big, gpu",),) * 3
    able = one(("big", "gpu"))
    day.coordinator.beat(able)
    assert named() == ((),) * 3
    day.coordinator.beat(beaten(able, START, ended=True))
    assert named() == (("big, gpu",),) * 3


def test_nothing_is_named_of_tasks_that_are_done(day: Day) -> None:
    day.start(members((), ("gpu",)))
    for lease in day.coordinator.lease("w", {}, GPU):
        if lease.task.lo == 1:
            day.done(lease.task)
    assert waiting(day).lacks == ()


def test_the_backlog_counts_what_may_be_leased_what_is_held_and_since_when(day: Day) -> None:
    day.start(replace(fan_out(chunk=2), name="raw"))
    day.pass_time(seconds=10)
    assert (waiting(day).tasks, waiting(day).items, waiting(day).oldest) == (1, 0, timedelta(seconds=10))
    day.enumerate([str(number) for number in range(7)])
    day.coordinator.lease("w", {}, Reach(most=1))
    line = waiting(day)
    assert (line.pipeline, line.run, line.tasks, line.items, line.leased) == ("p", RUN, 3, 5, 1)
    day.clock.instant += day.settings.lease
    line = waiting(day)
    assert (line.tasks, line.items, line.leased) == (4, 7, 0)


def test_an_empty_backlog_has_no_age_and_that_of_a_consolidation_is_one_task(day: Day) -> None:
    day.start(replace(members(()), then="x:then"))
    (task,) = day.lease()
    assert (waiting(day).tasks, waiting(day).oldest) == (0, None)
    day.done(task)
    day.pass_time(seconds=3)
    assert (waiting(day).tasks, waiting(day).oldest) == (1, timedelta(seconds=3))
    day.lease()
    assert (waiting(day).tasks, waiting(day).leased) == (0, 1)


def test_processes_are_shown_with_what_they_hold_and_whose_settings_differ(day: Day) -> None:
    day.start(members((), ()))
    odd, *even = [one(max_tasks=7), one(("gpu",)), one()]
    for process in (odd, *even):
        day.coordinator.beat(process)
    day.coordinator.lease(odd.name, {}, Reach())
    seen = day.store.read(lambda view: fleet.processes(view, day.settings, day.clock.now()))
    assert {view.name: (view.alive, view.differs) for view in seen} == {
        odd.name: (True, True),
        even[0].name: (True, False),
        even[1].name: (True, False),
    }
    assert [(view.tags, view.held) for view in seen if view.name != even[1].name and view.differs] == [
        ((), {f"{RUN} raw": 2})
    ]


def test_a_process_is_no_longer_alive_a_lease_after_its_last_heartbeat(day: Day) -> None:
    day.coordinator.beat(one())
    for passed, alive in ((timedelta(0), True), (day.settings.lease, True), (timedelta(seconds=1), False)):
        day.clock.instant += passed
        (seen,) = day.store.read(lambda view: fleet.processes(view, day.settings, day.clock.now()))
        assert seen.alive is alive


def test_processes_that_are_gone_for_long_are_forgotten(day: Day) -> None:
    first = one()
    day.coordinator.beat(first)
    day.pass_time(hours=20)
    second = beaten(one(), day.clock.now())
    day.coordinator.beat(second)
    day.pass_time(hours=5)
    assert [process.name for process in day.store.read(lambda view: view.processes())] == [second.name]


def test_processes_agree_whatever_their_home_and_tags_are_and_differ_by_anything_else() -> None:
    plain = Settings()
    mark = fingerprint(shown(plain))
    assert mark == fingerprint(shown(Settings(tags="gpu", home=plain.home / "other", store="memory://")))
    assert mark != fingerprint(shown(Settings(max_tasks=7)))
