"""Ids of traces and spans that any process finds by itself, from what the trace is about."""

from hashlib import sha256


def trace_id(run: str) -> str:
    """Return the trace of a run, as 32 hexadecimal digits: the same in every process."""
    return sha256(f"shotclock trace {run}".encode("utf-8", "replace")).hexdigest()[:32]


def span_id(run: str, phase: str = "", what: str = "") -> str:
    """Return a span of a run's trace, as 16 hexadecimal digits: that of the run, of a phase, or of what it does."""
    return sha256(f"shotclock span {run} {phase} {what}".encode("utf-8", "replace")).hexdigest()[:16]
