"""Phases are handed over: on time, once, with the names of who is missing, whatever is lost on the way."""

from datetime import timedelta
from unicodedata import normalize

import pytest
from msgspec.structs import replace

from shotclock import Report
from shotclock.errors import StoreUnavailableError, UsageError
from shotclock.model import PartOf
from tests.scenarios.world import NOON, World

SIX = "{" + ", ".join(f"{name}: {{external: true}}" for name in "abcdef") + "}"
NEXT = "  next: {needs: [raw], members: {n: {external: true}}}\n"
TWO = "{a: {external: true}, b: {external: true}}"


def test_a_deadline_passes_in_silence_and_the_next_phase_starts_once_knowing_who_is_missing(world: World) -> None:
    """Two of six report, then nobody ever again: the window closes two hours in, the deadline is half an hour later."""
    gate = '{deadline: {after: 30m, from: {at: "14:00"}}}'
    world.start(f"phases:\n  raw:\n    members: {SIX}\n    gate: {gate}\n{NEXT}")
    world.say("a")
    world.go(minutes=65)
    world.say("b")
    world.go(minutes=84)
    assert world.opening() is None
    world.go(minutes=1)
    opening = world.opened()
    assert (opening.reason, opening.partial, opening.at) == ("deadline", True, NOON + timedelta(minutes=150))
    assert opening.missing == ("c", "d", "e", "f")
    world.go(hours=2)
    assert [alert["names"] for alert in world.alerts("opening")] == [["c", "d", "e", "f"]]
    following = world.phase("next")
    assert (following.state, following.started_at) == ("active", opening.at)
    assert following.inherits_partial
    assert following.inherited == {"raw": ("c", "d", "e", "f")}
    assert world.handovers("next") > 0


def test_who_was_silent_for_ten_runs_is_waited_for_no_longer_and_named_until_it_reports(world: World) -> None:
    world.pipeline(f"phases:\n  raw:\n    members: {TWO}\n    gate: {{deadline: 30m}}\n")
    for day in range(1, 11):
        world.start(key=f"2025-01-{day:02}")
        world.say("a", run=f"p/2025-01-{day:02}")
        world.go(minutes=31)
        assert world.opened(run=f"p/2025-01-{day:02}").missing == ("b",)
    world.start(key="2025-01-11")
    world.look()
    assert [alert["names"] for alert in world.alerts("demoted")] == [["b"]]
    world.say("a", run="p/2025-01-11")
    opening = world.opened(run="p/2025-01-11")
    assert (opening.reason, opening.partial, opening.shortfall) == ("all", False, ("b",))
    assert world.say("b", run="p/2025-01-11").kind == "late"
    world.start(key="2025-01-12")
    world.say("a", run="p/2025-01-12")
    assert world.opening(run="p/2025-01-12") is None
    world.say("b", run="p/2025-01-12")
    assert world.opened(run="p/2025-01-12").reason == "all"


def test_a_member_that_is_left_out_is_not_waited_for(world: World) -> None:
    world.pipeline(f"modes: {{short: {{raw: [a]}}}}\nphases:\n  raw:\n    members: {TWO}\n")
    from shotclock import load  # noqa: PLC0415 - the mode is what this test is about

    world.plan = load(world.home / world.package, mode="short")
    world.start()
    assert world.say("b", run="p/2025-01-15/short").kind == "withdrawn"
    world.say("a", run="p/2025-01-15/short")
    assert world.opened(run="p/2025-01-15/short").reason == "all"


@pytest.mark.parametrize(
    ("name", "said"), [("box_scores", "box_scroes"), ("Luka Dončić", "Luka Doncic"), ("Jokić", "J\u043eki\u0107")]
)
def test_a_name_nobody_knows_never_counts_and_is_applied_when_it_is_made_an_alias(
    world: World, name: str, said: str
) -> None:
    world.start(f"phases:\n  raw:\n    members: {{{name}: {{external: true}}, b: {{external: true}}}}\n")
    for _ in range(3):
        world.say(said)
    world.go(minutes=5)
    (alert,) = world.alerts("parked")
    assert alert["names"] == [said]
    assert f"the nearest is {name}" in alert["text"]
    assert world.kinds()["pending"] == 2
    assert world.say(normalize("NFD", "b")).kind == "accepted"
    world.coordinator.alias("p/2025-01-15", "raw", said, name, actor="ann")
    assert world.opened().reason == "all"


