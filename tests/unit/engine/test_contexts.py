"""What a function is told: inputs, what is missing, the settlements a consolidation counts, and where it may commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from shotclock.errors import FencedError
from shotclock.model import Amount, Deadline, Gate, Member, Need, Report
from tests.unit.engine.shop import Shop

QUORUM = Gate(need=Need(amount=Amount(count=2)))


class TableShelf:
    """A warehouse that remembers what was committed under which token."""

    def __init__(self) -> None:
        self.committed: dict[str, tuple[int, int]] = {}
        self.effects: list[Any] = []

    def commit_once(self, key: str, token: tuple[int, int], effect: Callable[[Any], None]) -> bool:
        known = self.committed.get(key, (0, 0))
        if known > token:
            raise FencedError(key)
        if known == token:
            return False
        effect(self.effects)
        self.committed[key] = token
        return True

    @contextmanager
    def reading(self) -> Iterator[Any]:
        yield self.effects

    def export(self, query: str, target: Path) -> int:
        raise AssertionError(query, target)


def test_a_phase_is_given_what_its_upstream_members_made(shop: Shop) -> None:
    shop.write("""
        def one(ctx):
            ctx.stage("part.txt").write_text("x")
            return Succeeded(rows=2, outputs={"n": 1}, as_of=datetime(2025, 1, 14, tzinfo=UTC))
        def two(ctx): return Empty()
        def items(ctx): return ["a"]
        def work(ctx, items): return {"a": Succeeded()}
        def merge(ctx): return {"merged": 7}
        def look(ctx):
            raw, fan = ctx.inputs["raw"], ctx.inputs["fan"]
            one = raw.members["one"]
            staged = one.outputs.pop("staged")
            assert (one.kind, one.rows, one.outputs) == ("succeeded", 2, {"n": 1}), one
            assert one.as_of == datetime(2025, 1, 14, tzinfo=UTC)
            assert ctx.path(staged[0]).read_text() == "x"
            assert (raw.members["two"].kind, raw.partial, ctx.partial, ctx.missing) == ("empty", False, False, {})
            assert (fan.members, fan.result, fan.counts.required.succeeded) == ({}, {"merged": 7}, 1)
            assert ctx.params == {"mark": "x"}
            assert (ctx.attempt, ctx.key, ctx.mode, ctx.generation) == (1, "2025-01-15", "default", 1)
            assert ctx.deadline is not None
            return Succeeded()
    """)
    run = shop.run(
        shop.members("one", "two"),
        shop.items("items", "work", then="merge", name="fan"),
        shop.members("look", name="last", needs=("raw", "fan")),
    )
    assert run.state == "complete", shop.notes("last")


def test_a_phase_below_a_partial_one_is_told_who_is_missing(shop: Shop) -> None:
    shop.write("""
        def here(ctx): return Succeeded()
        def look(ctx):
            given = ctx.inputs["raw"]
            assert (ctx.partial, ctx.missing) == (True, {"raw": ("away",)})
            assert (given.partial, given.missing, given.members["away"].kind) == (True, ("away",), "pending")
            return Succeeded()
    """)
    gate = Gate(deadline=Deadline(after=timedelta(milliseconds=50)), expected_by=timedelta(minutes=1))
    members = (Member(name="here", run=shop.path("here")), Member(name="away"))
    run = shop.run(shop.phase(members=members, gate=gate), shop.members("look", name="next", needs=("raw",)))
    assert run.state == "partial", shop.notes("next")


def test_a_consolidation_sees_exactly_the_settlements_of_the_opening(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return (f"i{number}" for number in range(30))
        def work(ctx, items):
            ctx.stage("rows.txt").write_text(" ".join(item.id for item in items))
            said = {item.id: Succeeded(rows=1) for item in items}
            if "i4" in said:
                said["i4"] = Permanent("spoilt")
            if "i5" in said:
                said["i5"] = Skipped("no")
            return said
        def merge(ctx):
            assert ctx.opening.reason == "all"
            assert not ctx.empty
            found = list(ctx.settled())
            for settled in found:
                rows = ctx.path(settled.staged[0]).read_text().split()
                assert settled.kind == "failed" or settled.name in rows
            return {"kinds": [settled.kind for settled in found], "names": [settled.name for settled in found]}
    """)
    gate = Gate(tolerate=Amount(count=1))
    assert shop.run(shop.items("items", "work", then="merge", chunk=7, gate=gate)).state == "complete"
    kinds = ["succeeded"] * 30
    kinds[4:6] = ["failed", "skipped"]
    assert shop.result() == {"kinds": kinds, "names": [f"i{number}" for number in range(30)]}


