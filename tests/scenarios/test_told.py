"""What has happened is told once it is true, and whoever listens decides nothing."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import pytest

from shotclock import Coordinator
from shotclock.engine.telling import Audience, Facts
from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.model import Fact, Process
from shotclock.ports import Store
from tests.scenarios.world import NOON, World

FILE = """phases:
  raw: {members: {a: {external: true}, b: {external: true}}, gate: {deadline: {after: 30m, from: run_start}}}
  next: {needs: [raw], members: {n: 'here:box'}, execution: {attempts: 2}}
"""
STEPS = "def box(ctx):\n    if ctx.attempt < 2: raise ValueError('not now')\n    return Succeeded()\n"


class Ear:
    """Keeps what it hears, after a look at whether it is true already."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.heard: list[Fact] = []

    def __call__(self, facts: Sequence[Fact]) -> None:
        self.heard += facts
        if any(fact.name == "gate.opened" for fact in facts):
            assert self._world.opening() is not None

    def names(self) -> list[str]:
        return [fact.name for fact in self.heard]

    def only(self, name: str) -> Fact:
        (found,) = [fact for fact in self.heard if fact.name == name]
        return found


def heard_by(world: World, **listeners: object) -> Audience:
    audience = Audience(listeners)  # type: ignore[arg-type]  # each is called with facts
    world.coordinator = Coordinator(cast("Store", world.store), world.settings, world.clock, audience=audience)
    return audience


def test_what_a_run_goes_through_is_told_after_the_commits_that_made_it_true(world: World) -> None:
    ear = Ear(world)
    audience = heard_by(world, ear=ear)
    world.start(FILE, STEPS)
    world.say("a")
    world.say("a")
    world.say("nobody")
    world.go(minutes=31)
    opened = next(fact for fact in ear.heard if fact.name == "gate.opened")
    assert (opened.run, opened.phase, opened.reason) == ("p/2025-01-15", "raw", "deadline")
    assert (opened.more["partial"], opened.pipeline) == (True, "p")
    names = Counter(ear.names())
    assert [names[f"report.{kind}"] for kind in ("accepted", "duplicate", "parked")] == [1, 1, 1]
    assert ear.names().index("phase.closed") < ear.names().index("gate.opened") < ear.names().index("phase.done")
    assert (ear.only("run.started").reason, names["alert.raised"]) == ("started", 2)
    assert audience.failures() == {}


def test_an_opening_that_is_looked_at_too_late_says_by_how_much(world: World) -> None:
    ear = Ear(world)
    heard_by(world, ear=ear)
    world.start(FILE, STEPS)
    world.say("a")
    world.clock.instant += timedelta(minutes=31)
    world.coordinator.sweep()
    assert ear.only("gate.opened").more["late_by"] == 60


def test_many_reports_of_one_call_are_told_as_a_number(world: World) -> None:
    from shotclock import Report  # noqa: PLC0415 - beside what it is made for

    ear = Ear(world)
    heard_by(world, ear=ear)
    world.start(FILE, STEPS)
    said = Report(run="p/2025-01-15", phase="raw", member="a", outcome="succeeded")
    world.coordinator.report([said] * 100)
    assert (ear.only("report.accepted").number, ear.only("report.duplicate").number) == (1, 99)
    assert (ear.only("reports.taken").number, ear.only("reports.taken").took is not None) == (100, True)


def test_leases_retries_halts_and_the_end_of_a_run_are_told(world: World) -> None:
    ear = Ear(world)
    heard_by(world, ear=ear)
    world.start(FILE, STEPS)
    world.coordinator.halt("p", actor="ann", reason="a bad deploy")
    world.coordinator.resume("p", actor="ann")
    world.say("a")
    world.say("b")
    worker = world.worker()
    worker.work()
    world.go(minutes=2)
    worker.work()
    names = Counter(ear.names())
    assert (names["halt.begun"], names["halt.ended"], names["task.leased"], names["task.retried"]) == (1, 1, 2, 1)
    assert (ear.only("run.ended").reason, world.run().state) == ("complete", "complete")


DOOMED = """phases:
  raw:
    members: {a: 'here:bad', b: 'here:bad', c: {external: true}}
    execution: {mode: parallel, max_workers: 4, attempts: 1}
"""


def test_many_that_are_given_up_on_in_a_commit_are_told_as_a_number(world: World) -> None:
    ear = Ear(world)
    heard_by(world, ear=ear)
    world.start(DOOMED, "def bad(ctx):\n    raise ValueError('never')\n")
    world.worker().work()
    assert sum(fact.number for fact in ear.heard if fact.name == "dead_letter.kept") == 2
    facts = Facts(NOON)
    for member in ("a", "b", "c"):
        facts.kept("dead_letter", "p/1", "raw", member, {"reason": "never"})
    assert [(fact.name, fact.number) for fact in facts.all()] == [("dead_letter.kept", 3)]


def test_a_listener_that_raises_is_counted_and_disturbs_neither_the_run_nor_the_others(world: World) -> None:
    def broken(_facts: Sequence[Fact]) -> None:
        message = "a bug in an optional feature"
        raise RuntimeError(message)

    ear = Ear(world)
    audience = heard_by(world, broken=broken, ear=ear)
    world.start(FILE, STEPS)
    assert [world.say(member).kind for member in ("a", "b")] == ["accepted", "accepted"]
    assert world.opened().reason == "all"
    assert "gate.opened" in ear.names()
    failed = audience.failures()
    assert list(failed) == ["broken"]
    assert failed["broken"].error == "RuntimeError: a bug in an optional feature"
    assert failed["broken"].number > 1


def test_what_is_not_stored_is_not_told_as_true(world: World) -> None:
    ear = Ear(world)
    heard_by(world, ear=ear)
    world.start(FILE, STEPS)
    ear.heard.clear()
    world.store.fail_at = 1
    with pytest.raises(StoreUnavailableError):
        world.say("a")
    with pytest.raises(StoreUnavailableError):
        world.coordinator.beat(Process(name="h:1:1", host="h", pid=1, started_at=NOON, beat_at=NOON))
    assert ear.names() == ["reports.failed", "heartbeat.failed"]


def test_reports_of_several_callers_are_timed_by_their_commit_and_a_mistake_is_no_failure(world: World) -> None:
    from shotclock import Report  # noqa: PLC0415 - beside what it is made for

    ear = Ear(world)
    heard_by(world, ear=ear)
    world.start(FILE, STEPS)
    calls = [[Report(run="p/2025-01-15", phase="raw", member=name, outcome="succeeded")] for name in "ab"]
    world.coordinator.report_each(calls)
    taken = ear.only("reports.taken")
    assert (taken.number, taken.took is not None) == (2, True)
    ear.heard.clear()
    with pytest.raises(UsageError):
        world.say("a", run="no run at all")
    assert ear.names() == []
