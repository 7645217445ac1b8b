"""Ramps of flags in the store: begun and stopped by operators, carried on by the sweep as runs come to an end."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shotclock.amounts import words
from shotclock.core import evidence, rollout
from shotclock.core.evidence import Bad, Good, NotEnough
from shotclock.core.rollout import Advance, Finish, RollBack, Stay
from shotclock.engine import flagging, tallying
from shotclock.engine.desk import Desk
from shotclock.errors import NotFoundError, StaleError, UsageError
from shotclock.model import (
    BUCKETS,
    OF_RUNS,
    WATCHED,
    Arms,
    Entry,
    Flag,
    FlagRamp,
    FlagState,
    Guard,
    Metric,
    RunFacts,
)
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings

ACTOR = "ramp"
"""Who turns a flag where no operator does."""
Steer = Literal["pause", "freeze", "resume"]
"""What an operator does to a ramp that is on its way."""
_UNITS = frozenset({"run", "member", "item"})


class Order(Struct, frozen=True, kw_only=True):
    """What an operator asks of a ramp that begins."""

    stages: tuple[int, ...]
    """Shares in buckets, rising."""
    hold: timedelta
    guards: tuple[tuple[Metric, float], ...]
    """What is watched, and how many times as often it would be a harm."""
    actor: str
    reason: str = ""


class Watch(Struct, frozen=True, kw_only=True):
    """How one guard stands, for people."""

    metric: Metric
    worse: float
    verdict: str
    """``good``, ``bad`` or ``not enough``."""
    more_runs: int | None
    more_units: int | None
    runs: int
    """Runs of this stage that had units of both kinds, or pairs of runs."""
    seen: Arms


class RampView(Struct, frozen=True, kw_only=True):
    """How a ramp stands, for people."""

    ramp: FlagRamp
    share: str
    watches: tuple[Watch, ...]


def view_of(view: Snapshot, name: str) -> RampView:
    """Return how the ramp of a flag stands; raises `NotFoundError` where there never was one."""
    ramp = _stored(view, name)
    if ramp is None:
        message = f"flag {name} has no ramp; begin one: shotclock flags ramp {name} --stages 10,50,100"
        raise NotFoundError(message)
    stage = min(ramp.stage, ramp.compared - 1)
    judged = zip(ramp.guards, rollout.verdicts(ramp), strict=True)
    watches = tuple(_watch(guard, verdict, stage) for guard, verdict in judged)
    return RampView(ramp=ramp, share=str(ramp.split), watches=watches)


def _watch(guard: Guard, verdict: evidence.Verdict, stage: int) -> Watch:
    seen = guard.evidence.stages[stage]
    more = verdict if isinstance(verdict, NotEnough) else NotEnough()
    word = "good" if isinstance(verdict, Good) else "bad" if isinstance(verdict, Bad) else "not enough"
    return Watch(
        metric=guard.metric,
        worse=guard.worse,
        verdict=word,
        more_runs=more.runs,
        more_units=more.units,
        runs=seen.runs,
        seen=seen.arms,
    )


def begin(desk: Desk, name: str, order: Order) -> FlagRamp:
    """Begin a ramp, and give the flag the share of its first stage; raises `UsageError` for what cannot be ramped."""
    flag = flagging.known(desk.aside, name).declared
    before = _stored(desk.aside, name)
    wrong = _unfit(flag, order) or (before is not None and before.state in WATCHED and f"{name} is being ramped")
    if wrong:
        raise UsageError(wrong)
    design = evidence.Design(stages=sum(share < BUCKETS for share in order.stages))
    ramp = FlagRamp(
        name=name,
        version=1 if before is None else before.version + 1,
        value=flagging.whole(flag),
        stages=order.stages,
        hold=order.hold,
        since=desk.now,
        started_at=desk.now,
        guards=tuple(
            Guard(metric=metric, worse=worse, evidence=evidence.begin(design)) for metric, worse in order.guards
        ),
        actor=order.actor,
        reason=order.reason,
    )
    flagging.turn(desk, name, ramp.split, actor=order.actor, reason=order.reason or f"ramp to {ramp.split}")
    _put(desk, ramp)
    return ramp


def _unfit(flag: Flag, order: Order) -> str | None:
    """Say why a flag cannot be ramped so."""
    name, shares = flag.name, order.stages
    if flag.binding != "run":
        return f"{name} is live: its value may change within a run, and a ramp compares within runs; bind it to the run"
    if flag.key not in _UNITS:
        return f"{name} is for each {flag.key}, and no fact is kept of one; a ramp needs key: item, member or run"
    if not shares or shares[0] <= 0 or list(shares) != sorted(set(shares)) or shares[0] == BUCKETS:
        return "stages are shares that rise, and the first one leaves units to compare with, such as 10,50,100"
    return _unfit_guards(flag, order)


def _unfit_guards(flag: Flag, order: Order) -> str | None:
    metrics = [metric for metric, _ in order.guards]
    of_runs = sorted(OF_RUNS.intersection(metrics))
    if of_runs and flag.key != "run":
        which = f"{of_runs[0]} is known of whole runs, and {flag.name} is for each {flag.key}"
        return f"{which}: a chunk's time is nobody's own; watch unsatisfied or retries"
    if not metrics or len(set(metrics)) < len(metrics):
        return "a ramp needs guards, each metric once, such as --guard unsatisfied"
    if any(worse <= 1 for _, worse in order.guards):
        return "a guard looks for a harm: the factor after its colon is above 1, such as unsatisfied:1.5"
    return None


def steer(desk: Desk, name: str, what: Steer, *, actor: str, reason: str) -> FlagRamp:
    """Pause, freeze or resume a ramp; raises `UsageError` for one that is over."""
    ramp = _watched(desk, name)
    now = desk.now
    after = rollout.resumed(ramp, now) if what == "resume" else rollout.stopped(ramp, now, frozen=what == "freeze")
    share = str(ramp.split)
    said = {"what": f"ramp {what}", "actor": actor, "reason": reason, "before": share, "after": share}
    desk.keep("audit", flagging.SCOPE, member=name, body=said)
    return _put(desk, replace(after, version=ramp.version + 1))


def _watched(desk: Desk, name: str) -> FlagRamp:
    ramp = view_of(desk.aside, name).ramp
    if ramp.state not in WATCHED:
        message = f"the ramp of {name} is over: {ramp.ended}"
        raise UsageError(message)
    return ramp


# --- the sweep --------------------------------------------------------------------------------------------------------


def look(store: Store, do: Callable[[Callable[[Desk], None]], None], settings: Settings, now: datetime) -> None:
    """Count the runs that have ended for flags that are ramped, do what follows, and tell what has expired.

    What runs have to say is read outside any commit; a ramp that somebody else has carried on meanwhile is left.
    """
    found = store.read(lambda view: _moving(view, settings.backlog, now))
    for name, (version, facts) in found.items():
        with suppress(StaleError):
            do(partial(carry_on, name=name, version=version, facts=facts))
    if store.read(lambda view: any(_expired(state, now) for state in view.flags())):
        do(tell_expired)


def _moving(view: Snapshot, most: int, now: datetime) -> dict[str, tuple[int, list[RunFacts]]]:
    """Return, by flag, the version of its ramp and what runs it has not counted have to say, where anything follows."""
    found = {}
    for state in view.flags():
        ramp = _stored(view, state.name)
        if ramp is not None and ramp.state in WATCHED:
            facts = tallying.over(view, ramp, state.declared, most)
            if facts or state.stands != ramp.split or not isinstance(rollout.decide(ramp, now), Stay):
                found[state.name] = ramp.version, facts
    return found


def carry_on(desk: Desk, name: str, version: int, facts: Sequence[RunFacts]) -> None:
    """Count runs for a ramp that is at that version still, and do what follows from them."""
    before, state = _stored(desk.aside, name), flagging.known(desk.aside, name)
    if before is None or before.version != version:
        message = f"the ramp of {name} is not at version {version}"
        raise StaleError(message)
    after = _step(desk, rollout.count(before, facts), state)
    if after != before:
        _put(desk, replace(after, version=version + 1))


def _step(desk: Desk, ramp: FlagRamp, state: FlagState) -> FlagRamp:
    if state.stands != ramp.split:
        return replace(ramp, state="overtaken", ended=f"{state.actor or 'somebody'} set it to {state.stands}")
    match rollout.decide(ramp, desk.now):
        case RollBack(guard=guard):
            return _rolled_back(desk, ramp, guard)
        case Finish():
            return replace(ramp, state="done", ended=f"good: it has stood at {ramp.split} for {words(ramp.hold)}")
        case Advance():
            after = rollout.advanced(ramp, desk.now)
            flagging.turn(desk, ramp.name, after.split, actor=ACTOR, reason=f"good at {ramp.split}")
            return after
        case Stay():
            return ramp


def _rolled_back(desk: Desk, ramp: FlagRamp, guard: Guard) -> FlagRamp:
    """Give the flag to nobody, and tell operators once."""
    seen = guard.evidence.whole.arms
    rates = f"{_rate(seen.flagged_bad, seen.flagged)} with it, {_rate(seen.others_bad, seen.others)} without"
    why = f"{guard.metric}: {rates}, in {guard.evidence.whole.runs} runs"
    nobody = replace(ramp.value, share=0)
    flagging.turn(desk, ramp.name, nobody, actor=ACTOR, reason=why, before=ramp.split)
    text = f"flag {ramp.name} was rolled back from {ramp.split} to {nobody}: {why}"
    body = {"fact": "ramp", "run": "", "phase": "", "text": text, "names": [ramp.name]}
    command = f"shotclock flags ramp {ramp.name}"
    desk.post(f"alert:ramp:{ramp.name}:{ramp.started_at.isoformat()}", "alert", "", body | {"command": command})
    return replace(ramp, state="rolled_back", ended=f"bad: {why}")


def _rate(bad: int, total: int) -> str:
    return f"{bad} of {total} ({bad / total:.1%})" if total else "none"


def tell_expired(desk: Desk) -> None:
    """Tell operators, once each, of flags that should be gone from their file by now."""
    for state in (state for state in desk.aside.flags() if _expired(state, desk.now)):
        expires = state.declared.expires
        text = f"flag {state.name} of {state.declared.owner} has expired on {expires}: remove it from its file"
        body = {"fact": "flag_expired", "run": "", "phase": "", "text": text, "names": [state.name]}
        command = f"shotclock flags show {state.name}"
        desk.post(f"alert:flag_expired:{state.name}:{expires}", "alert", "", body | {"command": command})


def _expired(state: FlagState, now: datetime) -> bool:
    expires = state.declared.expires
    return expires is not None and expires < now.date()


# --- the store --------------------------------------------------------------------------------------------------------


def _entries(view: Snapshot, name: str) -> list[Entry]:
    return view.entries("ramp", scope=flagging.SCOPE, member=name)


def _stored(view: Snapshot, name: str) -> FlagRamp | None:
    kept = _entries(view, name)
    return msgspec.convert(kept[-1].body, FlagRamp) if kept else None


def _put(desk: Desk, ramp: FlagRamp) -> FlagRamp:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(ramp))
    desk.tx.remove_entries([entry.id for entry in _entries(desk.aside, ramp.name)])
    desk.keep("ramp", flagging.SCOPE, member=ramp.name, body=body)
    desk.rang = True
    return ramp
