"""One trace for a run, whichever process tells of it, and none unless somebody asked for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shotclock import Engine, Report, Settings, load, open_store
from shotclock.clock import SystemClock
from shotclock.engine.telling import Audience
from shotclock.model import Fact
from shotclock.observe.ids import trace_id
from shotclock.observe.traces import ENDPOINTS, Traces, linked, open_traces

AT = datetime(2025, 1, 15, 12, tzinfo=UTC)
FILE = """pipeline: p
phases:
  raw: {members: {a: {external: true}}}
  next: {needs: [raw], members: {n: 'traced.steps:box'}}
"""
STEPS = "from shotclock import Succeeded\n\ndef box(ctx):\n    return Succeeded(rows=1)\n"
OTHER = """
import json, sys
from datetime import UTC, datetime, timedelta
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shotclock.clock import SystemClock
from shotclock.model import Fact
from shotclock.observe.traces import Traces
kept = InMemorySpanExporter()
at = datetime(2025, 1, 15, 12, tzinfo=UTC)
done = Fact(name=sys.argv[1], at=at, run="p/1", phase="raw", took=timedelta(seconds=9))
Traces(SimpleSpanProcessor(kept), SystemClock()).told([done])
(span,) = kept.get_finished_spans()
print(json.dumps([span.context.trace_id, span.context.span_id, span.parent and span.parent.span_id]))
"""


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


def traces(kept: InMemorySpanExporter) -> Traces:
    return Traces(SimpleSpanProcessor(kept), SystemClock())


def own(span: ReadableSpan) -> int:
    assert span.context is not None
    number: int = span.context.span_id
    return number


def test_one_trace_leads_from_a_report_through_the_gate_to_the_next_phases_task(
    tmp_path: Path, kept: InMemorySpanExporter
) -> None:
    folder = tmp_path / "traced"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(FILE, encoding="utf-8")
    (folder / "steps.py").write_text(STEPS, encoding="utf-8")
    made, settings = traces(kept), Settings(home=tmp_path, store="memory://")
    store, audience = open_store(settings), Audience({"traces": made.told})
    engine = Engine(store, settings, SystemClock(), told=made.task, audience=audience)
    run, _ = engine.coordinator.start(load(folder), "1")
    engine.coordinator.report([Report(run=run.id, phase="raw", member="a", outcome="succeeded")])
    engine.until_over(run.id)
    engine.close()
    store.close()
    assert audience.failures() == {}
    spans = {span.name: span for span in kept.get_finished_spans()}
    assert {"report raw", "gate raw", "phase raw", "task next", "gate next", "phase next", "run p"} == set(spans)
    assert {span.context.trace_id for span in spans.values() if span.context} == {int(trace_id("p/1"), 16)}
    above = {name: span.parent.span_id for name, span in spans.items() if span.parent}
    assert above["report raw"] == above["gate raw"] == own(spans["phase raw"])
    assert above["task next"] == own(spans["phase next"])
    assert above["phase raw"] == above["phase next"] == own(spans["run p"])


def test_two_processes_tell_of_one_trace_without_a_word_between_them() -> None:
    found = []
    for name in ("phase.done", "gate.opened"):
        command = [sys.executable, "-c", OTHER, name]
        path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
        done = subprocess.run(command, env=path, capture_output=True, text=True, check=True)  # noqa: S603 - our own
        found.append(json.loads(done.stdout))
    (trace, phase, _), (other, gate, above) = found
    assert trace == other == int(trace_id("p/1"), 16)
    assert above == phase != gate


def test_a_callers_trace_is_linked_and_what_is_none_is_not(kept: InMemorySpanExporter) -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    traces(kept).received("p/1", "raw", header, timedelta(milliseconds=3))
    (span,) = kept.get_finished_spans()
    assert [link.context.span_id for link in span.links] == [0xB7AD6B7169203331]
    assert linked("nonsense") == linked("00-" + "0" * 32 + "-" + "0" * 16 + "-01") == ()


def test_what_failed_is_an_error_in_the_trace(kept: InMemorySpanExporter) -> None:
    fact = Fact(name="phase.failed", at=AT, run="p/1", phase="raw", took=timedelta(1), more={"detail": "hopeless"})
    traces(kept).told([fact])
    (span,) = kept.get_finished_spans()
    assert (span.status.is_ok, span.status.description) == (False, "hopeless")


def test_traces_are_off_unless_somebody_says_where_they_go(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert open_traces(Settings(), SystemClock()) is None
    opened = open_traces(Settings(traces="http://127.0.0.1:9"), SystemClock())
    assert opened is not None
    opened.close()
    monkeypatch.setenv(ENDPOINTS[1], "http://127.0.0.1:9")
    again = open_traces(Settings(), SystemClock())
    assert again is not None
    again.close()
