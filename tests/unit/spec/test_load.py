"""A pipeline file becomes a plan: every key has its field, modes keep what they list, params what is given."""

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shotclock.errors import UsageError
from shotclock.model import (
    Amount,
    Anchor,
    Contract,
    Deadline,
    Execution,
    Fresh,
    Gate,
    Items,
    Member,
    Need,
    Schedule,
    Stall,
    Tier,
    digest,
)
from shotclock.spec import load, modes
from tests.unit.spec.written import FULL, ONE_PHASE, TOP, gate_of, phase_of, plan_of

MINUTE = timedelta(minutes=1)


def percent(number: str) -> Amount:
    return Amount(percent=Decimal(number))


def test_the_top_of_the_file_is_the_plan_s() -> None:
    plan = load(FULL)
    assert (plan.pipeline, plan.mode, plan.max_age) == ("nba", "default", timedelta(hours=36))
    assert plan.success_within == timedelta(hours=26)
    assert (plan.key_name, plan.key_type, plan.timezone) == ("game_date", "date", "America/New_York")
    assert plan.starts == Schedule(cron="0 6 * * *", day=-1, calendar="nba.calendar:game_days", on_report=True)
    assert plan.params == {"limit": 100, "season": "2024-25", "strict": False, "share": 0.5, "note": None}
    assert plan.folder == str(FULL.parent)
    assert plan.digest == digest(FULL.read_bytes())


def test_phases_come_after_what_they_need_and_otherwise_in_the_order_of_the_file() -> None:
    assert [phase.name for phase in load(FULL).phases] == ["raw", "grade", "predictions", "lines", "odds", "last"]


def test_needs_tell_this_run_from_the_previous() -> None:
    grade = load(FULL).phase("grade")
    assert (grade.needs, grade.needs_previous) == (("raw",), ("predictions",))
    assert load(FULL).phase("predictions").needs == ("raw",)


def test_members_are_what_the_file_says_in_its_order() -> None:
    assert load(FULL).phase("raw").members == (
        Member(
            name="player_box",
            importance="critical",
            run="nba.raw:player_box",
            aliases=("bdl_player_boxscores", "p2_player_box"),
            contract=Contract(min_rows=1),
            timeout=5 * MINUTE,
            tags=("big", "gpu"),
        ),
        Member(name="schedule", command=("python", "-m", "nba.schedule", "--season", "2024 25")),
        Member(name="games", command=("python", "-m", "nba.games", "3")),
        Member(name="props", importance="optional", run="nba.raw:props"),
        Member(name="odds", importance="optional"),
    )
    assert load(FULL).phase("grade").members == (Member(name="grade", run="nba.grade:grade"),)


def test_execution_is_what_the_file_says() -> None:
    plan = load(FULL)
    assert plan.phase("raw").execution == Execution(
        mode="parallel", max_workers=10, max_in_flight=20, budget=timedelta(hours=2)
    )
    assert plan.phase("predictions").execution == Execution(
        mode="process", max_workers=8, chunk=50, tags=("gpu",), memory=3 << 29
    )


def test_items_inputs_and_consolidation_are_what_the_file_says() -> None:
    phase = load(FULL).phase("predictions")
    assert phase.items == Items(
        source="nba.predict:players", run="nba.predict:predict_many", contract=Contract(min_rows=2)
    )
    assert phase.fresh == Fresh(within=timedelta(hours=24), otherwise="block")
    assert phase.then == "nba.predict:consolidate"
    assert load(FULL).phase("lines").items == Items(source="nba.lines:games")


def test_a_gate_s_rule_and_clocks_are_what_the_file_says() -> None:
    assert load(FULL).phase("raw").gate == Gate(
        need=Need(amount=percent("60"), of="optional"),
        tolerate=Amount(count=1),
        grace=5 * MINUTE,
        deadline=Deadline(after=30 * MINUTE, then="block"),
        expected_by=timedelta(hours=1),
        stall=Stall(after=45 * MINUTE, need=Need(amount=percent("50"))),
        hopeless="block",
        empty="refuse",
        check="nba.checks:raw_complete",
        late="amend",
    )


def test_tiers_and_short_forms_are_what_the_file_says() -> None:
    assert load(FULL).phase("predictions").gate == Gate(
        need=Need(amount=percent("99.5")),
        tiers=(
            Tier(after=20 * MINUTE, need=Need(amount=percent("95"))),
            Tier(after=40 * MINUTE, need=Need(amount=percent("80"))),
        ),
        tolerate=percent("2"),
        deadline=Deadline(after=15 * MINUTE, anchor=Anchor(kind="clock", at=time(6), day=1), then="fail"),
        stall=Stall(after=10 * MINUTE),
    )


def test_what_is_not_written_has_its_default(tmp_path: Path) -> None:
    phase = phase_of(tmp_path, "members: {m: {external: true}}\n")
    assert (phase.gate, phase.execution, phase.then, phase.fresh) == (Gate(), Execution(), None, None)
    plan = plan_of(tmp_path, TOP + ONE_PHASE)
    assert (plan.key_name, plan.key_type, plan.timezone) == ("key", "date", "UTC")
    assert (plan.starts, plan.max_age, plan.params) == (Schedule(), timedelta(hours=48), {})


