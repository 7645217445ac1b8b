"""New generations: what is carried, what stays good, and what starts anew."""

from msgspec.structs import replace

from shotclock.core import generations
from shotclock.model import (
    CODE,
    ON,
    Batch,
    Counts,
    Handover,
    Importance,
    Kind,
    Note,
    Part,
    Phase,
    PhasePlan,
    PhaseState,
    Plan,
    Rule,
    Run,
    Tally,
    Task,
)
from tests.unit.core.scenes import START, at

RUN = Run(id="nba/2025-01-15", pipeline="nba", key="2025-01-15", mode="default", started_at=START)
NEXT = generations.next_run(RUN, at(60), "rerun")
PLAN = Plan(
    pipeline="nba",
    phases=(PhasePlan(name="raw"), PhasePlan(name="odds"), PhasePlan(name="features", needs=("raw",))),
)


def phase(number: int, name: str, state: PhaseState = "done") -> Phase:
    told = Handover(triggered_at=START)
    return Phase(
        id=number, run=RUN.id, name=name, index=9, state=state, version=7, started_at=START, handover=told, due_at=at(1)
    )


def codes(*kinds: Kind) -> bytes:
    return bytes(CODE[kind] for kind in kinds)


def test_the_next_generation_is_the_same_key_with_clocks_of_its_own() -> None:
    assert (NEXT.id, NEXT.generation, NEXT.started_at, NEXT.cause) == ("nba/2025-01-15#2", 2, at(60), "rerun")


def test_phases_that_do_not_stand_on_the_first_are_carried_and_the_others_wait() -> None:
    old = [phase(1, "raw"), phase(2, "odds"), phase(3, "features")]
    raw, odds, features = generations.next_phases(PLAN, NEXT, old, {"raw", "features"})
    assert raw == Phase(run=NEXT.id, name="raw", index=0)
    assert features == Phase(run=NEXT.id, name="features", index=2)
    assert (odds.id, odds.run, odds.index, odds.version, odds.state) == (0, NEXT.id, 1, 0, "done")
    assert (odds.source, odds.carried_from, odds.handover, odds.due_at) == (2, RUN.id, None, None)


def test_a_phase_that_is_new_or_was_not_done_starts_anew() -> None:
    raw, odds, _ = generations.next_phases(PLAN, NEXT, [phase(1, "raw", "failed")], {"features"})
    assert (raw.state, odds.state, raw.source) == ("waiting", "waiting", None)


def test_what_asked_for_a_flag_cannot_be_carried_without_it_nor_what_stands_on_that() -> None:
    asked = replace(phase(1, "raw"), flags={"f": Rule(split=ON), "g": Rule(split=ON)})
    old = [asked, replace(phase(2, "odds"), flags={"h": Rule(split=ON)}), phase(3, "features")]
    assert generations.without(PLAN, old, ["f"]) == {"raw", "features"}
    assert generations.without(PLAN, old, ["h", "x"]) == {"odds"}
    assert generations.without(PLAN, old, ["x"]) == frozenset()


def test_what_is_carried_twice_still_names_where_it_happened() -> None:
    carried = replace(phase(8, "odds"), source=2, carried_from=RUN.id)
    odds = generations.next_phases(PLAN, NEXT, [carried], {"raw", "features"})[1]
    assert (odds.source, odds.carried_from) == (2, RUN.id)


def test_a_phase_reopened_for_its_consolidation_keeps_its_opening() -> None:
    failed = replace(phase(3, "features", "failed"), failure="then", ended_at=at(5), opened_at=at(4))
    again = generations.reopened(failed, NEXT, 2)
    assert (again.state, again.failure, again.ended_at, again.opened_at, again.source) == (
        "opened",
        None,
        None,
        at(4),
        3,
    )


CHUNK = Task(
    phase=1,
    work="chunk",
    lo=10,
    hi=15,
    state="ended",
    token=4,
    losses=3,
    kinds=codes("succeeded", "failed", "empty", "withdrawn", "pending"),
    notes={10: Note(rows=1), 11: Note(reason="gone"), 12: Note(reason="none")},
    batches=(Batch(token=3, at=START, ranges=((10, 13),)), Batch(token=4, at=START, ranges=((11, 12),))),
)
BY_RANK: dict[int, Importance] = {0: "critical", 1: "required", 2: "optional"}


def test_satisfied_settlements_stay_good_and_the_rest_is_pending() -> None:
    [task] = generations.keep_satisfied([CHUNK], ())
    assert task.kinds == codes("succeeded", "pending", "empty", "withdrawn", "pending")
    assert (task.state, task.token, task.losses) == ("queued", 5, 0)
    assert task.notes == {10: Note(rows=1), 12: Note(reason="none")}
    assert generations.counted([task], BY_RANK) == Counts(required=Tally(succeeded=1, empty=1, withdrawn=1, pending=2))


def test_what_was_made_is_kept_only_for_those_it_still_settles() -> None:
    [task] = generations.keep_satisfied([CHUNK], {12})
    assert [batch.ranges for batch in task.batches] == [((10, 11),)]


def test_members_named_for_the_rerun_are_pending_again() -> None:
    done = replace(CHUNK, kinds=codes("succeeded", "succeeded", "empty", "withdrawn", "succeeded"))
    assert generations.keep_satisfied([done], ())[0].state == "ended"
    [task] = generations.keep_satisfied([done], {10, 14})
    assert (task.kinds.count(CODE["pending"]), task.state) == (2, "queued")


def test_a_member_from_outside_keeps_its_parts_while_it_stays_good() -> None:
    member = Task(
        phase=1,
        work="outside",
        hi=1,
        state="outside",
        kinds=codes("succeeded"),
        parts={1: Part(kind="succeeded")},
        parts_total=1,
    )
    [kept] = generations.keep_satisfied([member], ())
    assert (kept.state, kept.parts, kept.parts_total) == ("outside", member.parts, 1)
    [anew] = generations.keep_satisfied([member], {0})
    assert (anew.state, anew.parts, anew.parts_total) == ("outside", {}, None)


NAMED = Task(
    phase=1,
    work="member",
    lo=3,
    hi=4,
    state="ended",
    token=2,
    kinds=codes("succeeded"),
    notes={3: Note(rows=9)},
    batches=(Batch(token=2, at=START, ranges=((3, 4),), outputs={"staged": ["a"]}),),
)
MOVED = Task(phase=9, work="member", lo=0, hi=1, kinds=codes("pending"))


def test_a_named_member_keeps_its_settlement_wherever_it_stands_in_the_new_roll() -> None:
    kept = generations.settlement_for(MOVED, NAMED)
    assert (kept.state, kept.token, kept.kinds) == ("ended", 3, codes("succeeded"))
    assert (kept.notes, [batch.ranges for batch in kept.batches]) == ({0: Note(rows=9)}, [((0, 1),)])


def test_a_named_member_that_was_not_satisfied_is_pending_with_its_old_workers_fenced() -> None:
    kept = generations.settlement_for(MOVED, replace(NAMED, kinds=codes("failed")))
    assert kept == replace(MOVED, token=3)


def test_an_outside_member_that_said_nothing_more_stays_outside() -> None:
    outside = replace(MOVED, work="outside", state="outside")
    kept = generations.settlement_for(outside, replace(NAMED, work="outside", state="outside", notes={}, batches=()))
    assert (kept.state, kept.notes, kept.batches) == ("outside", {}, ())
