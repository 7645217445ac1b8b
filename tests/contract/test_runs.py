"""Promises about runs, plans, phases and openings, kept by every store."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from shotclock.errors import NotFoundError, StaleError
from shotclock.model import (
    Amount,
    Anchor,
    Deadline,
    Execution,
    Gate,
    Need,
    Phase,
    PhasePlan,
    PhaseState,
    Plan,
    RunId,
    RunState,
)
from shotclock.ports import Store, Transaction
from tests.contract.samples import RAW, RUN, a_flag, a_message, a_phase, a_plan, a_run, add_run, an_opening, at


def test_a_run_is_found_by_its_text_form(store: Store) -> None:
    run = add_run(store)
    assert store.read(lambda tx: tx.run(RUN)) == run
    assert store.read(lambda tx: tx.run("nba/2025-01-16")) is None


def test_a_run_is_added_once_and_a_repeat_returns_the_first(store: Store) -> None:
    first = add_run(store)
    before = list(store.dump())
    other = a_run(RUN, cause="late", started_at=at(9))
    assert store.write(lambda tx: tx.add_run(other, a_plan(params={"x": 1}), [a_phase()])) == (first, False)
    assert list(store.dump()) == before


def test_adding_says_that_this_call_created_the_run(store: Store) -> None:
    assert store.write(lambda tx: tx.add_run(a_run(), a_plan(), [a_phase()])) == (a_run(), True)


def test_phases_get_numbers_of_their_own_when_the_run_is_added(store: Store) -> None:
    add_run(store, RUN, a_phase(), a_phase(name="sum", index=1))
    add_run(store, "nba/2025-01-16")
    ids = store.read(lambda tx: [phase.id for run in (RUN, "nba/2025-01-16") for phase in tx.phases(run)])
    assert len(set(ids)) == 3
    assert store.read(lambda tx: [tx.phase(number).id for number in ids]) == ids


def test_the_newest_generation_is_found_whatever_generation_is_named(store: Store) -> None:
    add_run(store, superseded=True)
    second = add_run(store, f"{RUN}#2")
    add_run(store, f"{RUN}/same_day#3")
    named = [RunId(pipeline="nba", key="2025-01-15", generation=generation) for generation in (1, 2, 7)]
    assert store.read(lambda tx: [tx.newest(identity) for identity in named]) == [second] * 3
    assert store.read(lambda tx: tx.newest(RunId(pipeline="nba", key="2025-01-1"))) is None


def test_the_run_before_is_the_newest_generation_of_the_nearest_earlier_key(store: Store) -> None:
    for text in ("nba/2025-01-09", "nba/2025-01-12", "nba/2025-01-12#2", "nba/2025-01-14/same_day", "nhl/2025-01-14"):
        add_run(store, text)
    add_run(store, f"{RUN}#2")
    before = store.read(lambda tx: tx.before(RunId.parse(f"{RUN}#3")))
    assert before is not None
    assert before.id == "nba/2025-01-12#2"
    assert store.read(lambda tx: tx.before(RunId.parse("nba/2025-01-09"))) is None


def test_runs_are_listed_the_last_started_first(store: Store) -> None:
    for day, seconds in ((1, 30), (2, 10), (3, 20), (4, 20)):
        add_run(store, f"nba/2025-01-0{day}", started_at=at(seconds))
    assert [run.key[-1] for run in store.read(lambda tx: tx.runs())] == ["1", "4", "3", "2"]
    assert [run.key[-1] for run in store.read(lambda tx: tx.runs(limit=2))] == ["1", "4"]


def test_runs_are_listed_by_pipeline_and_state_superseded_ones_only_where_asked_for(store: Store) -> None:
    add_run(store, superseded=True, state="partial")
    add_run(store, f"{RUN}#2", started_at=at(1))
    add_run(store, "nhl/2025-01-15", state="partial", started_at=at(2))

    def listed(pipeline: str | None = None, state: RunState | None = None, *, superseded: bool = False) -> list[str]:
        found = store.read(lambda tx: tx.runs(pipeline=pipeline, state=state, superseded=superseded))
        return [run.id for run in found]

    assert listed() == ["nhl/2025-01-15", f"{RUN}#2"]
    assert listed("nba") == [f"{RUN}#2"]
    assert listed("nba", superseded=True) == [f"{RUN}#2", RUN]
    assert listed(state="partial", superseded=True) == ["nhl/2025-01-15", RUN]
    assert listed("nhl", "running") == []


def test_a_run_is_replaced_whole_and_only_if_it_is_known(store: Store) -> None:
    run = add_run(store)
    ended = replace(run, state="failed", ended_at=at(3), reason="raw failed", inherits=("props",))
    store.write(lambda tx: tx.put_run(ended))
    assert store.read(lambda tx: tx.run(RUN)) == ended
    assert store.read(lambda tx: tx.runs(state="failed")) == [ended]
    assert store.read(lambda tx: tx.runs(state="running")) == []
    with pytest.raises(NotFoundError, match="nba/2025-01-16"):
        store.write(lambda tx: tx.put_run(a_run("nba/2025-01-16")))


def test_a_plan_comes_back_as_it_was_given(store: Store) -> None:
    need = Need(amount=Amount(percent=Decimal("97.5")), of="optional")
    deadline = Deadline(after=timedelta(minutes=30, microseconds=1), anchor=Anchor(kind="clock", at=at(0).time()))
    phase = PhasePlan(name="raw", gate=Gate(need=need, deadline=deadline), execution=Execution(mode="process"))
    plan = a_plan(phases=(phase,), params={"season": 2025, "teams": ["bos", "é"]}, flags={"x": a_flag("x").declared})
    store.write(lambda tx: tx.add_run(a_run(), plan, [a_phase()]))
    assert [store.read(lambda tx: tx.plan(RUN)) for _ in range(2)] == [plan, plan]
    with pytest.raises(NotFoundError, match="nba/2025-01-16"):
        store.read(lambda tx: tx.plan("nba/2025-01-16"))


def test_a_plan_of_a_run_that_was_not_kept_is_forgotten(store: Store) -> None:
    def added(tx: Transaction, plan: Plan) -> Plan:
        tx.add_run(a_run(), plan, [a_phase()])
        return tx.plan(RUN)

    def added_and_lost(tx: Transaction) -> None:
        added(tx, a_plan(params={"kept": False}))
        raise KeyError

    with pytest.raises(KeyError):
        store.write(added_and_lost)
    kept = a_plan(params={"kept": True})
    assert store.write(lambda tx: added(tx, kept)) == kept
    assert store.read(lambda tx: tx.plan(RUN)) == kept


def test_an_unknown_phase_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="7"):
        store.read(lambda tx: tx.phase(7))
    assert store.read(lambda tx: tx.phase_of(RUN, "raw")) is None
    assert store.read(lambda tx: tx.phases(RUN)) == []


def test_phases_are_found_by_name_and_in_the_plans_order(store: Store) -> None:
    add_run(store, RUN, a_phase(name="sum", index=1), a_phase(name="raw", index=0))
    phases = store.read(lambda tx: tx.phases(RUN))
    assert [phase.name for phase in phases] == ["raw", "sum"]
    assert store.read(lambda tx: tx.phase_of(RUN, "sum")) == phases[1]
    assert store.read(lambda tx: tx.phase_of(RUN, "then")) is None


def test_a_phase_is_replaced_only_at_the_version_below(store: Store) -> None:
    add_run(store)
    phase = store.read(lambda tx: tx.phase(RAW))
    newer = replace(phase, version=1, state="closing", due_at=at(4), inherited={"raw": ("props",)})
    store.write(lambda tx: tx.put_phase(newer))
    assert store.read(lambda tx: tx.phase(RAW)) == newer
    before = list(store.dump())

    def put(stale: Phase) -> None:
        with pytest.raises(StaleError, match="raw"):
            store.write(lambda tx: tx.put_phase(stale))

    for stale in (newer, replace(newer, version=3), replace(newer, version=0), replace(newer, id=99, version=2)):
        put(stale)
    assert list(store.dump()) == before


def test_a_stale_phase_that_is_caught_leaves_the_rest_of_the_transaction_alone(store: Store) -> None:
    add_run(store)

    def work(tx: Transaction) -> None:
        with pytest.raises(StaleError):
            tx.put_phase(a_phase(id=RAW, version=5))
        tx.tally(RUN, "duplicate")

    store.write(work)
    assert store.read(lambda tx: (tx.phase(RAW).version, tx.tallies(RUN))) == (0, {"duplicate": 1})


def test_due_phases_of_all_runs_are_found_the_longest_due_first(store: Store) -> None:
    add_run(store, RUN, a_phase(due_at=at(20)), a_phase(name="sum", index=1))
    add_run(store, "nhl/x", a_phase("nhl/x", due_at=at(10)), a_phase("nhl/x", "sum", index=1, due_at=at(30)))

    def due(seconds: float, limit: int = 10) -> list[str]:
        return [f"{phase.run} {phase.name}" for phase in store.read(lambda tx: tx.due(at(seconds), limit))]

    assert due(9.9) == []
    assert due(20) == ["nhl/x raw", f"{RUN} raw"]
    assert due(99, limit=1) == ["nhl/x raw"]
    assert due(99, limit=3) == ["nhl/x raw", f"{RUN} raw", "nhl/x sum"]


def test_the_next_due_instant_is_of_a_phase_or_of_an_unsent_message(store: Store) -> None:
    assert store.read(lambda tx: tx.next_due()) is None
    add_run(store, RUN, a_phase(due_at=at(20)))
    assert store.read(lambda tx: tx.next_due()) == at(20)
    store.write(lambda tx: tx.post(a_message(ready_at=at(10))))
    assert store.read(lambda tx: tx.next_due()) == at(10)
    store.write(lambda tx: tx.sent(["k"]))
    assert store.read(lambda tx: tx.next_due()) == at(20)
    store.write(lambda tx: tx.put_phase(a_phase(id=RAW, version=1)))
    assert store.read(lambda tx: tx.next_due()) is None


def test_active_phases_are_those_at_work_in_running_runs_the_oldest_run_first(store: Store) -> None:
    states: tuple[PhaseState, ...] = ("opened", "waiting", "closing", "done", "active")
    second = [a_phase(name=state, state=state, index=index) for index, state in enumerate(states)]
    add_run(store, RUN, *second, started_at=at(9))
    add_run(store, "nhl/x", a_phase("nhl/x"), started_at=at(1))
    add_run(store, "nba/over", a_phase("nba/over"), state="failed")
    add_run(store, "nba/old", a_phase("nba/old"), superseded=True)
    names = [(phase.run, phase.name) for phase in store.read(lambda tx: tx.active())]
    assert names == [("nhl/x", "raw"), (RUN, "opened"), (RUN, "closing"), (RUN, "active")]
    assert store.read(lambda tx: {phase.run for phase in tx.active("nba")}) == {RUN}


def test_unfinished_phases_are_the_active_ones_and_those_that_wait(store: Store) -> None:
    states: tuple[PhaseState, ...] = ("opened", "waiting", "closing", "done", "active", "failed", "skipped")
    add_run(store, RUN, *(a_phase(name=state, state=state, index=index) for index, state in enumerate(states)))
    add_run(store, "nba/old", a_phase("nba/old"), superseded=True)
    add_run(store, "nba/over", a_phase("nba/over"), state="complete")
    found = store.read(lambda tx: tx.unfinished())
    assert {phase.name for phase in found} == {"opened", "waiting", "closing", "active"}
    assert {phase.run for phase in found} == {RUN}


def test_the_first_opening_wins_and_a_repeat_returns_it(store: Store) -> None:
    add_run(store)
    assert store.read(lambda tx: tx.opening(RAW)) is None
    first = an_opening(missing=("props",), missing_count=1, partial=True, late_by=timedelta(seconds=1.5))
    assert store.write(lambda tx: tx.add_opening(first)) == (first, True)
    assert store.write(lambda tx: tx.add_opening(an_opening(reason="forced"))) == (first, False)
    assert store.read(lambda tx: tx.opening(RAW)) == first
