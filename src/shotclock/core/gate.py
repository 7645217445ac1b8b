"""The gate: from how a phase stands and the time, whether it opens, fails, asks, is stuck, or waits, and until when.

The order of evaluation, first that fits::

    halted       waits; clocks run on
    max_age      fails
    forced       opens, whatever is missing
    empty        a sealed roll without members opens, or is hopeless where the phase refuses it
    all, need    opens, after the grace if optional members are pending
    hopeless     all have settled and no rule can hold any more: fail, open or block
    deadline     open, fail, or wait as blocked
    stall        opens if its need is met, else the phase is unstuck: tokens bumped, tasks queued again
    otherwise    waits for the next instant at which one of these may change

A critical member that is not satisfied turns every opening but a forced one, and a failing deadline, into `blocked`.
The user's check is asked before every opening but a forced one.
"""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from shotclock.core import clocks, rules, storm
from shotclock.model import FRUITLESS_MOST, Deadline, Gate, Halt, MarkKind, Need, Phase, PhasePlan, Ruling, Stall, spans


class Scene(Struct, frozen=True, kw_only=True):
    """All that a decision looks at: the phase, its plan, and what lies around them."""

    phase: Phase
    plan: PhasePlan
    key: str
    timezone: str
    run_started_at: datetime
    max_age: timedelta
    halts: tuple[Halt, ...] = ()
    """Halts of this run, its pipeline or everything, ended ones too."""
    ours: bool = True
    """Whether a pending member is worked on by tasks of ours, not only reported from outside."""
    stall_least: timedelta
    check_again: timedelta

    @property
    def gate(self) -> Gate:
        """The gate's rules and clocks."""
        return self.plan.gate

    @property
    def started_at(self) -> datetime:
        """When the phase started."""
        assert self.phase.started_at is not None
        return self.phase.started_at


class Wait(Struct, frozen=True, kw_only=True):
    """Not yet: under which name (None: simply waiting), why, and when to look again."""

    mark: MarkKind | None = None
    reason: str
    next_at: datetime | None
    grace_since: datetime | None = None
    """When the grace began that is running now."""
    alert: str | None = None
    """What operators should be told once."""


class Ask(Struct, frozen=True, kw_only=True):
    """The user's check must be asked about this ruling first."""

    ruling: Ruling


class Open(Struct, frozen=True, kw_only=True):
    """The phase is over."""

    ruling: Ruling


class Fail(Struct, frozen=True, kw_only=True):
    """The phase has failed."""

    reason: str


class Unstick(Struct, frozen=True, kw_only=True):
    """Nothing has moved for too long: mark the phase stalled, bump its tokens, queue its tasks again."""

    reason: str


Verdict = Wait | Ask | Open | Fail | Unstick
Wish = Open | Fail | Wait | None


def decide(scene: Scene, now: datetime) -> Verdict:
    """Decide about an active phase at `now`."""
    overruled = _overruled(scene, now)
    if overruled is not None:
        return overruled
    wish = _empty(scene) or _rule(scene, now) or _hopeless(scene, now) or _deadline(scene, now)
    blocked = _blocked(scene, wish)
    if wish is not None and blocked is None:
        return _asked(wish, scene, now)
    stuck = _stall(scene, now)
    if isinstance(stuck, Open) and rules.critical_missing(scene.phase.counts):
        blocked, stuck = "a critical member is missing; without it the stall would open the gate", None
    if stuck is not None:
        return stuck if isinstance(stuck, Unstick) else _asked(stuck, scene, now)
    return _waiting(scene, now, blocked)


def _overruled(scene: Scene, now: datetime) -> Verdict | None:
    """Look at what stands above the rules: halt, the end of the run's age, an operator's force."""
    halt = clocks.halted(scene.halts, now)
    if halt is not None:
        return Wait(
            mark="halted",
            reason=f"halted by {halt.actor or 'an operator'}: {halt.reason}",
            next_at=halt.until,
            grace_since=_grace(scene, now),
        )
    if now >= max_age_at(scene, now):
        return Fail(reason=f"max_age: not over {spans.words(scene.max_age)} after the run's start")
    force = scene.phase.force
    if force is not None:
        return Open(ruling=_ruling(scene, "forced", f"forced by {force.actor}: {force.reason}"))
    return None


def _grace(scene: Scene, now: datetime) -> datetime | None:
    """Return since when the grace runs: a halt or a veto holds up the opening, not the clock."""
    wish = _rule(scene, now)
    if isinstance(wish, Wait):
        return wish.grace_since
    return None if wish is None else scene.phase.grace_since


