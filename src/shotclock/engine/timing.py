"""The clocks of an active phase as people ask for them: when each is due, what it counts from, what happens then."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from shotclock.amounts import words
from shotclock.core import gate, rules
from shotclock.model import Deadline, Need


class ClockView(Struct, frozen=True, kw_only=True):
    """One clock: its name, when it is due (None: not yet known), and what happens then."""

    name: str
    at: datetime | None = None
    effect: str
    counts_from: str = ""


def clocks(scene: gate.Scene, now: datetime) -> tuple[ClockView, ...]:
    """Return the clocks of an active phase that are still to come, the next one first, those not yet known last."""
    found = [*_deadline(scene, now), *_tiers(scene, now), *_waits(scene), *_stall(scene, now)]
    found.append(
        ClockView(
            name="max_age",
            at=gate.max_age_at(scene, now),
            effect="the run fails, and with it what is not over",
            counts_from=f"{words(scene.max_age)} after the run's start",
        )
    )
    coming = [clock for clock in found if clock.at is None or clock.at > now]
    return tuple(sorted(coming, key=lambda clock: (clock.at is None, clock.at or now)))


def next_clock(given: tuple[ClockView, ...], *, stuck: bool) -> ClockView | None:
    """Return the clock worth counting down to: the next one, `max_age` only where nothing else moves the phase."""
    return next((clock for clock in given if clock.at is not None and (stuck or clock.name != "max_age")), None)


def _deadline(scene: gate.Scene, now: datetime) -> Iterator[ClockView]:
    deadline, anchor = scene.gate.deadline, gate.anchor_at(scene, now)
    if deadline is None:
        if scene.gate.expected_by is not None and scene.phase.first_at is None:
            at = scene.started_at + scene.gate.expected_by
            yield ClockView(name="expected_by", at=at, effect="operators are told that nothing has reported")
        return
    if anchor is None:
        effect = f"the deadline counts from then, whatever has come: it is due {words(deadline.after)} later"
        yield ClockView(name="expected_by", at=gate.expected_at(scene, deadline), effect=effect)
    yield ClockView(
        name="deadline",
        at=gate.deadline_at(scene, now),
        effect=_deadline_effect(scene, deadline),
        counts_from=f"{words(deadline.after)} after {_anchor(deadline, scene)}",
    )


def _deadline_effect(scene: gate.Scene, deadline: Deadline) -> str:
    critical = rules.critical_missing(scene.phase.counts)
    if deadline.then == "block":
        return "stays blocked until its rule holds"
    if critical and (deadline.then == "open" or scene.phase.counts.critical.pending):
        return f"is blocked for {critical} critical member(s), and {deadline.then}s once they are in"
    return "fails" if deadline.then == "fail" else "opens without whoever is missing"


def _anchor(deadline: Deadline, scene: gate.Scene) -> str:
    anchor = deadline.anchor
    match anchor.kind:
        case "first_report":
            return "the first report" + ("" if scene.phase.first_at else ", which has not come")
        case "signal":
            return f"the signal {anchor.signal}" + ("" if scene.phase.signal_at else ", which has not come")
        case "clock":
            day = f" {anchor.day:+d}d" if anchor.day else ""
            return f"{anchor.at:%H:%M}{day} on the key's date"
        case "run_start":
            return "the run's start"


def _tiers(scene: gate.Scene, now: datetime) -> Iterator[ClockView]:
    for at, need in gate.tier_times(scene, now):
        yield ClockView(name="tier", at=at, effect=f"the need falls to {need_words(need)}")


def _waits(scene: gate.Scene) -> Iterator[ClockView]:
    """Yield what runs by a stored start: grace, budget, the wait before another attempt, the next asking of a check."""
    phase, budget = scene.phase, scene.plan.execution.budget
    if phase.grace_since is not None:
        yield ClockView(name="grace", at=phase.grace_since + scene.gate.grace, effect="opens without optional members")
    if budget is not None and phase.leased_at is not None and not phase.budget_spent:
        yield ClockView(name="budget", at=phase.leased_at + budget, effect="what has not started is abandoned")
    if phase.retry_until is not None:
        yield ClockView(name="retry", at=phase.retry_until, effect="another attempt may start")
    for breaker in phase.breakers.values():
        if breaker.until is not None:
            yield ClockView(
                name="breaker", at=breaker.until, effect=f"one attempt may try again after: {breaker.error}"
            )
    if scene.gate.check is not None and phase.vote is not None and not phase.vote.yes:
        again = phase.vote.at + scene.check_again
        yield ClockView(name="check", at=again, effect=f"{scene.gate.check} is asked again")


def _stall(scene: gate.Scene, now: datetime) -> Iterator[ClockView]:
    stall = gate.stall_of(scene)
    if stall is None:
        return
    effect = "its tasks are taken back and queued again"
    if stall.need is not None:
        effect = f"opens if {need_words(stall.need)} are satisfied, otherwise {effect}"
    yield ClockView(
        name="stall",
        at=gate.stall_at(scene, now),
        effect=effect,
        counts_from=f"{words(stall.after)} without progress",
    )


def need_words(need: Need) -> str:
    """Say whom a need counts, and how many."""
    return f"{need.amount} of the {'optional' if need.of == 'optional' else 'critical and required'} members"
