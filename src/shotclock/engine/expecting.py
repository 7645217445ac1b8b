"""The dead-man's switch: a pipeline says how often it must succeed, and its absence is told by time alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from shotclock.model import Entry, Outgoing, Plan, RunState, spans
from shotclock.ports import Snapshot, Transaction
from shotclock.settings import Settings

SCOPE: Final = "expect"
_RUNS: Final = 500
"""Runs of all modes among which the last good one of a mode is looked for."""


def expect(tx: Transaction, plan: Plan, now: datetime) -> None:
    """Know how often a pipeline must succeed in a mode, from now on; what a file says no longer is forgotten."""
    scope = f"{plan.pipeline}/{plan.mode}"
    kept = tx.entries("alert", scope=SCOPE, member=scope)
    within = None if plan.success_within is None else plan.success_within.total_seconds()
    if within == (kept[-1].body["within"] if kept else None):
        return
    tx.remove_entries([entry.id for entry in kept])
    if within is not None:
        key = f"look:expect:{scope}:{now.isoformat()}"
        body = {"within": within, "since": now.isoformat(), "key": key}
        tx.append(Entry(kind="alert", scope=SCOPE, member=scope, at=now, body=body))
        at = now + timedelta(seconds=within)
        tx.post(Outgoing(key=key, route="look", body={"expect": scope}, created_at=now, ready_at=at))


def look(tx: Transaction, message: Outgoing, now: datetime, settings: Settings) -> None:
    """See whether a pipeline has succeeded in time; tell operators once for each absence, and come back."""
    scope = str(message.body["expect"])
    kept = _kept(tx, scope)
    if kept is None or kept["key"] != message.key:
        tx.sent([message.key])
        return
    last, within = _last(tx, scope, kept), timedelta(seconds=kept["within"])
    if now >= last + within:
        tx.post(_told(scope, last, within, now))
    tx.unsent(message.key, max(last + within, now + settings.alerts_look), "")


def succeeded(view: Snapshot, scope: str, now: datetime) -> str | None:
    """Say that a pipeline has succeeded in time, or need not any more; None while it has not."""
    kept = _kept(view, scope)
    if kept is None:
        return "nothing is expected of it any more"
    last = _last(view, scope, kept)
    fresh = now < last + timedelta(seconds=kept["within"])
    return f"a run has succeeded at {last:%Y-%m-%d %H:%M} UTC" if fresh else None


def _kept(view: Snapshot, scope: str) -> Mapping[str, Any] | None:
    kept = view.entries("alert", scope=SCOPE, member=scope)
    return kept[-1].body if kept else None


def _last(view: Snapshot, scope: str, kept: Mapping[str, Any]) -> datetime:
    """Return when a run has last succeeded, complete or partial, or since when it is waited for."""
    pipeline, _, mode = scope.partition("/")
    states: tuple[RunState, ...] = ("complete", "partial")
    runs = [run for state in states for run in view.runs(pipeline=pipeline, state=state, limit=_RUNS)]
    ends = [run.ended_at for run in runs if run.mode == mode and run.ended_at is not None]
    return max([datetime.fromisoformat(kept["since"]), *ends])


def _told(scope: str, last: datetime, within: timedelta, now: datetime) -> Outgoing:
    text = (
        f"{scope}: no run has succeeded since {last:%Y-%m-%d %H:%M} UTC, though one must within {spans.words(within)}"
    )
    body = {"fact": "overdue", "run": scope, "phase": "", "text": text, "names": [], "command": "shotclock status"}
    key = f"alert:overdue:{scope}:{last.isoformat()}"
    return Outgoing(key=key, route="alert", body=body, run="", created_at=now, ready_at=now)
