"""What functions, children and commands are told of flags, how old that may be, and what is kept of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from shotclock.engine import switches
from shotclock.engine.beliefs import Beliefs
from shotclock.errors import StoreUnavailableError
from shotclock.model import OFF, ON, Flag, FlagState, Gate, Member, PhasePlan, Plan, Rule, Run, Split
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings, load
from shotclock.stores.memory import MemoryStore
from tests.unit.engine.day import START
from tests.unit.engine.shop import Shop

T = TypeVar("T")


def flag(name: str, **more: object) -> Flag:
    return Flag(name=name, owner="ann", purpose="a test", **more)  # type: ignore[arg-type]  # fields of a flag


FLAGS = (
    flag("whole", default=ON),
    flag("mine", key="member", default=Split(share=5000)),
    flag("each", key="item", default=Split(share=5000)),
    flag("team", key="team", variants=("small", "large"), default=Split(value="large", share=10_000, rest="small")),
    flag("loud", binding="live"),
)


def run(shop: Shop, *phases: PhasePlan) -> Run:
    flags = {one.name: one for one in FLAGS}
    plan = Plan(pipeline="shop", folder=str(shop.folder), phases=phases, flags=flags)
    engine = shop.engine()
    return engine.until_over(engine.coordinator.start(plan, "2025-01-15")[0].id)


STEPS = """
    def ask(ctx):
        why = ctx.flag_details("whole")
        assert (why.value, why.reason, why.version) == (True, "declared", 1), why
        assert ctx.flag("mine") == ctx.flag("mine", key=ctx.member)
        assert ctx.flag("team", key="LAL") == "large"
        assert ctx.flag("loud") is False
        return Succeeded()
    def items(ctx): return [f"i{number}" for number in range(20)]
    def work(ctx, items): return {item.id: Succeeded(outputs={"has": ctx.flag("each", key=item.id)}) for item in items}
"""


@pytest.mark.parametrize("mode", ["parallel", "process"])
def test_functions_are_told_the_same_wherever_they_run_and_their_phase_says_what_they_asked(
    shop: Shop, mode: str
) -> None:
    shop.write(STEPS)
    ended = run(shop, shop.members("ask", mode=mode), shop.items("items", "work", name="fan", chunk=6, mode=mode))
    assert ended.state == "complete", shop.notes()
    assert set(shop.phase_of().flags) == {"whole", "mine", "team", "loud"}
    assert shop.phase_of("fan").flags == {"each": Rule(split=Split(share=5000), version=1)}
    has = [note.outputs["has"] for note in shop.notes("fan").values()]
    assert len(has) == 20
    assert {True, False} == set(has)
    (batch,) = shop.tasks()[0].batches
    assert batch.flags["loud"] == Rule(split=OFF, version=1)


def test_a_listing_a_check_and_a_consolidation_ask_too_and_their_phase_says_so(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a", "b"] if ctx.flag("whole") else []
        def work(ctx, items): return {item.id: Succeeded() for item in items}
        def fits(ctx, ruling): return ctx.flag("team", key="LAL") == "large"
        def merge(ctx): return {"mine": ctx.flag("mine", key="a")}
    """)
    gate = Gate(check=shop.path("fits"))
    ended = run(shop, shop.items("items", "work", then="merge", gate=gate))
    assert ended.state == "complete", shop.phase_of()
    assert shop.kinds() == ["succeeded", "succeeded"]
    assert set(shop.phase_of().flags) == {"whole", "team", "mine"}


def test_a_command_is_told_what_holds_as_it_starts_and_counts_as_having_asked(shop: Shop) -> None:
    said = """echo "{\\"outputs\\": {\\"flags\\": \\"$SHOTCLOCK_FLAGS\\"}}" """
    members = (Member(name="say", command=("sh", "-c", said)),)
    assert run(shop, shop.phase(members=members)).state == "complete", shop.notes()
    assert shop.notes()[0].outputs["flags"] in {"whole=on mine=on loud=off", "whole=on mine=off loud=off"}
    assert set(shop.phase_of().flags) == {"whole", "mine", "each", "team", "loud"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('ctx.flag("wohle")', "there is no flag 'wohle'; the nearest is whole"),
        ('ctx.flag("zzz")', "there is no flag 'zzz'; declare it under flags: in the file of shop"),
        ('ctx.flag("whole", key="x")', "flag whole is for whole runs: leave out key"),
        ('ctx.flag("each")', "flag each is for each item: say which, as ctx.flag('each', key=…)"),
    ],
)
def test_a_question_that_cannot_be_answered_fails_for_good_and_says_why(shop: Shop, asked: str, told: str) -> None:
    shop.write(f"""
        def ask(ctx):
            {asked}
            return Succeeded()
    """)
    assert run(shop, shop.members("ask")).state == "failed"
    assert told in (shop.notes()[0].reason or "")


def test_a_live_flag_is_read_when_it_is_asked_for_and_a_frozen_one_is_not(shop: Shop) -> None:
    shop.write("""
        def turn(ctx):
            before = (ctx.flag("whole"), ctx.flag("loud"))
            COORDINATOR.turn_flag("whole", OFF, actor="ann", reason="now")
            COORDINATOR.turn_flag("loud", ON, actor="ann", reason="now")
            CLOCK()
            return Succeeded(outputs={"before": before, "after": (ctx.flag("whole"), ctx.flag("loud"))})
    """)
    engine = shop.engine()
    plan = Plan(
        pipeline="shop",
        folder=str(shop.folder),
        phases=(shop.members("turn"),),
        flags={one.name: one for one in FLAGS},
    )
    started = engine.coordinator.start(plan, "2025-01-15")[0]
    beliefs = engine._beliefs  # noqa: SLF001 - what was read is forgotten, as if time had passed
    steps: Any = shop.steps
    steps.COORDINATOR, steps.ON, steps.OFF = engine.coordinator, ON, OFF
    steps.CLOCK = beliefs.forget
    assert engine.until_over(started.id).state == "complete", shop.notes()
    assert shop.notes()[0].outputs == {"before": [True, False], "after": [True, True]}
    assert shop.phase_of().flags["loud"] == Rule(split=ON, version=2, origin="set")


