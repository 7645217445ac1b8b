"""What is wrong now, of all runs and processes of a store: each finding with its place and the command that helps."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from shotclock.amounts import words
from shotclock.engine import listed, nearing, staging, views
from shotclock.model import Phase, PhasePlan, Plan, Process, Run
from shotclock.ports import Snapshot
from shotclock.settings import Settings

LOOKED_AT: Final = 1_000
"""Newest runs that are looked at."""
HELD: Final = frozenset({"blocked", "vetoed", "stalled"})
FindingKind = Literal["phase", "handover", "process", "settings", "drift", "limit", "parked", "staging"]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    kind: FindingKind
    where: str
    """The run, phase, process or folder."""
    text: str
    command: str | None = None
    """What helps, where a command does."""


def examine(view: Snapshot, settings: Settings, now: datetime, alive: Callable[[str], bool]) -> list[Finding]:
    """Return all that is wrong, what keeps runs from going on first; `alive` says whether a process may live."""
    newest = _newest(view)
    return [
        *_phases(view, now, alive),
        *_processes(view, settings, now, alive),
        *_settings(view, settings, now, alive),
        *(finding for run in newest for finding in _drift(view, run)),
        *(finding for run in newest for finding in _limits(view, run, settings, now)),
        *(finding for name in sorted({run.pipeline for run in newest}) for finding in _room(view, name, settings)),
        *_parked(view),
        *_staging(view, settings, now),
    ]


def _newest(view: Snapshot) -> list[Run]:
    """Return the newest run of each pipeline and mode."""
    found: dict[tuple[str, str], Run] = {}
    for run in view.runs(limit=LOOKED_AT):
        known = found.get((run.pipeline, run.mode))
        if not run.superseded and (known is None or run.key > known.key):
            found[run.pipeline, run.mode] = run
    return [found[name] for name in sorted(found)]


def _phases(view: Snapshot, now: datetime, alive: Callable[[str], bool]) -> Iterator[Finding]:
    """Find phases that are held up, and those that nobody has taken up."""
    living = [process for process in view.processes() if alive(process.name)]
    for phase in view.active():
        where, explain = f"{phase.run} {phase.name}", f"shotclock explain {phase.run} {phase.name}"
        mark = phase.mark
        if mark is not None and mark.kind in HELD:
            text = f"{mark.kind} for {words(now - mark.since)}: {mark.reason}"
            yield Finding(kind="phase", where=where, text=text, command=explain)
        if phase.handover is not None and phase.handover.state == "unacknowledged":
            text = "its start was told twice, and nobody has taken it up: its route has no consumer"
            yield Finding(kind="handover", where=where, text=text, command=explain)
        elif not living and _has_work(view, phase):
            text = "it has work to do, and no process that could do it is alive"
            yield Finding(kind="handover", where=where, text=text, command=explain)


def _has_work(view: Snapshot, phase: Phase) -> bool:
    return view.next_ready(phase.id) is not None


def _processes(view: Snapshot, settings: Settings, now: datetime, alive: Callable[[str], bool]) -> Iterator[Finding]:
    """Find processes that live and have stopped beating, or that are gone and still hold tasks."""
    for process in view.processes():
        silent = now - process.beat_at
        if silent <= settings.lease:
            continue
        held = len(view.leased(owner=process.name))
        if held or (alive(process.name) and _recent(silent, settings)):
            holds = f" and holds {held} task{'' if held == 1 else 's'}" if held else ""
            yield Finding(
                kind="process", where=process.name, text=f"has given no sign of life for {words(silent)}{holds}"
            )


def _recent(silent: timedelta, settings: Settings) -> bool:
    """Say whether a process that nothing is known of may still be missed; long ago it was simply ended."""
    return silent <= settings.catch_up


def _settings(view: Snapshot, settings: Settings, now: datetime, alive: Callable[[str], bool]) -> Iterator[Finding]:
    """Find processes that run with another setting than most."""
    beating = [
        one
        for one in view.processes()
        if one.ended_at is None and now - one.beat_at <= settings.lease and alive(one.name)
    ]
    for name in sorted({name for process in beating for name in process.settings}):
        values = Counter(process.settings.get(name, "the default") for process in beating)
        most = values.most_common(1)[0][0]
        for process in beating if len(values) > 1 else []:
            value = process.settings.get(name, "the default")
            if value != most or values[value] == values.most_common(2)[1][1]:
                yield Finding(
                    kind="settings",
                    where=process.name,
                    text=_differs(name, value, process, values),
                    command="shotclock config diff",
                )


def _differs(name: str, value: str, process: Process, values: Counter[str]) -> str:
    others = ", ".join(other for other in values if other != value)
    source = "" if process.origins is None else f" ({process.origins.get(name, 'default')})"
    return f"process {process.pid} on {process.host} runs with {name} = {value}{source}; elsewhere it is {others}"


def _drift(view: Snapshot, run: Run) -> Iterator[Finding]:
    """Find members that the newest run counts for less than the file says, or that the run before still had."""
    plan, before = view.plan(run.id), view.before(run.identity)
    earlier = None if before is None else view.plan(before.id)
    for own in plan.phases:
        where = f"{run.id} {own.name}"
        for member in own.members:
            if member.demoted:
                text = f"{member.name} is waited for no longer: required, and not satisfied in the last ten runs"
                yield Finding(kind="drift", where=where, text=text, command=f"shotclock missing {run.id} {own.name}")
        for name in _left_out(own, earlier):
            text = f"{name} is no member any more; {before.id if before else ''} still had it"
            yield Finding(kind="drift", where=where, text=text)


def _left_out(own: PhasePlan, earlier: Plan | None) -> list[str]:
    old = next((phase for phase in earlier.phases if phase.name == own.name), None) if earlier else None
    names = {member.name for member in own.members}
    return [member.name for member in old.members if member.name not in names] if old and own.members else []


def _limits(view: Snapshot, run: Run, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Find limits of which most is used: by tasks, openings and checks of the newest run, by deadlines, by its age."""
    desk, plan = views.desk_of(view, settings, now), view.plan(run.id)
    age = nearing.age_words(run, plan.max_age, desk.halts(run), now)
    if age is not None:
        yield Finding(kind="limit", where=run.id, text=age, command=f"shotclock status {run.id}")
    for phase in view.phases(run.id):
        where, near = f"{run.id} {phase.name}", [*nearing.told(phase)]
        over = nearing.deadline_words(desk, phase) if phase.state == "active" else None
        for text in [*near, *([over] if over else [])]:
            yield Finding(kind="limit", where=where, text=text, command=f"shotclock explain {where}")


