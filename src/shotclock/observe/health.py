"""Health that tells the truth: checks side by side, each with its time, asked again only after a while."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Final

from msgspec import Struct

from shotclock import __version__
from shotclock.amounts import Size, words
from shotclock.clock import Clock, seconds
from shotclock.core.clocks import halted
from shotclock.engine import fleet
from shotclock.engine.telling import NOBODY, Audience
from shotclock.model import Fact, RunId
from shotclock.observe.metrics import Latency, Metrics, sweep_lag
from shotclock.observe.probes import Probe
from shotclock.observe.redacting import clean
from shotclock.ports import Bus, Snapshot, Store
from shotclock.settings import Settings, fingerprint, shown

Check = Callable[[], str | None]
"""Returns what is wrong, in one line, or None; may raise, which is wrong too, and may hang."""
_NOT_STARTED: Final = "the start-up self-check has not ended"


class CheckView(Struct, frozen=True, kw_only=True):
    """What one check has found."""

    name: str
    ok: bool
    reason: str = ""
    seconds: float = 0.0


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether the process can do its work, and why not."""

    ok: bool
    reasons: tuple[str, ...] = ()
    checks: tuple[CheckView, ...] = ()
    broken: dict[str, str] = {}
    """Optional parts that have raised, with what; work goes on without them."""


class HealthView(Struct, frozen=True, kw_only=True):
    """A process and how it is."""

    ok: bool
    reasons: tuple[str, ...]
    version: str
    pid: int
    uptime: float
    """Seconds since it started."""
    settings: str
    """What its settings hash to."""
    flags: dict[str, str]
    """What the store says of each flag."""
    requests: int
    errors: int
    checks: tuple[CheckView, ...]
    broken: dict[str, str]


class MetricsView(Struct, frozen=True, kw_only=True):
    """How requests were answered, by route."""

    version: str
    settings: str
    uptime: float
    requests: int
    errors: int
    routes: tuple[Latency, ...]


class _Asked:
    """One check, and the thread that is at it: as long as it hangs, nobody else is sent after it."""

    def __init__(self, name: str, check: Check) -> None:
        self.name = name
        self._check = check
        self._lock = Lock()
        self._thread: Thread | None = None
        self._began = 0.0
        self._found: tuple[str, float] = ("", 0.0)

    def begin(self) -> None:
        """Ask, unless it is still being asked."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._began = seconds()
                self._thread = Thread(target=self._ask, name=f"shotclock health {self.name}", daemon=True)
                self._thread.start()

    def _ask(self) -> None:
        try:
            wrong = self._check() or ""
        except Exception as error:  # noqa: BLE001 - a check that raises has found that something is wrong
            wrong = f"{type(error).__name__}: {error}"
        self._found = (wrong, seconds() - self._began)

    def end(self, until: float) -> CheckView:
        """Return what was found, or that it was not found in time."""
        thread = self._thread
        assert thread is not None
        thread.join(max(until - seconds(), 0))
        if thread.is_alive():
            taken = seconds() - self._began
            return CheckView(name=self.name, ok=False, reason=f"no answer for {taken:.1f}s", seconds=taken)
        wrong, taken = self._found
        return CheckView(name=self.name, ok=not wrong, reason=clean(" ".join(wrong.split()))[:500], seconds=taken)


class Health:
    """Answers how this process is; every method may be called from any thread.

    It is not ready before `started` was told of no problems. `beats` says that this process sends heartbeats: then it
    must hear, by `told`, that they were written.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        settings: Settings,
        clock: Clock,
        *,
        beats: bool = False,
        audience: Audience = NOBODY,
    ) -> None:
        self._asked = [_Asked(name, check) for name, check in checks.items()]
        self._settings = settings
        self._clock = clock
        self._audience = audience
        self._problems: tuple[str, ...] = (_NOT_STARTED,)
        self._since = seconds()
        self._beat_at: datetime | None = clock.now() if beats else None
        self._beat_error = ""
        self._known: tuple[float, tuple[CheckView, ...]] | None = None
        self._flags: Probe[dict[str, str]] | None = None
        self._lock = Lock()

    def started(self, problems: Sequence[str] = ()) -> None:
        """Take what the start-up self-check has found; without problems the process may be ready from here on."""
        self._problems = tuple(f"self-check: {clean(problem)}" for problem in problems)

    def told(self, facts: Sequence[Fact]) -> None:
        """Hear of heartbeats: give it to the engine's audience."""
        for fact in facts:
            if fact.name == "heartbeat.written" and self._beat_at is not None:
                self._beat_at, self._beat_error = fact.at, ""
            elif fact.name == "heartbeat.failed":
                self._beat_error = fact.reason

    def live(self) -> bool:
        """Say that this process answers; it touches nothing."""
        return True

    def ready(self) -> Readiness:
        """Say whether this process can do its work; checks are asked side by side, once in `health_cache`."""
        checks = (*self._checks(), *self._heartbeat())
        wrong = tuple(f"{check.name}: {check.reason}" for check in checks if not check.ok)
        reasons = (*self._problems, *wrong)
        broken = {name: f"{failed.error} ({failed.number} times)" for name, failed in self._audience.failures().items()}
        return Readiness(ok=not reasons, reasons=reasons, checks=checks, broken=broken)

    def _checks(self) -> tuple[CheckView, ...]:
        with self._lock:
            now = seconds()
            if self._known is None or now >= self._known[0] + self._settings.health_cache.total_seconds():
                for asked in self._asked:
                    asked.begin()
                until = now + self._settings.health_check.total_seconds()
                found = tuple(asked.end(until) for asked in self._asked)
                self._known = (seconds(), found)
            return self._known[1]

    def _heartbeat(self) -> tuple[CheckView, ...]:
        if self._beat_at is None:
            return ()
        silent = self._clock.now() - self._beat_at
        why = f": {self._beat_error}" if self._beat_error else ""
        late = silent > self._settings.heartbeat * 2 or bool(self._beat_error)
        reason = f"not written for {words(silent)}{why}" if late else ""
        return (CheckView(name="heartbeat", ok=not late, reason=reason),)

    @property
    def uptime(self) -> float:
        """Seconds since this was made."""
        return seconds() - self._since

    def view(self, store: Store, metrics: Metrics | None = None) -> HealthView:
        """Return all there is to know; flags are left out where the store cannot be read, or not in time."""
        ready, routes = self.ready(), metrics.latencies() if metrics is not None else []
        flags = self._flags_of(store)
        return HealthView(
            ok=ready.ok,
            reasons=ready.reasons,
            version=__version__,
            pid=os.getpid(),
            uptime=self.uptime,
            settings=fingerprint(shown(self._settings)),
            flags=flags,
            requests=sum(route.requests for route in routes),
            errors=sum(route.errors for route in routes),
            checks=ready.checks,
            broken=ready.broken,
        )

    def _flags_of(self, store: Store) -> dict[str, str]:
        with self._lock:
            probe = self._flags = self._flags or Probe("flags", lambda: store.read(_flags))
        return probe.ask().answer(seconds() + self._settings.health_check.total_seconds()) or {}

    def metrics_view(self, metrics: Metrics) -> MetricsView:
        """Return how requests were answered."""
        routes = tuple(metrics.latencies())
        return MetricsView(
            version=__version__,
            settings=fingerprint(shown(self._settings)),
            uptime=self.uptime,
            requests=sum(route.requests for route in routes),
            errors=sum(route.errors for route in routes),
            routes=routes,
        )


