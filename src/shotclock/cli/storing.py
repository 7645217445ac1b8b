"""`store`: making, upgrading, checking and copying the store itself."""

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from shotclock.cli.shell import Shell, common, examples, table, without_password

if TYPE_CHECKING:
    from shotclock.model import Process
    from shotclock.ports import Store
    from shotclock.settings import Settings


@click.group(
    epilog=examples(
        "shotclock store init postgresql://shotclock@db.example/pipelines",
        "shotclock store upgrade",
        "shotclock store copy .shotclock/shotclock.db postgresql://shotclock@db.example/pipelines",
    ),
)
@common
def store() -> None:
    """Make, upgrade, check or copy the store, the place where state lives.

    ADDRESS is that of the setting `store`, and its default; the path of a file means SQLite.
    """


def _there(shell: Shell, place: str | None) -> "Settings":
    settings = shell.settings()
    return settings if place is None else replace(settings, store=_address(place))


def _address(text: str) -> str:
    return text if "://" in text else f"sqlite:///{text}"


def _served(settings: "Settings") -> bool:
    from shotclock.stores import SERVED  # noqa: PLC0415 - not for --help

    return settings.store.startswith(SERVED)


def _named(settings: "Settings") -> str:
    return without_password(settings.store) or f"{settings.home / 'shotclock.db'}"


@store.command(epilog=examples("shotclock store init 'postgresql://shotclock@db.example/pipelines?schema=nba'"))
@click.argument("place", metavar="[ADDRESS]", required=False)
@common
@click.pass_obj
def init(shell: Shell, place: str | None) -> None:
    """Make the store at ADDRESS, in a schema of its own; one that is there is left as it is."""
    settings = _there(shell, place)
    made = True
    if _served(settings):
        from shotclock.postgres import Limits, address_of  # noqa: PLC0415 - not for --help
        from shotclock.stores.postgres_keeping import initialise  # noqa: PLC0415 - likewise

        made = initialise(address_of(settings.store), Limits.of(settings))
    else:
        shell.store(settings, make=True).close()
    shell.document({"store": _named(settings), "made": made})
    shell.say(f"{_named(settings)}: {'ready' if made else 'is there already'}")


@store.command(epilog=examples("shotclock store upgrade postgresql://shotclock@db.example/pipelines"))
@click.argument("place", metavar="[ADDRESS]", required=False)
@common
@click.pass_obj
def upgrade(shell: Shell, place: str | None) -> None:
    """Bring the schema of ADDRESS to this release, while processes of the release before go on.

    What only they need is taken away once none of them lives: repeat the command then.
    """
    settings = _there(shell, place)
    files: list[str] = []
    living: list[Process] = []
    if _served(settings):
        from shotclock.postgres import Limits, address_of  # noqa: PLC0415 - not for --help
        from shotclock.stores.postgres_keeping import upgrade as upgraded  # noqa: PLC0415 - likewise

        address, limits = address_of(settings.store), Limits.of(settings)
        files = upgraded(address, limits, after=False)
        living = _living(settings)
        files += [] if living else upgraded(address, limits, after=True)
    else:
        shell.store(settings).close()
    shell.document({"store": _named(settings), "made": files, "living": [process.name for process in living]})
    shell.say(f"{_named(settings)}: {', '.join(files) or 'nothing to do'}")
    if living:
        shell.say(f"{len(living)} processes live ({living[0].name}): repeat once those of older releases have ended")


@store.command(epilog=examples("shotclock store check postgresql://shotclock@db.example/pipelines"))
@click.argument("place", metavar="[ADDRESS]", required=False)
@common
@click.pass_obj
def check(shell: Shell, place: str | None) -> int:
    """Look whether this release can work with the store at ADDRESS, and read every row of it.

    Exits 1 if it cannot be used, or if what it promises to keep may be lost.
    """
    settings = _there(shell, place)
    with closing(shell.store(settings)) as opened:
        counts = _counted(opened)
        living = len(_living(settings))
    warnings: list[str] = []
    if _served(settings):
        from shotclock.postgres import Limits, address_of  # noqa: PLC0415 - not for --help
        from shotclock.stores.postgres_keeping import unsafe  # noqa: PLC0415 - likewise

        warnings = unsafe(address_of(settings.store), Limits.of(settings))
    shell.document({"store": _named(settings), "rows": counts, "living": living, "warnings": warnings})
    shell.say(f"{_named(settings)}: usable, {living} processes live")
    for line in table(([name, str(number)] for name, number in counts.items()), indent="  "):
        shell.say(line)
    for warning in warnings:
        shell.note(f"warning: {warning}")
    return 1 if warnings else 0


def _counted(opened: "Store") -> dict[str, int]:
    from collections import Counter  # noqa: PLC0415 - not for --help

    return dict(Counter(name for name, _ in opened.dump()))


@store.command(epilog=examples("shotclock store copy .shotclock/shotclock.db postgresql://shotclock@db.example/nba"))
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@common
@click.pass_obj
def copy(shell: Shell, source: str, target: str) -> None:
    """Copy the store at FROM into an empty one at TO, and compare them row by row; refused while processes live."""
    from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help
    from shotclock.stores.copying import copy as copied  # noqa: PLC0415 - likewise

    old, new = _there(shell, source), _there(shell, target)
    _expect_file(old)
    living = [*_living(old)]
    if living:
        told = f"{len(living)} processes work on it ({living[0].name}): end them first"
        message = f"{_named(old)}: {told}"
        raise UsageError(message)
    counts = copied(old.store, new.store, shell.settings())
    total = sum(counts.values())
    shell.document({"from": _named(old), "to": _named(new), "rows": counts})
    shell.say(f"{_named(new)}: {total} rows copied and compared; use it with --store {_named(new)}")


def _expect_file(settings: "Settings") -> None:
    from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help
    from shotclock.stores import MEMORY, file_of  # noqa: PLC0415 - likewise

    if settings.store == MEMORY or not (_served(settings) or file_of(settings).exists()):
        message = f"{_named(settings)}: there is no store"
        raise UsageError(message)


def _living(settings: "Settings") -> "list[Process]":
    """Return the processes that have given a sign of life within a lease and are not known to be dead."""
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine.process import alive  # noqa: PLC0415 - likewise
    from shotclock.stores import open_store  # noqa: PLC0415 - likewise

    with closing(open_store(settings)) as opened:
        since = SystemClock().now() - settings.lease
        known = opened.read(lambda view: view.processes())
    return [process for process in known if process.beat_at > since and alive(process.name)]
