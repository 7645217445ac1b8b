"""What reports from outside do to a run, through the coordinator, on every store."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shotclock.engine.working import Held
from shotclock.errors import UsageError
from shotclock.model import Contract, Deadline, Gate, Items, Member, PartOf, PhasePlan, Report
from tests.unit.engine.day import KEY, Day, external


def items() -> PhasePlan:
    return PhasePlan(name="raw", items=Items(source="shop:listed"))


def test_each_member_counts_once_however_often_it_reports(day: Day) -> None:
    day.start(external("a", "b"))
    answers = [day.say("a").kind for _ in range(5)]
    assert answers == ["accepted"] + ["duplicate"] * 4
    assert day.phase().counts.required.succeeded == 1
    assert day.phase().state == "active"


def test_reports_of_one_call_see_each_other_and_count_once_each(day: Day) -> None:
    day.start(items())
    (lease,) = day.coordinator.lease("w", {})
    held = Held(phase=lease.task.phase, work="enumerate", lo=0, token=lease.task.token)
    day.coordinator.add_pages(held, 0, [[(f"item-{number}", None) for number in range(120)]])
    said = [f"item-{number}" for number in (7, 119, 8, 7, 50, 119)]
    reports = [Report(run=f"p/{KEY}", phase="raw", member=name, outcome="succeeded", rows=1) for name in said]
    answers = [answer.kind for answer in day.coordinator.report([*reports, replace(reports[0], rows=2)])]
    assert answers == ["accepted", "accepted", "accepted", "duplicate", "accepted", "duplicate", "conflict"]
    tasks = day.store.read(lambda view: view.tasks(held.phase))
    settled = {task.lo + place for task in tasks for place, code in enumerate(task.kinds) if code}
    assert settled == {7, 8, 50, 119}
    assert {number for task in tasks for number in task.notes} == settled
    assert day.phase().counts.required.succeeded == 4


def test_the_gate_opens_by_all_with_the_last_report_and_the_next_phase_starts(day: Day) -> None:
    day.start(external("a", "b"), external("c", name="next", needs=("raw",)))
    day.say("a")
    assert day.phase("next").state == "waiting"
    day.say("b")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("all", False, ())
    assert day.phase("next").state == "active"
    assert day.alerts() == []


def test_at_the_deadline_it_opens_partial_naming_the_missing_with_one_alert(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)))
    day.start(external("a", "b", "c", gate=gate), external("d", name="next", needs=("raw",)))
    day.say("a")
    day.pass_time(minutes=29, seconds=59)
    assert day.opening() is None
    day.pass_time(seconds=1)
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.missing) == ("deadline", True, ("b", "c"))
    assert day.phase("next").inherited == {"raw": ("b", "c")}
    assert day.alerts() == ["opening"]


def test_a_deadline_counts_from_the_first_report_not_from_the_start(day: Day) -> None:
    gate = Gate(deadline=Deadline(after=timedelta(minutes=30)), expected_by=timedelta(hours=5))
    day.start(external("a", "b", gate=gate))
    day.pass_time(hours=1)
    day.say("a")
    day.pass_time(minutes=29)
    assert day.opening() is None
    day.pass_time(minutes=1)
    assert day.opening() is not None


def test_a_late_report_changes_nothing_but_its_own_record(day: Day) -> None:
    day.start(external("a", "b", gate=Gate(deadline=Deadline(after=timedelta(minutes=30)))))
    day.say("a")
    day.pass_time(minutes=30)
    before = list(day.store.dump())
    assert day.say("b").kind == "late"
    after = list(day.store.dump())
    assert [row for row in after if row not in before] == [row for row in after if row[0] == "entry"]
    assert [row for row in before if row not in after] == []
    assert day.say("b").kind == "duplicate"


def test_other_content_about_a_satisfied_member_is_a_conflict_and_the_first_stays(day: Day) -> None:
    day.start(external("a", "b"))
    day.say("a", rows=3)
    assert day.say("a", rows=4).kind == "conflict"
    assert day.say("a", "failed").kind == "conflict"
    assert day.phase().counts.required.succeeded == 1


def test_better_news_supersedes_a_failure_before_the_close(day: Day) -> None:
    day.start(external("a", "b", gate=Gate(hopeless="block")))
    day.say("a", "failed", reason="no file")
    assert day.say("a").kind == "accepted"
    counts = day.phase().counts.required
    assert (counts.succeeded, counts.failed, counts.pending) == (1, 0, 1)
    past = day.store.read(lambda view: view.entries("past", scope=f"p/{KEY}"))
    assert [(entry.member, entry.body["kind"]) for entry in past] == [("a", "failed")]


def test_a_redelivered_report_that_was_superseded_is_a_duplicate_not_news(day: Day) -> None:
    day.start(external("a", "b", gate=Gate(hopeless="block")))
    day.say("a", "failed", reason="no file")
    day.say("a")
    assert day.say("a", "failed", reason="no file").kind == "duplicate"
    assert day.say("a", "failed", reason="other").kind == "conflict"
    assert day.say("a", "failed", reason="other").kind == "duplicate"


def test_a_report_under_an_alias_is_the_member_s(day: Day) -> None:
    day.start(PhasePlan(name="raw", members=(Member(name="a", aliases=("old",)), Member(name="b"))))
    assert day.say("old").kind == "accepted"
    assert day.say("a").kind == "duplicate"
    day.coordinator.force(f"p/{KEY}", "raw", actor="ops", reason="enough")
    assert day.say("b").kind == "late"
    assert day.say("old", rows=1).kind == "late"
    assert day.say("a", rows=1).kind == "duplicate"


def test_a_failure_that_will_be_retried_leaves_the_member_pending_and_starts_no_clock(day: Day) -> None:
    day.start(external("a", gate=Gate(deadline=Deadline(after=timedelta(minutes=30)))))
    assert day.say("a", "failed", retry=True, reason="later").kind == "accepted"
    assert day.phase().counts.required.pending == 1
    assert day.phase().first_at is None


def test_an_unknown_name_is_parked_named_once_with_the_nearest_member(day: Day) -> None:
    day.start(external("résumé", "b"))
    first = day.say("resume")
    assert first.kind == "parked"
    assert "résumé" in first.detail
    assert day.say("resume").kind == "duplicate"
    assert day.alerts() == ["parked"]
    assert day.phase().counts.pending == 2


def test_a_parked_report_counts_when_its_name_is_made_an_alias(day: Day) -> None:
    day.start(external("player_box", "b"))
    day.say("bdl_box")
    assert day.coordinator.alias(f"p/{KEY}", "raw", "bdl_box", "player_box", actor="ops") == ["accepted"]
    assert day.phase().counts.required.succeeded == 1
    assert day.say("player_box").kind == "duplicate"
    assert day.coordinator.alias(f"p/{KEY}", "raw", "bdl_box", "player_box", actor="ops") == []


def test_a_parked_report_that_nobody_claims_is_dropped_after_its_time(day: Day) -> None:
    day.start(external("a"), max_age=timedelta(days=30))
    day.say("unknown")
    day.pass_time(days=6, hours=23)
    assert day.say("unknown").kind == "duplicate"
    day.pass_time(hours=2)
    assert day.say("unknown").kind == "parked"


def test_a_name_is_the_same_however_its_accents_are_composed(day: Day) -> None:
    day.start(external("r\u00e9sum\u00e9", "b"))
    assert day.say("re\u0301sume\u0301").kind == "accepted"


def test_a_report_for_a_phase_that_has_not_started_counts_when_it_does(day: Day) -> None:
    day.start(external("a"), external("c", name="next", needs=("raw",)))
    assert day.say("c", phase="next").kind == "parked"
    assert day.alerts() == []
    day.say("a")
    opening = day.opening("next")
    assert opening is not None
    assert opening.reason == "all"
    assert day.run().state == "complete"


def test_a_member_left_out_by_the_mode_is_told_so(day: Day) -> None:
    day.start(PhasePlan(name="raw", members=(Member(name="a"),), absent=("b",)))
    assert day.say("b").kind == "withdrawn"


def test_success_with_fewer_rows_than_the_contract_asks_is_suspect(day: Day) -> None:
    day.start(PhasePlan(name="raw", members=(Member(name="a", contract=Contract(min_rows=10)), Member(name="b"))))
    day.say("a", rows=9)
    assert day.phase().counts.required.suspect == 1
    assert day.say("a", rows=10).kind == "accepted"
    assert day.phase().counts.required.succeeded == 1


def test_a_part_that_says_it_is_the_last_contradicts_a_later_one_that_is_in_of_the_same_key_only(day: Day) -> None:
    day.start(external("a", "b"), key="2025-01-14")
    day.start(external("a", "b"))
    assert day.say("a", part=PartOf(number=3)).kind == "accepted"
    assert day.say("a", part=PartOf(number=1, last=True)).kind == "conflict"
    assert day.phase().counts.required.pending == 2
    assert day.say("a", run="p/2025-01-14", part=PartOf(number=1, last=True)).detail == "a is succeeded"


def test_a_member_in_parts_settles_when_its_last_part_is_in(day: Day) -> None:
    member = Member(name="a", contract=Contract(min_rows=5))
    day.start(PhasePlan(name="raw", members=(member,)))
    day.say("a", rows=0, part=PartOf(number=1, of=3))
    day.say("a", rows=3, part=PartOf(number=3))
    assert day.say("a", rows=3, part=PartOf(number=3)).kind == "duplicate"
    assert day.say("a", rows=3, part=PartOf(number=2, of=4)).kind == "conflict"
    assert day.opening() is None
    day.say("a", rows=3, part=PartOf(number=2))
    opening = day.opening()
    assert opening is not None
    assert opening.reason == "all"


def test_one_bad_report_refuses_the_call_and_stores_none_of_it(day: Day) -> None:
    day.start(external("a", "b"))
    good = Report(run=f"p/{KEY}", phase="raw", member="a", outcome="succeeded")
    bad = Report(run="nonsense", phase="raw", member="a", outcome="succeeded")
    with pytest.raises(UsageError, match="nonsense"):
        day.coordinator.report([good, bad])
    assert day.phase().counts.pending == 2


def test_a_worker_s_member_is_not_settled_from_outside_without_an_operator_s_word(day: Day) -> None:
    day.start(PhasePlan(name="raw", members=(Member(name="a", run="x:y"),)))
    (task,) = day.lease()
    assert day.say("a").kind == "fenced"
    assert day.say("a", override=True, actor="ops").kind == "accepted"
    assert day.done(task).kind == "fenced"
    assert day.run().state == "complete"


def test_a_withdrawn_member_is_waited_for_no_longer_and_listed(day: Day) -> None:
    day.start(external("a", "b"))
    day.say("a")
    day.coordinator.withdraw(f"p/{KEY}", "raw", "b", actor="ops", reason="gone")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.partial, opening.withdrawn) == ("all", False, ("b",))


def test_a_readmitted_member_takes_the_report_that_came_meanwhile(day: Day) -> None:
    day.start(external("a", "b"))
    day.coordinator.withdraw(f"p/{KEY}", "raw", "b", actor="ops", reason="gone")
    assert day.say("b", rows=1).kind == "withdrawn"
    day.coordinator.readmit(f"p/{KEY}", "raw", "b", actor="ops")
    assert day.phase().counts.required.succeeded == 1
    day.say("a")
    assert day.run().state == "complete"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"outputs": {"a": float("nan")}}, "not JSON"),
        ({"outputs": {"a": object()}}, "not JSON"),
        ({"outputs": {"a": "x" * 300_000}}, "store a reference"),
        ({"rows": -1}, "not a number of rows"),
        ({"rows": 2**63}, "not a number of rows"),
        ({"reason": "x" * 10_001}, "reason"),
        ({"part": PartOf(number=0)}, "from 1"),
    ],
)
def test_content_that_could_not_be_kept_as_it_is_is_refused_by_name(
    day: Day, content: dict[str, object], why: str
) -> None:
    day.start(external("a"))
    with pytest.raises(UsageError, match=f"raw a: .*{why}"):
        day.say("a", **content)  # type: ignore[arg-type]  # fields of a report
    assert day.phase().counts.pending == 1
