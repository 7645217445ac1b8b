"""How reports are answered, and what they make of a member's standing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shotclock.core import settling
from shotclock.core.settling import Subject
from shotclock.model import (
    CODE,
    KINDS,
    Batch,
    Contract,
    Counts,
    Kind,
    Note,
    Part,
    PartOf,
    Phase,
    PhaseState,
    Report,
    Run,
    RunState,
    Tally,
    Task,
    TaskState,
    Work,
    standing_of,
)
from tests.unit.core.scenes import START, at

RUN = Run(id="nba/2025-01-15", pipeline="nba", key="2025-01-15", mode="default", started_at=START)
PHASE = Phase(run=RUN.id, name="raw", index=0, state="active", started_at=START)
CONTRACT = Contract(min_rows=1)


def report(outcome: str = "succeeded", **said: Any) -> Report:  # noqa: ANN401 - any field of a report
    return Report(run=RUN.id, phase="raw", member="odds", outcome=outcome, **said)  # type: ignore[arg-type]  # examples


def subject(kind: Kind = "pending", note: Note | None = None, work: Work = "outside", **known: Any) -> Subject:  # noqa: ANN401 - any field
    notes = {} if note is None else {3: note}
    own = {name: known.pop(name) for name in ("token", "parts") if name in known}
    state: TaskState = "outside" if work == "outside" else "leased"
    task = Task(phase=1, work=work, lo=3, hi=4, state=state, kinds=bytes((CODE[kind],)), notes=notes, **own)
    around = {"run": RUN, "phase": PHASE, "names_generation": False, **known}
    return Subject(task=task, ordinal=3, **around)


def answered(about: Subject, said: Report) -> str:
    return settling.answer(about, said).kind


@pytest.mark.parametrize("outcome", ["succeeded", "empty", "skipped", "failed"])
def test_the_first_report_of_a_pending_member_is_accepted(outcome: str) -> None:
    assert answered(subject(), report(outcome)) == "accepted"


def test_a_repeat_is_a_duplicate_whatever_its_sender_and_token() -> None:
    settled = subject("succeeded", Note(rows=3, at=at(1), by="ann"))
    assert answered(settled, report(rows=3, actor="bob")) == "duplicate"
    assert answered(subject("failed", Note(reason="gone")), report("failed", reason="gone")) == "duplicate"


def test_other_content_about_a_satisfied_member_is_a_conflict() -> None:
    assert answered(subject("succeeded", Note(rows=3)), report(rows=4)) == "conflict"
    assert answered(subject("succeeded", Note(rows=3)), report("failed")) == "conflict"
    assert answered(subject("succeeded"), report(part=PartOf(number=1))) == "conflict"


def test_better_news_about_an_unsatisfied_member_is_accepted_and_other_bad_news_is_a_conflict() -> None:
    failed = subject("failed", Note(reason="gone"))
    assert answered(failed, report(rows=3)) == "accepted"
    assert answered(failed, report(part=PartOf(number=1))) == "accepted"
    assert answered(failed, report("failed", reason="still gone")) == "conflict"
    assert answered(failed, report("failed", reason="gone", retry=True)) == "conflict"


def test_a_failure_that_will_be_tried_again_is_a_note_each_time() -> None:
    note = report("failed", reason="busy", retry=True)
    assert settling.settled_kind(note, CONTRACT) == "pending"
    assert answered(subject(note=Note(reason="busy")), note) == "accepted"


def test_a_success_below_its_contract_is_suspect_and_its_repeat_a_duplicate() -> None:
    assert settling.settled_kind(report(rows=0), CONTRACT) == "suspect"
    assert settling.settled_kind(report(), CONTRACT) == "suspect"
    assert settling.settled_kind(report(rows=1), CONTRACT) == "succeeded"
    assert settling.settled_kind(report("empty"), CONTRACT) == "empty"
    assert settling.broken(None, CONTRACT) == "min_rows 1, reported none"
    for reason in (settling.broken(0, CONTRACT), None):
        suspect = subject("suspect", Note(rows=0, reason=reason), contract=CONTRACT)
        assert answered(suspect, report(rows=0)) == "duplicate"
        assert answered(suspect, report(rows=2)) == "accepted"


def test_an_old_token_is_fenced_and_the_current_one_counts() -> None:
    leased = subject(work="member", token=4)
    assert answered(leased, report(token=3)) == "fenced"
    assert answered(leased, report(token=4)) == "accepted"


def test_a_report_past_a_worker_needs_an_operators_override() -> None:
    leased = subject(work="member", token=4)
    assert answered(leased, report()) == "fenced"
    assert answered(leased, report(override=True)) == "accepted"


def test_a_superseded_generation_is_fenced_only_where_it_is_named() -> None:
    old = replace(RUN, superseded=True)
    assert answered(subject(run=old, names_generation=True), report()) == "fenced"
    assert answered(subject(run=old), report()) == "accepted"


def test_the_withdrawn_are_told_so_before_anything_else_but_the_fence() -> None:
    late = replace(PHASE, state="done")
    assert answered(subject("withdrawn", phase=late, late=(report(),)), report()) == "withdrawn"
    assert answered(subject("withdrawn", work="member", token=4), report(token=3)) == "fenced"


@pytest.mark.parametrize("state", ["closing", "opened", "done", "failed", "skipped"])
def test_what_comes_after_the_close_is_late(state: PhaseState) -> None:
    over = replace(PHASE, state=state)
    assert answered(subject(phase=over), report()) == "late"
    assert answered(subject("succeeded", Note(rows=3), phase=over), report(rows=4)) == "late"
    assert answered(subject("succeeded", Note(rows=3), phase=over), report(rows=3)) == "duplicate"


@pytest.mark.parametrize("state", ["complete", "partial", "failed"])
def test_what_comes_after_the_runs_end_is_late(state: RunState) -> None:
    assert answered(subject(run=replace(RUN, state=state)), report()) == "late"


def test_a_late_report_that_was_kept_makes_its_repeat_a_duplicate() -> None:
    over = replace(PHASE, state="done")
    kept = report(rows=3, token=None, actor="ann")
    assert answered(subject(phase=over, late=(kept,)), report(rows=3)) == "duplicate"
    assert answered(subject(phase=over, late=(kept,)), report(rows=4)) == "late"


def test_a_part_that_was_taken_makes_its_repeat_a_duplicate() -> None:
    half = subject(parts={1: Part(kind="succeeded", rows=2)})
    assert answered(half, report(rows=2, part=PartOf(number=1))) == "duplicate"
    assert answered(half, report(rows=2, part=PartOf(number=2))) == "accepted"


# --- standings -----------------------------------------------------------------------------------------------------


def test_settling_one_member_leaves_the_others_as_they_were() -> None:
    task = Task(
        phase=1, work="chunk", lo=10, hi=13, state="leased", kinds=bytes(3), tries={11: 2, 12: 1}, not_yet={11: 1}
    )
    settled = settling.settle(task, 11, "succeeded", Note(rows=3))
    assert (settled.was, settled.kind) == ("pending", "succeeded")
    assert [settling.kind_of(settled.task, ordinal) for ordinal in (10, 11, 12)] == ["pending", "succeeded", "pending"]
    assert (settled.task.state, settled.task.notes, settled.task.tries) == ("leased", {11: Note(rows=3)}, {12: 1})
    assert settled.task.not_yet == {}


def test_first_words_on_members_of_a_task_settle_them_as_one_after_another_would() -> None:
    task = Task(phase=1, work="outside", lo=10, hi=13, state="outside", kinds=bytes(3), notes={12: Note(reason="late")})
    said: dict[int, tuple[Kind, Note]] = {12: ("succeeded", Note(rows=3)), 10: ("suspect", Note(reason="few"))}
    one_by_one = task
    for ordinal, (kind, note) in said.items():
        one_by_one = settling.settle(one_by_one, ordinal, kind, note).task
    assert settling.settle_first(task, said) == one_by_one


def test_what_is_kept_of_a_report_says_why_a_success_is_suspect_and_who_said_it_when() -> None:
    few = report(rows=0, actor="feed", reason="all I have")
    assert settling.note_of(few, "suspect", CONTRACT, START) == Note(
        reason="min_rows 1, reported 0", rows=0, at=START, by="feed"
    )
    assert settling.note_of(few, "succeeded", Contract(), START).reason == "all I have"


def test_a_task_whose_members_have_all_settled_is_ended_and_free() -> None:
    task = Task(phase=1, work="member", hi=1, state="leased", owner="w", lease_until=at(1), kinds=bytes(1))
    done = settling.settle(task, 0, "succeeded", Note()).task
    assert (done.state, done.owner, done.lease_until, done.notes) == ("ended", None, None, {})


def test_a_member_that_is_pending_again_puts_its_task_back_in_the_queue() -> None:
    task = Task(phase=1, work="member", hi=1, state="ended", kinds=bytes((CODE["failed"],)), losses=3, token=5)
    again = settling.settle(task, 0, "pending", Note())
    assert (again.was, again.task.state, again.task.losses, again.task.token) == ("failed", "queued", 0, 5)
    outside = replace(task, work="outside", state="outside")
    assert settling.settle(outside, 0, "pending", Note()).task.state == "outside"


def test_a_fenced_task_is_queued_with_a_higher_token() -> None:
    leased = Task(phase=1, work="member", hi=1, state="leased", owner="w", token=5, lease_until=at(1), kinds=bytes(1))
    free = settling.fenced(leased)
    assert (free.state, free.owner, free.token, free.lease_until) == ("queued", None, 6, None)
    ended = replace(leased, state="ended")
    assert settling.fenced(ended).state == "ended"
    outside = replace(leased, work="outside", state="outside")
    assert settling.fenced(outside) == outside


def test_a_settlement_is_progress_and_anchors_the_clocks_that_count_from_the_first_report() -> None:
    phase = replace(PHASE, counts=Counts(required=Tally(pending=2)))
    moved = settling.moved(phase, "required", "pending", "failed", 1, at(3))
    assert (moved.first_at, moved.progress_at, moved.changes, moved.worse) == (at(3), at(3), 1, 1)
    assert moved.counts.required == Tally(pending=1, failed=1)
    later = settling.moved(moved, "required", "pending", "succeeded", 1, at(5))
    assert (later.first_at, later.progress_at, later.changes, later.worse) == (at(3), at(5), 2, 1)


def test_a_change_of_the_roll_makes_a_yes_of_the_check_invalid_and_anchors_nothing() -> None:
    phase = replace(PHASE, counts=Counts(required=Tally(pending=1)))
    without = settling.moved(phase, "required", "pending", "withdrawn", 1, at(3))
    assert (without.first_at, without.worse) == (None, 1)
    back = settling.moved(without, "required", "withdrawn", "pending", 1, at(4))
    assert (back.first_at, back.worse, back.counts) == (None, 2, phase.counts)


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["succeeded", "empty", "skipped", "failed"]),
    st.booleans(),
    st.integers(0, 2),
)
def test_a_satisfied_member_stays_so_whatever_is_reported(kind: Kind, outcome: str, retry: bool, rows: int) -> None:  # noqa: FBT001 - drawn
    said = report(outcome, retry=retry, rows=rows)
    if standing_of(kind) == "satisfied":
        assert answered(subject(kind, Note()), said) in {"duplicate", "conflict"}


@pytest.mark.parametrize(
    ("gone", "left"),
    [([], [((0, 4), (6, 8)), ((4, 6),)]), ([0, 3, 6], [((1, 3), (7, 8)), ((4, 6),)]), ([4, 5], [((0, 4), (6, 8))])],
)
def test_a_batch_names_only_those_it_still_settles(gone: list[int], left: list[tuple[tuple[int, int], ...]]) -> None:
    batches = [Batch(token=1, at=START, ranges=((0, 4), (6, 8))), Batch(token=2, at=START, ranges=((4, 6),))]
    assert [batch.ranges for batch in settling.uncounted(batches, gone)] == left


def test_a_settlement_that_is_superseded_no_longer_names_what_its_worker_made() -> None:
    made = (Batch(token=1, at=START, ranges=((0, 1),)),)
    task = Task(phase=1, work="member", hi=1, state="ended", kinds=bytes((CODE["failed"],)), batches=made)
    assert settling.settle(task, 0, "succeeded", Note()).task.batches == ()
