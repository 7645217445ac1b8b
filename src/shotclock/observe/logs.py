"""Structured logs: one JSON object a line, in the field names of Cloud Logging; or lines for people on a terminal."""

import json
import logging
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final, TextIO

import structlog

from shotclock.engine.telling import Listen
from shotclock.errors import UsageError
from shotclock.model import Fact
from shotclock.observe.ids import span_id, trace_id
from shotclock.observe.redacting import clean, redacted
from shotclock.saying import about, plain
from shotclock.settings import Settings

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FORMATS: Final = frozenset({"auto", "json", "text"})
LABELS: Final = ("pipeline", "run", "phase", "member", "attempt", "correlation")
"""What a line is about: indexed by Cloud Logging, as labels."""
_GOOGLE: Final = "logging.googleapis.com/"
_LINE_MOST: Final = 200_000
"""Characters of a line; Cloud Logging takes 256 KiB."""
_WINDOW: Final = 60.0
_KINDS_MOST: Final = 1_000
"""Kinds of lines whose repeats are counted at a time."""
_QUIET: Final = frozenset({"reports.taken", "report.accepted", "task.leased", "heartbeat.written", "schedule.ticked"})
_GRAVE: Final = frozenset({"phase.failed", "reports.failed", "heartbeat.failed", "run.failed"})
_NOTABLE: Final = frozenset(
    {"dead_letter.kept", "phase.blocked", "phase.vetoed", "phase.stalled", "phase.skipped", "schedule.missed"}
    | {"handover.unacknowledged", "report.conflict", "report.parked", "halt.begun", "alert.raised", "task.retried"}
)
Event = MutableMapping[str, Any]


def level_of(fact: Fact) -> int:
    """Return how much a fact matters; what happens with every report and task is for debugging."""
    if fact.name in _QUIET:
        return logging.DEBUG
    if fact.name in _GRAVE or (fact.name == "run.ended" and fact.reason == "failed"):
        return logging.ERROR
    return logging.WARNING if fact.name in _NOTABLE or fact.more.get("partial") else logging.INFO


@contextmanager
def configured(settings: Settings, *, stream: TextIO | None = None) -> Iterator[Listen]:
    """Have everything that is logged in this process written, one line each; yields what writes facts too.

    `stream` is the error output unless said. Raises `UsageError` for a level or a format that there is not.
    """
    level, as_json = _level(settings), _is_json(settings, stream or sys.stderr)
    handler = Lines(stream, settings.log_repeats, as_json=as_json)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


def heard(facts: Sequence[Fact]) -> None:
    """Log each fact under its name."""
    for fact in facts:
        level = level_of(fact)
        if _facts.isEnabledFor(level):
            _logger.log(level, fact.name, **_fields(fact))


def _fields(fact: Fact) -> dict[str, Any]:
    said: dict[str, Any] = {"pipeline": fact.pipeline, "run": fact.run, "phase": fact.phase, "member": fact.member}
    took = None if fact.took is None else fact.took.total_seconds()
    said |= {"reason": fact.reason, "seconds": took, "number": None if fact.number == 1 else fact.number}
    return {name: value for name, value in {**fact.more, **said}.items() if value not in ("", None)}


def _level(settings: Settings) -> int:
    if settings.log_level not in LEVELS:
        message = f"setting log_level is {settings.log_level!r}: it is one of {', '.join(LEVELS)}"
        raise UsageError(message)
    return LEVELS[settings.log_level]


def _is_json(settings: Settings, stream: TextIO) -> bool:
    if settings.log_format not in FORMATS:
        message = f"setting log_format is {settings.log_format!r}: it is one of {', '.join(sorted(FORMATS))}"
        raise UsageError(message)
    return settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())


# --- a line --------------------------------------------------------------------------------------------------------