# --- what a process believes ---


class Blinking:
    """A store that cannot be read now and then, and a count of how often it was."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.down = False
        self.reads = 0

    def read(self, work: Callable[[Snapshot], T]) -> T:
        self.reads += 1
        if self.down:
            message = "the store is down"
            raise StoreUnavailableError(message)
        return self.inner.read(work)

    def put(self, *states: FlagState) -> "Blinking":
        for state in states:
            self.inner.write(lambda tx, state=state: tx.put_flag(state))  # type: ignore[misc]  # bound now
        return self


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for what a process believes."""
    now = [100.0]
    monkeypatch.setattr("shotclock.engine.beliefs.seconds", lambda: now[0])

    def go(seconds: float) -> None:
        now[0] += seconds

    return go


def state(name: str = "f", version: int = 1, **more: object) -> FlagState:
    return FlagState(name=name, version=version, declared=flag(name), at=START, **more)  # type: ignore[arg-type]  # fields


def settings(home: Path, **more: object) -> Settings:
    return load({"home": home, **more}, {})


def believes(store: Blinking, given: Settings) -> Beliefs:
    return Beliefs(cast("Store", store), given)


def test_nothing_is_read_again_within_the_bound_and_never_decided_by_what_is_older(
    tmp_path: Path, passed: Callable[[float], None]
) -> None:
    store = Blinking().put(state())
    beliefs = believes(store, settings(tmp_path))
    assert beliefs.rule(flag("f")) == Rule(split=OFF, version=1)
    store.put(state(version=2, split=ON))
    passed(5)
    assert (beliefs.rule(flag("f")).version, beliefs.rule(flag("g")).version, store.reads) == (1, 0, 1)
    passed(0.001)
    assert (beliefs.rule(flag("f")), store.reads) == (Rule(split=ON, version=2, origin="set"), 2)


def test_a_flag_that_cannot_be_read_within_the_bound_is_safe_until_it_can(
    tmp_path: Path, passed: Callable[[float], None]
) -> None:
    store = Blinking().put(state(split=ON))
    beliefs = believes(store, settings(tmp_path))
    assert beliefs.rule(flag("f")).split == ON
    store.down = True
    passed(4)
    assert beliefs.rule(flag("f")).split == ON
    passed(2)
    assert beliefs.rule(flag("f")) == Rule(split=OFF, origin="unreadable")
    assert beliefs.rule(flag("g", safe=ON)) == Rule(split=ON, origin="unreadable")
    assert beliefs.all() == {"f": Rule(split=OFF, version=1, origin="unreadable")}
    assert store.reads == 2
    store.down = False
    passed(1)
    assert beliefs.rule(flag("f")).split == ON


def test_a_change_of_belief_is_noticed_once_and_told(tmp_path: Path, passed: Callable[[float], None]) -> None:
    store = Blinking().put(state())
    beliefs = believes(store, settings(tmp_path))
    assert beliefs.refresh()
    assert beliefs.told() == {"f": Rule(split=OFF, version=1)}
    assert not beliefs.refresh()
    store.put(state(version=2, split=ON))
    assert not beliefs.refresh()
    passed(1)
    assert beliefs.refresh()
    assert beliefs.told() == {"f": Rule(split=ON, version=2, origin="set")}


@pytest.mark.parametrize(("text", "off"), [("f\n", "f"), ("*\n", "fg"), ("", "fg"), ("g\n\nf\n", "fg"), ("x\n", "")])
def test_the_kill_switch_is_stronger_than_the_store_and_needs_none(
    tmp_path: Path, passed: Callable[[float], None], text: str, off: str
) -> None:
    given = settings(tmp_path)
    store = Blinking().put(state("f", split=ON), state("g", split=ON))
    beliefs = believes(store, given)
    beliefs.rule(flag("f"))
    switches.kill_switch(given).write_text(text, encoding="utf-8")
    passed(6)
    assert "".join(name for name in "fg" if beliefs.rule(flag(name)).origin == "kill_switch") == off
    store.down = True
    passed(99)
    assert "".join(name for name in "fg" if beliefs.rule(flag(name)).origin == "kill_switch") == off


def test_a_kill_switch_that_cannot_be_read_is_on(tmp_path: Path) -> None:
    given = settings(tmp_path)
    switches.kill_switch(given).write_bytes(b"\xff\xfe")
    assert switches.read(given, []).kills("anything")


def test_the_setting_kills_too_and_an_alias_sets_a_flag_for_its_process(tmp_path: Path) -> None:
    given = settings(tmp_path, flags_off="f, g")
    named = flag("h", alias="ENABLE_H")
    found = switches.read(given, [named], {"ENABLE_H": "on", "OTHER": "on"})
    assert [found.kills(name) for name in "fgh"] == [True, True, False]
    assert found.given == {"ENABLE_H": "on"}


def test_the_kill_switch_is_thrown_and_taken_back_by_name(tmp_path: Path) -> None:
    given = settings(tmp_path / "new")
    assert switches.kill(given, ["f"]) == {"f"}
    assert switches.kill(given, ["g"]) == {"f", "g"}
    assert switches.revive(given, ["f"]) == {"g"}
    assert switches.revive(given, ["*"]) == frozenset()
    assert not switches.kill_switch(given).exists()
    assert switches.revive(given, ["f"]) == frozenset()
