"""Ramps of flags: the sweep carries them on by what runs have shown, and operators are told once."""

from datetime import date, timedelta
from typing import Any

import pytest

from shotclock.core.flags import bucket
from shotclock.engine import ramping
from shotclock.engine.ramping import Order, RampView
from shotclock.errors import NotFoundError, UsageError
from shotclock.model import BUCKETS, FlagState, Metric, Split
from tests.scenarios.world import World

ITEMS = 200
FILE = """flags:
  new: {owner: models, purpose: "a new model", key: item, expires: 2025-03-01}
  other: {owner: models, purpose: "by team", key: team}
  quick: {owner: models, purpose: "now or never", key: item, binding: live}
  whole: {owner: models, purpose: "of runs"}
phases:
  predict:
    items: "here:items"
    run: "here:many"
    execution: {chunk: 100, attempts: 1}
    gate: {tolerate: {failed: 100%}}
"""
STEPS = f"""
from shotclock import Item
wrong = set()

def items(ctx):
    for number in range({ITEMS}):
        yield Item(f"i{{number}}", {{}})

def many(ctx, items):
    return {{item.id: said(ctx, item) for item in items}}

def said(ctx, item):
    has = ctx.flag("new", key=item.id) if "run" not in wrong else ctx.flag("whole")
    return Permanent("wrong") if has and wrong else Succeeded()
"""


def order(*stages: int, hold: float = 4, guards: tuple[tuple[Metric, float], ...] = (("unsatisfied", 2.0),)) -> Order:
    shares = tuple(share * 100 for share in stages or (20, 50, 100))
    return Order(stages=shares, hold=timedelta(hours=hold), guards=guards, actor="ada")


@pytest.fixture
def ready(world: World) -> World:
    world.pipeline(FILE, STEPS)
    world.coordinator.declare_flags(world.plan)
    days(world, 1)
    return world


def days(world: World, number: int) -> None:
    """Let one run a day go by."""
    for _ in range(number):
        world.coordinator.start(world.plan, world.clock.instant.date().isoformat())
        world.worker().work()
        world.leap(days=1)


def flag(world: World, name: str = "new") -> FlagState:
    (found,) = (state for state in world.store.read(lambda view: view.flags()) if state.name == name)
    assert isinstance(found, FlagState)
    return found


def ramp(world: World, name: str = "new") -> RampView:
    found = world.store.read(lambda view: ramping.view_of(view, name))
    assert isinstance(found, RampView)
    return found


def audit(world: World) -> list[tuple[Any, Any]]:
    kept = world.store.read(lambda view: view.entries("audit", scope="flags", member="new"))
    return [(entry.body["what"], entry.body["actor"]) for entry in kept]


def test_a_flag_that_does_no_harm_goes_to_everybody_by_itself_and_stays_there(ready: World) -> None:
    ready.coordinator.ramp_flag("new", order())
    assert str(flag(ready).stands) == "20%"
    shares = []
    for _ in range(150):
        days(ready, 1)
        shares.append(str(flag(ready).stands))
        if ramp(ready).ramp.state == "done":
            break
    assert list(dict.fromkeys(shares)) == ["20%", "50%", "on"]
    assert ramp(ready).ramp.state == "done"
    assert ready.alerts("ramp") == []
    assert [actor for what, actor in audit(ready) if what == "set"] == ["ada", "ramp", "ramp"]
    runs = ramp(ready).ramp.runs
    days(ready, 2)
    assert ramp(ready).ramp.runs == runs


def test_a_flag_that_breaks_units_is_given_to_nobody_within_days_and_operators_are_told_once(ready: World) -> None:
    ready.coordinator.ramp_flag("new", order())
    ready.steps.wrong.add("items")
    days(ready, 6)
    assert flag(ready).stands.is_off
    (alert,) = ready.alerts("ramp")
    has = sum(1 for number in range(ITEMS) if bucket("new", f"i{number}") < 2_000)
    runs = ramp(ready).watches[0].runs
    assert runs <= 4
    assert f"{has * runs} of {has * runs} (100.0%) with it, 0 of {(ITEMS - has) * runs} (0.0%) without" in alert["text"]
    assert ramp(ready).ramp.state == "rolled_back"
    ready.coordinator.bring_back(["new"], actor="ada", reason="it was the source")
    days(ready, 1)
    assert str(flag(ready).stands) == "20%"
    assert ready.alerts("ramp") == [alert]


