"""OpenTelemetry: one trace for a run, whose ids any process finds by itself; none is stored or sent along."""

import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from shotclock import __version__
from shotclock.clock import Clock
from shotclock.engine.job import Job
from shotclock.model import Fact, TaskReport
from shotclock.observe.ids import span_id, trace_id
from shotclock.settings import Settings

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of OpenTelemetry that turn traces on."""
_PARENT: Final = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}")
_ENDED: Final = frozenset({"phase.done", "phase.failed", "phase.skipped"})
_SCOPE: Final = InstrumentationScope("shotclock", __version__)


def open_traces(settings: Settings, clock: Clock) -> "Traces | None":
    """Return what sends traces where the setting `traces` or OpenTelemetry's variables say; None where neither does."""
    if not settings.traces and not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - only if it is on

    endpoint = f"{settings.traces.rstrip('/')}/v1/traces" if settings.traces else None
    exporter: SpanExporter = OTLPSpanExporter(endpoint=endpoint)
    return Traces(BatchSpanProcessor(exporter), clock)


def context_of(run: str, phase: str = "", what: str = "") -> SpanContext:
    """Return the context of a span of a run: its own, that of a phase, or that of what the phase does."""
    return SpanContext(
        trace_id=int(trace_id(run), 16),
        span_id=int(span_id(run, phase, what), 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def linked(traceparent: str) -> tuple[Link, ...]:
    """Return a link to the trace that a caller's header names; none for a header that is no such thing."""
    found = _PARENT.fullmatch(traceparent.strip().lower())
    if found is None or not int(found["trace"], 16) or not int(found["span"], 16):
        return ()
    flags = TraceFlags(TraceFlags.SAMPLED)
    context = SpanContext(int(found["trace"], 16), int(found["span"], 16), is_remote=True, trace_flags=flags)
    return (Link(context),)


class Traces:
    """Makes spans of what has happened and hands them to a processor, which sends them in a thread of its own.

    The trace of a run: its own span, below it one for each phase, below these reports, gate and tasks.
    """

    def __init__(self, processor: SpanProcessor, clock: Clock) -> None:
        self._processor = processor
        self._clock = clock
        self._resource = Resource.create({"service.name": "shotclock", "service.version": __version__})
        self._begun: dict[tuple[str, str, str, int], datetime] = {}

    def told(self, facts: Sequence[Fact]) -> None:
        """Make spans of facts: reports, gates, phases and runs."""
        for fact in facts:
            if fact.name == "run.ended":
                self._span(f"run {fact.pipeline}", fact, context_of(fact.run), None)
            elif fact.name in _ENDED and fact.took is not None:
                self._span(f"phase {fact.phase}", fact, context_of(fact.run, fact.phase), context_of(fact.run))
            elif fact.name == "gate.opened":
                own = context_of(fact.run, fact.phase, "gate")
                self._span(f"gate {fact.phase}", fact, own, context_of(fact.run, fact.phase))
            elif fact.name == "report.accepted" and fact.reason == "outside":
                own = context_of(fact.run, fact.phase, f"report {fact.at.isoformat()}")
                self._span(f"report {fact.phase}", fact, own, context_of(fact.run, fact.phase))

    def task(self, job: Job, report: TaskReport | None) -> None:
        """Make a span of a task that has ended; give it to the engine, which tells when one begins and ends."""
        told, now = job.assignment, self._clock.now()
        key = (told.run, told.phase, f"{told.work} {told.lo}", told.token)
        if report is None:
            self._begun[key] = now
            return
        began = self._begun.pop(key, now)
        tried = [*([report.whole] if report.whole else []), *report.again.values()]
        wrong = report.permanent or (tried[0].reason if tried else "")
        more = {"member": told.member, "attempt": told.attempt, "token": told.token}
        more |= {"detail": wrong} if wrong else {}
        name = "task.failed" if wrong else "task.done"
        fact = Fact(name=name, at=now, run=told.run, phase=told.phase, took=now - began, more=more)
        own = context_of(told.run, told.phase, f"{key[2]} {told.token}")
        self._span(f"task {told.phase}", fact, own, context_of(told.run, told.phase))

    def received(self, run: str, phase: str, traceparent: str, took: timedelta) -> None:
        """Make a span of a request that was answered, linked to its caller's trace."""
        fact = Fact(name="request.answered", at=self._clock.now(), run=run, phase=phase, took=took)
        own = context_of(run, phase, f"request {traceparent} {fact.at.isoformat()}")
        self._span(f"request {phase}", fact, own, context_of(run, phase), linked(traceparent))

    def close(self) -> None:
        """Send what was not sent yet, as far as that is possible."""
        self._processor.shutdown()

    def _span(
        self, name: str, fact: Fact, own: SpanContext, parent: SpanContext | None, links: Sequence[Link] = ()
    ) -> None:
        failed = fact.name.endswith(".failed") or fact.reason == "failed"
        known = {"pipeline": fact.pipeline, "run": fact.run, "phase": fact.phase, "reason": fact.reason}
        known |= {key: str(value) for key, value in fact.more.items()}
        self._processor.on_end(
            ReadableSpan(
                name=name,
                context=own,
                parent=parent,
                resource=self._resource,
                attributes={f"shotclock.{key}": value for key, value in known.items() if value},
                links=links,
                status=Status(StatusCode.ERROR, str(fact.more.get("detail", ""))) if failed else Status(),
                start_time=_nanoseconds(fact.at - (fact.took or timedelta(0))),
                end_time=_nanoseconds(fact.at),
                instrumentation_scope=_SCOPE,
            )
        )


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
