"""`doctor`: what is wrong now, of all runs and processes, each with the command that helps."""

from contextlib import closing

import click

from shotclock.cli.shell import Shell, common, examples, one_line, table

FINE, WRONG = 0, 1


@click.command(epilog=examples("shotclock doctor"))
@common
@click.pass_obj
def doctor(shell: Shell) -> int:
    """Look at every run and process of the home folder, and name what is wrong, with the command that helps.

    It names phases that are blocked, vetoed or stalled, starts that nobody takes up, processes that are silent or run
    with other settings than the rest, members that are waited for no longer, limits of which four fifths are used,
    parked reports, and staged files that nothing names. It reads only.

    Exit codes: 0 nothing is wrong, 1 something is.
    """
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import doctor as engine  # noqa: PLC0415 - likewise
    from shotclock.engine.process import alive  # noqa: PLC0415 - likewise

    settings, now = shell.settings(), SystemClock().now()
    with closing(shell.store(settings)) as store:
        found = store.read(lambda view: engine.examine(view, settings, now, alive))
    shell.document({"at": now, "home": str(settings.home), "findings": found})
    for text in table((finding.kind, finding.where, one_line(finding.text)) for finding in found):
        shell.say(text)
    for command in dict.fromkeys(finding.command for finding in found if finding.command):
        shell.say(f"next: {shell.command(command)}")
    if not found:
        shell.say("nothing is wrong")
    return WRONG if found else FINE
