"""The work on a task: leases, losses, halves, attempts, and the end of all patience."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shotclock.core import leases
from shotclock.core.leases import Change, Limits
from shotclock.model import CODE, KINDS, Again, Batch, Contract, Kind, Note, Task, TaskReport
from tests.unit.core.scenes import START, at, minutes

LIMITS = Limits(attempts=3, max_leases=10, hourly=60, retry_first=timedelta(seconds=1), retry_most=minutes(5))
HALF = 0.5
"""The jitter under which a wait is three quarters of its length."""
ERROR = Again(cause="error", reason="boom")


def a_task(size: int = 1, lo: int = 0, **known: Any) -> Task:  # noqa: ANN401 - any field of a task
    work = "chunk" if size > 1 else "member"
    return Task(**{"phase": 1, "work": work, "lo": lo, "hi": lo + size, "kinds": bytes(size), **known})


def codes(*kinds: Kind) -> bytes:
    return bytes(CODE[kind] for kind in kinds)


def leased(task: Task, now: datetime = START, limits: Limits = LIMITS) -> Task:
    return leases.lease(task, "w", now, now + minutes(1), limits).task


def said(task: Task, *kinds: Kind, **more: Any) -> TaskReport:  # noqa: ANN401 - any field of a report
    return TaskReport(phase=1, work=task.work, lo=task.lo, token=task.token, kinds=codes(*kinds), **more)


def take(
    task: Task, report: TaskReport, now: datetime = START, *, contract: Contract | None = None, limits: Limits = LIMITS
) -> Change:
    return leases.take_report(task, report, limits, contract or Contract(), now, HALF)


# --- leasing -------------------------------------------------------------------------------------------------------


def test_a_lease_raises_the_token_and_names_its_owner_and_end() -> None:
    change = leases.lease(a_task(token=4, ready_at=START), "w", START, at(1), LIMITS)
    task = change.task
    assert (task.state, task.owner, task.token, task.lease_until, task.ready_at) == ("leased", "w", 5, at(1), None)
    assert (change.spawned, change.settled) == (None, {})


def test_a_lease_that_ran_out_is_lost_and_counted_but_consumes_no_attempt() -> None:
    again = leased(leased(a_task()), at(5))
    assert (again.token, again.losses, again.tries) == (2, 1, {})


def test_a_task_that_was_given_back_has_lost_nothing() -> None:
    back = leases.give_back(leased(a_task()))
    assert (back.state, back.owner, back.lease_until, back.losses) == ("queued", None, None, 0)


def test_a_member_whose_leases_are_lost_too_often_is_abandoned_with_a_reason() -> None:
    task = a_task()
    for number in range(10):
        task = leased(task, at(number))
    change = leases.lease(task, "w", at(10), at(11), LIMITS)
    assert change.settled == {"abandoned": 1}
    assert change.given_up == {0: "its lease was lost 10 times; last owner w"}
    assert (change.task.state, change.task.kinds) == ("ended", codes("abandoned"))


def test_a_lost_enumeration_is_given_up_without_anybody_to_settle() -> None:
    task = Task(phase=1, work="enumerate", losses=10)
    change = leases.lease(task, "w", START, at(1), LIMITS)
    assert (change.task.state, change.settled) == ("ended", {})


def test_a_lost_chunk_is_leased_again_in_halves_of_what_is_left() -> None:
    chunk = a_task(6, lo=10, kinds=codes("succeeded", "pending", "pending", "succeeded", "pending", "pending"))
    chunk = replace(leased(chunk), notes={10: Note(rows=1), 13: Note(rows=2)}, tries={11: 1, 14: 2}, not_yet={15: 1})
    change = leases.lease(chunk, "w", at(5), at(6), LIMITS)
    first, second = change.task, change.spawned
    assert second is not None
    assert (first.lo, first.hi, second.lo, second.hi) == (10, 14, 14, 16)
    assert first.kinds + second.kinds == chunk.kinds
    assert (first.token, second.token, second.state, second.owner) == (2, 2, "queued", None)
    assert (first.notes, second.notes) == (chunk.notes, {})
    assert (first.tries, second.tries, first.not_yet, second.not_yet) == ({11: 1}, {14: 2}, {}, {15: 1})


def test_what_was_made_for_both_halves_is_named_by_each_for_its_own() -> None:
    chunk = leased(a_task(4))
    part = take(
        chunk, said(chunk, "pending", "succeeded", "succeeded", "pending", outputs={"file": "a"}, ended=False)
    ).task
    change = leases.lease(part, "w", at(5), at(6), LIMITS)
    assert change.spawned is not None
    halves = [batch.ranges for half in (change.task, change.spawned) for batch in half.batches]
    assert halves == [((1, 3),)]
    assert (change.task.hi, change.spawned.lo) == (3, 3)


def test_a_chunk_with_one_left_is_not_halved() -> None:
    chunk = replace(a_task(2, kinds=codes("succeeded", "pending")), halve=True)
    change = leases.lease(chunk, "w", START, at(1), LIMITS)
    assert (change.spawned, change.task.hi) == (None, 2)


def test_what_has_not_started_when_the_budget_is_spent_is_abandoned() -> None:
    change = leases.abandon(a_task(3, kinds=codes("succeeded", "pending", "pending")), "budget", START)
    assert change.settled == {"abandoned": 2}
    assert change.given_up == {1: "budget", 2: "budget"}
    assert leases.abandon(change.task, "budget", START).settled == {}


# --- reports -------------------------------------------------------------------------------------------------------


def test_outcomes_settle_their_members_and_end_the_task() -> None:
    task = leased(a_task(2))
    change = take(task, said(task, "succeeded", "failed", notes={0: Note(rows=2), 1: Note(reason="gone")}))
    assert change.settled == {"succeeded": 1, "failed": 1}
    assert change.given_up == {1: "gone"}
    assert (change.task.state, change.task.owner, change.waits_until) == ("ended", None, None)
    assert change.task.notes == {0: Note(rows=2), 1: Note(reason="gone")}
    assert [batch.ranges for batch in change.task.batches] == [((0, 2),)]


def test_a_report_that_says_all_and_nothing_more_settles_the_range_in_one_batch() -> None:
    task = leased(a_task(3, lo=5, tries={5: 1}, not_yet={6: 1}, losses=2))
    change = take(task, said(task, "succeeded", "failed", "empty"))
    assert change.settled == {"succeeded": 1, "failed": 1, "empty": 1}
    assert change.given_up == {6: "no reason given"}
    assert change.task.batches == (Batch(token=task.token, at=START, ranges=((5, 8),)),)
    over = change.task
    assert (over.kinds, over.state, over.tries, over.not_yet, over.losses) == (
        codes("succeeded", "failed", "empty"),
        "ended",
        {},
        {},
        0,
    )


def test_a_partial_report_keeps_the_lease_and_counts_nothing_against_the_silent() -> None:
    task = leased(a_task(3))
    change = take(task, said(task, "succeeded", "pending", "succeeded", ended=False))
    assert (change.task.state, change.task.tries, change.task.owner) == ("leased", {}, "w")
    assert [batch.ranges for batch in change.task.batches] == [((0, 1), (2, 3))]
    last = take(change.task, said(task, "failed", "succeeded", "failed", ended=False))
    assert last.settled == {"succeeded": 1}
    assert last.task.state == "ended"


def test_a_success_below_its_contract_is_suspect() -> None:
    task = leased(a_task(2))
    change = take(task, said(task, "succeeded", "succeeded", notes={1: Note(rows=0)}), contract=Contract(min_rows=1))
    assert change.settled == {"suspect": 2}
    assert change.given_up == {0: "min_rows 1, reported none", 1: "min_rows 1, reported 0"}


def test_a_late_report_settles_only_who_was_pending() -> None:
    task = leased(a_task(3, kinds=codes("failed", "pending", "pending")))
    late = leases.take_late(task, said(task, "succeeded", "succeeded", "pending"), Contract(), at(1))
    assert late.kinds == codes("failed", "succeeded", "pending")


def test_progress_forgives_lost_leases() -> None:
    task = replace(leased(a_task(2)), losses=4)
    assert take(task, said(task, "succeeded")).task.losses == 0
    hopeless = replace(task, tries={0: 2})
    assert take(hopeless, said(hopeless, again={0: ERROR, 1: ERROR})).task.losses == 0


def test_attempts_are_counted_per_item_and_the_last_one_fails_it() -> None:
    task = replace(leased(a_task(2)), tries={0: 2})
    change = take(task, said(task, again={0: ERROR, 1: ERROR}))
    assert change.settled == {"failed": 1}
    assert change.given_up == {0: "boom"}
    assert (change.task.state, change.task.tries, change.task.error) == ("queued", {1: 1}, "boom")


def test_an_item_an_ended_chunk_says_nothing_of_has_failed_an_attempt() -> None:
    task = leased(a_task(2))
    assert take(task, said(task, "succeeded")).task.tries == {1: 1}


@pytest.mark.parametrize(("cause", "kind"), [("error", "failed"), ("timed_out", "timed_out"), ("died", "failed")])
def test_a_single_item_runs_out_of_attempts(cause: Any, kind: Kind) -> None:  # noqa: ANN401 - a literal
    task = replace(leased(a_task()), tries={0: 2})
    assert take(task, said(task, whole=Again(cause=cause, reason="gone"))).settled == {kind: 1}


def test_a_chunk_that_ends_without_outcomes_is_halved_and_cannot_run_out_of_attempts() -> None:
    task = replace(leased(a_task(2)), tries={0: 7, 1: 7})
    change = take(task, said(task, whole=Again(cause="timed_out", reason="slow")))
    assert (change.settled, change.task.halve, change.task.state) == ({}, True, "queued")


def test_a_request_to_be_tried_again_consumes_no_attempt_and_halves_nothing() -> None:
    task = leased(a_task(2))
    change = take(task, said(task, whole=Again(cause="retry", reason="busy", after=minutes(3))))
    assert (change.task.tries, change.task.halve, change.waits_until) == ({}, False, at(3))


def test_the_third_not_yet_settles_as_empty_and_none_consumes_an_attempt() -> None:
    task = a_task()
    for number in range(2):
        task = leased(task)
        change = take(task, said(task, whole=Again(cause="not_yet", reason="later", not_before=at(30 * number + 30))))
        assert (change.settled, change.task.tries, change.waits_until) == ({}, {}, at(30 * number + 30))
        task = change.task
    task = leased(task)
    assert take(task, said(task, whole=Again(cause="not_yet", reason="later"))).settled == {"empty": 1}


def test_not_yet_is_counted_for_each_item_of_a_chunk() -> None:
    later = Again(cause="not_yet", reason="later")
    task = replace(leased(a_task(2)), not_yet={0: 2})
    change = take(task, said(task, again={0: later, 1: later}))
    assert (change.settled, change.task.not_yet) == ({"empty": 1}, {1: 1})
    together = replace(leased(a_task(2)), not_yet={0: 2, 1: 1})
    change = take(together, said(together, whole=later))
    assert (change.settled, change.task.not_yet, change.task.halve) == ({"empty": 1}, {1: 2}, False)


@pytest.mark.parametrize(("tries", "seconds"), [(0, 0.75), (1, 1.5), (2, 3), (40, 225)])
def test_waits_double_up_to_the_longest_and_are_spread(tries: int, seconds: float) -> None:
    limits = Limits(attempts=99, max_leases=10, hourly=60, retry_first=timedelta(seconds=1), retry_most=minutes(5))
    task = replace(leased(a_task()), tries={0: tries} if tries else {})
    change = take(task, said(task, whole=ERROR), limits=limits)
    assert change.waits_until == START + timedelta(seconds=seconds)


def test_no_more_than_so_many_attempts_start_within_an_hour() -> None:
    limits = replace(LIMITS, hourly=3)
    task, now = a_task(), START
    for _ in range(3):
        task = leased(task, now)
        change = take(task, said(task, whole=Again(cause="retry", reason="busy", after=minutes(1))), now, limits=limits)
        task, now = change.task, now + minutes(1)
    assert task.ready_at == at(60)
    assert leased(task, at(60)).hour_leases == 1


# --- enumerations and consolidations -------------------------------------------------------------------------------


def test_a_consolidation_that_returns_is_over_and_its_result_kept() -> None:
    task = leased(Task(phase=1, work="then"))
    verdict = leases.take_single(task, said(task, outputs={"rows": 3}), LIMITS, START, HALF)
    assert (verdict.failed, verdict.task.state, verdict.task.result) == (None, "ended", {"rows": 3})


def test_a_consolidation_that_fails_is_tried_again_and_then_fails_for_good() -> None:
    task = Task(phase=1, work="then")
    for number in (1, 2):
        task = leased(task)
        verdict = leases.take_single(task, said(task, whole=ERROR), LIMITS, START, HALF)
        task = verdict.task
        assert (verdict.failed, task.state, task.tries) == (None, "queued", {0: number})
    task = leased(task)
    verdict = leases.take_single(task, said(task, whole=ERROR), LIMITS, START, HALF)
    assert (verdict.failed, verdict.task.state) == ("boom", "ended")


def test_a_permanent_failure_is_final_at_once_and_its_reason_told() -> None:
    task = leased(Task(phase=1, work="enumerate"))
    for whole in (None, ERROR):
        report = said(task, permanent="no such table", whole=whole)
        assert leases.take_single(task, report, LIMITS, START, HALF).failed == "no such table"


def test_an_enumeration_that_asks_to_wait_loses_no_attempt() -> None:
    task = leased(Task(phase=1, work="enumerate"))
    asked = Again(cause="retry", reason="busy", after=minutes(2))
    verdict = leases.take_single(task, said(task, whole=asked), LIMITS, START, HALF)
    assert (verdict.task.tries, verdict.task.ready_at) == ({}, at(2))


# --- properties ----------------------------------------------------------------------------------------------------

SETTLING: tuple[Kind, ...] = ("pending", "pending", "succeeded", "empty", "skipped", "failed")
CAUSES = ["error", "timed_out", "died", "retry", "not_yet"]


class Chunk:
    """A chunk under whatever happens to it: its tasks by where they start, and all handles that were ever given out."""

    def __init__(self, size: int, limits: Limits) -> None:
        self.size = size
        self.limits = limits
        self.tasks = {100: a_task(size, lo=100, work="chunk")}
        self.handles: set[tuple[int, int]] = set()
        self.now = START

    def kinds(self) -> bytes:
        return b"".join(self.tasks[lo].kinds for lo in sorted(self.tasks))

    def apply(self, change: Change) -> None:
        before = self.kinds()
        for task in (change.task, change.spawned):
            if task is not None:
                self.tasks[task.lo] = task
        after = self.kinds()
        ranges = [(self.tasks[lo].lo, self.tasks[lo].hi) for lo in sorted(self.tasks)]
        assert [lo for lo, _ in ranges] == [100, *(hi for _, hi in ranges[:-1])]
        assert (ranges[-1][1], len(after)) == (100 + self.size, self.size)
        moved = [(KINDS[was], KINDS[now]) for was, now in zip(before, after, strict=True) if was != now]
        assert all(was == "pending" for was, _ in moved)
        assert Counter(now for _, now in moved) == change.settled

    def lease(self, lo: int) -> None:
        self.now += minutes(2)
        before = self.tasks[lo]
        change = leases.lease(before, "w", self.now, self.now + minutes(1), self.limits)
        self.apply(change)
        if change.task.state == "leased":
            assert change.task.token > before.token
            assert (lo, change.task.token) not in self.handles
            self.handles.add((lo, change.task.token))

    def check(self) -> None:
        for task in self.tasks.values():
            assert (task.state == "ended") == (CODE["pending"] not in task.kinds)
            spans = [ordinal for batch in task.batches for low, high in batch.ranges for ordinal in range(low, high)]
            assert len(spans) == len(set(spans))
            assert all(task.lo <= ordinal < task.hi for ordinal in [*spans, *task.tries, *task.not_yet])


def agains(causes: list[str]) -> st.SearchStrategy[Again]:
    return st.builds(Again, cause=st.sampled_from(causes), reason=st.just("boom"))


@st.composite
def reports(draw: st.DrawFn, task: Task, causes: list[str]) -> TaskReport:
    size = task.hi - task.lo
    return TaskReport(
        phase=1,
        work="chunk",
        lo=task.lo,
        token=task.token,
        kinds=bytes(CODE[draw(st.sampled_from(SETTLING))] for _ in range(size)),
        again=draw(st.dictionaries(st.integers(task.lo, task.hi - 1), agains(causes), max_size=2)),
        whole=draw(st.none() | agains(causes)),
        ended=draw(st.booleans()),
    )


@settings(max_examples=50)
@given(st.integers(1, 9), st.data())
def test_whatever_happens_every_ordinal_settles_at_most_once_and_tokens_grow(size: int, data: st.DataObject) -> None:
    chunk = Chunk(size, replace(LIMITS, max_leases=3))
    for _ in range(20):
        lo = data.draw(st.sampled_from(sorted(chunk.tasks)))
        task = chunk.tasks[lo]
        if task.state == "queued":
            chunk.lease(lo)
        elif task.state == "leased":
            what = data.draw(st.sampled_from(["report", "report", "report", "expire", "lost", "give_back"]))
            match what:
                case "report":
                    report = data.draw(reports(task, CAUSES))
                    chunk.apply(leases.take_report(task, report, chunk.limits, Contract(min_rows=1), chunk.now, HALF))
                case "expire":
                    chunk.lease(lo)
                case "lost":
                    chunk.apply(Change(task=leases.lost(task)))
                case _:
                    chunk.apply(Change(task=leases.give_back(task)))
        chunk.check()


@settings(max_examples=40)
@given(st.integers(1, 9), st.data())
def test_however_badly_it_goes_every_item_ends_after_a_bounded_number_of_leases(size: int, data: st.DataObject) -> None:
    chunk = Chunk(size, replace(LIMITS, attempts=2, max_leases=3))
    used = 0
    while open_ones := [lo for lo in sorted(chunk.tasks) if chunk.tasks[lo].state != "ended"]:
        lo = open_ones[0]
        chunk.lease(lo)
        used += 1
        task = chunk.tasks[lo]
        if task.state == "leased" and data.draw(st.booleans()):
            again = data.draw(agains(["error", "timed_out", "died", "not_yet"]))
            report = said(task, whole=again)
            chunk.apply(leases.take_report(task, report, chunk.limits, Contract(), chunk.now, HALF))
        assert used <= 30 * size
    event(f"leases per item: {used // size}")