def _room(view: Snapshot, pipeline: str, settings: Settings) -> Iterator[Finding]:
    """Find a pipeline that has parked most of the reports it may."""
    parked = view.count_entries("parked", scope_prefix=f"{pipeline}/")
    if nearing.nearly(parked, settings.parked):
        text = f"{parked} reports are parked, of {settings.parked} that may be; further ones are refused then"
        yield Finding(kind="limit", where=pipeline, text=text)


def _parked(view: Snapshot) -> Iterator[Finding]:
    """Find reports that nobody is known for, each with the names it may have meant."""
    counted = 0
    for run in view.runs(limit=LOOKED_AT):
        if run.superseded:
            continue
        scope = str(replace(run.identity, generation=1))
        for entry in view.entries("parked", scope=scope, limit=listed.NAMED):
            counted += 1
            text = f"a report for {entry.member} counts for nobody{_near(view, run, entry.phase, entry.member)}"
            yield Finding(
                kind="parked", where=f"{scope} {entry.phase}", text=text, command=f"shotclock status {run.id}"
            )
    more = view.count_entries("parked", scope_prefix="") - counted
    if more > 0:
        yield Finding(
            kind="parked", where="all runs", text=f"{more} more reports are parked, for runs that are not there"
        )


def _near(view: Snapshot, run: Run, phase: str, member: str) -> str:
    plan = view.plan(run.id)
    known = [own.name for own in plan.phases]
    if phase not in known:
        near = get_close_matches(phase, known, n=1, cutoff=0)
        return f": there is no phase {phase}; the nearest is {near[0]}" if near else ""
    names = [name for one in plan.phase(phase).members for name in (one.name, *one.aliases)]
    near = get_close_matches(member, names, n=1)
    return f"; the nearest name is {near[0]}" if near else ""


def _staging(view: Snapshot, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Find staged files that nothing names, a line for each run."""
    found: dict[str, list[staging.Orphan]] = {}
    for orphan in staging.orphans(view, settings.home, now):
        found.setdefault(orphan.run, []).append(orphan)
    for run, files in found.items():
        size = sum(orphan.size for orphan in files)
        text = f"{len(files)} staged files that nothing names ({size:,} bytes), such as {files[0].path}"
        kept = f"; removed {words(settings.staged_for)} after they were written"
        yield Finding(kind="staging", where=run, text=text + kept)
