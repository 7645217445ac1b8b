"""A phase over many items: every one of them counts once, whatever workers, messages and the store do."""

import random
from datetime import timedelta

import pytest

from shotclock.errors import StoreUnavailableError
from tests.scenarios.world import NOON, World

NEXT = "  next: {needs: [items], members: {n: {external: true}}}\n"
STEPS = """
number = 10
def players(ctx):
    return [f"player {one}" for one in range(number)]
def work(ctx, items):
    return {item.id: Succeeded() for item in items}
"""


def fan_out(execution: str = "{mode: parallel, max_workers: 10}", rest: str = "", number: int = 10) -> tuple[str, str]:
    """Return a pipeline whose phase `items` works on players, and its functions."""
    phase = f"items: 'here:players', run: 'here:work', execution: {execution}{rest}"
    return f"phases:\n  items: {{{phase}}}\n{NEXT}", STEPS.replace("number = 10", f"number = {number}")


def test_in_flight_stays_at_the_limit_over_all_workers_and_everybody_ends(world: World) -> None:
    world.start(*fan_out("{mode: parallel, max_workers: 60, max_in_flight: 100}", number=220))
    workers = [world.worker(f"w{number}") for number in range(4)]
    workers[0].step()
    most, going = 0, [(worker, lease) for worker in workers for lease in worker.take()]
    while going:
        phase = world.phase("items")
        most = max(most, len(world.store.read(lambda view, phase=phase: view.leased(phase_id=phase.id))))
        worker, lease = going.pop(0)
        worker.tell(worker.answer(lease))
        world.clock.instant += timedelta(milliseconds=200)
        going += [
            (worker, lease) for worker in workers for lease in worker.take(sum(one is worker for one, _ in going))
        ]
    assert most == 100
    assert world.opened("items").counts.satisfied == 220
    assert world.kinds("items") == {"succeeded": 220}


def test_cold_workers_that_refuse_are_given_less_until_they_are_warm_and_nothing_is_lost(world: World) -> None:
    cold = "until = None\ndef work(ctx, items):\n"
    cold += "    if until():\n        raise Retry('cold')\n    return {item.id: Succeeded() for item in items}\n"
    file, steps = fan_out("{mode: parallel, max_workers: 20, attempts: 2}", number=154)
    world.start(file, steps + cold)
    worker, attempts = world.worker(), []
    worker.step()
    world.steps.until = lambda: world.clock.instant < NOON + timedelta(seconds=2)
    while world.opening("items") is None:
        attempts.append(worker.step())
        world.clock.instant += timedelta(milliseconds=100)
        assert world.clock.instant < NOON + timedelta(seconds=30)
    assert world.kinds("items") == {"succeeded": 154}
    assert sum(attempts) - 154 <= 40
    assert world.store.read(lambda view: view.entries("dead_letter", scope="p/2025-01-15")) == []


def test_impossible_items_are_skipped_at_once_and_the_phase_completes_with_the_rest(world: World) -> None:
    skips = "def work(ctx, items):\n"
    skips += "    return {i.id: Skipped('no history') if int(i.id[7:]) % 8 == 0 else Succeeded() for i in items}\n"
    file, steps = fan_out("{mode: parallel, max_workers: 10, chunk: 10}", number=136)
    world.start(file, steps + skips)
    assert world.worker().work() == 1 + 14
    assert world.kinds("items") == {"succeeded": 119, "skipped": 17}
    opening = world.opened("items")
    assert (opening.reason, opening.partial) == ("all", False)


def test_an_item_that_a_worker_passes_over_is_given_again_and_named_while_it_is_missing(world: World) -> None:
    passes = "given = []\ndef work(ctx, items):\n    given.extend(item.id for item in items)\n"
    passes += (
        "    return {item.id: Succeeded() for item in items if item.id != 'player 3' or given.count('player 3') > 2}\n"
    )
    file, steps = fan_out("{chunk: 5}", ", gate: {deadline: {after: 30m, from: run_start}}")
    world.start(file, steps + passes)
    worker = world.worker()
    worker.work()
    assert world.kinds("items") == {"succeeded": 9, "pending": 1}
    world.go(minutes=1)
    worker.work()
    assert world.opening("items") is None
    world.go(minutes=1)
    worker.work()
    assert world.opened("items").reason == "all"
    assert world.steps.given.count("player 3") == 3


def test_who_was_never_reported_is_named_at_the_deadline(world: World) -> None:
    file, steps = fan_out("{chunk: 2, attempts: 100}", ", gate: {deadline: {after: 30m, from: run_start}}")
    world.start(file, steps + "def work(ctx, items):\n    return {}\n")
    for _ in range(40):
        world.worker().work()
        world.go(minutes=1)
    assert world.opened("items").missing == tuple(f"player {number}" for number in range(10))


def test_workers_whose_writes_all_fail_stall_the_phase_and_its_leases_are_free(world: World) -> None:
    world.start(*fan_out("{mode: parallel, max_workers: 4}"))
    worker = world.worker()
    worker.step()
    taken = worker.take()
    answers = [worker.answer(lease) for lease in taken]
    world.store.down = True
    for answer in answers:
        with pytest.raises(StoreUnavailableError):
            worker.tell(answer)
    world.store.down = False
    world.go(minutes=29)
    assert world.phase("items").mark is None
    world.go(minutes=1)
    assert world.mark("items").kind == "stalled"
    assert world.store.read(lambda view: view.leased()) == []
    assert [worker.tell(answer).kind for answer in answers] == ["fenced"] * 4
    assert world.start(key="2025-01-16").state == "running"
    while world.worker("w2").work():
        world.go(seconds=1)
    assert world.run().state == "running"
    assert world.opened("items").reason == "all"