def _empty(scene: Scene) -> Wish:
    """Decide a roll that has nobody in it."""
    phase = scene.phase
    if phase.counts.expected:
        return None
    if phase.enumeration_failed:
        return Fail(reason="enumeration failed before it gave any item")
    if not phase.sealed:
        return None
    if scene.gate.empty == "open":
        return Open(ruling=_ruling(scene, "empty", "the roll is sealed and has no members"))
    return _hopelessly(scene, _hopeless_words(scene))


def _rule(scene: Scene, now: datetime) -> Wish:
    """Try `all`, then the need in force; both wait out the grace while optional members are pending."""
    phase, gate = scene.phase, scene.gate
    if not _complete(phase) or not phase.counts.expected or _lost(scene, now):
        return None
    need = need_in_force(scene, now)
    if rules.all_met(gate, need, phase.counts):
        return _after_grace(scene, now, _ruling(scene, "all", _all_words(scene)))
    if need is not None and rules.met(need, gate, phase.counts):
        words = f"quorum: {need.amount} of {need.of} are satisfied"
        return _after_grace(scene, now, _ruling(scene, "quorum", words))
    return None


def _after_grace(scene: Scene, now: datetime, ruling: Ruling) -> Open | Wait:
    phase, gate = scene.phase, scene.gate
    since = phase.grace_since or now
    ends = _earliest(since + gate.grace, deadline_at(scene, now))
    assert ends is not None
    if phase.counts.optional.pending == 0 or rules.critical_missing(phase.counts) or now >= ends:
        return Open(ruling=ruling)
    reason = f"{ruling.rule}; waiting for {phase.counts.optional.pending} optional until the grace ends"
    return Wait(reason=reason, next_at=_earliest(ends, next_look(scene, now)), grace_since=since)


def _hopeless(scene: Scene, now: datetime) -> Wish:
    """Decide a roll on which all have settled and nothing can open the gate as a rule any more."""
    return _hopelessly(scene, _hopeless_words(scene)) if _lost(scene, now) else None


def _lost(scene: Scene, now: datetime) -> bool:
    """Say whether all have settled, and a critical member is lost or no rule, now or in a later tier, can hold."""
    phase, gate = scene.phase, scene.gate
    needs = needs_left(scene, now)
    if not (phase.sealed or phase.enumeration_failed) or not phase.counts.expected:
        return False
    if not rules.settled(needs, phase.counts):
        return False
    if not _complete(phase) or rules.critical_missing(phase.counts):
        return True
    holds = rules.all_met(gate, need_in_force(scene, now), phase.counts)
    return not holds and not any(rules.met(need, gate, phase.counts) for need in needs)


def _hopelessly(scene: Scene, words: str) -> Wish:
    """Apply the policy for the hopeless; a spent budget opens whatever it says."""
    policy = scene.gate.hopeless
    spent = scene.phase.budget_spent and scene.phase.counts.expected > 0
    if policy == "open" or spent:
        return Open(ruling=_ruling(scene, "hopeless", words))
    return Fail(reason=words) if policy == "fail" else None


def _deadline(scene: Scene, now: datetime) -> Wish:
    """Act on the deadline once it is due."""
    deadline = scene.gate.deadline
    due = deadline_at(scene, now)
    if deadline is None or due is None or now < due or deadline.then == "block" or _refused(scene.phase):
        return None
    words = f"deadline {spans.local(due, scene.timezone)} passed: {_missing_words(scene)}"
    if deadline.then == "fail":
        return Fail(reason=words)
    return Open(ruling=_ruling(scene, "deadline", words))


def _stall(scene: Scene, now: datetime) -> Open | Unstick | None:
    """Act on the stall clock: open if its need is met, else unstick, once for each time nothing moves."""
    phase, due = scene.phase, stall_at(scene, now)
    stall = stall_of(scene)
    if stall is None or due is None or now < due or _refused(phase):
        return None
    words = f"no progress for {spans.words(stall.after)}"
    if stall.need is not None and _complete(phase) and rules.met(stall.need, scene.gate, phase.counts):
        return Open(ruling=_ruling(scene, "stall", f"{words}, and {stall.need.amount} are satisfied"))
    if (phase.stalled_at is not None and phase.stalled_at >= due) or (_complete(phase) and not phase.counts.pending):
        return None
    if storm.unsticking(phase).suspended:
        return None
    return Unstick(reason=f"{words}: {_missing_words(scene)}")


def _blocked(scene: Scene, wish: Wish) -> str | None:
    """Say why a wish cannot be carried out: a critical member is missing, or the policy says so."""
    phase = scene.phase
    critical = rules.critical_missing(phase.counts)
    if isinstance(wish, Open) and critical:
        return f"{critical} critical member(s) missing; otherwise it would open: {wish.ruling.rule}"
    if isinstance(wish, Fail) and phase.counts.critical.pending:
        return f"{phase.counts.critical.pending} critical member(s) pending; otherwise it would fail: {wish.reason}"
    return None