DEADLINES = {
    "30m": Deadline(after=30 * MINUTE),
    "06:00": Deadline(after=timedelta(0), anchor=Anchor(kind="clock", at=time(6))),
    "18:30:15": Deadline(after=timedelta(0), anchor=Anchor(kind="clock", at=time(18, 30, 15))),
    "{after: 30m, from: first_report}": Deadline(after=30 * MINUTE),
    "{after: 30m, from: run_start}": Deadline(after=30 * MINUTE, anchor=Anchor(kind="run_start")),
    "{after: 30m, from: 16:20}": Deadline(after=30 * MINUTE, anchor=Anchor(kind="clock", at=time(16, 20))),
    "{from: {at: '6:00', day: -1}}": Deadline(after=timedelta(0), anchor=Anchor(kind="clock", at=time(6), day=-1)),
    "{after: 1m, from: {signal: closed}}": Deadline(after=MINUTE, anchor=Anchor(kind="signal", signal="closed")),
}


@pytest.mark.parametrize(("text", "deadline"), DEADLINES.items(), ids=DEADLINES)
def test_a_deadline_reads_as_it_is_written_with_or_without_quotes(
    text: str, deadline: Deadline, tmp_path: Path
) -> None:
    assert gate_of(tmp_path, f"deadline: {text}\n").deadline == deadline


NEEDS = {
    "opens: all": None,
    "opens: {need: 2}": Need(amount=Amount(count=2)),
    "need: 2": Need(amount=Amount(count=2)),
    'need: "80%"': Need(amount=percent("80")),
    "{need: 100%, of: members}": Need(amount=percent("100")),
    "{need: 1, of: optional}": Need(amount=Amount(count=1), of="optional"),
}


@pytest.mark.parametrize(("text", "need"), NEEDS.items(), ids=NEEDS)
def test_a_need_reads_as_it_is_written(text: str, need: Need | None, tmp_path: Path) -> None:
    assert gate_of(tmp_path, f"{text}\n").need == need


@pytest.mark.parametrize("name", ["on", "no", "1.10", "06:00", "null", "2024-01-01", "Müller 3"])
def test_a_member_s_name_is_text_whatever_it_looks_like(name: str, tmp_path: Path) -> None:
    phase = phase_of(tmp_path, f"members: {{{name}: {{external: true}}}}\n")
    assert [member.name for member in phase.members] == [name]


def test_names_and_aliases_are_kept_in_the_form_in_which_members_are_compared(tmp_path: Path) -> None:
    phase = phase_of(tmp_path, 'members: {"cafe\\u0301": {external: true, aliases: "e\\u0301"}}\n')
    assert phase.member("café") == phase.member("é") == (0, phase.members[0])


def test_a_mode_keeps_only_what_it_lists_of_the_phases_it_names() -> None:
    plan, whole = load(FULL, mode="same_day"), load(FULL)
    assert plan.mode == "same_day"
    assert [member.name for member in plan.phase("raw").members] == ["schedule", "props"]
    left_out = [
        name
        for member in whole.phase("raw").members
        if member.name not in {"schedule", "props"}
        for name in (member.name, *member.aliases)
    ]
    assert list(plan.phase("raw").absent) == left_out
    assert "player_box" in left_out
    assert plan.phases[1:] == whole.phases[1:]
    assert load(FULL, mode="overnight").phases == whole.phases


def test_a_mode_may_leave_a_phase_with_nobody(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(TOP + ONE_PHASE + "modes: {none: {a: []}}\n")
    phase = load(tmp_path, mode="none").phases[0]
    assert (phase.members, phase.absent) == ((), ("m",))


def test_the_default_mode_may_be_declared_too(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(TOP + ONE_PHASE + "modes: {all: {}, default: {a: []}}\n")
    assert modes(tmp_path) == ("default", "all")
    assert (load(tmp_path).phases[0].absent, load(tmp_path, mode="all").phases[0].absent) == (("m",), ())


def test_modes_are_listed_with_the_default_first() -> None:
    assert modes(FULL) == ("default", "same_day", "overnight")


def test_an_unknown_mode_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"^pipeline nba has no mode 'sameday'; the nearest is 'same_day'$"):
        load(FULL, mode="sameday")


def test_params_given_replace_their_defaults_and_take_their_type() -> None:
    given = {"limit": "5", "strict": "true", "share": "1", "season": "2025", "note": "late"}
    plan = load(FULL, params=given)
    assert plan.params == {"limit": 5, "strict": True, "share": 1.0, "season": "2025", "note": "late"}
    assert load(FULL, params={"limit": 7}).params["limit"] == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limt": 5}, "pipeline nba has no param 'limt'; the nearest is 'limit'"),
        ({"limit": "many"}, "param limit: expected a whole number as its default is, got 'many'"),
        ({"limit": True}, "param limit: expected a whole number as its default is, got 'True'"),
        ({"strict": 1}, "param strict: expected true or false as its default is, got '1'"),
    ],
)
def test_params_that_are_not_declared_or_of_another_type_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        load(FULL, params=given)
    assert str(refusal.value) == message


def test_a_param_of_a_pipeline_without_any_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(TOP + ONE_PHASE)
    with pytest.raises(UsageError, match=r"^pipeline p has no param 'limit'; it declares none$"):
        load(tmp_path, params={"limit": 5})


def test_a_param_may_hold_lists_and_mappings(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TOP + ONE_PHASE + "params: {teams: [a, 1, 1.5, '1'], deep: {default: {x: [true, ~]}}}\n")
    assert plan.params == {"teams": ["a", 1, 1.5, "1"], "deep": {"x": [True, None]}}
