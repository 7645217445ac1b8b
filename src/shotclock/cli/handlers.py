"""`idempotent`: what handlers were answered about their keys."""

from contextlib import closing

import click

from shotclock.cli.shell import Shell, common, examples


@click.command(
    epilog=examples("shotclock idempotent", "shotclock idempotent --json"),
)
@common
@click.pass_obj
def idempotent(shell: Shell) -> None:
    """Show how many keys are remembered, and how often one was claimed, repeated, busy, in conflict, expired."""
    from shotclock.engine import claiming  # noqa: PLC0415 - not for --help

    with closing(shell.store(shell.settings())) as store:
        found = store.read(claiming.figures)
    shell.document(found)
    shell.say(", ".join(f"{number} {name}" for name, number in found.items()))
