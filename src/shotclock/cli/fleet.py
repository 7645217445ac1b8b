"""`processes`, `backlog`: who works on the store, and what waits to be worked on."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from shotclock.cli.shell import Shell, common, examples, table

if TYPE_CHECKING:
    from shotclock.engine.fleet import BacklogLine, ProcessView


@click.command(
    epilog=examples("shotclock processes", "shotclock processes --all --json"),
)
@click.option("--all", "everyone", is_flag=True, help="Those that have left or died, too.")
@common
@click.pass_obj
def processes(shell: Shell, *, everyone: bool) -> None:
    """Show the processes that live: host, version, tags, last sign of life, tasks held, and whose settings differ.

    One that died is shown while it still holds tasks.
    """
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import fleet  # noqa: PLC0415 - likewise

    settings, now = shell.settings(), SystemClock().now()
    with closing(shell.store(settings)) as store:
        known = store.read(lambda view: fleet.processes(view, settings, now))
    found = [one for one in known if everyone or one.alive or one.held]
    shell.document(found)
    for text in table(_process(one, (now - one.beat_at).total_seconds()) for one in found):
        shell.say(text)
    if not found:
        shell.say("no process is at work; start one: shotclock worker")


def _process(one: "ProcessView", silent: float) -> tuple[str, ...]:
    state = "left" if one.ended_at is not None else "alive" if one.alive else "dead"
    held = "; ".join(f"{number} of {where}" for where, number in one.held.items())
    has = f"tags {', '.join(one.tags)}" if one.tags else ""
    differs = f"settings {one.settings} differ from most" if one.differs else ""
    said = "; ".join(word for word in (has, differs, f"holds {held}" if held else "") if word)
    return (one.name, one.kind, one.version, state, f"heard of {max(silent, 0):.0f}s ago", said)


@click.command(
    epilog=examples("shotclock backlog", "shotclock backlog --json"),
)
@common
@click.pass_obj
def backlog(shell: Shell) -> None:
    """Show for each phase at work how many tasks may be leased now, since when, and how many are in hand.

    It counts on an index: it may be asked often, however many items there are.
    """
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import fleet  # noqa: PLC0415 - likewise

    settings, now = shell.settings(), SystemClock().now()
    with closing(shell.store(settings)) as store:
        lines = store.read(lambda view: fleet.backlog(view, settings, now))
    shell.document(lines)
    for text in table(_waiting(line) for line in lines):
        shell.say(text)
    if not lines:
        shell.say("nothing is at work")


def _waiting(line: "BacklogLine") -> tuple[str, ...]:
    from shotclock.cli import wording  # noqa: PLC0415 - not for --help

    age = f"oldest {wording.span(line.oldest)}" if line.oldest is not None else ""
    lacks = "; ".join(f"waits for a worker with: {tags}" for tags in line.lacks)
    counts = (f"{line.tasks} tasks ready", f"{line.items} items", f"{line.leased} leased")
    return (line.run, line.phase, *counts, age, lacks)
