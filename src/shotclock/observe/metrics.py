"""Prometheus metrics: counters of what is told, and gauges that are read from the store when they are asked for."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from shotclock import __version__
from shotclock.clock import Clock, seconds
from shotclock.engine import fleet
from shotclock.model import Fact, RunState
from shotclock.observe.probes import Probe
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings, fingerprint, shown

QUICK: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SLOW: Final = (1.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0)
"""Seconds of commits and requests; of phases and runs."""
_GOOD: Final[tuple[RunState, ...]] = ("complete", "partial")
"""How a run ends that has done its work."""
_KEPT: Final = 1_024
"""Requests of a route whose times are kept for percentiles."""
_PIPELINES_MOST: Final = 500
"""Pipelines with series of their own: anybody may send reports, again and again, about some that do not exist."""


class Latency(Struct, frozen=True, kw_only=True):
    """How a route has answered since the start, and how long its last requests took, in seconds."""

    route: str
    method: str
    requests: int
    errors: int
    """Those that were answered 500 and above."""
    p50: float
    p95: float
    p99: float


class Metrics:
    """Counts what it is told; `text` is what a scrape gets. It has a registry of its own."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self.registry = CollectorRegistry()
        self._requests: defaultdict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._lock = Lock()
        self._named: set[str] = set()
        self._reports = self._counter("reports", "Reports by answer, and where they came from.", "answer", "source")
        self._openings = self._counter("openings", "Gates that opened, by reason.", "reason", "partial")
        self._phases = self._counter("phases", "Phases that started, ended or are held up, by what.", "what")
        self._runs = self._counter("runs", "Runs that started and ended, by outcome.", "what")
        self._tasks = self._counter("tasks", "Tasks that were leased or are tried again, by cause.", "what", "cause")
        self._dead = self._counter("dead_letters", "Members that were given up on.")
        self._alerts = self._counter("alerts", "Alerts that were raised, by fact.", "fact")
        self._missed = self._counter("schedule_missed", "Ticks of schedules that are too old to be caught up.")
        self._failures = Counter(
            "shotclock_store_failures", "Commits that failed, by what was to be kept.", ["what"], registry=self.registry
        )
        self._commit = self._histogram("report_commit_seconds", "Until reports were durable.", QUICK)
        self._phase = self._histogram("phase_open_seconds", "From a phase's start to its opening.", SLOW, "pipeline")
        self._late = self._histogram(
            "opening_late_seconds", "How long after its deadline a gate opened, where it was late.", SLOW, "pipeline"
        )
        self._run = self._histogram("run_seconds", "How long runs took.", SLOW, "pipeline", "outcome")
        self._http = self._histogram("http_request_seconds", "Until a request was answered.", QUICK, "route", "method")
        self._answers = Counter(
            "shotclock_http_requests", "Requests.", ["route", "method", "status"], registry=self.registry
        )
        self._info(settings)
        self.registry.register(Waiting(store, settings, clock))

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"shotclock_{name}", what, ["pipeline", *labels], registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"shotclock_{name}", what, labels, buckets=buckets, registry=self.registry)

    def _info(self, settings: Settings) -> None:
        said = {"version": __version__, "settings": fingerprint(shown(settings))}
        info = Gauge("shotclock_process_info", "This process.", list(said), registry=self.registry)
        info.labels(**said).set(1)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format; of a store that cannot be read, only that."""
        return generate_latest(self.registry)

    # --- what is told ---

    def told(self, facts: Sequence[Fact]) -> None:
        """Count facts."""
        for fact in facts:
            self._count(fact, fact.name.partition("."))

    def _count(self, fact: Fact, name: tuple[str, str, str]) -> None:
        what = name[2]
        match name[0]:
            case "report":
                # Who reports to a pipeline that nobody knows must not make a new series by it.
                known = "" if what == "parked" else self._known(fact.pipeline)
                self._reports.labels(known, what, fact.reason).inc(fact.number)
            case "reports" | "heartbeat":
                self._stored(fact, name[0], what)
            case "gate":
                self._opened(fact)
            case "phase" | "handover":
                self._phases.labels(fact.pipeline, fact.name).inc()
            case "run":
                self._ran(fact, what)
            case "task":
                self._tasks.labels(fact.pipeline, what, fact.reason).inc(fact.number)
            case _:
                self._counted(fact)

    def _known(self, pipeline: str) -> str:
        """Return the label of a pipeline, `other` for those beyond what has room."""
        if pipeline not in self._named:
            if len(self._named) >= _PIPELINES_MOST:
                return "other"
            self._named.add(pipeline)
        return pipeline

    def _stored(self, fact: Fact, subject: str, what: str) -> None:
        if what == "failed":
            self._failures.labels(subject).inc(fact.number)
        elif subject == "reports" and fact.took is not None:
            self._commit.observe(fact.took.total_seconds())

    def _opened(self, fact: Fact) -> None:
        partial = "yes" if fact.more.get("partial") else "no"
        self._openings.labels(fact.pipeline, fact.reason, partial).inc()
        if "late_by" in fact.more:
            self._late.labels(fact.pipeline).observe(fact.more["late_by"])
        if fact.took is not None:
            self._phase.labels(fact.pipeline).observe(fact.took.total_seconds())

    def _ran(self, fact: Fact, what: str) -> None:
        self._runs.labels(fact.pipeline, fact.reason if what == "ended" else what).inc()
        if what == "ended" and fact.took is not None:
            self._run.labels(fact.pipeline, fact.reason).observe(fact.took.total_seconds())

    def _counted(self, fact: Fact) -> None:
        match fact.name:
            case "dead_letter.kept":
                self._dead.labels(fact.pipeline).inc(fact.number)
            case "alert.raised":
                self._alerts.labels("" if fact.reason == "parked" else fact.pipeline, fact.reason).inc()
            case "schedule.missed":
                self._missed.labels(fact.pipeline).inc()

    # --- requests ---

    def _of(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        """Return what counts and times such requests: each is looked up once."""
        known = self._series.get((route, method, status))
        if known is None:
            known = self._answers.labels(route, method, str(status)), self._http.labels(route, method)
            self._series[route, method, status] = known
        return known

    def observe_request(self, route: str, method: str, status: int, taken: float) -> None:
        """Count a request; `route` is the route's pattern, not what was asked for."""
        answers, times = self._of(route, method, status)
        answers.inc()
        times.observe(taken)
        with self._lock:
            self._requests[route, method].append(taken)
            numbers = self._numbers[route, method]
            numbers[0] += 1
            numbers[1] += status >= 500  # noqa: PLR2004 - where errors of ours begin

    def latencies(self) -> list[Latency]:
        """Return how each route has answered, the most asked for first."""
        with self._lock:
            found = [(key, list(self._numbers[key]), sorted(taken)) for key, taken in self._requests.items()]
        told = [
            Latency(
                route=key[0],
                method=key[1],
                requests=numbers[0],
                errors=numbers[1],
                p50=quantile(taken, 0.5),
                p95=quantile(taken, 0.95),
                p99=quantile(taken, 0.99),
            )
            for key, numbers, taken in found
        ]
        return sorted(told, key=lambda one: (-one.requests, one.route, one.method))


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the value that so large a part of ordered ones does not exceed."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


