"""`up`, `serve`, `sweep`: the service, with workers or without, and one look at all that is due."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shotclock.cli.planning import parameters
from shotclock.cli.shell import Shell, common, examples, tagged

if TYPE_CHECKING:
    from shotclock.engine.embedded import Engine
    from shotclock.engine.job import Job
    from shotclock.engine.plans import Catalogue
    from shotclock.engine.reach import Reach
    from shotclock.engine.timetable import Timetables
    from shotclock.model import TaskReport
    from shotclock.observe.vitals import Vitals
    from shotclock.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def _listening(command: F) -> F:
    """Add what a command that serves takes."""
    pipelines = click.argument("pipelines", nargs=-1, type=click.Path(path_type=Path))
    listen = click.option(
        "--listen", metavar="HOST:PORT", help="Where it listens (default 127.0.0.1:8420); port 0 is a free one."
    )
    return pipelines(listen(command))


@click.command(
    epilog=examples(
        "shotclock up pipelines/nba",
        "shotclock up pipelines/nba --data FOLDER --listen 127.0.0.1:9000",
        "shotclock up --home FOLDER --json",
    ),
)
@_listening
@parameters
@tagged
@common
@click.pass_obj
def up(shell: Shell, pipelines: tuple[Path, ...], params: dict[str, object], listen: str | None) -> int:
    """Answer HTTP, follow the schedules of PIPELINES, look at what is due, and work on whatever runs there are.

    The page /openapi.json describes every request. On an address of this machine alone anybody may call until the
    first token is made (shotclock tokens create); elsewhere a token is needed from the start. SIGTERM and Ctrl-C stop
    it: requests and members that have begun have a while to end, exit code 0.
    """
    from shotclock.engine.reach import reach_of  # noqa: PLC0415 - not for --help

    settings = shell.settings(listen=listen)
    return _serve(shell, settings, pipelines, params, reach_of(settings), "up")


@click.command(
    epilog=examples(
        "shotclock serve pipelines/nba",
        "shotclock serve pipelines/nba --listen 0.0.0.0:8420 --store postgresql://USER@HOST/DATABASE",
    ),
)
@_listening
@parameters
@common
@click.pass_obj
def serve(shell: Shell, pipelines: tuple[Path, ...], params: dict[str, object], listen: str | None) -> int:
    """Answer HTTP, follow the schedules of PIPELINES and look at what is due; `shotclock worker` processes work.

    Any number of them may share a store. SIGTERM and Ctrl-C stop it.
    """
    from shotclock.engine.reach import NOTHING  # noqa: PLC0415 - not for --help

    return _serve(shell, shell.settings(listen=listen), pipelines, params, NOTHING, "serve")


@click.command(
    epilog=examples("shotclock sweep --once", "shotclock sweep pipelines/nba --once --json"),
)
@click.argument("pipelines", nargs=-1, type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Look once and end; without it, until told to stop.")
@parameters
@common
@click.pass_obj
def sweep(shell: Shell, pipelines: tuple[Path, ...], params: dict[str, object], *, once: bool) -> int:
    """Decide what is due, start what the schedules of PIPELINES have due, and deliver what is ready.

    For a scheduler outside that calls it every minute; `up`, `serve` and every worker do it by themselves.
    """
    from shotclock.engine.reach import NOTHING  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    with _engine(shell, settings, pipelines, params, NOTHING, "sweep") as (engine, _, timetables, _vitals):
        if once:
            started, phases = timetables.start_due(), engine.sweep_once()
            shell.document({"phases": phases, "started": started})
            shell.say(f"looked at {phases} phases that were due; started: {', '.join(started) or 'nothing'}")
            return 0
        _until_stopped(engine, settings, timetables)
    return 0


@contextmanager
def _engine(
    shell: Shell,
    settings: "Settings",
    pipelines: tuple[Path, ...],
    params: dict[str, object],
    reach: "Reach",
    kind: str,
) -> "Iterator[tuple[Engine, Catalogue, Timetables, Vitals]]":
    """Give an engine on the store, the pipelines it knows, their schedules, and what the process shows of itself."""
    from shotclock.buses import open_bus  # noqa: PLC0415 - not for --help
    from shotclock.channels.watched import open_watched  # noqa: PLC0415 - likewise
    from shotclock.cli import foreground  # noqa: PLC0415 - likewise
    from shotclock.cli.logs import lasting, listeners  # noqa: PLC0415 - likewise
    from shotclock.cli.serving import Journal  # noqa: PLC0415 - likewise
    from shotclock.clock import SystemClock  # noqa: PLC0415 - likewise
    from shotclock.engine.embedded import Engine  # noqa: PLC0415 - likewise
    from shotclock.engine.plans import Catalogue  # noqa: PLC0415 - likewise
    from shotclock.engine.timetable import Timetables  # noqa: PLC0415 - likewise
    from shotclock.observe.vitals import Vitals  # noqa: PLC0415 - likewise

    clock, catalogue = SystemClock(), Catalogue(pipelines, settings, params)
    outlets = foreground.channels(settings)
    with ExitStack() as stack:
        watched = stack.enter_context(closing(open_watched(settings)))
        store = stack.enter_context(closing(shell.store(settings, make=True)))
        bus = stack.enter_context(closing(open_bus(settings)))
        stack.enter_context(shell.alone())
        stack.enter_context(lasting(shell, settings))
        vitals = stack.enter_context(
            closing(Vitals(store, settings, clock, bus=bus, listeners=listeners(shell, settings)))
        )
        journal = Journal(shell, clock)

        def told(job: "Job", report: "TaskReport | None") -> None:
            journal.told(job, report)
            vitals.task(job, report)

        engine = Engine(
            store,
            settings,
            clock,
            reach=reach,
            kind=kind,
            told=told,
            bus=bus,
            outlets=outlets,
            swept=watched.swept,
            warehouse=foreground.warehouses(settings),
            audience=vitals.audience,
        )
        stack.enter_context(closing(engine))
        timetables = Timetables(engine.coordinator, catalogue)
        timetables.register()
        yield engine, catalogue, timetables, vitals


def _until_stopped(engine: "Engine", settings: "Settings", timetables: "Timetables") -> None:
    from shotclock.cli import foreground  # noqa: PLC0415 - not for --help

    with foreground.stopped_by_signals(engine, settings):
        engine.serve(lambda: _look(timetables), settings.sweep)


def _look(timetables: "Timetables") -> None:
    """Look at the schedules; a store that cannot be used now is looked at again soon."""
    import logging  # noqa: PLC0415 - not for --help

    from shotclock.errors import StoreError  # noqa: PLC0415 - likewise

    try:
        timetables.look()
    except StoreError as error:
        logging.getLogger("shotclock.schedule").warning("schedules were not looked at: %s", error)


def _serve(
    shell: Shell,
    settings: "Settings",
    pipelines: tuple[Path, ...],
    params: dict[str, object],
    reach: "Reach",
    kind: str,
) -> int:
    from shotclock.errors import UsageError  # noqa: PLC0415 - not for --help

    try:
        from shotclock.http import serving  # noqa: PLC0415 - an optional part
        from shotclock.http.access import Access, opens  # noqa: PLC0415 - likewise
        from shotclock.http.app import application  # noqa: PLC0415 - likewise
        from shotclock.http.guard import Guard  # noqa: PLC0415 - likewise
        from shotclock.http.selfcheck import checking  # noqa: PLC0415 - likewise
        from shotclock.http.service import Service  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as error:
        message = f"the service needs more than is installed ({error.name}): pip install 'shotclock[serve]'"
        raise UsageError(message) from error

    with _engine(shell, settings, pipelines, params, reach, kind) as (engine, catalogue, timetables, vitals):
        store = engine.coordinator.store
        open_to_all = opens(store, settings, engine.coordinator.clock, serving.address(settings.listen)[0])
        access = Access(store, settings, engine.coordinator.clock, open_to_all=open_to_all)
        listening = serving.opened(settings.listen)
        where = serving.url(listening)
        with closing(access), closing(Service(engine, catalogue, timetables, access, vitals)) as service:
            guarded = Guard(application(service), settings, service.told)
            with serving.served(guarded, listening, settings), checking(service):
                shell.document({"event": "service.started", "process": engine.owner, "url": where})
                shell.say(f"{engine.owner}: listens on {where} ({where}/openapi.json says for what)")
                _until_stopped(engine, settings, timetables)
            shell.document({"event": "service.stopped", "process": engine.owner})
            shell.say("stopped")
    return 0