def _asked(wish: Open | Fail | Wait, scene: Scene, now: datetime) -> Verdict:
    """Put the user's check before an opening: use its vote while it holds, else ask again."""
    if not isinstance(wish, Open) or scene.gate.check is None:
        return wish
    phase, vote = scene.phase, scene.phase.vote
    if vote is not None and vote.yes and vote.worse == phase.worse:
        return wish
    look, grace = next_look(scene, now), _grace(scene, now)
    if phase.asking_until is not None and now < phase.asking_until:
        until = _earliest(phase.asking_until, look)
        return Wait(reason=f"asking {scene.gate.check}", next_at=until, grace_since=grace)
    if vote is None or vote.yes or vote.changes != phase.changes or now >= vote.at + scene.check_again:
        return Ask(ruling=wish.ruling)
    again = _earliest(vote.at + scene.check_again, look)
    return Wait(mark="vetoed", reason=f"{scene.gate.check} says no: {vote.reason}", next_at=again, grace_since=grace)


def _waiting(scene: Scene, now: datetime, blocked: str | None) -> Wait:
    """Describe a phase that stays as it is: blocked, stalled, or simply waiting."""
    phase, deadline = scene.phase, scene.gate.deadline
    due = deadline_at(scene, now)
    if blocked is None and deadline is not None and deadline.then == "block" and due is not None and now >= due:
        blocked = f"deadline {spans.local(due, scene.timezone)} passed: {_missing_words(scene)}"
    if blocked is None and (_refused(phase) or _lost(scene, now)):
        blocked = _hopeless_words(scene)
    next_at = next_look(scene, now)
    if blocked is not None:
        return Wait(mark="blocked", reason=blocked, next_at=next_at, alert=f"blocked: {blocked}")
    if phase.stalled_at is not None and (phase.progress_at is None or phase.progress_at <= phase.stalled_at):
        return _stalled(scene, now, next_at)
    return Wait(reason=_missing_words(scene), next_at=next_at, alert=_nothing_came(scene, now))


def _stalled(scene: Scene, now: datetime, next_at: datetime | None) -> Wait:
    """Describe a phase in which nothing has moved since its tasks were queued again, however often that was."""
    due, words = stall_at(scene, now), _missing_words(scene)
    if due is None or now < due or not storm.unsticking(scene.phase).suspended:
        return Wait(mark="stalled", reason=words, next_at=next_at)
    words = f"suspended: nothing moved although its tasks were queued again {FRUITLESS_MOST} times: {words}"
    return Wait(mark="stalled", reason=words, next_at=next_at, alert=f"stalled, {words}")


def _nothing_came(scene: Scene, now: datetime) -> str | None:
    """Name a first report that is overdue where no deadline will tell it."""
    expected = scene.gate.expected_by
    late = expected is not None and scene.gate.deadline is None and scene.phase.first_at is None
    if expected is None or not late or now < scene.started_at + expected:
        return None
    return f"nothing has reported within {spans.words(expected)} of the phase's start"


def _refused(phase: Phase) -> bool:
    """Say whether the roll is empty; where that does not open the gate, `hopeless` decides and no clock does."""
    return _complete(phase) and not phase.counts.expected


def _complete(phase: Phase) -> bool:
    """Say whether rules may be evaluated: the roll is sealed and holds everyone."""
    return phase.sealed and not phase.enumeration_failed


# --- clocks of a phase ---------------------------------------------------------------------------------------------


def max_age_at(scene: Scene, now: datetime) -> datetime:
    """Return when the run is too old: `max_age` after its start, halted time not counted."""
    return clocks.after_awake(scene.run_started_at, scene.max_age, scene.halts, now)


def anchor_at(scene: Scene, now: datetime) -> datetime | None:
    """Return the instant the deadline counts from, or None while it has not come.

    A first report or signal that has not come by `expected_by` counts as come at that instant.
    """
    deadline = scene.gate.deadline
    if deadline is None:
        return None
    match deadline.anchor.kind:
        case "run_start":
            return scene.run_started_at
        case "clock":
            return clocks.clock_anchor(deadline.anchor, scene.key, scene.timezone, scene.started_at)
        case "first_report":
            return _come(scene, scene.phase.first_at, expected_at(scene, deadline), now)
        case "signal":
            return _come(scene, scene.phase.signal_at, expected_at(scene, deadline), now)
        case _ as never:
            assert_never(never)


def _come(scene: Scene, came: datetime | None, expected: datetime, now: datetime) -> datetime | None:
    """Return when an anchor came: one from before the phase started counts at its start."""
    if came is not None:
        return min(max(came, scene.started_at), expected)
    return expected if now >= expected else None


