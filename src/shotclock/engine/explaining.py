"""Why a phase has not opened, or why it has: by which rule, who is missing, what happens when, and what moves it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from shlex import quote
from typing import Final, assert_never

from msgspec import Struct

from shotclock.amounts import words
from shotclock.core import clocks, gate, rules
from shotclock.engine import fleet, nearing, timing, views
from shotclock.engine.desk import Desk
from shotclock.engine.process import lives
from shotclock.engine.timing import ClockView
from shotclock.engine.views import MissingMember
from shotclock.model import (
    ACCEPTING,
    Counts,
    Gate,
    Mark,
    Need,
    Opening,
    Phase,
    PhasePlan,
    PhaseState,
    Plan,
    Run,
)
from shotclock.ports import Snapshot
from shotclock.settings import Settings

NAMED: Final = 20
"""Missing members an explanation describes; `missing` pages through all."""


class Command(Struct, frozen=True, kw_only=True):
    """A command that moves the phase, and what it does."""

    command: str
    effect: str


class Explanation(Struct, frozen=True, kw_only=True):
    """One phase explained, as of one instant."""

    run: str
    phase: str
    state: PhaseState
    at: datetime
    timezone: str
    headline: str
    """One sentence: why it is as it is."""
    rule: str
    """What the gate asks for, in words."""
    standing: str
    """How the members stand, in words."""
    counts: Counts = Counts()
    mark: Mark | None = None
    missing: tuple[MissingMember, ...] = ()
    missing_count: int = 0
    """How many critical and required members are missing, named above or not."""
    lacks: tuple[str, ...] = ()
    """What tasks ask of a worker and no process that lives has."""
    near: tuple[str, ...] = ()
    """Limits of which most was used, in words."""
    waits_for: tuple[str, ...] = ()
    """Upstream phases, or a previous run, that are not done."""
    inherited: dict[str, tuple[str, ...]] | None = None
    """Who was missing upstream, by phase."""
    clocks: tuple[ClockView, ...] = ()
    opening: Opening | None = None
    parked: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()


class _Case(Struct, frozen=True, kw_only=True):
    """What an explanation is made from."""

    view: Snapshot
    desk: Desk
    run: Run
    plan: Plan
    own: PhasePlan
    phase: Phase

    @property
    def scene(self) -> gate.Scene:
        return self.desk.scene(self.phase)


def explain(view: Snapshot, run: Run, name: str, settings: Settings, now: datetime) -> Explanation:
    """Explain the phase `name` of a run; raises `KeyError` if the run has no such phase."""
    plan, phase = view.plan(run.id), view.phase_of(run.id, name)
    if phase is None:
        raise KeyError(name)
    desk = views.desk_of(view, settings, now)
    case = _Case(view=view, desk=desk, run=run, plan=plan, own=plan.phase(name), phase=phase)
    missing = _missing(case)
    lacks = fleet.lacks(view, case.own, phase, fleet.living(view, settings, now))
    return Explanation(
        run=run.id,
        phase=name,
        state=phase.state,
        at=now,
        timezone=plan.timezone,
        headline=_headline(case),
        rule=rule_words(case.own.gate, None if phase.state != "active" else gate.need_in_force(case.scene, now)),
        standing=_standing(phase),
        counts=phase.counts,
        mark=phase.mark,
        missing=missing,
        missing_count=rules.missing(phase.counts),
        lacks=lacks,
        near=tuple(nearing.told(phase)),
        waits_for=_upstream(case) if phase.state == "waiting" else (),
        inherited=phase.inherited or None,
        clocks=_clocks(case),
        opening=view.opening(phase.id),
        parked=views.parked(view, run, name),
        commands=tuple(_commands(case, missing, lacks, settings.lease)),
    )


def _missing(case: _Case) -> tuple[MissingMember, ...]:
    if case.phase.started_at is None:
        return ()
    page = views.missing_page(case.view, case.own, case.phase, tasks=NAMED)
    return page.members[:NAMED]


def _clocks(case: _Case) -> tuple[ClockView, ...]:
    """Return the clocks of an active phase; of one that waits or consolidates, the only one there is."""
    if case.phase.state == "active":
        return timing.clocks(case.scene, case.desk.now)
    if case.phase.state in {"done", "failed", "skipped"}:
        return ()
    at = clocks.after_awake(case.run.started_at, case.plan.max_age, case.desk.halts(case.run), case.desk.now)
    return (ClockView(name="max_age", at=at, effect="the run fails, and with it what is not over"),)


# --- words ---------------------------------------------------------------------------------------------------------


def rule_words(rule: Gate, need: Need | None = None) -> str:
    """Say in one sentence what a gate asks for; `need` is the one in force, if it is not the gate's own."""
    asked = need or rule.need
    said = "opens when every critical and required member is satisfied"
    if str(rule.tolerate) not in {"0", "0%"}:
        said = f"opens when every critical and required member has settled, {rule.tolerate} of them unsatisfied at most"
    if asked is not None:
        said += f", or as a quorum when {timing.need_words(asked)} are"
    if rule.grace:
        said += f"; waits {words(rule.grace)} more for optional members"
    if rule.check is not None:
        said += f"; {rule.check} may veto it"
    return f"{said}; if that can no longer be met: {rule.hopeless}"


def _standing(phase: Phase) -> str:
    counts = phase.counts
    if phase.started_at is None:
        return "it has not started"
    roll = "" if phase.sealed else "; the roll is not sealed, more may come"
    said = (
        f"{counts.satisfied} of {counts.expected} satisfied, {counts.unsatisfied} unsatisfied, {counts.pending} pending"
    )
    withdrawn = f", {counts.withdrawn} withdrawn" if counts.withdrawn else ""
    return said + withdrawn + roll


