"""What the routes act on: the engine's doors, the pipelines this process knows, and who may come in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from shotclock.clock import Clock
from shotclock.engine.embedded import Engine
from shotclock.engine.naming import find_run
from shotclock.engine.plans import Catalogue
from shotclock.engine.timetable import Timetables
from shotclock.http.access import Access
from shotclock.http.bodies import RunPath, RunQuery
from shotclock.http.intake import Intake
from shotclock.http.watching import Watching
from shotclock.model import Run, RunId
from shotclock.observe.vitals import Vitals
from shotclock.ports import Store
from shotclock.settings import Settings

Told = Callable[[str, str, int, float], None]
"""Hears of each request: its route, method, status, and how many seconds it took."""

_FEELING: Final = 1
"""Threads that find out whether the process is ready: who asks meanwhile is given the same answer."""
_SHOWN_AT_ONCE: Final = 2
"""Scrapes and documents about the process that are made at a time; a third waits."""


class Service:
    """The parts that answer requests; all of them may be used from any thread.

    Attributes: `engine`, whose sweep and schedules run beside; `catalogue`, the pipelines that may be started here.
    """

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        timetables: Timetables,
        access: Access,
        vitals: Vitals,
    ) -> None:
        self.engine = engine
        self.coordinator = engine.coordinator
        self.catalogue = catalogue
        self.timetables = timetables
        self.access = access
        self.vitals = vitals
        self.told: Told = vitals.metrics.observe_request
        self.store: Store = self.coordinator.store
        self.settings: Settings = self.coordinator.settings
        self.clock: Clock = self.coordinator.clock
        self.intake = Intake(self.coordinator)
        self.feeling = ThreadPoolExecutor(_FEELING, thread_name_prefix="shotclock feeling")
        """The thread that finds out whether the process is ready, which nothing else can keep busy."""
        self.showing = ThreadPoolExecutor(_SHOWN_AT_ONCE, thread_name_prefix="shotclock showing")
        """Threads for what else is shown of the process."""
        self.watching = Watching(self.store, self.settings, self.clock)

    def run(self, path: RunPath, query: RunQuery) -> Run:
        """Return the run that a path and a query name; raises `NotFoundError` with the nearest ones."""
        return self.store.read(lambda view: find_run(view, name_of(path, query)))

    def close(self) -> None:
        """End what runs beside the requests; a repeat does nothing."""
        self.intake.close()
        self.feeling.shutdown(wait=False)
        self.showing.shutdown(wait=False)


def name_of(path: RunPath, query: RunQuery) -> str:
    """Return the text form of a run, with its generation only where one is named."""
    identity = RunId(pipeline=path.pipeline, key=path.key, mode=query.mode)
    return str(identity) if query.generation is None else f"{identity}#{query.generation}"
