"""What a process that serves shows of itself: health, metrics, traces and logs, fed by what its commits made true."""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from shotclock.clock import Clock
from shotclock.engine.job import Job
from shotclock.engine.telling import Audience, Listen
from shotclock.errors import UsageError
from shotclock.model import Fact, TaskReport
from shotclock.observe.health import Health, checks_of
from shotclock.observe.metrics import Metrics
from shotclock.ports import Bus, Store
from shotclock.settings import Settings

if TYPE_CHECKING:
    from shotclock.observe.traces import Traces

NOBODY_ELSE: Mapping[str, Listen] = MappingProxyType({})


class Vitals:
    """The parts together; none of them can harm the work, and one that raises is shown broken.

    `listeners` hear what is told besides, such as the log.

    Attributes: `audience`, which the engine tells; `health`; `metrics`; `traces`, None where nobody asked for them.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        *,
        bus: Bus | None = None,
        listeners: Mapping[str, Listen] = NOBODY_ELSE,
    ) -> None:
        self.metrics = Metrics(store, settings, clock)
        self.traces = _traces(settings, clock)
        hearing: dict[str, Listen] = {**listeners, "metrics": self.metrics.told, "health": self._told}
        if self.traces is not None:
            hearing["traces"] = self.traces.told
        self.audience = Audience(hearing)
        checks = checks_of(store, settings, clock, bus=bus)
        self.health = Health(checks, settings, clock, beats=True, audience=self.audience)

    def _told(self, facts: Sequence[Fact]) -> None:
        self.health.told(facts)

    def task(self, job: Job, report: TaskReport | None) -> None:
        """Hear of a task that begins or has ended."""
        if self.traces is not None:
            self.traces.task(job, report)

    def close(self) -> None:
        """Send the spans at hand."""
        if self.traces is not None:
            self.traces.close()


def _traces(settings: Settings, clock: Clock) -> "Traces | None":
    """Return what sends traces where they are asked for; raises `UsageError` where the extra is not installed."""
    if not settings.traces and not any(name.startswith("OTEL_EXPORTER_OTLP") for name in os.environ):
        return None
    try:
        from shotclock.observe.traces import open_traces  # noqa: PLC0415 - an optional part
    except ModuleNotFoundError as error:
        message = f"traces need more than is installed ({error.name}): pip install 'shotclock[traces]'"
        raise UsageError(message) from error
    return open_traces(settings, clock)