def test_no_failing_write_leaves_half_of_a_report_behind(world: World) -> None:
    world.start(*fan_out("{mode: parallel, max_workers: 2, chunk: 5}"))
    worker = world.worker()
    worker.step()
    first, second = worker.take()
    failures = 0
    for lease in (first, second):
        answer = worker.answer(lease)
        before = world.rows()
        for world.store.fail_at in range(1, 100):
            try:
                assert worker.tell(answer).kind == "accepted"
                break
            except StoreUnavailableError:
                failures += 1
                assert world.rows() == before
        world.store.fail_at = None
        world.kinds("items")
    assert world.kinds("items") == {"succeeded": 10}
    assert failures > 5


@pytest.mark.parametrize("seed", range(3))
def test_reports_that_come_up_to_five_times_and_shuffled_count_each_member_once(world: World, seed: int) -> None:
    lots = random.Random(seed)  # noqa: S311 - lots of a test
    phase = "{items: 'here:players', external: true}"
    world.start(f"phases:\n  items: {phase}\n{NEXT}", STEPS.replace("10", "60"))
    world.worker().work()
    said = [f"player {number}" for number in range(60) for _ in range(lots.randint(1, 5))]
    lots.shuffle(said)
    for member in said:
        world.store.fail_at = lots.choice([None, None, 1, 2, 3])
        try:
            world.say(member, phase="items", rows=1)
        except StoreUnavailableError:
            world.store.fail_at = None
            assert world.say(member, phase="items", rows=1).kind in {"accepted", "duplicate", "late"}
    world.store.fail_at = None
    assert world.kinds("items") == {"succeeded": 60}
    assert world.opened("items").counts.expected == 60
    duplicates = sum(world.store.read(lambda view: view.tallies("p/2025-01-15")).values())
    assert len(said) - 60 == duplicates


def test_a_report_that_cannot_be_sent_holds_nothing_up_and_its_work_counts_once(world: World) -> None:
    world.start(*fan_out("{mode: parallel, max_workers: 2, chunk: 5}"))
    worker = world.worker()
    worker.step()
    lost, kept = worker.take()
    unsent = worker.answer(lost)
    worker.tell(worker.answer(kept))
    world.go(seconds=61)
    again = world.worker("w2")
    again.work()
    assert world.kinds("items") == {"succeeded": 10}
    assert worker.tell(unsent).kind == "fenced"
    assert world.opened("items").counts.satisfied == 10


def test_a_late_arrival_after_a_forced_opening_is_kept_and_nothing_is_consolidated_again(world: World) -> None:
    merges = "merged = []\ndef merge(ctx):\n    merged.append([one.name for one in ctx.settled()])\n"
    file, steps = fan_out("{mode: parallel, max_workers: 2, chunk: 5}", ", then: 'here:merge'")
    world.start(file, steps + merges)
    worker = world.worker()
    worker.step()
    first, second = worker.take()
    worker.tell(worker.answer(first))
    slow = worker.answer(second)
    world.coordinator.force("p/2025-01-15", "items", actor="ann", reason="the game starts")
    worker.work()
    before = world.opened("items")
    assert (before.reason, before.partial, before.missing_count) == ("forced", True, 5)
    assert worker.tell(slow).kind == "late"
    world.go(hours=1)
    worker.work()
    assert (world.opened("items"), world.phase("items").counts.satisfied) == (before, 5)
    assert world.steps.merged == [[f"player {number}" for number in range(5)]]


@pytest.mark.parametrize("number", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_roll_of_any_size_is_counted_exactly(world: World, number: int) -> None:
    file, steps = fan_out("{mode: parallel, max_workers: 8, chunk: 500}", number=number)
    skips = "def work(ctx, items):\n    said = lambda name: Skipped('odd') if name.endswith('77') else Succeeded()\n"
    world.start(file, f"{steps}{skips}    return {{item.id: said(item.id) for item in items}}\n")
    worker = world.worker()
    while worker.step():
        world.clock.instant += timedelta(milliseconds=1)
    assert world.kinds("items") == {"succeeded": number - number // 100, "skipped": number // 100}
    opening = world.opened("items")
    assert (opening.reason, opening.counts.expected, opening.counts.pending) == ("all", number, 0)


def test_a_decision_made_before_midnight_is_carried_out_after_it_once(world: World) -> None:
    gate = '{deadline: {after: 30s, from: {at: "23:59:00"}}}'
    world.start(f"phases:\n  items: {{members: {{a: {{external: true}}}}, gate: {gate}}}\n{NEXT}")
    world.clock.instant = NOON.replace(hour=23, minute=59, second=30)
    phase = world.phase("items")
    world.store.fail_at = 2  # the close is one write; the opening, in a commit of its own, is several
    with pytest.raises(ExceptionGroup):
        world.coordinator.sweep()
    assert (world.phase("items").state, world.opening("items")) == ("closing", None)
    world.store.fail_at = None
    assert world.say("a", phase="items").kind == "late"
    world.leap(minutes=1)
    opening = world.opened("items")
    assert (opening.closed_at, opening.at) == (NOON.replace(hour=23, minute=59, second=30), world.clock.instant)
    assert world.run().key == "2025-01-15"
    world.go(minutes=5)
    assert (world.opened("items"), len(world.alerts("opening"))) == (opening, 1)
    assert phase.id == opening.phase
