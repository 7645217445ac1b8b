"""Gates with rules nobody can meet or clocks that cannot fit are refused, with the line and the next step."""

from pathlib import Path

import pytest

from tests.unit.spec.written import ITEMS, TOP, gate_text, said

CASES = {
    "an unknown key": (
        "dedline: 30m\n",
        "6: phase raw: gate: unknown key 'dedline'; the nearest is 'deadline'",
    ),
    "opens that is no rule": (
        "opens: al\n",
        "6: phase raw: gate: opens: expected all or {need: 80%}, got 'al'; the nearest is 'all'",
    ),
    "opens and need": (
        "opens: all\nneed: 50%\n",
        "7: phase raw: gate: need: stands beside opens; say it once, as need: 80% or opens: {need: 80%}",
    ),
    "opens without its need": (
        "opens: {of: members}\n",
        "6: phase raw: gate: opens: need is missing: write need: 80%",
    ),
    "of without need": (
        "of: optional\n",
        "6: phase raw: gate: of: says nothing without need: write need: 80% beside it",
    ),
    "a need of nothing": (
        "need: 0%\n",
        "6: phase raw: gate: need: must be more than nothing: a need of 0 would open at once",
    ),
    "a need above 100 %": (
        "need: 100.5%\n",
        "6: phase raw: gate: need: 100.5% is more than 100%",
    ),
    "a need that is no amount": (
        "need: most\n",
        "6: phase raw: gate: need: expected a count such as 12 or a percentage such as 80%, got 'most'",
    ),
    "a need above the roll": (
        "opens:\n  need: 3\n",
        "7: phase raw: gate: opens: need: 3 is more than the critical and required members there are (2)",
    ),
    "a need above the optional members": (
        "need: 2\nof: optional\n",
        "6: phase raw: gate: need: 2 is more than the optional members there are (1)",
    ),
    "a tolerance above 100 %": (
        "tolerate: 101%\n",
        "6: phase raw: gate: tolerate: 101% is more than 100%",
    ),
    "a negative tolerance": (
        "tolerate: {failed: -1}\n",
        "6: phase raw: gate: tolerate: failed: -1 is negative",
    ),
    "a tolerance above the roll": (
        "tolerate: 4\n",
        "6: phase raw: gate: tolerate: 4 is more than the named members there are (3)",
    ),
    "a tolerance without its amount": (
        "tolerate: {}\n",
        "6: phase raw: gate: tolerate: failed is missing: write failed: 2%",
    ),
    "tiers as a mapping": (
        "tiers: {after: 10m, need: 1}\n",
        "6: phase raw: gate: tiers: expected a list such as [{after: 20m, need: 90%}], got a mapping",
    ),
    "a tier without its time": (
        "tiers: [{need: 1}]\n",
        "6: phase raw: gate: tiers: number 1: after is missing: write after: 20m",
    ),
    "a tier without its need": (
        "tiers: [{after: 10m}]\n",
        "6: phase raw: gate: tiers: number 1: need is missing: write need: 80%",
    ),
    "tiers that do not rise": (
        "tiers:\n  - {after: 20m, need: 90%}\n  - {after: 20m, need: 80%}\n",
        "8: phase raw: gate: tiers: number 2: after: 20m is not later than the 20m of the tier before",
    ),
    "tiers that do not fall": (
        "tiers:\n  - {after: 20m, need: 80%}\n  - {after: 30m, need: 80%}\n",
        "8: phase raw: gate: tiers: number 2: need: 80% is not lower than the 80% before it",
    ),
    "a tier above the need": (
        "need: 50%\ntiers:\n  - {after: 20m, need: 2}\n",
        "8: phase raw: gate: tiers: number 1: need: 2 is not lower than the 50% before it",
    ),
    "tiers whose counts do not fall": (
        "tiers:\n  - {after: 20m, need: 1}\n  - {after: 30m, need: 2}\n",
        "8: phase raw: gate: tiers: number 2: need: 2 is not lower than the 1 before it",
    ),
    "a tier after the deadline": (
        "tiers:\n  - after: 30m\n    need: 1\ndeadline: 30m\n",
        "7: phase raw: gate: tiers: number 1: after: 30m is not before the deadline (30m): it never comes into force",
    ),
    "a tier beyond max_age": (
        "tiers: [{after: 2d, need: 1}]\n",
        "6: phase raw: gate: tiers: number 1: after: 2d does not fit in max_age (2d): the run fails before",
    ),
    "a deadline beyond max_age": (
        "deadline: 50h\n",
        "6: phase raw: gate: deadline: after: 2d2h does not fit in max_age (2d): the run fails before",
    ),
    "a deadline without its time": (
        "deadline: {from: run_start}\n",
        "6: phase raw: gate: deadline: after is missing: write after: 30m",
    ),
    "a deadline from nowhere": (
        "deadline: {after: 30m, from: frist_report}\n",
        (
            "6: phase raw: gate: deadline: from: expected first_report, run_start, a time of day,"
            " {at: \"06:00\", day: 1} or {signal: NAME}, got 'frist_report'; the nearest is 'first_report'"
        ),
    ),
    "a deadline from two things": (
        "deadline: {after: 30m, from: {at: 06:00, signal: x}}\n",
        "6: phase raw: gate: deadline: from: expected either at: with a time of day or signal: with a name",
    ),
    "a signal with a day": (
        "deadline: {after: 30m, from: {signal: x, day: 1}}\n",
        "6: phase raw: gate: deadline: from: day: says nothing beside signal; it belongs to at:",
    ),
    "a time of day that is none": (
        "deadline: {from: {at: '24:00'}}\n",
        "6: phase raw: gate: deadline: from: at: expected a time of day such as 06:00, got '24:00'",
    ),
    "a deadline that does something else": (
        "deadline: {after: 30m, then: opn}\n",
        "6: phase raw: gate: deadline: then: expected one of open, block, fail, got 'opn'; the nearest is 'open'",
    ),
    "a time of day beyond max_age": (
        "deadline: {from: {at: '06:00', day: 4}}\n",
        "6: phase raw: gate: deadline: from: 06:00 comes 3d6h or more after the start, not within max_age (2d)",
    ),
    "expected_by beyond max_age": (
        "expected_by: 2d\n",
        "6: phase raw: gate: expected_by: 2d does not fit in max_age (2d): the run fails before",
    ),
    "expected_by and deadline beyond max_age": (
        "expected_by: 30h\ndeadline: 20h\n",
        "6: phase raw: gate: expected_by: and the deadline after it make 2d2h, which does not fit in max_age (2d)",
    ),
    "grace beyond max_age": (
        "grace: 3d\n",
        "6: phase raw: gate: grace: 3d does not fit in max_age (2d): the run fails before",
    ),
    "a stall beyond max_age": (
        "stall:\n  after: 3d\n",
        "7: phase raw: gate: stall: after: 3d does not fit in max_age (2d): the run fails before",
    ),
    "a stall shorter than the timeout": (
        "stall: 5m\n",
        "6: phase raw: gate: stall: after: 5m is shorter than the task timeout (10m): lengthen it",
    ),
    "a stall without its time": (
        "stall: {need: 1}\n",
        "6: phase raw: gate: stall: after is missing: write after: 10m",
    ),
    "a stall that opens without a need": (
        "stall: {after: 10m, then: open}\n",
        "6: phase raw: gate: stall: then: open says nothing without need: write need: 95% beside it",
    ),
    "a stall that does not open": (
        "stall: {after: 10m, need: 1, then: fail}\n",
        "6: phase raw: gate: stall: then: expected one of open, got 'fail'",
    ),
    "a stall's need above the roll": (
        "stall: {after: 10m, need: 3}\n",
        "6: phase raw: gate: stall: need: 3 is more than the critical and required members there are (2)",
    ),
    "an unknown hopeless": (
        "hopeless: wait\n",
        "6: phase raw: gate: hopeless: expected one of fail, open, block, got 'wait'",
    ),
    "an unknown empty": (
        "empty: fail\n",
        "6: phase raw: gate: empty: expected one of open, refuse, got 'fail'",
    ),
    "an unknown late": (
        "late: re-run\n",
        "6: phase raw: gate: late: expected one of record, amend, rerun, got 're-run'; the nearest is 'rerun'",
    ),
    "a check that is no import path": (
        "check: p.m\n",
        (
            "6: phase raw: gate: check: 'p.m' is not an import path:"
            " write package.module:function, such as nba.raw:player_box"
        ),
    ),
}


