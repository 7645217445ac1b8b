"""`status`, `missing`, `explain`: how runs and phases stand, who is missing, and why a phase has not opened."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import click

from shotclock.cli.shell import Shell, common, examples, one_line, table

if TYPE_CHECKING:
    from shotclock.engine.explaining import Explanation
    from shotclock.engine.listed import RunLine
    from shotclock.engine.views import MissingMember, RunView
    from shotclock.model import Phase, Run
    from shotclock.ports import Store


_TELLING = 5
"""Runs of a pipeline from which on their slowest phase is worth a line."""


@click.command(
    epilog=examples(
        "shotclock status",
        "shotclock status --pipeline nba --limit 5",
        "shotclock status nba/2025-01-15",
        "shotclock status 2025-01-15 --json",
    ),
)
@click.argument("run", required=False)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Most runs to list.")
@click.option("--pipeline", help="Only runs of this pipeline.")
@common
@click.pass_obj
def status(shell: Shell, run: str | None, limit: int, pipeline: str | None) -> None:
    """List the newest runs, or show the phases of RUN: counts, pace, openings, and what each waits for.

    RUN is pipeline/key, pipeline/key/mode, either with #GENERATION, or the key alone where only one run has it.
    """
    settings = shell.settings()
    if run is None and not settings.store and not (settings.home / "shotclock.db").exists():
        shell.document([])
        shell.say(f"no runs yet in {settings.home}; start one: shotclock run PIPELINE KEY")
        return
    from shotclock.engine import listed  # noqa: PLC0415 - not for --help

    with closing(shell.store(settings)) as store:
        if run is None:
            lines = store.read(lambda view: listed.run_lines(view, limit=limit, pipeline=pipeline))
            shell.document(lines)
            _list(shell, lines)
        else:
            seen = _seen(shell, store, run)
            shell.document(seen)
            _show(shell, seen)


def _seen(shell: Shell, store: "Store", text: str) -> "RunView":
    from shotclock.clock import SystemClock  # noqa: PLC0415 - likewise
    from shotclock.engine import views  # noqa: PLC0415 - likewise
    from shotclock.engine.naming import find_run  # noqa: PLC0415 - not for --help

    settings, now = shell.settings(), SystemClock().now()
    return store.read(lambda view: views.run_view(view, find_run(view, text), settings, now))


def _list(shell: Shell, lines: "list[RunLine]") -> None:
    """Say a line for each run."""
    from shotclock.cli import wording  # noqa: PLC0415 - not for --help

    rows = []
    for line in lines:
        more = line.missing_count - len(line.missing)
        missing = [*line.missing, *([f"{more} more"] if line.missing and more else [])]
        said = [
            *([line.halted] if line.halted else []),
            *line.marks,
            *([f"missing {', '.join(missing)}"] if missing else []),
        ]
        started = wording.local(line.started_at, line.timezone)
        rows.append((line.id, line.state, started, f"{line.phases_done}/{line.phases} phases", "; ".join(said)))
    for text in table(rows):
        shell.say(text)
    for text in _slowest(lines):
        shell.say(text)
    if not lines:
        shell.say("no such runs")


def _slowest(lines: "list[RunLine]") -> Iterator[str]:
    """Yield for each pipeline with enough runs in the list its slowest phase, over all of them."""
    from shotclock.cli import wording  # noqa: PLC0415 - not for --help

    for pipeline in sorted({line.id.partition("/")[0] for line in lines}):
        own = [line.took for line in lines if line.id.startswith(f"{pipeline}/") and line.took]
        sums = {name: sum((one.get(name, timedelta()) for one in own), timedelta()) for one in own for name in one}
        if len(own) >= _TELLING and len(sums) > 1:
            name = max(sums, key=lambda name: sums[name])
            spent = f"{wording.span(sums[name])} of {wording.span(sum(sums.values(), timedelta()))}"
            yield f"slowest phase of {pipeline} over these {len(own)} runs: {name}, {spent}"


def _show(shell: Shell, run: "RunView") -> None:
    """Say how a run and its phases stand."""
    from shotclock.cli import wording  # noqa: PLC0415 - not for --help

    took = wording.span((run.ended_at or run.at) - run.started_at)
    reason = f": {one_line(run.reason)}" if run.reason else ""
    superseded = ", superseded by a newer generation" if run.superseded else ""
    started = wording.local(run.started_at, run.timezone)
    shell.say(f"{run.id}: {run.state}{superseded}, started {started}, {took}{reason}")
    for text in table((wording.row(phase, run.at) for phase in run.phases), indent="  "):
        shell.say(text)
    for phase in run.phases:
        if phase.mark is not None:
            shell.say(f"{phase.name} is {wording.mark_words(phase, run)}")
        for tags in phase.lacks:
            shell.say(f"{phase.name} waits for a worker with: {tags}")
    _remarks(shell, run)


def _remarks(shell: Shell, run: "RunView") -> None:
    if run.halted is not None:
        shell.say(one_line(run.halted))
    if run.slowest is not None:
        shell.say(f"slowest: {run.slowest}")
    if run.late:
        shell.say(f"late: {run.late} report(s) came after their phase was over; they are kept and changed nothing")
    if run.parked:
        shell.say(f"parked: {', '.join(map(one_line, run.parked))}: reported, but no such member is known")
    waiting = [phase.name for phase in run.phases if phase.mark is not None or phase.state == "active"]
    if waiting and run.state == "running":
        shell.say(f"next: {shell.command(f'shotclock explain {run.id} {waiting[0]}')}")


@click.command(
    epilog=examples(
        "shotclock missing nba/2025-01-15",
        "shotclock missing nba/2025-01-15 raw",
        "shotclock missing nba/2025-01-15 predictions --limit 100 --json",
    ),
)
@click.argument("run")
@click.argument("phase", required=False)
@click.option("--limit", type=click.IntRange(1), help="Most members to name.")
@common
@click.pass_obj
def missing(shell: Shell, run: str, phase: str | None, limit: int | None) -> None:
    """Name the members of RUN that are not satisfied, or those of one PHASE, before its opening and after it.

    Each comes with how it stands and why. Large rolls are read page by page; --json writes one document for all.
    """
    from shotclock.engine.listed import halted_words  # noqa: PLC0415 - likewise
    from shotclock.engine.naming import find_run  # noqa: PLC0415 - not for --help

    with closing(shell.store(shell.settings())) as store:
        found = store.read(lambda view: find_run(view, run))
        phases = _phases(store, found, phase)
        members = islice(_missing(store, found, phases), limit)
        if shell.json:
            halted = store.read(lambda view: halted_words(view, found))
            named = list(members)
            more = _lacking(phases) - len(named)
            shell.document({"run": found.id, "halted": halted, "missing": named, "more": more})
            return
        number = 0
        for member in members:
            number += 1
            shell.say(_member(member))
        if limit is not None and _lacking(phases) > number:
            shell.say(f"{_lacking(phases) - number} more are missing; without --limit all are named")
        for one in phases:
            if one.state == "skipped":
                shell.say(f"{one.name} was skipped: {one.failure}")
        if number == 0:
            shell.say(f"{found.id}: nobody is missing" + (f" in {phase}" if phase else ""))


def _lacking(phases: "list[Phase]") -> int:
    """Return how many members of phases are pending or unsatisfied."""
    return sum(one.counts.pending + one.counts.unsatisfied for one in phases if one.started_at is not None)


def _phases(store: "Store", run: "Run", name: str | None) -> "list[Phase]":
    phases = store.read(lambda view: view.phases(run.id))
    if name is None:
        return phases
    from shotclock.engine.naming import find_phase  # noqa: PLC0415 - not for --help

    return [find_phase(phases, run, name)]


def _missing(store: "Store", run: "Run", phases: "list[Phase]") -> "Iterator[MissingMember]":
    """Yield the missing members of phases, each page from a snapshot of its own."""
    from shotclock.engine import views  # noqa: PLC0415 - not for --help

    plan = store.read(lambda view: view.plan(run.id))
    for phase in phases:
        own, after = plan.phase(phase.name), -1
        while phase.started_at is not None:
            page = store.read(lambda view: views.missing_page(view, own, phase, after=after))  # noqa: B023 - called at once
            yield from page.members
            if page.after is None:
                break
            after = page.after


def _member(member: "MissingMember") -> str:
    """Return a missing member as a line."""
    said = [member.importance, member.kind.replace("_", " ")]
    if member.external:
        said.append("reports from outside")
    if member.working:
        said.append("being worked on")
    if member.attempts:
        said.append(f"{member.attempts} attempts failed")
    reason = f": {member.reason}" if member.reason else ""
    return one_line(f"{member.phase} {member.member}: {', '.join(said)}{reason}")


@click.command(
    epilog=examples(
        "shotclock explain nba/2025-01-15 raw",
        "shotclock explain 2025-01-15 predictions --json",
        "shotclock explain pipelines/nba --plan",
    ),
)
@click.argument("run", metavar="RUN")
@click.argument("phase", required=False)
@click.option("--plan", is_flag=True, help="Say what runs beside what, and why: RUN, or the folder of a pipeline.")
@click.option("--mode", help="With --plan: a mode the pipeline file declares.")
@common
@click.pass_obj
def explain(shell: Shell, run: str, phase: str | None, *, plan: bool, mode: str | None) -> None:
    """Say why PHASE of RUN is as it is: by which rule, who is missing, what happens when, and what moves it.

    With --plan: which phases run beside which, how many tasks at once, and which word of the file or setting says so.
    Times are those of the pipeline's zone.
    """
    if plan:
        from shotclock.cli.shaping import tell  # noqa: PLC0415 - not for --help

        return tell(shell, run, mode)
    if phase is None:
        message = "Missing argument 'PHASE'"
        raise click.UsageError(message, click.get_current_context())
    return _explain(shell, run, phase)


def _explain(shell: Shell, run: str, phase: str) -> None:
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import explaining  # noqa: PLC0415 - likewise
    from shotclock.engine.naming import find_phase, find_run  # noqa: PLC0415 - likewise

    settings, now = shell.settings(), SystemClock().now()
    with closing(shell.store(settings)) as store:
        found = store.read(lambda view: find_run(view, run))
        find_phase(store.read(lambda view: view.phases(found.id)), found, phase)
        told = store.read(lambda view: explaining.explain(view, found, phase, settings, now))
    shell.document(told)
    for text in _explained(shell, told, now):
        shell.say(text)


def _explained(shell: Shell, told: "Explanation", now: datetime) -> Iterator[str]:
    """Yield an explanation as lines."""
    yield one_line(f"{told.run} {told.phase} {told.headline}")
    yield f"  gate: {told.rule}"
    yield f"  members: {told.standing}"
    for tags in told.lacks:
        yield f"  waits for a worker with: {tags}"
    for name, names in (told.inherited or {}).items():
        yield one_line(f"  upstream: {name} was without {', '.join(names)}")
    for text in told.near:
        yield one_line(f"  nearly reached: {text}")
    yield from _opening(told)
    for member in told.missing:
        yield f"  missing: {_member(member)}"
    if told.missing_count > len(told.missing):
        yield f"  missing: {told.missing_count} in all; `{shell.command(f'shotclock missing {told.run} {told.phase}')}`"
    if told.parked:
        yield one_line(f"  parked: {', '.join(told.parked)}: reported, but no such member is known")
    yield from _clocks(told, now)
    for command in told.commands:
        yield f"  next: {shell.command(command.command)}  ({one_line(command.effect)})"


def _opening(told: "Explanation") -> Iterator[str]:
    from shotclock.cli import wording  # noqa: PLC0415 - not for --help

    opening = told.opening
    if opening is None:
        return
    late = f", {wording.span(opening.late_by)} after its deadline" if opening.late_by else ""
    yield f"  opened: {wording.local(opening.at, told.timezone)}{late}, by {opening.reason}"
    for word, names in (("optional missing", opening.shortfall), ("withdrawn", opening.withdrawn)):
        if names:
            yield one_line(f"  {word}: {', '.join(names)}")


def _clocks(told: "Explanation", now: datetime) -> Iterator[str]:
    from shotclock.cli import wording  # noqa: PLC0415 - not for --help

    for clock in told.clocks:
        counts = f" ({clock.counts_from})" if clock.counts_from else ""
        when = "not known yet"
        if clock.at is not None:
            when = f"{wording.local(clock.at, told.timezone)}, {wording.until(clock.at, now)}"
        yield f"  {clock.name}: {when}: {clock.effect}{counts}"