def test_a_consolidation_runs_although_tasks_are_left_that_nobody_will_do(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return [f"i{number}" for number in range(5)]
        def work(ctx, items): return {item.id: Succeeded() for item in items}
        def merge(ctx): return {"names": [settled.name for settled in ctx.settled()]}
    """)
    phase = shop.items("items", "work", then="merge", mode="sequential", max_workers=1, gate=QUORUM)
    assert shop.run(phase).state == "partial"
    assert shop.result() == {"names": ["i0", "i1"]}
    assert shop.kinds().count("pending") == 3


def test_an_empty_roll_is_consolidated_as_empty(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return []
        def work(ctx, items): raise AssertionError
        def merge(ctx): return {"empty": ctx.empty, "reason": ctx.opening.reason}
    """)
    assert shop.run(shop.items("items", "work", then="merge")).state == "complete"
    assert shop.result() == {"empty": True, "reason": "empty"}


def test_a_consolidation_is_tried_again_and_commits_once(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a"]
        def work(ctx, items): return {"a": Succeeded()}
        def merge(ctx):
            ctx.commit_once(lambda tables: tables.append(ctx.token))
            ctx.commit_once(lambda tables: tables.append("again"))
            if ctx.attempt == 1:
                raise OSError("after the commit")
            return Succeeded(outputs={"done": True})
    """)
    shelf = TableShelf()
    run = shop.run(shop.items("items", "work", then="merge", attempts=2), warehouse=lambda _pipeline: shelf)
    assert run.state == "complete"
    assert shelf.effects == [1, 2]
    assert shelf.committed == {"shop/2025-01-15/raw": (1, 2)}
    assert shop.result() == {"done": True}


def test_nothing_is_committed_while_the_run_is_halted(shop: Shop) -> None:
    shop.write("""
        started, let_go = threading.Event(), threading.Event()
        def items(ctx): return ["a"]
        def work(ctx, items): return {"a": Succeeded()}
        def merge(ctx):
            if not started.is_set():
                started.set()
                let_go.wait()
            ctx.commit_once(lambda tables: tables.append(ctx.attempt))
    """)
    shelf = TableShelf()
    engine = shop.engine(warehouse=lambda _pipeline: shelf)
    run = shop.start(engine, shop.items("items", "work", then="merge"))
    seen: list[str] = []

    def tick() -> None:
        if not shop.steps.started.is_set():
            return
        if not seen:
            engine.coordinator.halt(run.id, actor="me", reason="wait")
            shop.steps.let_go.set()
            seen.append("halted")
        elif seen == ["halted"] and shop.phase_of().state == "opened" and not _leased(shop):
            assert shelf.effects == []
            seen.append("resumed")
            engine.coordinator.resume(run.id, actor="me")

    assert engine.until_over(run.id, tick, timedelta(milliseconds=5)).state == "complete"
    assert seen == ["halted", "resumed"]
    assert shelf.effects == [1]


def _leased(shop: Shop) -> bool:
    phase = shop.phase_of()
    return bool(shop.store.read(lambda view: view.leased(phase_id=phase.id)))


def test_a_child_process_has_no_warehouse_and_says_what_to_do_instead(shop: Shop) -> None:
    shop.write("def reads(ctx): ctx.warehouse")
    shop.run(shop.members("reads", mode="process"), warehouse=lambda _pipeline: TableShelf())
    assert shop.notes()[0].reason == "there is no warehouse here: stage files, and commit them in the phase's `then`"


def test_what_came_by_name_from_outside_is_an_input_like_any_other(shop: Shop) -> None:
    shop.write("""
        def look(ctx):
            assert dict(ctx.output("raw", "feed")) == {"url": "u"}
            return Succeeded()
    """)
    engine = shop.engine()
    feed = shop.phase(members=(Member(name="feed"),))
    run = shop.start(engine, feed, shop.members("look", name="next", needs=("raw",)))
    report = Report(run=run.id, phase="raw", member="feed", outcome="succeeded", outputs={"url": "u"})
    assert engine.coordinator.report([report])[0].kind == "accepted"
    assert engine.until_over(run.id).state == "complete", shop.notes("next")
