"""Counts that disagree with their rows give way to them, before they decide anything."""

from msgspec.structs import replace

from shotclock.model import Counts, Gate, Tally
from tests.unit.engine.day import Day, external, fan_out


def spoil(day: Day, name: str = "raw", **tally: int) -> None:
    """Make a phase's counts wrong, as nothing of ours does."""
    phase = day.phase(name)
    wrong = replace(phase, counts=Counts(required=Tally(**tally)), version=phase.version + 1)
    day.store.write(lambda tx: tx.put_phase(wrong))


def test_a_count_that_is_too_high_does_not_keep_the_gate_closed(day: Day) -> None:
    day.start(external("a", "b"))
    day.say("a")
    spoil(day, pending=2, succeeded=1)
    day.say("b")
    opening = day.opening()
    assert opening is not None
    assert (opening.reason, opening.counts) == ("all", Counts(required=Tally(succeeded=2)))
    assert day.alerts() == ["recounted"]


def test_a_count_that_is_too_low_does_not_open_the_gate(day: Day) -> None:
    day.start(external("a", "b", "c"))
    spoil(day, pending=1, succeeded=2)
    day.say("a")
    assert day.opening() is None
    assert day.phase().counts == Counts(required=Tally(pending=2, succeeded=1))


def test_a_large_roll_is_counted_by_the_sweep(day: Day) -> None:
    day.start(fan_out(chunk=50, gate=Gate()))
    day.enumerate([str(number) for number in range(100)])
    spoil(day, "items", pending=30, failed=70)
    day.pass_time(hours=1)
    assert day.phase("items").counts == Counts(required=Tally(pending=100))
    assert "recounted" in day.alerts()
