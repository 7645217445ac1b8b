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
    "run": "running",
    "backfill": "backfilling",
    "up": "service",
    "serve": "service",
    "worker": "serving",
    "sweep": "service",
    "status": "showing",
    "missing": "showing",
    "gaps": "gaps",
    "explain": "showing",
    "doctor": "doctoring",
    "config": "configuring",
    "processes": "fleet",
    "backlog": "fleet",
    "idempotent": "handlers",
    "report": "reporting",
    "rerun": "rerunning",
    "validate": "checking",
    "init": "beginning",
    "signal": "reporting",
    "withdraw": "operating",
    "readmit": "operating",
    "force": "operating",
    "halt": "operating",
    "resume": "operating",
    "tokens": "tokens",
    "alerts": "alerts",
    "flags": "flags",
    "rollback": "rollback",
    "simulate": "simulating",
    "store": "storing",
}
"""Every command and the module that holds it."""

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
        command: click.Command = getattr(import_module(f"shotclock.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command


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