def _headline(case: _Case) -> str:
    phase = case.phase
    match phase.state:
        case "waiting":
            return "has not started: it waits for " + (", ".join(_upstream(case)) or "the next look")
        case "active":
            return _verdict(gate.decide(case.scene, case.desk.now)) + _last_no(case)
        case "closing":
            halt = "; halted, it opens when that ends" if phase.mark is not None else "; its opening is being written"
            return f"closed: {phase.ruling.rule if phase.ruling else ''}{halt}"
        case "opened":
            return f"{_opened(phase)}; its consolidation runs{_last_error(case)}"
        case "done":
            return _opened(phase)
        case "failed" | "skipped":
            return f"{phase.state}: {phase.failure}"
        case _ as never:
            assert_never(never)


def _verdict(verdict: gate.Verdict) -> str:
    """Say what the gate answers now."""
    match verdict:
        case gate.Wait(mark=mark, reason=reason):
            return f"{mark or 'not open yet'}: {reason}"
        case gate.Ask():
            return "its rule holds; its check has to be asked, by a process that runs it"
        case gate.Open(ruling=ruling):
            return f"may open now ({ruling.rule}); the next look of a process that runs it opens it"
        case gate.Fail(reason=reason):
            return f"fails at the next look of a process that runs it: {reason}"
        case gate.Unstick(reason=reason):
            return f"stalled: {reason}"
        case _ as never:
            assert_never(never)


def _last_no(case: _Case) -> str:
    """Repeat what a check has said that is being asked again."""
    vote, verdict = case.phase.vote, gate.decide(case.scene, case.desk.now)
    asking = isinstance(verdict, gate.Ask) or (isinstance(verdict, gate.Wait) and case.phase.asking_until is not None)
    said_no = vote is not None and not vote.yes
    vetoed = isinstance(verdict, gate.Wait) and verdict.mark == "vetoed"
    return f"; the last time it said no: {vote.reason}" if vote and said_no and asking and not vetoed else ""


def _opened(phase: Phase) -> str:
    if phase.ruling is None:
        return phase.state
    carried = f", carried from {phase.carried_from}" if phase.carried_from else ""
    return f"opened{' partial' if phase.ruling.partial else ''}{carried}: {phase.ruling.rule}"


def _last_error(case: _Case) -> str:
    task = case.view.task(case.phase.id, "then", 0)
    return f"; the last attempt said: {task.error}" if task is not None and task.error else ""


def _upstream(case: _Case) -> tuple[str, ...]:
    """Name what a waiting phase waits for, each with how it stands."""
    above = (case.view.phase_of(case.run.id, need) for need in case.own.needs)
    found = [f"{phase.name} ({phase.state})" for phase in above if phase is not None and phase.state != "done"]
    before = case.view.before(case.run.identity) if case.own.needs_previous else None
    if before is not None and before.state == "running":
        found.append(f"the previous run {before.id} (running)")
    return tuple(found)


# --- what moves it -------------------------------------------------------------------------------------------------


def _commands(
    case: _Case, missing: tuple[MissingMember, ...], lacks: tuple[str, ...], lease: timedelta
) -> Iterator[Command]:
    phase, where = case.phase, f"{case.run.id} {case.phase.name}"
    halt = clocks.halted(case.desk.halts(case.run), case.desk.now)
    if phase.state in {"done", "failed", "skipped"}:
        yield from _afterwards(case)
        return
    if halt is not None:
        yield Command(
            command=f"shotclock resume {'--all' if halt.scope == '*' else halt.scope}", effect="ends the halt"
        )
    elif not any(lives(process, case.desk.now, lease) for process in case.view.processes()):
        yield Command(command=run_command(case.run, case.plan), effect="works on it; no process does so now")
    for tags in lacks if halt is None else ():
        command = f"shotclock worker --tags {tags.replace(', ', ',')}"
        yield Command(command=command, effect=f"takes what waits for a worker with: {tags}")
    if phase.state not in ACCEPTING or phase.state == "waiting":
        return
    yield from islice(_for_members(where, missing), 3)
    if missing and halt is None:
        yield Command(command=f"shotclock force {where} --reason TEXT", effect="opens it without whoever is missing")


def _for_members(where: str, missing: tuple[MissingMember, ...]) -> Iterator[Command]:
    """Yield what helps the first missing external, failed and any member."""
    external = next((one for one in missing if one.external and one.kind == "pending"), None)
    failed = next((one for one in missing if one.kind != "pending"), None)
    if external is not None:
        yield Command(
            command=f"shotclock report {where} {quote(external.member)} succeeded",
            effect=f"reports for {external.member}, which reports from outside",
        )
    if failed is not None:
        yield Command(command=f"shotclock rerun {where} {quote(failed.member)}", effect=f"tries {failed.member} again")
    first = next(iter(missing), None)
    if first is not None:
        command = f"shotclock withdraw {where} {quote(first.member)} --reason TEXT"
        yield Command(command=command, effect=f"goes on without {first.member}, not partial for it")


def _afterwards(case: _Case) -> Iterator[Command]:
    phase, run = case.phase, case.run
    short = phase.state != "done" or (phase.ruling is not None and phase.ruling.partial)
    if not short or run.superseded:
        return
    first = phase.name
    if phase.state == "skipped":
        first = next((one.name for one in case.view.phases(run.id) if one.state == "failed"), first)
    yield Command(command=f"shotclock rerun {run.id} {first}", effect="makes a new generation from there")


def run_command(run: Run, plan: Plan) -> str:
    """Return the command that goes on with a run."""
    mode = "" if run.mode == "default" else f" --mode {run.mode}"
    return f"shotclock run {quote(plan.folder)} {run.key}{mode}"