@pytest.mark.parametrize(("text", "line"), CASES.values(), ids=CASES)
def test_is_refused_with_its_line(text: str, line: str, tmp_path: Path) -> None:
    assert said(tmp_path, gate_text(text)) == [f"pipeline.yaml:{line}"]


def test_a_need_of_optional_members_is_refused_where_none_is_optional(tmp_path: Path) -> None:
    roll = "    members: {a: {external: true}}\n"
    line = "pipeline.yaml:6: phase raw: gate: need: counts optional members, but no member is optional"
    assert said(tmp_path, gate_text("need: 50%\nof: optional\n", roll)) == [line]


def test_a_need_of_optional_items_is_refused(tmp_path: Path) -> None:
    line = "pipeline.yaml:7: phase raw: gate: need: counts optional members, but items are never optional"
    assert said(tmp_path, gate_text("need: 50%\nof: optional\n", ITEMS)) == [line]


def test_a_stall_of_items_shorter_than_their_timeout_is_refused(tmp_path: Path) -> None:
    line = "pipeline.yaml:7: phase raw: gate: stall: after: 9m is shorter than the task timeout (10m): lengthen it"
    assert said(tmp_path, gate_text("stall: {after: 9m}\n", ITEMS)) == [line]


def test_a_short_stall_is_accepted_where_only_external_members_are_waited_for(tmp_path: Path) -> None:
    assert said(tmp_path, gate_text("stall: 1m\n", "    members: {a: {external: true}}\n")) == []