class Lines(logging.Handler):
    """Writes records as lines; whatever is in one, it is written as far as possible and nothing is raised."""

    def __init__(self, stream: TextIO | None, repeats: int, *, as_json: bool) -> None:
        super().__init__()
        self._stream = stream
        self._repeats = Repeats(repeats)
        chain: list[structlog.typing.Processor] = [structlog.stdlib.ExtraAdder()]
        steps: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            _told,
            _as_json if as_json else _as_text,
        ]
        self.setFormatter(structlog.stdlib.ProcessorFormatter(processors=steps, foreign_pre_chain=chain))
        self._as_json = as_json

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it as a repeat."""
        try:
            for kind, number in self._repeats.over(record.created):
                self._write(_simple(record, f"log.repeated: {kind}", number, as_json=self._as_json))
            if self._repeats.passes(record):
                self._write(self._line(record))
        except OSError:
            self.handleError(record)  # whoever reads the lines is gone

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001 - what is logged may raise anything while it is looked at
            said = f"a line that cannot be written: {type(error).__name__}: {plain(record.msg)}"
            return _simple(record, said, 1, as_json=self._as_json)

    def _write(self, line: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(f"{line}\n")
        stream.flush()

    def close(self) -> None:
        """Say what was not written of repeats."""
        for kind, number in self._repeats.over(float("inf")):
            last = logging.LogRecord("shotclock.logs", logging.INFO, "", 0, "", None, None)
            self._write(_simple(last, f"log.repeated: {kind}", number, as_json=self._as_json))
        super().close()


class Repeats:
    """Lets so many lines of one kind pass in a minute, and counts the others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}
        self._guard = Lock()

    def passes(self, record: logging.LogRecord) -> bool:
        """Say whether a record is written; those of one template, or about one phase, are of one kind."""
        key = (record.name, record.levelno, _kind(record))
        with self._guard:
            since, number = self._seen.get(key, (record.created, 0))
            if len(self._seen) < _KINDS_MOST or key in self._seen:
                self._seen[key] = (since, number + 1)
            return number < self._most

    def over(self, now: float) -> list[tuple[str, int]]:
        """Forget kinds whose minute is over; return those of which lines were left out, with their number."""
        with self._guard:
            ended = [key for key, (since, _) in self._seen.items() if now >= since + _WINDOW]
            counts = [(key[2], self._seen.pop(key)[1] - self._most) for key in ended]
        return [(kind, number) for kind, number in counts if number > 0]


def _kind(record: logging.LogRecord) -> str:
    if isinstance(record.msg, dict):
        return " ".join(str(record.msg.get(name, "")) for name in ("event", "run", "phase")).strip()
    return str(plain(record.msg))[:200]


def _told(_logger: Any, _method: str, event: Event) -> Event:  # noqa: ANN401 - what structlog gives its processors
    """Gather what a line says: the record's place and time, what the work is about, and what was given, made safe."""
    record: logging.LogRecord = event.pop("_record")
    own, words = event.pop("_from_structlog"), event.pop("event", "")
    trace = event.pop("exception", None)
    said = redacted(plain({**structlog.contextvars.get_contextvars(), **about(), **event}))
    assert isinstance(said, dict)
    head = {"severity": record.levelname, "message": clean(str(plain(words))), "time": _time(record)}
    if trace is not None:
        head["stack_trace"] = clean(str(plain(trace)))
    where = {"file": record.pathname, "line": str(record.lineno), "function": record.funcName}
    beside = {"event": head["message"]} if own else {"logger": record.name, f"{_GOOGLE}sourceLocation": where}
    return {"head": head, "said": said, "beside": beside}


def _as_json(_logger: Any, _method: str, event: Event) -> str:  # noqa: ANN401 - likewise
    head, found = {**event["beside"], **event["head"]}, _google(event["said"])
    line = json.dumps({**event["said"], **found, **head})
    return line if len(line) <= _LINE_MOST else json.dumps({**found, **head, "cut": len(line)})


def _google(said: dict[str, Any]) -> dict[str, object]:
    """Return the fields by which Cloud Logging finds what belongs together."""
    run, labels = str(said.get("run", "")), {name: str(said[name]) for name in LABELS if name in said}
    found: dict[str, object] = {f"{_GOOGLE}labels": labels} if labels else {}
    trace = said.pop("trace", None) or (trace_id(run) if "/" in run else None)
    if trace is not None:
        found |= {f"{_GOOGLE}trace": trace, f"{_GOOGLE}spanId": span_id(run, str(said.get("phase", "")))}
    return found


def _as_text(_logger: Any, _method: str, event: Event) -> str:  # noqa: ANN401 - likewise
    head = event["head"]
    words = " ".join(f"{name}={value}" for name, value in event["said"].items() if name != "pipeline")
    line = f"{head['time'][11:19]} {head['severity'].lower()}: {head['message']} {words}".rstrip()
    return " ".join(line.splitlines()) + (f"\n{head['stack_trace']}" if "stack_trace" in head else "")


def _simple(record: logging.LogRecord, said: str, number: int, *, as_json: bool) -> str:
    """Return a line that needs nothing of what was logged."""
    line = {"severity": record.levelname, "message": clean(said), "time": _time(record), "logger": record.name}
    return (
        json.dumps({**line, "number": number}) if as_json else f"{record.levelname.lower()}: {clean(said)} ({number})"
    )


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")


_facts = logging.getLogger("shotclock.fact")
_logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    _facts,
    processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    wrapper_class=structlog.stdlib.BoundLogger,
)
