"""Flags in the store and in plans: frozen for a generation, set by version, rolled back in one commit, undone."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shotclock.errors import NotFoundError, StaleError, UsageError
from shotclock.model import OFF, ON, Deadline, Flag, FlagState, Gate, Phase, PhasePlan, Rule, Split
from tests.unit.engine.day import KEY, Day, external

RUN = f"p/{KEY}"
LATE = Gate(deadline=Deadline(after=timedelta(minutes=30)), late="rerun")


def flag(name: str, **more: object) -> Flag:
    return Flag(name=name, owner="ann", purpose="a test", **more)  # type: ignore[arg-type]  # fields of a flag


def begin(day: Day, *flags: Flag, phases: tuple[PhasePlan, ...] = (), key: str = KEY) -> str:
    return day.start(*(phases or (external("a", "b"),)), key=key, flags={one.name: one for one in flags}).id


def turn(day: Day, name: str, split: Split, **more: object) -> None:
    day.coordinator.turn_flag(name, split, actor="ann", reason="a test", **more)  # type: ignore[arg-type]  # a version


def frozen(day: Day, run: str = RUN) -> dict[str, Rule]:
    return day.store.read(lambda view: view.plan(run).frozen)


def states(day: Day) -> dict[str, FlagState]:
    return {state.name: state for state in day.store.read(lambda view: view.flags())}


def audits(day: Day) -> list[tuple[str, str, str, str]]:
    found = day.store.read(lambda view: view.entries("audit", scope="flags"))
    return [(entry.member, entry.body["what"], entry.body["before"], entry.body["after"]) for entry in found]


def test_a_generation_keeps_the_value_it_began_with(day: Day) -> None:
    begin(day, flag("f"), flag("g", binding="live"))
    turn(day, "f", ON)
    assert frozen(day) == {"f": Rule(split=OFF, version=1)}
    begin(day, flag("f"), key="2025-01-16")
    assert frozen(day, "p/2025-01-16") == {"f": Rule(split=ON, version=2, origin="set")}


def test_an_operators_new_generation_has_the_flags_of_now(day: Day) -> None:
    begin(day, flag("f"))
    turn(day, "f", Split(share=1000))
    run = day.coordinator.rerun(RUN, day.plan, "raw")
    assert frozen(day, run.id) == {"f": Rule(split=Split(share=1000), version=2, origin="set")}
    assert frozen(day) == {"f": Rule(split=OFF, version=1)}


def test_a_generation_that_a_late_report_makes_keeps_the_flags_of_the_one_before(day: Day) -> None:
    begin(day, flag("f"), phases=(external("a", "b", gate=LATE),))
    day.say("a")
    day.pass_time(minutes=31)
    turn(day, "f", ON)
    day.say("b")
    day.pass_time(minutes=11)
    assert day.run(f"{RUN}#2").cause == "late"
    assert frozen(day, f"{RUN}#2") == frozen(day) == {"f": Rule(split=OFF, version=1)}


def test_what_was_set_outlives_a_change_of_the_declaration(day: Day) -> None:
    begin(day, flag("f"))
    turn(day, "f", ON)
    begin(day, flag("f", key="item"), key="2025-01-16")
    assert states(day)["f"].declared.key == "item"
    assert (states(day)["f"].split, states(day)["f"].version) == (ON, 3)
    begin(day, flag("f", key="item"), key="2025-01-17")
    assert states(day)["f"].version == 3


def test_a_change_is_kept_with_who_made_it_why_and_from_what(day: Day) -> None:
    begin(day, flag("f"))
    turn(day, "f", ON)
    state = states(day)["f"]
    assert (state.at, state.actor, state.reason) == (day.clock.now(), "ann", "a test")
    assert audits(day) == [("f", "set", "off", "on")]


def test_a_flag_is_set_only_from_the_version_that_was_looked_at(day: Day) -> None:
    begin(day, flag("f"))
    turn(day, "f", ON, version=1)
    with pytest.raises(StaleError, match="flag f is at version 2, not 1"):
        turn(day, "f", OFF, version=1)
    assert len(audits(day)) == 1


def test_a_flag_that_nobody_declared_is_answered_with_the_nearest(day: Day) -> None:
    begin(day, flag("new_model"))
    with pytest.raises(NotFoundError, match="there is no flag new_modle; the nearest is new_model"):
        turn(day, "new_modle", ON)
    with pytest.raises(NotFoundError, match="there is no flag zzz; flags stand in a pipeline file"):
        day.coordinator.roll_back(["zzz"], actor="ann", reason="")


def test_a_combination_that_is_not_legal_is_refused_and_changes_nothing(day: Day) -> None:
    begin(day, flag("a", requires=("b",)), flag("b"), flag("c", excludes=("a",)))
    with pytest.raises(UsageError, match="a requires b, which is off"):
        turn(day, "a", ON)
    turn(day, "b", ON)
    turn(day, "a", ON)
    with pytest.raises(UsageError, match="c excludes a, which is on"):
        turn(day, "c", Split(share=1))
    assert [name for name, *_ in audits(day)] == ["b", "a"]


def test_a_rollback_turns_everything_to_safe_at_once_and_can_be_undone(day: Day) -> None:
    begin(day, flag("a"), flag("b", default=ON, safe=ON), flag("c", default=Split(share=3000)))
    turn(day, "a", ON)
    turned = day.coordinator.roll_back((), actor="ann", reason="all off")
    assert [(one.name, str(one.before), str(one.after)) for one in turned] == [("a", "on", "off"), ("c", "30%", "off")]
    assert {name: str(state.stands) for name, state in states(day).items()} == {"a": "off", "b": "on", "c": "off"}
    assert day.coordinator.roll_back((), actor="ann", reason="again") == []
    day.coordinator.bring_back((), actor="ann", reason="it was not that")
    assert {name: str(state.stands) for name, state in states(day).items()} == {"a": "on", "b": "on", "c": "30%"}
    assert day.coordinator.bring_back((), actor="ann", reason="again") == []


def test_a_rollback_of_some_leaves_the_others(day: Day) -> None:
    begin(day, flag("a", default=ON), flag("b", default=ON))
    day.coordinator.roll_back(["a"], actor="ann", reason="")
    assert {name: str(state.stands) for name, state in states(day).items()} == {"a": "off", "b": "on"}
    turn(day, "a", Split(share=100))
    assert day.coordinator.bring_back(["a"], actor="ann", reason="") == []


def mark(day: Day, *names: str) -> None:
    """Say that phases have asked for the flag."""
    for name in names:
        phase = day.phase(name)
        asked = replace(phase, flags={"f": Rule(split=ON, version=1)}, version=phase.version + 1)
        day.store.write(lambda tx, asked=asked: tx.put_phase(asked))  # type: ignore[misc]  # bound now


def test_a_new_generation_without_a_flag_carries_only_what_never_asked_for_it(day: Day) -> None:
    phases = (
        external("a", name="raw"),
        external("s", name="side"),
        external("m", name="model", needs=("raw",)),
        external("p", name="publish", needs=("model",)),
        external("w", "x", name="wide"),
    )
    begin(day, flag("f", default=ON), phases=phases)
    for member, phase in (("a", "raw"), ("s", "side"), ("m", "model"), ("w", "wide")):
        day.say(member, phase=phase)
    mark(day, "model")
    day.coordinator.roll_back(["f"], actor="ann", reason="wrong")
    run = day.coordinator.rerun_without(f"{RUN}#1", day.plan, ["f"])
    assert (run.id, run.cause, day.run().superseded) == (f"{RUN}#2", "rollback", True)
    assert frozen(day, run.id)["f"].split == OFF

    def now(name: str) -> Phase:
        return day.phase(name, run.id)

    assert [now(name).carried_from for name in ("raw", "side")] == [RUN, RUN]
    assert (now("model").state, now("model").counts.required.succeeded, now("publish").state) == (
        "active",
        0,
        "waiting",
    )
    assert (now("wide").state, now("wide").counts.required.succeeded) == ("active", 1)
    with pytest.raises(UsageError, match="is superseded"):
        day.coordinator.rerun_without(f"{RUN}#1", day.plan, ["f"])


def test_what_a_phase_keeps_in_a_new_generation_still_says_what_it_asked_for(day: Day) -> None:
    begin(day, flag("f", default=ON), phases=(external("a", "b"),))
    day.say("a")
    mark(day, "raw")
    run = day.coordinator.rerun(RUN, day.plan, "raw")
    assert day.phase("raw", run.id).flags == {"f": Rule(split=ON, version=1)}