def test_a_number_no_known_roll_contradicts_is_accepted_for_items(tmp_path: Path) -> None:
    gate = "need: 5000\ntiers: [{after: 5m, need: 90%}]\ntolerate: 700\n"
    assert said(tmp_path, gate_text(gate, ITEMS)) == []


def test_tiers_that_count_other_members_need_not_fall(tmp_path: Path) -> None:
    tiers = "tiers:\n  - {after: 20m, need: 1}\n  - {after: 30m, need: 1, of: optional}\n"
    assert said(tmp_path, gate_text(tiers)) == []


def test_a_need_above_what_a_mode_keeps_names_the_mode(tmp_path: Path) -> None:
    text = gate_text("need: 2\ntolerate: 2\n") + "modes: {fast: {raw: [a]}, none: {raw: []}}\n"
    assert said(tmp_path, text) == [
        (
            "pipeline.yaml:6: phase raw: gate: need: 2 is more than the critical and required members there are"
            " in mode fast (1)"
        ),
        "pipeline.yaml:7: phase raw: gate: tolerate: 2 is more than the named members there are in mode fast (1)",
    ]


def test_a_time_of_day_is_refused_where_keys_are_no_dates(tmp_path: Path) -> None:
    text = gate_text("deadline: 06:00\n") + "key: {type: text}\n"
    (line,) = said(tmp_path, text)
    where, what = "pipeline.yaml:6: phase raw: gate: deadline: from", "a time of day is that of the key's date"
    assert line == f"{where}: {what}, but key: type: is text"


def test_the_day_of_the_schedule_counts_for_a_time_of_day(tmp_path: Path) -> None:
    text = gate_text("deadline: {from: {at: 06:00, day: 2}}\n") + 'starts: {schedule: "0 0 * * *", day: 1}\n'
    (line,) = said(tmp_path, text)
    assert line.endswith("from: 06:00 comes 2d6h or more after the start, not within max_age (2d)")


def test_a_gate_that_is_a_text_is_refused(tmp_path: Path) -> None:
    text = TOP + "phases: {raw: {members: {a: {external: true}}, gate: all}}\n"
    assert said(tmp_path, text) == ["pipeline.yaml:2: phase raw: gate: expected a mapping, got 'all'"]
