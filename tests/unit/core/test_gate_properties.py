"""What holds of every decision of a gate, whatever the roll, the rules and the clocks."""

from datetime import datetime, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shotclock.core import clocks, gate
from shotclock.core.gate import Ask, Fail, Open, Scene, Verdict, Wait
from shotclock.model import Force
from tests.unit.core.scenes import START, at, moments

many = settings(max_examples=60)
Moment = tuple[Scene, datetime]


def ruling_reason(verdict: Verdict) -> str | None:
    return verdict.ruling.reason if isinstance(verdict, Open | Ask) else None


@many
@given(moments())
def test_what_opens_by_all_has_no_critical_or_required_member_pending(moment: Moment) -> None:
    scene, now = moment
    verdict = gate.decide(scene, now)
    event(ruling_reason(verdict) or type(verdict).__name__)
    if ruling_reason(verdict) in {"all", "quorum", "hopeless", "stall", "deadline"}:
        counts = scene.phase.counts
        assert counts.critical.pending == counts.critical.unsatisfied == 0
        if ruling_reason(verdict) == "all":
            assert counts.required.pending == 0


def earliest_deadline(scene: Scene) -> datetime:
    """Return an instant before which no deadline of the scene can be due."""
    deadline = scene.gate.deadline
    assert deadline is not None
    match deadline.anchor.kind:
        case "run_start":
            return scene.run_started_at + deadline.after
        case "clock":
            return START + deadline.after
        case _:
            return min(START, scene.phase.first_at or START) + deadline.after


@many
@given(moments())
def test_no_clock_opens_before_it_is_due(moment: Moment) -> None:
    scene, now = moment
    verdict = gate.decide(scene, now)
    if ruling_reason(verdict) == "deadline":
        due = gate.deadline_at(scene, now)
        assert due is not None
        assert earliest_deadline(scene) <= due <= now
    if ruling_reason(verdict) == "stall":
        stall = scene.gate.stall
        assert stall is not None
        since = max(scene.started_at, scene.phase.progress_at or START)
        assert clocks.awake(since, now, scene.halts) >= stall.after


@many
@given(moments())
def test_the_same_scene_at_the_same_time_is_decided_alike(moment: Moment) -> None:
    assert gate.decide(*moment) == gate.decide(*moment)


@settings(max_examples=250)
@given(moments(), st.integers(0, 1_000))
def test_nothing_changes_before_the_instant_at_which_it_is_looked_at_again(moment: Moment, part: int) -> None:
    scene, now = moment
    verdict = gate.decide(scene, now)
    if not isinstance(verdict, Wait):
        return
    event(f"waits as {verdict.mark}")
    end = verdict.next_at or now + timedelta(days=30)
    assert end > now
    assert verdict.next_at is not None or verdict.mark == "halted"
    kept = replace(scene, phase=replace(scene.phase, grace_since=verdict.grace_since))
    last = end - timedelta(microseconds=1)
    for later in (now, now + (last - now) * part / 1_000, last):
        again = gate.decide(kept, later)
        assert isinstance(again, Wait)
        assert (again.mark, again.alert, again.grace_since) == (verdict.mark, verdict.alert, verdict.grace_since)


@many
@given(moments())
def test_nothing_relative_is_decided_while_the_roll_is_not_sealed(moment: Moment) -> None:
    scene, now = moment
    verdict = gate.decide(replace(scene, phase=replace(scene.phase, sealed=False, enumeration_failed=False)), now)
    assert ruling_reason(verdict) in {None, "deadline", "forced"}
    if isinstance(verdict, Open | Ask):
        assert verdict.ruling.roll_incomplete
        assert verdict.ruling.partial
    if isinstance(verdict, Fail):
        assert verdict.reason.startswith(("deadline", "max_age"))


@many
@given(moments())
def test_force_opens_whatever_is_missing_but_under_a_halt(moment: Moment) -> None:
    scene, now = moment
    forced = replace(scene, phase=replace(scene.phase, force=Force(actor="ann", reason="go", at=START)))
    verdict = gate.decide(forced, now)
    if clocks.halted(scene.halts, now):
        assert isinstance(verdict, Wait)
        assert verdict.mark == "halted"
    elif now >= gate.max_age_at(scene, now):
        assert isinstance(verdict, Fail)
    else:
        assert ruling_reason(verdict) == "forced"


@many
@given(moments())
def test_nothing_outlives_its_maximum_age_but_under_a_halt(moment: Moment) -> None:
    scene, now = moment
    ended = tuple(halt for halt in scene.halts if halt.until is not None)
    late = max([now, *(halt.until for halt in ended if halt.until)]) + scene.max_age
    verdict = gate.decide(replace(scene, halts=ended), late)
    assert isinstance(verdict, Fail)
    assert verdict.reason.startswith("max_age")


@many
@given(moments())
def test_following_only_the_due_instants_ends_every_phase_that_nobody_halts(moment: Moment) -> None:
    scene, now = moment
    scene = replace(scene, halts=(), plan=replace(scene.plan, gate=replace(scene.gate, check=None)))
    for _ in range(60):
        verdict = gate.decide(scene, now)
        if isinstance(verdict, Open | Fail):
            return
        if isinstance(verdict, Wait):
            assert verdict.next_at is not None
            now = verdict.next_at
            scene = replace(scene, phase=replace(scene.phase, grace_since=verdict.grace_since))
        else:
            scene = replace(scene, phase=replace(scene.phase, stalled_at=now))
    raise AssertionError(scene)


@many
@given(moments())
def test_an_opening_is_partial_exactly_if_somebody_waited_for_is_missing_or_the_roll_is(moment: Moment) -> None:
    scene, _ = moment
    verdict = gate.decide(replace(scene, halts=()), at(5))
    if isinstance(verdict, Open):
        counts, phase = scene.phase.counts, scene.phase
        short = counts.critical.pending + counts.critical.unsatisfied + counts.required.pending
        spare = scene.gate.tolerate.rounded_down(counts.expected)
        incomplete = not phase.sealed or phase.enumeration_failed
        assert verdict.ruling.partial == (short > 0 or counts.required.unsatisfied > spare or incomplete)