def test_a_quorum_opens_after_its_grace_and_waits_for_a_critical_member_whatever_else_is_in(world: World) -> None:
    members = "{A: {external: true, critical: true}, B: {run: 'here:b', critical: true}, "
    members += ", ".join(f"o{number}: {{external: true, optional: true}}" for number in range(5)) + "}"
    gate = "{opens: {need: 60%, of: optional}, grace: 5m, deadline: {after: 30m, from: run_start}, hopeless: block}"
    steps = "up, later = False, datetime(2025, 1, 15, 13, tzinfo=UTC)\n"
    steps += "def b(ctx):\n    return Succeeded() if up else Empty(not_before=later)\n"
    world.start(f"phases:\n  raw:\n    members: {members}\n    gate: {gate}\n", steps)
    for member in ("A", "o0", "o1", "o2"):
        world.say(member)
    world.worker().work()
    world.go(minutes=31)
    mark = world.mark()
    assert mark.kind == "blocked"
    (alert,) = world.alerts("blocked")
    assert alert["names"] == ["B"]
    assert alert["command"] == "shotclock rerun p/2025-01-15 raw B"
    assert world.coordinator.retry("p/2025-01-15", "raw", ["B"]) == ["B"]
    world.steps.up = True
    world.worker().work()
    assert (world.opened().reason, world.opened().shortfall) == ("quorum", ("o3", "o4"))
    world.start(key="2025-01-16")
    for member in ("A", "o0", "o1", "o2"):
        world.say(member, run="p/2025-01-16")
    world.worker().work()
    world.go(minutes=4)
    assert world.opening(run="p/2025-01-16") is None
    world.go(minutes=1)
    assert world.opened(run="p/2025-01-16").reason == "quorum"


def test_optional_members_enough_for_a_quorum_block_at_once_where_a_critical_one_is_missing(world: World) -> None:
    members = "{A: {external: true, critical: true}, o0: {external: true, optional: true}}"
    world.start(
        f"phases:\n  raw:\n    members: {members}\n    gate: {{opens: {{need: 60%, of: optional}}, grace: 5m}}\n"
    )
    assert world.phase().mark is None
    world.say("o0")
    world.look()
    assert world.mark().kind == "blocked"
    (alert,) = world.alerts("blocked")
    assert (alert["names"], alert["command"]) == (["A"], "shotclock report p/2025-01-15 raw A succeeded")
    world.say("A")
    assert world.opened().reason == "all"


def test_a_hand_over_of_a_generation_that_was_superseded_is_delivered_no_more(world: World) -> None:
    world.start(f"phases:\n  raw: {{members: {{a: {{external: true}}}}}}\n{NEXT}")
    world.say("a")
    world.coordinator.rerun("p/2025-01-15", world.plan, "raw", ["a"])
    world.look()
    assert (world.handovers("next"), world.handovers("raw")) == (0, 1)


def test_a_bus_that_refuses_three_times_delays_a_hand_over_and_loses_none(world: World) -> None:
    world.start(f"phases:\n  raw: {{members: {{a: {{external: true}}}}}}\n{NEXT}")
    world.look()
    world.line.refusing = 3
    world.say("a")
    world.go(minutes=4)
    assert world.handovers("next") == 1
    handover = world.phase("next").handover
    assert handover is not None
    assert handover.state == "delivered"
    assert world.phase("next").state == "active"


def test_a_check_that_raises_keeps_the_gate_closed_and_nothing_is_marked_as_done(world: World) -> None:
    steps = "def check(ctx, ruling):\n    raise RuntimeError('the table is gone')\n"
    run = world.in_present().start(
        f"phases:\n  raw:\n    members: {TWO}\n    gate: {{check: 'here:check'}}\n{NEXT}", steps
    )
    engine = world.engine()
    for member in ("a", "b"):
        engine.coordinator.report([replace(_said(member), run=run.id)])

    def look() -> None:
        if world.phase().mark is not None:
            engine.stop()

    engine.until_over(run.id, look, timedelta(milliseconds=20))
    engine.close()
    assert "raised RuntimeError: the table is gone" in world.mark().reason
    assert (world.mark().kind, world.opening(), world.phase("next").state) == ("vetoed", None, "waiting")


