"""The command `shotclock`: its commands, loaded when they are used, and the one place where errors become lines."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import click

from shotclock import __version__
from shotclock.cli.shell import Shell, common, examples
from shotclock.errors import ShotclockError, SpecError, UsageError

COMMANDS: Final = {
    "run": ("running", "Run a pipeline for a key, or attach to its run."),
    "backfill": ("backfilling", "Run a range of days, the oldest first."),
    "up": ("service", "Everything in one process: service, schedules, workers."),
    "serve": ("service", "The service and the sweep, without workers."),
    "worker": ("serving", "Work on whatever runs there are, until told to stop."),
    "sweep": ("service", "Look once at all that is due."),
    "status": ("showing", "Show the newest runs, or the phases of one."),
    "missing": ("showing", "Name who is missing, with reasons."),
    "gaps": ("gaps", "Name the days and phases that are missing."),
    "explain": ("showing", "Say why a phase has not opened, or why it has."),
    "doctor": ("doctoring", "Say what is wrong, of all runs and processes."),
    "config": ("configuring", "Show the settings and where they came from; compare processes."),
    "processes": ("fleet", "Show the processes that work on the store."),
    "backlog": ("fleet", "Show what waits to be worked on, for whoever scales workers."),
    "idempotent": ("handlers", "Show what handlers were answered about their keys."),
    "report": ("reporting", "Report for a member that works elsewhere."),
    "rerun": ("rerunning", "Do again what went wrong, in place or as a new generation."),
    "validate": ("checking", "Check a pipeline file and the functions it names."),
    "init": ("beginning", "Write a small pipeline of your own."),
    "signal": ("reporting", "Give a signal that a deadline counts from."),
    "withdraw": ("operating", "Take a member out of a roll."),
    "readmit": ("operating", "Take a withdrawn member back."),
    "force": ("operating", "Open a phase whatever is missing."),
    "halt": ("operating", "Stop dispatch and openings."),
    "resume": ("operating", "End a halt."),
    "tokens": ("tokens", "Say who may call the service."),
    "alerts": ("alerts", "Show, prove, take on and silence alerts."),
    "flags": ("flags", "Show and set flags."),
    "rollback": ("rollback", "Turn flags off everywhere, and see that it holds."),
    "simulate": ("simulating", "Simulate histories full of faults and check every promise."),
    "store": ("storing", "Make, upgrade, check or copy the store."),
}
"""Every command, the module that holds it, and what it is for: help lists them without loading any."""

COMPLETE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature of the base
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; a wrong name is answered with the nearest one."""
        if cmd_name not in COMMANDS:
            from difflib import get_close_matches  # noqa: PLC0415 - only where a name is wrong

            near = get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f"; the nearest is {near[0]}" if near else ""
            message = f"there is no command {cmd_name!r}{hint}"
            raise click.UsageError(message, ctx)
        module, short = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"shotclock.cli.{module}"), cmd_name)
        command.short_help = short
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the signature of the base
        """List the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("shotclock init scores", "shotclock run scores 2025-01-15", "shotclock status"),
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@common
def commands() -> None:
    """Run pipelines in phases that finish on time, and ask how they stand.

    Exit codes: 0 complete, 3 partial, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Carry out a command and end the process with its exit code."""
    sys.exit(execute(args))


def execute(args: Sequence[str] | None = None) -> int:
    """Carry out a command and return its exit code; whatever goes wrong is said in one line for each thing."""
    shell = Shell()
    try:
        code = commands.main(args=args, prog_name="shotclock", standalone_mode=False, obj=shell)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last door: a line for people, the traceback where it can be read
        problems, code = _told(error, shell)
        return shell.fail(problems, code)
    return code if isinstance(code, int) else COMPLETE


def _told(error: Exception, shell: Shell) -> tuple[Sequence[str], int]:
    """Return an error in lines, and the exit code for it."""
    match error:
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "shotclock"
            return [f"{_flat(error.format_message())} (see {path} --help)"], WRONG_USE
        case click.ClickException():
            return [error.format_message()], error.exit_code
        case SpecError():
            return error.problems, WRONG_USE
        case ShotclockError():
            return [str(error)], WRONG_USE if isinstance(error, UsageError) else FAILED
        case _:
            return [_unexpected(error, shell)], FAILED


def _flat(message: str) -> str:
    return " ".join(message.split()).removesuffix(".")


def _unexpected(error: Exception, shell: Shell) -> str:
    """Say in one line what nobody expected; the traceback is shown on request, and kept in a file otherwise."""
    import traceback  # noqa: PLC0415 - only where something went wrong
    from tempfile import NamedTemporaryFile  # noqa: PLC0415 - likewise

    text = "".join(traceback.format_exception(error))
    said = f"unexpected {type(error).__name__}: {_flat(str(error))}"
    if shell.debug:
        click.echo(text, err=True, nl=False)
        return said
    with NamedTemporaryFile("w", prefix="shotclock-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(text)
    return f"{said} (the traceback is in {file.name}; --debug shows it)"
