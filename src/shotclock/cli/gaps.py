"""`gaps`: which days and phases of a pipeline are missing, however old."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from shotclock.cli.backfilling import calendar_of, days_of, today_of
from shotclock.cli.planning import check_functions, plan_of
from shotclock.cli.shell import Shell, common, examples, one_line, table

if TYPE_CHECKING:
    from shotclock.engine.views import Gap


@click.command(
    epilog=examples("shotclock gaps pipelines/nba --since 2025-01-01"),
)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--since", required=True, metavar="DATE", help="The first day to look at.")
@click.option("--mode", help="A mode the pipeline file declares.")
@common
@click.pass_obj
def gaps(shell: Shell, pipeline: Path, since: str, mode: str | None) -> int:
    """Name every day of PIPELINE from DATE to yesterday that has no run, and every phase that failed or was skipped.

    Days off by the pipeline's calendar and runs that are not over are no gaps. Exits 1 if there are gaps.
    """
    plan = plan_of(pipeline, mode, {})
    last = (today_of(plan) - timedelta(days=1)).isoformat()
    days = days_of(plan, since, last)
    check_functions(plan)
    keys = [day.isoformat() for day in days if calendar_of(plan)(day)]
    from shotclock.engine import views  # noqa: PLC0415 - not for --help

    with closing(shell.store(shell.settings())) as store:
        found = store.read(lambda view: views.gaps(view, plan, keys))
    shell.document({"pipeline": plan.pipeline, "since": since, "to": last, "gaps": found})
    _say(shell, found, f"shotclock backfill {quote(str(pipeline))}", f"{since} to {last}")
    return 1 if found else 0


def _say(shell: Shell, found: "list[Gap]", backfill: str, span: str) -> None:
    for text in table((gap.key, gap.phase or "every phase", one_line(gap.reason)) for gap in found):
        shell.say(text)
    if found:
        first, last = found[0].key, found[-1].key
        shell.say(f"next: {shell.command(f'{backfill} --from {first} --to {last} --resume')}")
    else:
        shell.say(f"no gaps from {span}")