def test_no_failure_leaves_an_opening_without_the_messages_that_belong_to_it(world: World) -> None:
    gate = "{deadline: {after: 30m, from: run_start}}"
    world.start(f"phases:\n  raw:\n    members: {TWO}\n    gate: {gate}\n{NEXT}")
    world.say("a")
    world.clock.instant += timedelta(minutes=31)
    failures = 0
    for world.store.fail_at in range(1, 100):
        try:
            world.coordinator.sweep()
        except* StoreUnavailableError:
            failures += 1
            told = {row[1] for table, row in world.rows() if table == "outbox"}
            has_opened = world.opening() is not None
            assert has_opened == any("opening" in key for key in told)
            assert has_opened == (world.phase("next").state == "active") == any(key == _handover(world) for key in told)
        if world.opening() is not None:
            break
    assert failures > 3


def test_a_start_that_nothing_takes_up_is_sent_again_once_and_then_told(world: World) -> None:
    world.start(f"phases:\n  raw: {{members: {{a: {{external: true}}}}}}\n{NEXT}")
    world.say("a")
    world.go(minutes=4)
    assert (world.handovers("next"), world.alerts("unacknowledged")) == (1, [])
    world.go(minutes=3)
    assert (world.handovers("next"), world.alerts("unacknowledged")) == (2, [])
    world.go(hours=3)
    (alert,) = [alert for alert in world.alerts("unacknowledged") if alert["phase"] == "next"]
    assert alert["text"].endswith("started, but nothing has taken it up")
    assert world.handovers("next") == 2


def test_a_start_that_was_lost_after_its_delivery_is_found_by_the_second_one(world: World) -> None:
    work = "  next: {needs: [raw], members: {n: 'here:n'}}\n"
    world.start(
        f"phases:\n  raw: {{members: {{a: {{external: true}}}}}}\n{work}", "def n(ctx):\n    return Succeeded()\n"
    )
    world.say("a")
    world.go(minutes=7)
    assert world.handovers("next") == 2
    world.worker().work()
    world.go(hours=1)
    assert world.run().state == "complete"
    assert [alert for alert in world.alerts("unacknowledged") if alert["phase"] == "next"] == []


def test_what_a_consumer_could_not_read_is_refused_where_it_is_made(world: World) -> None:
    steps = "def a(ctx):\n    return Succeeded(outputs={'rows': {1, 2}})\n"
    world.start("phases:\n  raw: {members: {a: 'here:a', b: {external: true}}, gate: {hopeless: open}}\n" + NEXT, steps)
    world.worker().work()
    task, _ = world.tasks()
    assert task.notes[0].reason == "outputs['rows'] is {1, 2} (set), which is not JSON"
    before = world.rows()
    for outputs, run in ({"x": "y" * 300_000}, "p/2025-01-15"), ({}, "p//x"):
        with pytest.raises(UsageError):
            world.say("b", outputs=outputs, run=run)
    assert world.rows() == before


def test_a_count_that_disagrees_with_its_rows_corrects_itself_and_the_gate_opens(world: World) -> None:
    world.start(f"phases:\n  raw:\n    members: {SIX}\n")
    for member in "abcde":
        world.say(member)
    phase = world.phase()
    wrong = replace(phase, counts=phase.counts.add("required", "pending", 2), version=phase.version + 1)
    world.store.write(lambda tx: tx.put_phase(wrong))
    world.say("f")
    world.look()
    assert world.opened().reason == "all"
    assert world.kinds() == {"succeeded": 6}
    assert len(world.alerts("recounted")) == 1


