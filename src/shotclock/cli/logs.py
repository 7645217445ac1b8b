"""The log of a command that works: one line for each record on the error output, whole with ``--debug``."""

import logging
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from shotclock.cli.shell import Shell, one_line

if TYPE_CHECKING:
    from shotclock.engine.telling import Listen
    from shotclock.settings import Settings

MEMBER: Final = "shotclock.member."
ALERT: Final = "shotclock.alert"


class _Lines(logging.Handler):
    """Writes the first line of what is logged; a traceback is for those who ask."""

    def emit(self, record: logging.LogRecord) -> None:
        text = next(iter(record.getMessage().splitlines()), "")
        # Found anew each time: while a screen is drawn, it stands in for the error output.
        print(f"{_who(record)}: {one_line(text)}", file=sys.stderr, flush=True)  # noqa: T201 - click's echo would go past the screen


def _who(record: logging.LogRecord) -> str:
    if record.name.startswith(MEMBER):
        return record.name.removeprefix(MEMBER)
    return "alert" if record.name == ALERT else record.levelname.lower()


@contextmanager
def logged(shell: Shell) -> Iterator[None]:
    """Have warnings written to the error output; with ``--debug`` everything from INFO on, tracebacks included."""
    shell.remark()
    handler: logging.Handler = logging.StreamHandler() if shell.debug else _Lines()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO if shell.debug else logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def lasting(shell: Shell, settings: "Settings") -> AbstractContextManager[object]:
    """Have what a command that lasts logs written: as JSON where asked or no terminal reads it, else as for others."""
    if _for_people(shell, settings):
        return logged(shell)
    from shotclock.observe import logs  # noqa: PLC0415 - not for commands that end

    shell.remark()
    return logs.configured(settings)


def listeners(shell: Shell, settings: "Settings") -> "dict[str, Listen]":
    """Return who hears facts in a command that lasts: the log, where machines read it."""
    if _for_people(shell, settings):
        return {}
    from shotclock.observe.logs import heard  # noqa: PLC0415 - not for commands that end

    return {"logs": heard}


def _for_people(shell: Shell, settings: "Settings") -> bool:
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    return shell.debug or text