def _flags(view: Snapshot) -> dict[str, str]:
    return {flag.name: str(flag.stands) for flag in view.flags()}


# --- checks --------------------------------------------------------------------------------------------------------


def checks_of(
    store: Store, settings: Settings, clock: Clock, *, bus: Bus | None = None, more: Mapping[str, Check] | None = None
) -> dict[str, Check]:
    """Return the checks of a process: its store, its bus, its disk, and whether the work itself goes on.

    `more` adds others, such as one of the warehouse.
    """
    found: dict[str, Check] = {
        "store": lambda: _stored(store),
        "disk": lambda: _disk(settings),
        "sweep": lambda: _swept(store, settings, clock),
        "backlog": lambda: _waiting(store, settings, clock),
        "success": lambda: _succeeded(store, settings, clock),
    }
    if bus is not None:
        found["bus"] = _ringing(bus, settings)
    return {**found, **(more or {})}


def _ringing(bus: Bus, settings: Settings) -> Check:
    """Return what rings at most once a heartbeat while that works: a bell wakes whoever listens, in every process."""
    until = 0.0

    def ring() -> str | None:
        nonlocal until
        if seconds() >= until:
            bus.ring("doorbell", {})
            until = seconds() + settings.heartbeat.total_seconds()
        return None

    return ring


def _stored(store: Store) -> str | None:
    """Write nothing, durably, and read."""
    store.write(lambda _tx: None)
    store.read(lambda view: view.next_due())
    return None


def _disk(settings: Settings) -> str | None:
    place = next((path for path in (settings.home, *settings.home.absolute().parents) if path.exists()), settings.home)
    free = shutil.disk_usage(place).free
    least = settings.health_disk
    return None if free >= least else f"{Size(free >> 20 << 20)} free where home is, less than {least}"


def _swept(store: Store, settings: Settings, clock: Clock) -> str | None:
    lag = store.read(lambda view: sweep_lag(view, clock.now()))
    return f"something has been due for {words(lag)}: nobody sweeps" if lag > settings.health_waiting else None


def _waiting(store: Store, settings: Settings, clock: Clock) -> str | None:
    """Say which work has waited too long for a worker: a long queue that is being worked on is none."""
    lines = store.read(lambda view: _ages(view, settings, clock.now()))
    busy = any(line.leased for line in lines)
    idle = [line for line in lines if line.lacks or not busy]
    late = [line for line in idle if line.oldest is not None and line.oldest > settings.health_waiting]
    if not late:
        return None
    first = max(late, key=lambda line: line.oldest or timedelta(0))
    return f"{first.run} {first.phase}: tasks have waited for {words(first.oldest or timedelta(0))}: is a worker there?"


def _ages(view: Snapshot, settings: Settings, now: datetime) -> list[fleet.BacklogLine]:
    halts = [halt for halt in view.halts() if halted([halt], now) is not None]
    lines = fleet.backlog(view, settings, now)
    return [line for line in lines if not any(halt.holds_for(RunId.parse(line.run)) for halt in halts)]


def _succeeded(store: Store, settings: Settings, clock: Clock) -> str | None:
    """Say since when no run has ended well; before the first that did, a new pipeline is not told to be broken."""
    last = store.read(lambda view: [*view.runs(state="complete", limit=1), *view.runs(state="partial", limit=1)])
    ended = max((run.ended_at for run in last if run.ended_at is not None), default=None)
    silent = timedelta(0) if ended is None else clock.now() - ended
    return f"no run has ended well for {words(silent)}" if silent > settings.health_success else None