def test_one_game_of_fourteen_that_hangs_is_named_and_the_rest_goes_on(world: World) -> None:
    steps = "def games(ctx):\n    return [f'game {number}' for number in range(14)]\n"
    phase = "{items: 'here:games', external: true, gate: {deadline: 2h}}"
    world.start(f"phases:\n  raw: {phase}\n{NEXT}", steps)
    world.worker().work()
    for number in range(13):
        world.say(f"game {number}")
    world.go(hours=3)
    opening = world.opened()
    assert (opening.partial, opening.missing) == (True, ("game 13",))
    assert [alert["names"] for alert in world.alerts() if alert["phase"] == "raw"] == [["game 13"]]
    assert world.phase("next").inherited == {"raw": ("game 13",)}


def test_an_observer_that_fails_changes_no_decision(world: World, twin: World) -> None:
    for one in (world, twin):
        one.line.deaf = one is twin
        one.start(f"phases:\n  raw:\n    members: {SIX}\n    gate: {{deadline: 30m}}\n{NEXT}")
        one.say("a")
        one.say("unheard of")
        one.go(minutes=45)
        one.say("n", phase="next")
    assert world.opened() == twin.opened()
    assert (world.run().state, world.run().ended_at) == (twin.run().state, twin.run().ended_at)
    assert (len(twin.alerts()), len(world.alerts("opening"))) == (0, 1)
    twin.line.deaf = False
    twin.go(minutes=10)
    assert len(twin.alerts("opening")) == 1


def test_a_late_duplicate_after_an_opening_brings_no_alert_and_changes_nothing(world: World) -> None:
    world.start(f"phases:\n  raw:\n    members: {TWO}\n{NEXT}")
    world.say("a", rows=3)
    world.say("b")
    world.look()
    before, told = world.opened(), len(world.alerts())
    assert world.say("a", rows=3).kind == "duplicate"
    world.go(minutes=3)
    assert (world.opened(), len(world.alerts())) == (before, told)
    assert before.reason == "all"


def test_a_source_that_announces_its_files_one_by_one_settles_with_the_last_of_them(world: World) -> None:
    world.start("phases:\n  raw: {members: {box: {external: true, contract: {min_rows: 1}}}}\n" + NEXT)
    for number, rows in enumerate((0, 120), 1):
        assert world.say("box", rows=rows, part=PartOf(number=number, of=3)).kind == "accepted"
        assert world.opening() is None
    world.say("box", rows=0, part=PartOf(number=3, of=3))
    assert world.opened().reason == "all"
    assert world.tasks()[0].notes[0].rows == 120


@pytest.mark.parametrize(("policy", "state"), [("fail", "failed"), ("open", "done")])
def test_a_member_that_failed_for_good_is_decided_at_once_without_a_deadline(
    world: World, policy: str, state: str
) -> None:
    world.start(f"phases:\n  raw:\n    members: {TWO}\n    gate: {{hopeless: {policy}}}\n")
    world.say("a")
    world.say("b", "failed", reason="404")
    assert world.phase().state == state


def test_a_phase_that_waits_for_a_member_that_failed_opens_when_it_is_run_again(world: World) -> None:
    world.start(f"phases:\n  raw:\n    members: {TWO}\n    gate: {{hopeless: block}}\n")
    world.say("a")
    world.say("b", "failed", reason="404")
    world.go(hours=1)
    assert world.mark().kind == "blocked"
    assert world.coordinator.retry("p/2025-01-15", "raw") == ["b"]
    world.say("b")
    assert (world.opened().reason, world.opened().partial) == ("all", False)


def test_a_new_generation_carries_the_good_settlements_over(world: World) -> None:
    world.start(f"phases:\n  raw:\n    members: {TWO}\n")
    world.say("a")
    world.say("b", "failed", reason="404")
    assert world.run().state == "failed"
    world.coordinator.rerun("p/2025-01-15", world.plan, "raw")
    assert world.kinds(run="p/2025-01-15#2") == {"succeeded": 1, "pending": 1}
    world.say("b")
    assert world.run("p/2025-01-15#2").state == "complete"


def _said(member: str) -> Report:
    return Report(run="p/2025-01-15", phase="raw", member=member, outcome="succeeded")


def _handover(world: World) -> str:
    return f"handover:{world.phase('next').id}:1"
