"""Reports that come in one call leave what they leave when they come one after another, whatever they are."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shotclock.model import Answer, Contract, Items, PartOf, PhasePlan, Report
from shotclock.stores.memory import MemoryStore
from tests.unit.engine.day import KEY, Day, external

NAMES = [f"item-{number}" for number in range(12)]
TAILS = st.fixed_dictionaries(
    {},
    optional={
        "rows": st.sampled_from([0, 1, 2]),
        "reason": st.sampled_from(["worn", "torn"]),
        "retry": st.booleans(),
        "override": st.booleans(),
        "token": st.sampled_from([0, 1]),
        "part": st.builds(PartOf, number=st.integers(1, 2), of=st.just(2)),
        "outputs": st.sampled_from([{}, {"n": 1}]),
    },
)
REPORTS = st.builds(
    lambda run, phase, member, outcome, more: Report(run=run, phase=phase, member=member, outcome=outcome, **more),
    run=st.sampled_from([f"p/{KEY}", f"p/{KEY}", f"p/{KEY}#1", "p/2025-01-16"]),
    phase=st.sampled_from(["fan", "fan", "fan", "raw", "none"]),
    member=st.sampled_from([*NAMES, "a", "nobody"]),
    outcome=st.sampled_from(["succeeded", "succeeded", "failed", "empty"]),
    more=st.one_of(st.just({}), TAILS),
)


def day_of() -> Day:
    """Return a day with a named member, and a roll of items that report from outside, three a task."""
    day = Day(MemoryStore())
    fan = PhasePlan(name="fan", items=Items(source="shop:listed", contract=Contract(min_rows=1)))
    day.start(replace(fan, execution=replace(fan.execution, chunk=3)), external("a", "b"))
    day.enumerate(NAMES)
    return day


def taken(calls: Sequence[Sequence[Report]]) -> tuple[list[Answer], list[tuple[str, Any]]]:
    """Return the answers, and all that is stored but how often it was written."""
    day = day_of()
    answers = [answer for call in calls for answer in day.coordinator.report(call)]
    kept = [row for row in day.store.dump() if row[0] not in {"phase", "run"}]
    # How often a phase has changed is said of commits, and is greater where there were more of them.
    counted = [replace(day.phase(name), version=0, changes=0, worse=0) for name in ("fan", "raw")]
    return answers, [*kept, *(("phase", phase) for phase in counted)]


@settings(deadline=None, max_examples=150)
@given(st.lists(REPORTS, min_size=2, max_size=30))
def test_what_comes_in_one_call_counts_as_it_does_one_by_one(reports: list[Report]) -> None:
    assert taken([reports]) == taken([[report] for report in reports])


def test_a_run_that_goes_by_two_names_in_one_call_is_counted_once() -> None:
    day = day_of()
    said = [(f"p/{KEY}", "item-1"), (f"p/{KEY}#1", "item-2"), (f"p/{KEY}", "item-3"), (f"p/{KEY}#1", "item-1")]
    reports = [Report(run=run, phase="fan", member=member, outcome="succeeded", rows=1) for run, member in said]
    assert [answer.kind for answer in day.coordinator.report(reports)] == ["accepted"] * 3 + ["duplicate"]
    assert day.phase("fan").counts.required.succeeded == 3


def test_the_last_first_word_opens_the_gate() -> None:
    day = day_of()
    reports = [Report(run=f"p/{KEY}", phase="fan", member=name, outcome="succeeded", rows=1) for name in NAMES]
    day.coordinator.report(reports)
    opening = day.opening("fan")
    assert opening is not None
    assert (opening.reason, opening.counts.required.succeeded) == ("all", len(NAMES))
