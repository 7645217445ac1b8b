"""Runs that start by themselves: at the ticks of a schedule, missed ones caught up, and with a first report."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct

from shotclock.core import clocks, schedule
from shotclock.core.schedule import Due, Tick, Timetable
from shotclock.engine import starting
from shotclock.engine.desk import Desk
from shotclock.engine.members import resolve
from shotclock.engine.results import told
from shotclock.errors import MemberError, UsageError
from shotclock.model import Plan, Report, Run, RunId, member_name
from shotclock.ports import Snapshot
from shotclock.spec import check_key


class Ticked(Struct, frozen=True, kw_only=True):
    """What a look at a schedule came to."""

    started: Run | None = None
    gaps: tuple[str, ...] = ()
    """Keys whose ticks are too old to be caught up; each is told once."""
    waiting: int = 0
    """Ticks that are due and wait for the run before them."""


def handled(view: Snapshot, plan: Plan) -> datetime | None:
    """Return the instant up to which a schedule's ticks were seen to; None before its first look."""
    kept = view.entries("tick", scope=_scope(plan))
    return datetime.fromisoformat(kept[-1].body["until"]) if kept else None


def due(plan: Plan, last: datetime, now: datetime, window: timedelta) -> Due:
    """Return what a plan's schedule has due; raises `UsageError` without one, `MemberError` if the calendar raises."""
    if plan.starts.cron is None:
        message = f"{plan.pipeline} has no schedule: give it one in its file, starts: {{schedule: ...}}"
        raise UsageError(message)
    table = Timetable(cron=plan.starts.cron, timezone=plan.timezone, day=plan.starts.day)
    off = frozenset(tick.key for tick in schedule.ticks(table, last, now) if not _has_run(plan, tick.key))
    return schedule.due(Timetable(cron=table.cron, timezone=table.timezone, day=table.day, off=off), last, now, window)


def _has_run(plan: Plan, key: str) -> bool:
    """Ask the pipeline's calendar whether a key has a run."""
    calendar = plan.starts.calendar
    if calendar is None:
        return True
    function = resolve(calendar, plan.folder)
    try:
        return bool(function(date.fromisoformat(key)))
    except Exception as error:
        message = f"starts: calendar: {calendar} raised for {key}: {told(error, plan.folder)}"
        raise MemberError(message) from error


def tick(desk: Desk, plan: Plan, last: datetime | None, found: Due | None) -> Ticked:
    """Start the oldest run that is due and may start, and name the gaps; `found` was due since `last`."""
    if handled(desk.tx, plan) != last or _halted(desk, plan):
        return Ticked()
    if last is None or found is None:
        _see_to(desk, plan, desk.now)
        return Ticked()
    if found.gaps:
        _tell_gaps(desk, plan, found.gaps)
    return _start_first(desk, plan, list(found.starts), tuple(gap.key for gap in found.gaps))


def _start_first(desk: Desk, plan: Plan, ticks: list[Tick], gaps: tuple[str, ...]) -> Ticked:
    """Start the first tick whose run is not there yet; those that are there have been started by hand."""
    catching_up = _catching_up(desk, plan)
    while (start := schedule.next_start(ticks, desk.now, catching_up=catching_up)) is not None:
        _see_to(desk, plan, start.tick.at)
        del ticks[0]
        run, new = starting.start(desk, plan, start.tick.key, "missed" if start.missed else "schedule")
        if new:
            return Ticked(started=run, gaps=gaps, waiting=len(ticks))
    return Ticked(gaps=gaps, waiting=len(ticks))


def _catching_up(desk: Desk, plan: Plan) -> bool:
    running = desk.tx.runs(pipeline=plan.pipeline, state="running", limit=desk.settings.backlog)
    return any(run.cause == "missed" and run.mode == plan.mode for run in running)


def _halted(desk: Desk, plan: Plan) -> bool:
    halts = [halt for halt in desk.tx.halts() if halt.scope in {"*", plan.pipeline}]
    return clocks.halted(halts, desk.now) is not None


def _see_to(desk: Desk, plan: Plan, until: datetime) -> None:
    """Note up to when a schedule's ticks have been seen to."""
    kept = desk.tx.entries("tick", scope=_scope(plan))
    desk.tx.remove_entries([entry.id for entry in kept])
    desk.keep("tick", _scope(plan), body={"until": until.isoformat()})


def _tell_gaps(desk: Desk, plan: Plan, gaps: tuple[Tick, ...]) -> None:
    """Keep the keys that were missed for too long, and tell operators once."""
    scope = _scope(plan)
    for gap in gaps:
        desk.keep("gap", scope, member=gap.key, body={"due": gap.at.isoformat()})
    _see_to(desk, plan, gaps[-1].at)
    keys = [gap.key for gap in gaps]
    text = f"{scope}: {len(keys)} missed runs are too old to be caught up, from {keys[0]} to {keys[-1]}"
    command = f"shotclock backfill {plan.folder} --from {keys[0]} --to {keys[-1]}"
    body = {"fact": "gaps", "run": scope, "phase": "", "text": text, "names": keys[: desk.settings.named]}
    desk.post(f"alert:gaps:{scope}:{keys[0]}:{keys[-1]}", "alert", "", body | {"command": command})


def _scope(plan: Plan) -> str:
    return f"{plan.pipeline}/{plan.mode}"


def start_for(desk: Desk, plans: Mapping[tuple[str, str], Plan], report: Report) -> None:
    """Start the run a report speaks of, if it names a known member of a pipeline that a first report starts."""
    if not plans:
        return
    try:
        identity = RunId.parse(report.run)
        member = member_name(report.member)
    except ValueError:
        return  # it is refused where it is recorded
    plan = plans.get((identity.pipeline, identity.mode))
    if plan is None or not plan.starts.on_report or desk.newest(identity) is not None:
        return
    own = next((phase for phase in plan.phases if phase.name == report.phase), None)
    if own is not None and own.member(member) is not None and identity.generation == 1 and _is_key(plan, identity.key):
        starting.start(desk, plan, identity.key, "report")


def _is_key(plan: Plan, key: str) -> bool:
    try:
        check_key(plan, key)
    except UsageError:
        return False
    return True
