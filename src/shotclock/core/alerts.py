"""What becomes of facts that operators are told: how bad each is, which repeats fold, what a channel still may hear."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from shotclock.model import Acknowledged, Alert, Budget, Severity, spans

SEVERITY: Final[Mapping[str, Severity]] = {
    "failed": "critical",
    "blocked": "critical",
    "overdue": "critical",
    "undelivered": "critical",
    "opening": "warning",
    "vetoed": "warning",
    "stalled": "warning",
    "expected": "warning",
    "unacknowledged": "warning",
    "breaker": "warning",
    "recounted": "warning",
    "parked": "warning",
    "gaps": "warning",
    "resumed": "warning",
    "ramp": "warning",
    "quarantined": "warning",
    "schedule": "warning",
    "demoted": "info",
    "amended": "info",
    "flag_expired": "info",
    "test": "info",
}
"""How bad each fact is; one that is not listed is a warning."""

ENDS: Final = frozenset(
    {"failed", "blocked", "overdue", "undelivered", "vetoed", "stalled", "expected", "unacknowledged", "breaker"}
)
"""Facts that come to an end, which is told; the others are over when they were told."""


class Limits(Struct, frozen=True, kw_only=True):
    """How repeats fold."""

    window: timedelta
    most: int
    """Notices a channel may have within the window."""
    runs: int
    """Runs that one alert may be about."""


def begun(said: Mapping[str, Any], pipeline: str, number: str, now: datetime) -> Alert:
    """Return the alert of a fact that is told for the first time."""
    names = tuple(str(name) for name in said.get("names", ()))
    return Alert(
        id=number,
        fact=str(said["fact"]),
        severity=SEVERITY.get(str(said["fact"]), "warning"),
        pipeline=pipeline,
        phase=subject(said),
        runs=(str(said["run"]),) if said.get("run") else (),
        text=str(said["text"]),
        names=names,
        command=str(said.get("command", "")),
        told=1,
        first_at=now,
        last_at=now,
        window_at=now,
    )


def subject(said: Mapping[str, Any]) -> str:
    """Return what a fact is about within its pipeline: the phase, or outside of runs the first name."""
    return str(said.get("phase") or ("" if said.get("run") else next(iter(said.get("names", ())), "")))


def folds(alert: Alert, now: datetime, limits: Limits) -> bool:
    """Say whether a repeat now belongs to an alert: it is not over, and holds no more runs than one may."""
    lasting = alert.fact in ENDS or now < alert.window_at + limits.window
    return alert.over_at is None and lasting and len(alert.runs) < limits.runs


def again(alert: Alert, repeat: Alert) -> Alert:
    """Return the alert with one repeat more, which has the newest words."""
    return replace(
        repeat,
        id=alert.id,
        runs=(*(run for run in alert.runs if run not in repeat.runs), *repeat.runs),
        count=alert.count + 1,
        told=alert.told,
        first_at=alert.first_at,
        window_at=alert.window_at,
        acknowledged=alert.acknowledged,
        channels=alert.channels,
    )


def is_news(alert: Alert, now: datetime, limits: Limits) -> bool:
    """Say whether repeats are to be told now: there are some, the window is over, and nobody has taken it on."""
    fresh = alert.count > alert.told and now >= alert.window_at + limits.window
    return fresh and alert.acknowledged is None


def retold(alert: Alert, now: datetime) -> Alert:
    """Return the alert once its repeats are told."""
    return replace(alert, told=alert.count, window_at=now)


def ended(alert: Alert, why: str, now: datetime) -> Alert:
    """Return the alert when what it told is over."""
    return replace(alert, over_at=now, over=why)


def taken_on(alert: Alert, by: Acknowledged) -> Alert:
    """Return the alert when somebody has taken it on; the first one stays."""
    return alert if alert.acknowledged is not None else replace(alert, acknowledged=by)


def spend(budget: Budget | None, fact: str, now: datetime, limits: Limits) -> tuple[Budget, bool]:
    """Return the budget of a channel after one notice more, and whether that may be sent."""
    if budget is None or now >= budget.since + limits.window:
        budget = Budget(since=now)
    if budget.sent < limits.most:
        return replace(budget, sent=budget.sent + 1), True
    return replace(budget, more={**budget.more, fact: budget.more.get(fact, 0) + 1}), False


# --- what channels are given --------------------------------------------------------------------------------------


def notice(alert: Alert) -> dict[str, Any]:
    """Return an alert as a channel is given it."""
    times = f" ({alert.count} times since {alert.first_at:%Y-%m-%d %H:%M} UTC)" if alert.count > 1 else ""
    return _given(alert, "open", f"{alert.text}{times}", alert.command)


def recovery(alert: Alert) -> dict[str, Any]:
    """Return the end of an alert as a channel is given it."""
    lasted = spans.words((alert.over_at or alert.last_at) - alert.first_at)
    where = " ".join(part for part in (alert.runs[-1] if alert.runs else alert.pipeline, alert.phase) if part)
    return _given(alert, "over", f"{where}: over after {lasted}: {alert.over}", "")


def sum_of(budget: Budget) -> dict[str, Any]:
    """Return what came beyond the most of a window as a channel is given it."""
    facts = ", ".join(f"{number} {fact}" for fact, number in sorted(budget.more.items()))
    text = f"{sum(budget.more.values())} more alerts since {budget.since:%Y-%m-%d %H:%M} UTC: {facts}"
    said = {"fact": "sum", "severity": "warning", "run": "", "phase": "", "text": text, "names": []}
    return {**said, "command": "shotclock alerts list", "state": "open", "since": budget.since.isoformat()}


def _given(alert: Alert, state: str, text: str, command: str) -> dict[str, Any]:
    return {
        "id": alert.id,
        "fact": alert.fact,
        "severity": alert.severity,
        "state": state,
        "pipeline": alert.pipeline,
        "run": alert.runs[-1] if alert.runs else "",
        "phase": alert.phase,
        "text": text,
        "names": list(alert.names) if state == "open" else [],
        "command": command,
        "count": alert.count,
        "since": alert.first_at.isoformat(),
    }
