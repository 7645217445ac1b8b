"""Why a phase has not opened: the rule, who is missing, what happens when, and what moves it; times are set."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from shotclock.engine import explaining, listed, views
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.explaining import Explanation
from shotclock.model import (
    Amount,
    Anchor,
    Deadline,
    Gate,
    Importance,
    Member,
    Need,
    PhasePlan,
    Plan,
    Report,
    Run,
    Stall,
    Tier,
)
from shotclock.ports import Snapshot
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore

START = datetime(2025, 1, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = "p/2025-01-15"


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self.at

    def jitter(self) -> float:
        """Return no spread."""
        return 0.0


class Day:
    """A run whose members all report from outside."""

    def __init__(self, gate: Gate, *, critical: bool = False) -> None:
        importance: Importance = "critical" if critical else "required"
        members = (Member(name="a", importance=importance), Member(name="b"), Member(name="c", importance="optional"))
        phases = (
            PhasePlan(name="raw", members=members, gate=gate),
            PhasePlan(name="next", needs=("raw",), members=members),
        )
        self.clock = Hand()
        self.settings = Settings()
        self.store = MemoryStore()
        self.coordinator = Coordinator(self.store, self.settings, self.clock)
        self.coordinator.start(
            Plan(pipeline="p", key_type="date", timezone="America/New_York", phases=phases), "2025-01-15"
        )

    def report(self, *members: str, outcome: str = "succeeded") -> None:
        """Report for members."""
        reports = [Report(run=RUN, phase="raw", member=name, outcome=outcome, reason="because") for name in members]  # type: ignore[arg-type]  # an outcome
        self.coordinator.report(reports)

    def after(self, span: timedelta) -> "Day":
        """Let time pass."""
        self.clock.at += span
        return self

    def explain(self, phase: str = "raw") -> Explanation:
        """Explain a phase as of now."""

        def read(view: Snapshot) -> Explanation:
            run = view.run(RUN)
            assert run is not None
            return explaining.explain(view, run, phase, self.settings, self.clock.now())

        return self.store.read(read)

    def clocks(self) -> dict[str, datetime | None]:
        """Return the clocks of the first phase by name."""
        return {clock.name: clock.at for clock in self.explain().clocks}


def test_a_waiting_phase_names_what_it_waits_for() -> None:
    told = Day(Gate()).explain("next")
    assert told.headline == "has not started: it waits for raw (active)"
    assert [clock.name for clock in told.clocks] == ["max_age"]


def test_a_deadline_without_its_first_report_shows_by_when_that_is_expected() -> None:
    day = Day(Gate(deadline=Deadline(after=30 * MINUTE), expected_by=10 * MINUTE))
    assert day.clocks() == {
        "expected_by": START + 10 * MINUTE,
        "deadline": None,
        "max_age": START + timedelta(hours=48),
    }
    day.after(MINUTE).report("a")
    assert day.clocks()["deadline"] == START + 31 * MINUTE


def test_tiers_stall_and_a_wall_clock_are_shown_in_the_order_in_which_they_are_due() -> None:
    gate = Gate(
        need=Need(amount=Amount(percent=Decimal(100))),
        tiers=(Tier(after=5 * MINUTE, need=Need(amount=Amount(count=1))),),
        deadline=Deadline(after=10 * MINUTE, anchor=Anchor(kind="clock", at=time(8), day=0), then="fail"),
        stall=Stall(after=75 * MINUTE),
    )
    told = Day(gate).explain()
    assert [clock.name for clock in told.clocks] == ["tier", "deadline", "stall", "max_age"]
    assert told.clocks[0].at == datetime(2025, 1, 15, 13, 5, tzinfo=UTC)
    assert told.clocks[0].effect == "the need falls to 1 of the critical and required members"
    assert (told.clocks[1].effect, told.clocks[1].counts_from) == ("fails", "10m after 08:00 on the key's date")


def test_grace_is_counted_down_while_optional_members_are_waited_for() -> None:
    day = Day(Gate(grace=5 * MINUTE))
    day.report("a", "b")
    told = day.after(MINUTE).explain()
    assert "waiting for 1 optional until the grace ends" in told.headline
    assert day.clocks()["grace"] == START + 5 * MINUTE


def test_a_missing_critical_member_is_blocked_past_the_deadline() -> None:
    day = Day(Gate(deadline=Deadline(after=MINUTE, anchor=Anchor(kind="run_start"))), critical=True)
    assert "is blocked for 1 critical" in day.explain().clocks[0].effect
    told = day.after(2 * MINUTE).explain()
    assert told.headline.startswith("blocked: 1 critical member(s) missing")
    assert f"shotclock report {RUN} raw a succeeded" in {command.command for command in told.commands}


def test_a_due_deadline_that_nobody_has_looked_at_says_who_has_to() -> None:
    day = Day(Gate(deadline=Deadline(after=MINUTE, anchor=Anchor(kind="run_start"))))
    told = day.after(2 * MINUTE).explain()
    assert told.headline.startswith("may open now (deadline")
    assert told.commands[0].command.startswith("shotclock run ")


def test_an_opening_says_by_what_and_without_whom() -> None:
    day = Day(Gate(deadline=Deadline(after=MINUTE, anchor=Anchor(kind="run_start"))))
    day.after(2 * MINUTE).coordinator.sweep()
    told = day.explain()
    assert told.headline.startswith("opened partial: deadline")
    assert told.opening is not None
    assert (told.opening.late_by, told.missing_count) == (MINUTE, 2)
    assert [member.member for member in told.missing] == ["a", "b", "c"]
    assert [command.command for command in told.commands] == [f"shotclock rerun {RUN} raw"]
    below = day.explain("next")
    assert below.inherited == {"raw": ("a", "b")}


def test_a_failed_phase_says_why_and_what_was_said() -> None:
    day = Day(Gate())
    day.report("a")
    day.report("b", outcome="failed")
    told = day.explain()
    assert told.headline.startswith("failed: hopeless")
    assert {member.member: (member.kind, member.reason) for member in told.missing}["b"] == ("failed", "because")
    assert day.explain("next").headline == "skipped: upstream_failed: raw"
    assert [one.command for one in day.explain("next").commands] == [f"shotclock rerun {RUN} raw"]


def test_a_halted_phase_is_resumed_by_its_scope() -> None:
    day = Day(Gate())
    day.coordinator.halt("*", actor="me", reason="maintenance")
    told = day.explain()
    assert told.headline == "halted: halted by me: maintenance"
    assert told.commands[0].command == "shotclock resume --all"


def test_a_report_under_an_unknown_name_is_told() -> None:
    day = Day(Gate())
    day.report("aa")
    assert day.explain().parked == ("raw.aa",)


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (Gate(tolerate=Amount(percent=Decimal(2))), "2% of them unsatisfied at most"),
        (Gate(need=Need(amount=Amount(count=3), of="optional")), "quorum when 3 of the optional members are"),
        (
            Gate(check="p.checks:sane", hopeless="block"),
            "p.checks:sane may veto it; if that can no longer be met: block",
        ),
    ],
)
def test_the_rule_is_said_in_words(gate: Gate, words: str) -> None:
    assert words in explaining.rule_words(gate)


def test_a_list_of_runs_names_the_first_who_are_missing() -> None:
    day = Day(Gate())
    day.report("a")
    (line,) = day.store.read(lambda view: listed.run_lines(view, limit=10))
    assert (line.id, line.phases_done, line.phases, line.missing, line.missing_count) == (RUN, 0, 2, ("raw.b",), 1)


def test_a_run_is_shown_with_its_pace_and_its_slowest_phase() -> None:
    day = Day(Gate())
    day.after(MINUTE).report("a", "b")

    def read(view: Snapshot) -> views.RunView:
        run: Run | None = view.run(RUN)
        assert run is not None
        return views.run_view(view, run, day.settings, day.clock.now())

    shown = day.after(MINUTE).store.read(read)
    raw, below = shown.phases
    assert (raw.state, raw.opened, raw.took, raw.satisfied, raw.rate) == ("done", "all", MINUTE, 2, round(2 / 60, 3))
    assert (below.state, below.pending, below.left) == ("active", 3, None)
    assert shown.fails_at == START + timedelta(hours=48)
    assert shown.slowest == "raw"
