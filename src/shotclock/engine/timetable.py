"""The schedules of the pipelines a process knows: looked at once a minute, and while missed runs are caught up."""

import logging
from datetime import datetime, timedelta
from threading import Lock

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.plans import Catalogue
from shotclock.errors import ShotclockError, StoreError
from shotclock.model import DEFAULT_MODE, Plan

_log = logging.getLogger("shotclock.schedule")
_MINUTE = timedelta(minutes=1)
"""What crons count in."""


class Timetables:
    """Starts what is due; any number of processes may do so for the same pipelines, a run starts once.

    `broken` says for each pipeline whose schedule could not be looked at why; an operator is told once for each reason.
    """

    def __init__(self, coordinator: Coordinator, catalogue: Catalogue) -> None:
        self._coordinator = coordinator
        self._catalogue = catalogue
        self._lock = Lock()
        self._next: datetime | None = None
        self.broken: dict[str, str] = {}

    def register(self) -> None:
        """Have first reports start runs of those pipelines that say so."""
        for name in self._catalogue.names:
            for plan in self._catalogue.plans_of(name):
                self._coordinator.register(plan)

    def look(self) -> list[str]:
        """Start what is due where it is time to look; return the runs. The store's errors go to the caller."""
        with self._lock:
            now = self._coordinator.clock.now()
            if self._next is not None and now < self._next:
                return []
            self._next = now.replace(second=0, microsecond=0) + _MINUTE
        return self.start_due()

    def start_due(self) -> list[str]:
        """Start what is due now; return the runs."""
        started: list[str] = []
        for name in self._catalogue.names:
            try:
                started += self._of(self._catalogue.plan(name, DEFAULT_MODE))
            except StoreError:
                self._next = None
                raise
            except ShotclockError as error:
                self._tell(name, str(error))
            else:
                self.broken.pop(name, None)
        return started

    def _of(self, plan: Plan) -> list[str]:
        """Start the oldest run that is due; where others wait behind it, the next look comes soon."""
        if plan.starts.cron is None:
            return []
        ticked = self._coordinator.tick(plan)
        if ticked.waiting:
            self._next = None
        return [] if ticked.started is None else [ticked.started.id]

    def _tell(self, name: str, reason: str) -> None:
        """Log and alert once for each reason why a schedule cannot be followed."""
        if self.broken.get(name) == reason:
            return
        self.broken[name] = reason
        _log.error("the schedule of %s cannot be followed: %s", name, reason)
        self._coordinator.announce(name, "schedule", f"the schedule of {name} cannot be followed: {reason}")
