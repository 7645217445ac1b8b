"""Routes that only look: runs, phases, who is missing, who works, what waits."""

from shotclock.engine import explaining, fleet, listed, quarantine, views
from shotclock.engine.explaining import Explanation
from shotclock.engine.naming import find_phase, find_run
from shotclock.engine.views import MissingPage, RunView
from shotclock.http.access import require
from shotclock.http.bodies import (
    Backlog,
    Fleet,
    Halts,
    MissingQuery,
    PhasePath,
    Quarantined,
    RunPath,
    RunQuery,
    Runs,
    RunsQuery,
)
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service, name_of
from shotclock.ports import Snapshot


def runs(service: Service, asked: Asked) -> Reply:
    """Return the newest runs."""
    query: RunsQuery = asked.query
    if query.pipeline is not None:
        require(asked.caller, "read", query.pipeline)
    lines = service.store.read(lambda view: listed.run_lines(view, limit=query.limit, pipeline=query.pipeline))
    return Reply(body=Runs(runs=[line for line in lines if asked.caller.covers(line.id.partition("/")[0])]))


def run(service: Service, asked: Asked) -> Reply:
    """Return a run with its phases."""
    name, now = name_of(asked.path, asked.query), service.clock.now()

    def look(view: Snapshot) -> RunView:
        return views.run_view(view, find_run(view, name), service.settings, now)

    return Reply(body=service.store.read(look))


def phase(service: Service, asked: Asked) -> Reply:
    """Return why a phase has not opened, or why it has."""
    path: PhasePath = asked.path
    name, now = name_of(path, asked.query), service.clock.now()

    def look(view: Snapshot) -> Explanation:
        found = find_run(view, name)
        find_phase(view.phases(found.id), found, path.phase)
        return explaining.explain(view, found, path.phase, service.settings, now)

    return Reply(body=service.store.read(look))


def missing(service: Service, asked: Asked) -> Reply:
    """Return the members of a phase that are not satisfied, page by page."""
    path: PhasePath = asked.path
    query: MissingQuery = asked.query
    name = name_of(path, query)

    def look(view: Snapshot) -> MissingPage:
        found = find_run(view, name)
        one = find_phase(view.phases(found.id), found, path.phase)
        if one.started_at is None:
            return MissingPage(members=(), after=None)
        return views.missing_page(view, view.plan(found.id).phase(one.name), one, after=query.after)

    return Reply(body=service.store.read(look))


def processes(service: Service, asked: Asked) -> Reply:
    """Return the processes on the store, whatever they work on."""
    require(asked.caller, "read", "*")
    now = service.clock.now()
    return Reply(body=Fleet(processes=service.store.read(lambda view: fleet.processes(view, service.settings, now))))


def backlog(service: Service, asked: Asked) -> Reply:
    """Return what waits, phase by phase."""
    now = service.clock.now()
    lines = service.store.read(lambda view: fleet.backlog(view, service.settings, now))
    return Reply(body=Backlog(backlog=[line for line in lines if asked.caller.covers(line.pipeline)]))


def halts(service: Service, asked: Asked) -> Reply:
    """Return the halts in force, those of everything to everybody."""
    found = [halt for halt in service.store.read(lambda view: view.halts()) if halt.until is None]
    mine = [halt for halt in found if halt.scope == "*" or asked.caller.covers(halt.scope.partition("/")[0])]
    return Reply(body=Halts(halts=mine))


def kept(service: Service, asked: Asked) -> Reply:
    """Return the messages in quarantine, of which nobody knows which pipeline they were for."""
    require(asked.caller, "read", "*")
    most = service.settings.named
    return Reply(body=Quarantined(messages=service.store.read(lambda view: quarantine.quarantined(view, most))))


ROUTES = (
    Route(
        method="GET",
        path="/v1/runs",
        handler=runs,
        scope="read",
        summary="List the newest runs.",
        query=RunsQuery,
        replies={200: Runs},
    ),
    Route(
        method="GET",
        path="/v1/runs/{pipeline}/{key}",
        handler=run,
        scope="read",
        summary="Show a run: its phases, counts, openings, and what each waits for.",
        in_path=RunPath,
        query=RunQuery,
        replies={200: RunView},
    ),
    Route(
        method="GET",
        path="/v1/runs/{pipeline}/{key}/phases/{phase}",
        handler=phase,
        scope="read",
        summary="Explain why a phase has not opened, or why it has.",
        in_path=PhasePath,
        query=RunQuery,
        replies={200: Explanation},
    ),
    Route(
        method="GET",
        path="/v1/runs/{pipeline}/{key}/phases/{phase}/missing",
        handler=missing,
        scope="read",
        summary="Name who is missing, page by page.",
        in_path=PhasePath,
        query=MissingQuery,
        replies={200: MissingPage},
    ),
    Route(
        method="GET",
        path="/v1/processes",
        handler=processes,
        scope="read",
        summary="List the processes on the store.",
        replies={200: Fleet},
    ),
    Route(
        method="GET",
        path="/v1/backlog",
        handler=backlog,
        scope="read",
        summary="Show what waits for a worker.",
        replies={200: Backlog},
    ),
    Route(
        method="GET",
        path="/v1/halts",
        handler=halts,
        scope="read",
        summary="List the halts in force.",
        replies={200: Halts},
    ),
    Route(
        method="GET",
        path="/v1/quarantine",
        handler=kept,
        scope="read",
        summary="List messages that nothing could be made of.",
        replies={200: Quarantined},
    ),
)