class Waiting:
    """Reads at each scrape what waits, and since when, from one snapshot of the store."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._probe = Probe("metrics", lambda: store.read(self._read))

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; of a store that cannot be read, or not in time, only that it is so."""
        readable = GaugeMetricFamily("shotclock_store_readable", "Whether the store could be read for this scrape.")
        found = self._probe.ask().answer(seconds() + self._settings.health_check.total_seconds()) or []
        readable.add_metric([], float(bool(found)))
        yield from [readable, *found]

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: the store is not touched before the first scrape."""
        return ()

    def _read(self, view: Snapshot) -> list[Metric]:
        now = self._clock.now()
        lines = fleet.backlog(view, self._settings, now)
        lag = GaugeMetricFamily("shotclock_sweep_lag_seconds", "How long what is due has been so.")
        lag.add_metric([], sweep_lag(view, now).total_seconds())
        return [
            lag,
            _successes(view),
            _gauge("backlog_tasks", "Tasks that may be leased.", lines, lambda line: line.tasks),
            _gauge("backlog_items", "Members and items that nobody works on.", lines, lambda line: line.items),
            _gauge("leased_tasks", "Tasks that somebody holds.", lines, lambda line: line.leased),
            _gauge("backlog_age_seconds", "Since when the first of them could have been.", lines, _age, most=True),
        ]


def sweep_lag(view: Snapshot, now: datetime) -> timedelta:
    """Return how long the first of what is due has been so: more than a few sweeps, and nobody sweeps."""
    due = view.next_due()
    return max(now - due, timedelta(0)) if due is not None else timedelta(0)


def _successes(view: Snapshot) -> Metric:
    """Return when the last good run of each pipeline ended, of those among the newest runs."""
    gauge = GaugeMetricFamily(
        "shotclock_last_success_timestamp_seconds", "When a pipeline's last good run ended.", labels=["pipeline"]
    )
    latest: dict[str, float] = {}
    for run in (run for state in _GOOD for run in view.runs(state=state)):
        at = 0.0 if run.ended_at is None else run.ended_at.timestamp()
        latest[run.pipeline] = max(at, latest.get(run.pipeline, 0.0))
    for pipeline, at in latest.items():
        gauge.add_metric([pipeline], at)
    return gauge


def _age(line: fleet.BacklogLine) -> float:
    return line.oldest.total_seconds() if line.oldest is not None else 0.0


def _gauge(
    name: str,
    what: str,
    lines: Sequence[fleet.BacklogLine],
    value: Callable[[fleet.BacklogLine], float],
    *,
    most: bool = False,
) -> Metric:
    """Return a gauge by pipeline and phase, over all runs: a key of every day must not make a series for ever."""
    gauge = GaugeMetricFamily(f"shotclock_{name}", what, labels=["pipeline", "phase"])
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for line in lines:
        found[line.pipeline, line.phase].append(value(line))
    for labels, values in found.items():
        gauge.add_metric(list(labels), max(values) if most else sum(values))
    return gauge
