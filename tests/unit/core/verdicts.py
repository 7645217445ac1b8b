"""What examples expect of a gate's verdict."""

from shotclock.core.gate import Fail, Open, Verdict, Wait
from shotclock.model import Amount, Anchor, Deadline, Gate, Need, Stall
from tests.unit.core.scenes import minutes

DEADLINE = Gate(deadline=Deadline(after=minutes(30), anchor=Anchor(kind="run_start")))
STALL = Gate(stall=Stall(after=minutes(10), need=Need(amount=Amount(count=2))))


def need(number: int) -> Need:
    return Need(amount=Amount(count=number))


def opened(verdict: Verdict) -> tuple[str, bool]:
    """Return reason and partiality of an opening."""
    assert isinstance(verdict, Open), verdict
    return verdict.ruling.reason, verdict.ruling.partial


def waits(verdict: Verdict) -> Wait:
    assert isinstance(verdict, Wait), verdict
    return verdict


def failed(verdict: Verdict) -> str:
    assert isinstance(verdict, Fail), verdict
    return verdict.reason
