"""Whether what an alert told is over: looked up in the state, which is what counts, not heard from who changed it."""

from datetime import datetime

from shotclock.engine import expecting
from shotclock.model import PHASE_OVER, Alert, Phase, RunId
from shotclock.ports import Snapshot


def over(view: Snapshot, alert: Alert, now: datetime) -> str | None:
    """Say why what an alert told is over, for every run it came in; None while it is not, or cannot be over."""
    match alert.fact:
        case "failed":
            reasons = [_repaired(view, run) for run in alert.runs]
        case "overdue":
            reasons = [expecting.succeeded(view, scope, now) for scope in alert.runs]
        case "undelivered":
            reached = not view.entries("alert", scope="unreachable", member=alert.phase)
            reasons = ["the channel takes alerts again" if reached else None]
        case "blocked" | "vetoed" | "stalled" | "expected" | "unacknowledged" | "breaker":
            reasons = [_freed(view, alert.fact, run, alert.phase) for run in alert.runs]
        case _:
            return None
    known = [reason for reason in reasons if reason is not None]
    return known[-1] if known and len(known) == len(reasons) else None


def _repaired(view: Snapshot, run_id: str) -> str | None:
    """Say that a run that failed has a generation that ended well."""
    newest = view.newest(RunId.parse(run_id))
    ended = newest is not None and newest.state in {"complete", "partial"}
    return f"{newest.id} is {newest.state}" if newest is not None and ended else None


def _freed(view: Snapshot, fact: str, run_id: str, name: str) -> str | None:
    """Say how a phase stands that is no longer held up by what was told."""
    phase, run = view.phase_of(run_id, name), view.run(run_id)
    if phase is None or run is None or run.superseded:
        return "a newer generation has taken its place"
    if phase.state in PHASE_OVER or phase.state in {"closing", "opened"}:
        return f"the phase is {phase.state}"
    return None if _holds(fact, phase) else f"it is no longer {_WORDS.get(fact, fact)}"


def _holds(fact: str, phase: Phase) -> bool:
    match fact:
        case "expected":
            return phase.first_at is None
        case "unacknowledged":
            return phase.handover is None or phase.handover.state != "started"
        case "breaker":
            return any(breaker.until is not None for breaker in phase.breakers.values())
        case _:
            return phase.mark is not None and phase.mark.kind in {fact, "halted"}  # a halt only covers it


_WORDS = {"expected": "silent", "unacknowledged": "without a sign of life", "breaker": "held up by an error"}
