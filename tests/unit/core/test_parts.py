"""Members that report in numbered parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.core import parts
from shotclock.core.parts import Whole
from shotclock.model import Contract, OutcomeKind, PartOf, Report, Task
from tests.unit.core.scenes import at

NOW = at(9)
TASK = Task(phase=1, work="outside", lo=3, hi=4, state="outside", kinds=bytes(1))


def report(
    part: PartOf,
    outcome: OutcomeKind = "succeeded",
    rows: int | None = 2,
    *,
    reason: str | None = None,
    retry: bool = False,
) -> Report:
    outputs = {"file": f"{part.number}.csv"} if outcome == "succeeded" else {}
    return Report(
        run="nba/2025-01-15",
        phase="raw",
        member="odds",
        outcome=outcome,
        rows=rows,
        reason=reason,
        outputs=outputs,
        part=part,
        retry=retry,
    )


def taken(*reports: Report, task: Task = TASK) -> Task:
    """Return the task after the reports that contradict nothing."""
    for said in reports:
        if parts.contradiction(task, said) is None:
            task = parts.add_part(task, said)
    return task


def whole(task: Task, min_rows: int = 0) -> Whole | None:
    return parts.whole(task, Contract(min_rows=min_rows), NOW)


outcomes = st.sampled_from(["succeeded", "empty", "skipped", "failed"])


@given(st.lists(st.tuples(outcomes, st.none() | st.integers(0, 5)), min_size=1, max_size=5), st.data())
def test_any_order_and_any_repeats_give_the_same_whole(
    said: list[tuple[OutcomeKind, int | None]], data: st.DataObject
) -> None:
    total = len(said)
    reports = [report(PartOf(number=n, of=total), outcome, rows) for n, (outcome, rows) in enumerate(said, 1)]
    told = whole(taken(*reports))
    assert told is not None
    shuffled = data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports), max_size=4))))
    assert whole(taken(*shuffled)) == told


def test_a_member_is_whole_when_all_parts_up_to_the_stated_number_are_in() -> None:
    first, last = report(PartOf(number=1)), report(PartOf(number=2, last=True))
    assert whole(taken(first)) is None
    assert whole(taken(last)) is None
    settled = whole(taken(first, last))
    assert settled is not None
    assert (settled.kind, settled.note.rows, settled.note.at) == ("succeeded", 4, NOW)
    assert settled.note.outputs == {"1": {"file": "1.csv"}, "2": {"file": "2.csv"}}


def test_the_contract_is_judged_on_the_sum() -> None:
    both = taken(report(PartOf(number=1, of=2)), report(PartOf(number=2), rows=None))
    assert getattr(whole(both, 2), "kind", None) == "succeeded"
    short = whole(both, 3)
    assert short is not None
    assert (short.kind, short.note.reason) == ("suspect", "min_rows 3, reported 2")


def test_a_failed_part_fails_the_member_and_says_which() -> None:
    task = taken(report(PartOf(number=1, of=2)), report(PartOf(number=2), "failed", None, reason="cut off"))
    settled = whole(task)
    assert settled is not None
    assert (settled.kind, settled.note.reason) == ("failed", "part 2: cut off")


def test_a_good_part_replaces_a_failed_one_of_its_number() -> None:
    task = taken(report(PartOf(number=1, of=1), "failed"), report(PartOf(number=1)))
    assert getattr(whole(task), "kind", None) == "succeeded"


def test_a_part_that_will_be_tried_again_is_no_part_yet() -> None:
    noted = taken(report(PartOf(number=1, of=1), "failed", retry=True))
    assert whole(noted) is None
    assert getattr(whole(taken(report(PartOf(number=1)), task=noted)), "kind", None) == "succeeded"


@pytest.mark.parametrize(("outcome", "rows"), [("empty", None), ("skipped", None)])
def test_parts_that_all_had_nothing_make_a_member_that_had_nothing(outcome: OutcomeKind, rows: None) -> None:
    settled = whole(taken(report(PartOf(number=1, of=1), outcome, rows)))
    assert settled is not None
    assert (settled.kind, settled.note.rows) == (outcome, None)


@pytest.mark.parametrize(
    ("part", "outcome", "says"),
    [
        (PartOf(number=2, of=4), "succeeded", "it says there are 4 parts, 3 were stated before"),
        (PartOf(number=4), "succeeded", "part 4 is beyond the 3 that were stated"),
        (PartOf(number=1), "failed", "part 1 is succeeded already"),
        (PartOf(number=2), "failed", "part 2 is failed already"),
        (PartOf(number=0), "succeeded", "parts are numbered from 1, not 0 of None"),
        (PartOf(number=1, of=0), "succeeded", "parts are numbered from 1, not 1 of 0"),
        (PartOf(number=2, of=3, last=True), "succeeded", "it says that part 2 is the last, and that there are 3"),
    ],
)
def test_a_part_that_contradicts_what_is_known_is_named(part: PartOf, outcome: OutcomeKind, says: str) -> None:
    task = taken(report(PartOf(number=1, of=3)), report(PartOf(number=2), "failed"))
    assert parts.contradiction(task, report(part, outcome)) == says


@pytest.mark.parametrize(
    ("part", "total"), [(PartOf(number=1, of=2), 2), (PartOf(number=1, last=True), 1), (PartOf(number=2, last=True), 2)]
)
def test_a_total_below_a_part_that_is_in_is_a_contradiction(part: PartOf, total: int) -> None:
    task = taken(report(PartOf(number=3)))
    assert parts.contradiction(task, report(part)) == f"part 3 is beyond the {total} that were stated"


def test_members_that_share_a_range_cannot_report_in_parts() -> None:
    shared = Task(phase=1, work="outside", lo=0, hi=2, state="outside", kinds=bytes(2))
    assert parts.contradiction(shared, report(PartOf(number=1))) == "items do not report in parts"
