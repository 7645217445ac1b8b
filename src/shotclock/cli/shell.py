"""What every command shares: where the state is, how to speak, and the options before or after the command."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

if TYPE_CHECKING:
    from shotclock.engine.coordinator import Coordinator
    from shotclock.ports import Store
    from shotclock.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


class Shell:
    """The options that hold for any command, and the only way in which commands speak."""

    def __init__(self) -> None:
        self.json = False
        self.home: Path | None = None
        self.address: str | None = None
        self.debug = False
        self.tags: str | None = None
        self._remarked = False
        self._documents: BinaryIO | None = None
        """Where documents go while the output is kept for them."""

    def settings(self, **more: object) -> "Settings":
        """Read the settings, `more` over them; `home` becomes absolute, so that members may run anywhere."""
        from dataclasses import replace  # noqa: PLC0415 - not for --help

        from shotclock import settings  # noqa: PLC0415 - likewise

        found = settings.load({"home": self.home, "store": self.address, "tags": self.tags, **more})
        return replace(found, home=found.home.absolute())

    def remark(self) -> None:
        """Say, once, which names in the environment ask this process for something that it does not do."""
        from shotclock.layers import remarks  # noqa: PLC0415 - not for --help

        for remark in [] if self._remarked else remarks(os.environ):
            if remark.differs:
                self.note(f"note: {remark.name}={one_line(remark.value)} has no effect: {remark.text}")
        self._remarked = True

    def store(self, settings: "Settings", *, make: bool = False) -> "Store":
        """Open the store; without `make`, one that is not there is wrong use rather than created."""
        from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help
        from shotclock.stores import open_store  # noqa: PLC0415 - likewise

        if not make and not settings.store and not (settings.home / "shotclock.db").exists():
            message = f"there is no store in {settings.home}: start a run first, or name its folder with --home"
            raise UsageError(message)
        return open_store(settings)

    @contextmanager
    def coordinator(self, store: "Store", settings: "Settings") -> "Iterator[Coordinator]":
        """Give a coordinator whose commits wake the processes that work on the store."""
        from shotclock.buses import bell  # noqa: PLC0415 - not for --help
        from shotclock.clock import SystemClock  # noqa: PLC0415 - likewise
        from shotclock.engine.coordinator import Coordinator  # noqa: PLC0415 - likewise

        with bell(settings) as ring:
            yield Coordinator(store, settings, SystemClock(), rang=ring)

    def command(self, text: str) -> str:
        """Return a command as it must be typed to mean the same home folder and store; a password is left out."""
        if self.home is not None:
            text += f" --home {quote(str(self.home))}"
        return text if self.address is None else f"{text} --store {quote(without_password(self.address))}"

    def say(self, text: str = "") -> None:
        """Write a line for people; with ``--json``, nothing."""
        if not self.json:
            click.echo(text)

    def note(self, text: str) -> None:
        """Write a line beside the output."""
        click.echo(text, err=True)

    def document(self, value: object) -> None:
        """Write one JSON document on one line, if ``--json`` was asked for."""
        if self.json:
            import msgspec  # noqa: PLC0415 - not for --help

            out = self._documents or sys.stdout.buffer
            out.write(msgspec.json.encode(value) + b"\n")
            out.flush()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the output for documents, if ``--json`` was asked for: what members write goes to the error output."""
        screen = sys.__stdout__
        if not self.json or screen is None or screen is not sys.stdout:
            yield
            return
        screen.flush()
        with os.fdopen(os.dup(1), "wb") as documents:
            self._documents = documents
            os.dup2(2, 1)
            try:
                yield
            finally:
                screen.flush()
                os.dup2(documents.fileno(), 1)
                self._documents = None

    def fail(self, problems: Sequence[str], code: int) -> int:
        """Say what went wrong, a line each, and return the exit code."""
        for problem in problems:
            self.note(f"error: {one_line(problem)}")
        if self.json:
            import json  # noqa: PLC0415 - only where something went wrong

            click.echo(json.dumps({"error": list(problems), "exit": code}))
        return code


def without_password(address: str) -> str:
    """Return an address without what is secret in it."""
    bare = re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1@", address)
    return re.sub(r"([?&])password=[^&]*&?", r"\1", bare).rstrip("?&")


def one_line(text: str) -> str:
    """Return text that may hold anything as one line without control characters."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def table(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """Return rows as lines with aligned columns."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if not cells:
        return []
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def examples(*commands: str) -> str:
    """Return the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def common(command: F) -> F:
    """Add the options every command has; they mean the same before and after its name."""
    home = click.option(
        "--home",
        type=click.Path(file_okay=True, path_type=Path),
        expose_value=False,
        callback=_remember,
        help="Folder of the store, the warehouse, staged and published files (default .shotclock).",
    )
    address = click.option(
        "--store",
        "address",
        metavar="ADDRESS",
        expose_value=False,
        callback=_remember,
        help="Where state lives: sqlite:///PATH or postgresql://USER@HOST/DATABASE (default a file in home).",
    )
    as_json = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        is_eager=True,
        help="Write JSON instead of text.",
    )
    debug = click.option(
        "--debug", is_flag=True, expose_value=False, callback=_remember, is_eager=True, help="Show tracebacks."
    )
    return home(address(as_json(debug(command))))


def tagged(command: F) -> F:
    """Add the option that says what this process has."""
    option = click.option(
        "--tags",
        expose_value=False,
        callback=_remember,
        metavar="TAG,…",
        help="What tasks may need and this process has, such as gpu.",
    )
    return option(command)


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value and param.name is not None:
        setattr(ctx.ensure_object(Shell), param.name, value)