def test_not_enough_evidence_stays_and_tells_how_much_more_it_takes(ready: World) -> None:
    ready.coordinator.ramp_flag("new", order())
    assert (ramp(ready).watches[0].verdict, ramp(ready).watches[0].more_runs) == ("not enough", None)
    days(ready, 3)
    (watch,) = ramp(ready).watches
    assert (watch.verdict, watch.runs) == ("not enough", 3)
    assert watch.more_runs is not None
    assert watch.more_units == watch.more_runs * ITEMS
    assert str(flag(ready).stands) == "20%"
    days(ready, watch.more_runs + 1)
    assert str(flag(ready).stands) == "50%"


def test_paused_it_stays_and_is_still_rolled_back(ready: World) -> None:
    ready.coordinator.ramp_flag("new", order(hold=0.1))
    ready.coordinator.steer_ramp("new", "pause", actor="bob", reason="a holiday")
    days(ready, 60)
    assert (ramp(ready).watches[0].verdict, str(flag(ready).stands)) == ("good", "20%")
    ready.coordinator.steer_ramp("new", "resume", actor="bob", reason="")
    ready.go(minutes=10)
    assert str(flag(ready).stands) == "50%"
    ready.coordinator.steer_ramp("new", "pause", actor="bob", reason="")
    ready.steps.wrong.add("items")
    days(ready, 8)
    assert flag(ready).stands.is_off
    assert ("ramp pause", "bob") in audit(ready)


def test_frozen_nothing_happens_by_itself(ready: World) -> None:
    ready.coordinator.ramp_flag("new", order())
    ready.coordinator.steer_ramp("new", "freeze", actor="bob", reason="we look at it")
    ready.steps.wrong.add("items")
    days(ready, 6)
    assert (ramp(ready).watches[0].verdict, str(flag(ready).stands)) == ("bad", "20%")
    ready.coordinator.steer_ramp("new", "resume", actor="bob", reason="")
    ready.go(minutes=2)
    assert flag(ready).stands.is_off


def test_who_sets_the_flag_by_hand_ends_its_ramp(ready: World) -> None:
    ready.coordinator.ramp_flag("new", order())
    ready.coordinator.turn_flag("new", Split(share=4_000), actor="cem", reason="I know better")
    ready.go(minutes=2)
    assert (ramp(ready).ramp.state, ramp(ready).ramp.ended) == ("overtaken", "cem set it to 40%")
    with pytest.raises(UsageError, match="is over: cem set it to 40%"):
        ready.coordinator.steer_ramp("new", "pause", actor="bob", reason="")
    ready.coordinator.ramp_flag("new", order(50, 100))
    assert str(flag(ready).stands) == "50%"


def test_a_flag_past_its_expiry_is_told_once(ready: World) -> None:
    ready.clock.instant = ready.clock.instant.replace(year=2025, month=3, day=1)
    ready.look()
    assert ready.alerts("flag_expired") == []
    ready.leap(days=1)
    ready.leap(days=1)
    (alert,) = ready.alerts("flag_expired")
    assert f"flag new of models has expired on {date(2025, 3, 1)}" in alert["text"]


def test_a_flag_for_whole_runs_is_judged_run_beside_run(ready: World) -> None:
    ready.coordinator.ramp_flag("whole", order(50, 100, guards=(("unsatisfied", 2.0), ("retries", 2.0))))
    ready.steps.wrong.add("run")
    for _ in range(90):
        days(ready, 1)
        if flag(ready, "whole").stands.is_off:
            break
    view = ramp(ready, "whole")
    assert view.ramp.state == "rolled_back"
    assert view.ramp.ended.startswith("bad: unsatisfied")


@pytest.mark.parametrize(
    ("name", "asked", "why"),
    [
        ("quick", order(), "quick is live"),
        ("other", order(), "other is for each team"),
        ("new", order(100), "the first one leaves units to compare with"),
        ("new", order(50, 20), "shares that rise"),
        ("new", order(guards=()), "a ramp needs guards"),
        ("new", order(guards=(("retries", 0.5),)), "above 1"),
        ("new", order(guards=(("duration", 2.0),)), "duration is known of whole runs"),
    ],
)
def test_what_cannot_be_ramped_is_refused_with_the_reason(ready: World, name: str, asked: Order, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        ready.coordinator.ramp_flag(name, asked)
    assert flag(ready, name).stands.is_off


def test_a_flag_has_one_ramp_at_a_time_and_none_to_begin_with(ready: World) -> None:
    with pytest.raises(NotFoundError, match="flag new has no ramp"):
        ramp(ready)
    ready.coordinator.ramp_flag("new", order())
    with pytest.raises(UsageError, match="is being ramped"):
        ready.coordinator.ramp_flag("new", order())
    with pytest.raises(NotFoundError, match="there is no flag nwe; the nearest is new"):
        ready.coordinator.ramp_flag("nwe", order())
    assert flag(ready).stands == Split(share=2_000)
    assert flag(ready).stands.share < BUCKETS