def expected_at(scene: Scene, deadline: Deadline) -> datetime:
    """Return by when the deadline's anchor should have come."""
    expected = scene.gate.expected_by
    return scene.started_at + (deadline.after if expected is None else expected)


def deadline_at(scene: Scene, now: datetime) -> datetime | None:
    """Return when the deadline is due, or None while its anchor has not come."""
    anchor = anchor_at(scene, now)
    deadline = scene.gate.deadline
    return None if anchor is None or deadline is None else anchor + deadline.after


def tier_times(scene: Scene, now: datetime) -> list[tuple[datetime, Need]]:
    """Return when each tier comes into force: counted from the deadline's anchor, or the phase's start without one."""
    anchor = scene.started_at if scene.gate.deadline is None else anchor_at(scene, now)
    return [] if anchor is None else [(anchor + tier.after, tier.need) for tier in scene.gate.tiers]


def need_in_force(scene: Scene, now: datetime) -> Need | None:
    """Return the need of the last tier that is due, or the gate's own."""
    need = scene.gate.need
    for due, lower in tier_times(scene, now):
        if due <= now:
            need = lower
    return need


def needs_left(scene: Scene, now: datetime) -> tuple[Need, ...]:
    """Return the need in force and those of the tiers to come."""
    need = need_in_force(scene, now)
    times = tier_times(scene, now)
    later = [tier for due, tier in times if due > now] if times else [tier.need for tier in scene.gate.tiers]
    return (*(() if need is None else (need,)), *later)


def stall_of(scene: Scene) -> Stall | None:
    """Return the stall clock in force: the declared one, or one of its own where tasks of ours are pending."""
    if scene.gate.stall is not None:
        return scene.gate.stall
    own = [member.timeout for member in scene.plan.members if member.timeout is not None and not member.external]
    longest = max([scene.plan.execution.timeout, *own])
    return Stall(after=max(scene.stall_least, 2 * longest)) if scene.ours else None


def stall_at(scene: Scene, now: datetime) -> datetime | None:
    """Return when the phase counts as stalled: from its last progress, start, end of a retry wait, or resume."""
    stall, phase = stall_of(scene), scene.phase
    if stall is None:
        return None
    moments = (scene.started_at, phase.progress_at, phase.retry_until, clocks.last_resume(scene.halts, now))
    return clocks.after_awake(max(moment for moment in moments if moment is not None), stall.after, scene.halts, now)


def next_look(scene: Scene, now: datetime) -> datetime | None:
    """Return the next instant at which time alone may change the verdict."""
    deadline = scene.gate.deadline
    instants = [max_age_at(scene, now), deadline_at(scene, now), stall_at(scene, now)]
    instants += [due for due, _ in tier_times(scene, now)]
    if deadline is not None and deadline.anchor.kind in {"first_report", "signal"}:
        instants.append(expected_at(scene, deadline))
    elif scene.gate.expected_by is not None:
        instants.append(scene.started_at + scene.gate.expected_by)
    return _earliest(*(instant for instant in instants if instant is not None and instant > now))


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)


# --- words ---------------------------------------------------------------------------------------------------------


def _ruling(scene: Scene, reason: str, words: str) -> Ruling:
    phase = scene.phase
    incomplete = phase.roll_incomplete or not _complete(phase)
    is_partial = rules.partial(scene.gate, phase.counts, roll_incomplete=incomplete)
    return Ruling(reason=reason, partial=is_partial, roll_incomplete=incomplete, rule=words)  # type: ignore[arg-type]  # the callers pass literals


def _all_words(scene: Scene) -> str:
    counts = scene.phase.counts
    waited = counts.critical.expected + counts.required.expected
    done = counts.critical.satisfied + counts.required.satisfied
    spared = f", {counts.required.unsatisfied} unsatisfied tolerated" if counts.required.unsatisfied else ""
    return f"all: {done} of {waited} critical and required members satisfied{spared}"


def _missing_words(scene: Scene) -> str:
    counts, phase = scene.phase.counts, scene.phase
    waited = counts.critical.expected + counts.required.expected
    roll = "" if phase.sealed else ", the roll is not sealed"
    unsatisfied = counts.critical.unsatisfied + counts.required.unsatisfied
    pending = counts.critical.pending + counts.required.pending
    return f"{pending} pending and {unsatisfied} unsatisfied of {waited} critical and required members{roll}"


def _hopeless_words(scene: Scene) -> str:
    if _refused(scene.phase):
        return "empty_not_allowed: the roll is sealed and has no members"
    incomplete = f", roll_incomplete: {scene.phase.failure}" if scene.phase.enumeration_failed else ""
    spare = rules.tolerated(scene.gate, scene.phase.counts)
    return (
        f"hopeless: all have settled and the rule cannot be met: {_missing_words(scene)}, {spare} tolerated{incomplete}"
    )
