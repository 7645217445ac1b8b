"""`backfill`: the days of a range, the oldest first, one run at a time."""

from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import click

from shotclock.cli.planning import check_plan, parameters, plan_of, shown
from shotclock.cli.shell import Shell, common, examples, tagged
from shotclock.errors import SpecError, UsageError

if TYPE_CHECKING:
    from shotclock.model import Plan

DAY: Final = timedelta(days=1)
MOST: Final = 3_660
"""Days a backfill may span."""


@click.command(
    epilog=examples(
        "shotclock backfill pipelines/nba --from 2025-01-01 --to 2025-01-31",
        "shotclock backfill pipelines/nba --from 2025-01-01 --to 2025-01-31 --resume",
    ),
)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--from", "first", required=True, metavar="DATE", help="The first day.")
@click.option("--to", "last", required=True, metavar="DATE", help="The last day.")
@click.option("--resume", is_flag=True, help="Go on with unfinished days and do failed ones again.")
@click.option("--mode", help="A mode the pipeline file declares.")
@parameters
@tagged
@common
@click.pass_obj
def backfill(  # noqa: PLR0913 - the arguments and options of the command
    shell: Shell, pipeline: Path, first: str, last: str, mode: str | None, params: dict[str, object], *, resume: bool
) -> int:
    """Run PIPELINE for every day from DATE to DATE, the oldest first, one at a time.

    Days off by the pipeline's calendar are left out, days that are over are left as they are; a failed day stops
    nobody. With --resume unfinished days are gone on with, and failed ones get a new generation.

    Exits as its worst day: 0 complete, 3 partial, 1 failed; 2 wrong use, 130 stopped by Ctrl-C.
    """
    plan = plan_of(pipeline, mode, params)
    days = days_of(plan, first, last)
    settings = shell.settings()
    check_plan(plan, settings)
    keys = [day.isoformat() for day in days if calendar_of(plan)(day)]
    from shotclock.cli import foreground  # noqa: PLC0415 - not for --help
    from shotclock.cli.days import Backfill  # noqa: PLC0415 - likewise

    foreground.channels(settings)  # what cannot be used is said before anything begins

    options = f" --mode {mode}" if mode else ""
    command = f"shotclock backfill {quote(str(pipeline))} --from {first} --to {last} --resume{options}{shown(params)}"
    with closing(shell.store(settings, make=True)) as store:
        work = Backfill(shell, store, settings, plan, shell.command(command))
        work.refuse_unfinished(keys, resume=resume)
        return work.carry(keys, resume=resume, off=len(days) - len(keys))


def days_of(plan: "Plan", first: str, last: str) -> list[date]:
    """Return the days of the range; raises `UsageError` for one that cannot be meant."""
    from shotclock.spec import check_key  # noqa: PLC0415 - not for --help

    if plan.key_type != "date":
        message = f"backfill runs dates; {plan.key_name} of pipeline {plan.pipeline} is text: use run for each key"
        raise UsageError(message)
    start, end = (date.fromisoformat(check_key(plan, day)) for day in (first, last))
    today = today_of(plan)
    if start > end:
        message = f"--from {first} is after --to {last}: give the older day first"
    elif end > today:
        message = f"--to {last} is in the future: it is {today} in {plan.timezone}"
    elif (end - start).days >= MOST:
        message = f"--from {first} --to {last} spans {(end - start).days + 1} days, at most {MOST}: split it"
    else:
        return [start + DAY * number for number in range((end - start).days + 1)]
    raise UsageError(message)


def today_of(plan: "Plan") -> date:
    """Return the date of this moment in the pipeline's zone."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - not for --help

    from shotclock.clock import SystemClock  # noqa: PLC0415 - likewise

    return SystemClock().now().astimezone(ZoneInfo(plan.timezone)).date()


def calendar_of(plan: "Plan") -> Callable[[date], bool]:
    """Return the pipeline's calendar: whether a day has a run."""
    if plan.starts.calendar is None:
        return lambda _day: True
    module, _, name = plan.starts.calendar.partition(":")
    function = getattr(import_module(module), name)

    def asked(day: date) -> bool:
        try:
            return bool(function(day))
        except Exception as error:
            message = f"starts: calendar: {plan.starts.calendar} raised {type(error).__name__} for {day}: {error}"
            raise SpecError((message,)) from error

    return asked
