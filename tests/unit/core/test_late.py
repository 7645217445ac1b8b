"""Late reports: which of them set anything off."""

import pytest

from shotclock.core import late
from shotclock.core.late import LateReport, Limits, Wanted
from shotclock.model import Importance, Kind, Late
from tests.unit.core.scenes import at, minutes

LIMITS = Limits(settling=minutes(10), most=2)


def a_report(stood: Kind = "pending", says: Kind = "succeeded", importance: Importance = "required") -> LateReport:
    return LateReport(importance=importance, stood=stood, says=says, first_at=at(60))


def wanted(policy: Late, report: LateReport, automatic: int = 0) -> Wanted:
    return late.wanted(policy, report, automatic, LIMITS)


@pytest.mark.parametrize("stood", ["pending", "failed", "timed_out", "abandoned", "suspect"])
@pytest.mark.parametrize("importance", ["critical", "required"])
def test_a_report_that_would_have_satisfied_a_missing_member_gets_what_the_policy_says(
    stood: Kind, importance: Importance
) -> None:
    report = a_report(stood, "empty", importance)
    assert wanted("record", report).act == "record"
    assert wanted("amend", report) == Wanted(act="amend", reason="a missing member is empty")
    assert wanted("rerun", report) == Wanted(act="rerun", reason="a missing member is empty", at=at(70))


@pytest.mark.parametrize(
    "report",
    [
        a_report("succeeded"),
        a_report("withdrawn"),
        a_report(says="failed"),
        a_report(says="suspect"),
        a_report(says="pending"),
        a_report(importance="optional"),
    ],
)
@pytest.mark.parametrize("policy", ["amend", "rerun"])
def test_any_other_late_report_is_only_kept(policy: Late, report: LateReport) -> None:
    assert wanted(policy, report).act == "record"


def test_late_reports_make_only_so_many_generations_of_a_key_and_mode() -> None:
    assert wanted("rerun", a_report(), automatic=1).act == "rerun"
    assert wanted("rerun", a_report(), automatic=2).act == "record"
    assert wanted("amend", a_report(), automatic=2).act == "amend"
