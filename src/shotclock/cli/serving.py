"""`worker`: a process that works on whatever runs there are, until it is told to stop."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shotclock.cli.shell import Shell, common, examples, one_line, tagged

if TYPE_CHECKING:
    from shotclock.clock import Clock
    from shotclock.engine.job import Job
    from shotclock.model import TaskReport
    from shotclock.settings import Settings


@click.command(
    epilog=examples(
        "shotclock worker",
        "shotclock worker pipelines/nba --tags gpu,big --max 16",
        "shotclock worker --home FOLDER --json",
    ),
)
@click.argument("pipelines", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--max", "most", type=click.IntRange(1, 1_000_000), help="Most tasks at once, over all phases (default 1000)."
)
@tagged
@common
@click.pass_obj
def worker(shell: Shell, pipelines: tuple[Path, ...], most: int | None) -> int:
    """Work on whatever runs are in the store, or only on those of PIPELINES; any number of processes may do so.

    SIGTERM and Ctrl-C stop it: members that run have a while to end and count, the rest is given back, exit code 0. A
    second one ends it at once.
    """
    from shotclock.buses import open_bus  # noqa: PLC0415 - not for --help
    from shotclock.cli import foreground  # noqa: PLC0415 - likewise
    from shotclock.cli.logs import lasting, listeners  # noqa: PLC0415 - likewise
    from shotclock.clock import SystemClock  # noqa: PLC0415 - likewise
    from shotclock.engine.embedded import Engine  # noqa: PLC0415 - likewise
    from shotclock.engine.reach import reach_of  # noqa: PLC0415 - likewise
    from shotclock.engine.telling import Audience  # noqa: PLC0415 - likewise

    settings, clock = shell.settings(max_tasks=most), SystemClock()
    reach = reach_of(settings, pipelines=frozenset(_checked(path, settings) for path in pipelines))
    outlets = foreground.channels(settings)
    with closing(shell.store(settings, make=True)) as store, closing(open_bus(settings)) as bus, shell.alone():
        journal = Journal(shell, clock)
        engine = Engine(
            store,
            settings,
            clock,
            reach=reach,
            kind="worker",
            told=journal.told,
            bus=bus,
            outlets=outlets,
            warehouse=foreground.warehouses(settings),
            audience=Audience(listeners(shell, settings)),
        )
        with lasting(shell, settings), closing(engine), foreground.stopped_by_signals(engine, settings):
            journal.began(engine.owner, sorted(reach.tags), reach.most)
            engine.serve()
        journal.ended(engine.owner)
    return 0


def _checked(path: Path, settings: "Settings") -> str:
    """Return the name of a pipeline whose file can be read, whose functions are there, and whose times fit."""
    from shotclock.cli.planning import check_plan, plan_of  # noqa: PLC0415 - not for --help

    plan = plan_of(path, None, {})
    check_plan(plan, settings)
    return plan.pipeline


class Journal:
    """Says what a worker takes and how it ends, a line or a JSON document each."""

    def __init__(self, shell: Shell, clock: "Clock") -> None:
        self._shell = shell
        self._clock = clock
        self._ended: Counter[str] = Counter()

    def began(self, name: str, tags: list[str], most: int) -> None:
        """Say that the worker has begun."""
        has = f" with {', '.join(tags)}" if tags else ""
        self._say(
            {"event": "worker.started", "process": name, "tags": tags, "max": most}, f"{name}{has}: waits for work"
        )

    def told(self, job: "Job", report: "TaskReport | None") -> None:
        """Say that a task was leased, or how it ended."""
        task = job.assignment
        where = {"run": task.run, "phase": task.phase, "member": task.member, "attempt": task.attempt}
        how, counts, reason = _how(report)
        self._ended[how] += report is not None
        numbers = ", ".join(f"{number} {kind}" for kind, number in counts.items()) if len(job.ordinals) > 1 else ""
        said = ": ".join(word for word in (how, numbers, reason) if word)
        again = f" (attempt {task.attempt})" if task.attempt > 1 else ""
        document = {"event": f"task.{how}", **where, "counts": counts, "reason": reason}
        self._say(document, f"{task.run} {task.phase}.{task.member}{again}: {said}")

    def ended(self, name: str) -> None:
        """Say that the worker has given everything back."""
        numbers = ", ".join(f"{number} {how}" for how, number in sorted((+self._ended).items())) or "no tasks"
        self._say({"event": "worker.stopped", "process": name, "tasks": dict(+self._ended)}, f"stopped: {numbers}")

    def _say(self, document: dict[str, object], text: str) -> None:
        at = self._clock.now()
        self._shell.document({**document, "at": at})
        self._shell.say(f"{at:%H:%M:%S} {one_line(text)}")


def _how(report: "TaskReport | None") -> tuple[str, dict[str, int], str]:
    """Return how a task stands or ended, how many members settled how, and the first reason there is."""
    from shotclock.model import KINDS, UNSATISFIED  # noqa: PLC0415 - not for --help

    if report is None:
        return "leased", {}, ""
    counts: dict[str, int] = dict(Counter(KINDS[code] for code in report.kinds if code))
    if report.permanent is not None:
        return "failed", {}, report.permanent
    tried = [*([report.whole] if report.whole else []), *report.again.values()]
    if tried:
        return "again", counts, tried[0].reason
    if not UNSATISFIED & counts.keys():
        return "done", counts, ""
    return "failed", counts, next((note.reason for note in report.notes.values() if note.reason), "")
