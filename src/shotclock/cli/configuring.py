"""`config`: what the settings are and where each came from, where processes differ, and whether all of it fits."""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shotclock.cli.shell import Shell, common, examples, one_line, table, without_password

if TYPE_CHECKING:
    from shotclock.engine.comparing import Side
    from shotclock.layers import Remark
    from shotclock.model import Process
    from shotclock.settings import Settings

FINE, DIFFERS = 0, 1


@click.group(
    epilog=examples("shotclock config show", "shotclock config diff", "shotclock config check pipelines/nba"),
)
@common
def config() -> None:
    """Show the settings, where each came from, where processes differ, and what contradicts what."""


@config.command(epilog=examples("shotclock config show", "shotclock config show --changed --json"))
@click.option("--changed", is_flag=True, help="Only what is not the default.")
@common
@click.pass_obj
def show(shell: Shell, *, changed: bool) -> None:
    """Show each setting that a process started here would have: its value, and where it came from.

    That is the default, a file with the key, an environment variable, or the call. Names of other systems that are in
    the environment and have no effect are listed too.
    """
    from shotclock.layers import DEFAULT  # noqa: PLC0415 - not for --help
    from shotclock.settings import definitions  # noqa: PLC0415 - likewise

    settings = shell.settings()
    names = [item.name for item in definitions() if not changed or settings.origin(item.name) != DEFAULT]
    shell.document(
        {"settings": [_setting(settings, name) for name in names], "ignored": [_ignored(one) for one in _remarks()]}
    )
    for line in table((name, _text(settings, name), str(settings.origin(name))) for name in names):
        shell.say(line)
    if not names:
        shell.say("every setting has its default")
    for remark in _remarks():
        shell.say(f"{remark.name}={one_line(remark.value)} gives no setting a value: {remark.text}")


def _setting(settings: "Settings", name: str) -> dict[str, object]:
    from shotclock.settings import described  # noqa: PLC0415 - not for --help

    kind, default = next((kind, default) for own, kind, default, _ in described() if own == name)
    origin = settings.origin(name)
    said = {"name": name, "type": kind, "value": _text(settings, name), "default": default}
    return {**said, "layer": origin.layer, "origin": str(origin)}


def _text(settings: "Settings", name: str) -> str:
    return without_password(settings.text(name)) if name == "store" else settings.text(name)


@config.command(
    epilog=examples("shotclock config diff", "shotclock config diff 4711 here", "shotclock config diff 4711 4712")
)
@click.argument("processes", nargs=-1, metavar="[PROCESS]…")
@common
@click.pass_obj
def diff(shell: Shell, processes: tuple[str, ...]) -> int:
    """Name each setting that is not the same everywhere, with its values and where each came from.

    Compared are the processes that live on the store, by what they told with their last sign of life, and what one
    started here would have; or only those named: PROCESS is a name or number of `shotclock processes`, or `here`.

    Exit codes: 0 no difference, 1 some, 2 wrong use.
    """
    from shotclock.engine import comparing  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    living = _living(shell, settings)
    sides = [*(comparing.of_process(process) for process in living), comparing.here(settings)]
    if processes:
        sides = [_named(word, living, sides) for word in dict.fromkeys(processes)]
        sides += [comparing.here(settings)] if len(sides) == 1 and sides[0].name != comparing.HERE else []
    found = comparing.differences(sides)
    shell.document({"compared": [side.name for side in sides], "differences": found})
    kinds = {process.name: f"{process.kind} {process.name}" for process in living}
    rows = ((one.setting, kinds.get(has.who, has.who), has.value, has.origin) for one in found for has in one.values)
    for line in table(rows):
        shell.say(line)
    if not found:
        shell.say(f"no difference between {' and '.join(kinds.get(side.name, side.name) for side in sides)}")
    return DIFFERS if found else FINE


def _living(shell: Shell, settings: "Settings") -> "list[Process]":
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import fleet  # noqa: PLC0415 - likewise

    now = SystemClock().now()
    with closing(shell.store(settings)) as store:
        return store.read(lambda view: fleet.living(view, settings, now))


def _named(word: str, living: "Sequence[Process]", sides: "Sequence[Side]") -> "Side":
    """Return the side that a word names; raises `UsageError` for none and for several."""
    from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help

    fitting = {process.name for process in living if word in {process.name, str(process.pid)}}
    found = [side for side in sides if side.name == word or side.name in fitting]
    if len(found) != 1:
        known = ", ".join(side.name for side in sides)
        message = f"{word!r} names {len(found) or 'none'} of those that live: {known}"
        raise UsageError(message)
    return found[0]


@config.command(epilog=examples("shotclock config check", "shotclock config check pipelines/nba pipelines/scores"))
@click.argument("pipelines", nargs=-1, type=click.Path(path_type=Path))
@common
@click.pass_obj
def check(shell: Shell, pipelines: tuple[Path, ...]) -> int:
    """Name everything wrong with the settings at once: file, environment, and what contradicts what.

    With PIPELINES also what is wrong with their files, and where their times do not fit the settings. Names of other
    systems in the environment that ask for something else than what is done are wrong, too.

    Exit codes: 0 fine, 1 something is wrong.
    """
    from shotclock.settings import examine  # noqa: PLC0415 - not for --help

    found = examine({"home": shell.home, "store": shell.address, "tags": shell.tags})
    problems = [*found.problems]
    problems += [f"{one.name}={one.value} has no effect: {one.text}" for one in _remarks() if one.differs]
    if not found.problems:
        problems += [f"{path}: {line}" for path in pipelines for line in _wrong(path, shell.settings())]
    agreed = [one for one in _remarks() if not one.differs]
    shell.document({"problems": problems, "ignored": [_ignored(one) for one in agreed]})
    for problem in problems:
        shell.say(one_line(problem))
    for one in agreed:
        shell.say(one_line(f"{one.name}={one.value} asks for what is so anyway: {one.text}"))
    if found.problems and pipelines:
        shell.say("pipelines are checked once the settings can be read")
    if not problems:
        checked = f" and {len(pipelines)} pipelines" if pipelines else ""
        shell.say(f"the settings{checked} are fine")
    return DIFFERS if problems else FINE


def _wrong(path: Path, settings: "Settings") -> Sequence[str]:
    """Return what is wrong with a pipeline: its file, its functions, its times beside the settings."""
    from shotclock.cli.planning import check_plan, plan_of  # noqa: PLC0415 - not for --help
    from shotclock.errors import SpecError  # noqa: PLC0415 - likewise

    try:
        check_plan(plan_of(path, None, {}), settings)
    except SpecError as error:
        return error.problems
    return ()


def _remarks() -> "list[Remark]":
    from shotclock.layers import remarks  # noqa: PLC0415 - not for --help

    return remarks(os.environ)


def _ignored(remark: "Remark") -> dict[str, object]:
    return {"name": remark.name, "value": remark.value, "differs": remark.differs, "text": remark.text}
