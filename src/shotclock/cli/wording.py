"""How runs, phases, counts, times and clocks are put in words, the same in every command."""

from datetime import datetime, timedelta

from shotclock.amounts import words
from shotclock.cli.shell import one_line
from shotclock.engine.timing import ClockView
from shotclock.engine.views import PhaseView, RunView
from shotclock.model import spans

SECOND = timedelta(seconds=1)


local = spans.local
"""Returns an instant as the pipeline's zone shows it."""


def span(length: timedelta) -> str:
    """Return a length of time as people say it: tenths below ten seconds."""
    seconds = length.total_seconds()
    return f"{seconds:.1f}s" if 1 <= seconds < 10 else words(length)  # noqa: PLR2004 - where tenths stop mattering


def until(at: datetime, now: datetime) -> str:
    """Return how far away an instant is."""
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def clock_words(clock: ClockView, now: datetime) -> str:
    """Return a clock as a countdown."""
    return f"{clock.name} {until(clock.at, now)}" if clock.at is not None else clock.name


def state_words(phase: PhaseView) -> str:
    """Return the state of a phase, or the mark on it."""
    if phase.mark is not None:
        return phase.mark.kind
    if phase.carried_from is not None:
        return "carried"
    if phase.state == "opened":
        return "consolidating"
    return "partial" if phase.state == "done" and phase.partial else phase.state


def count_words(phase: PhaseView) -> str:
    """Return how the members of a phase stand."""
    if phase.started_at is None:
        return ""
    parts = [f"{phase.satisfied} of {phase.expected}{'' if phase.sealed else '+'}"]
    tallies = [phase.counts.critical, phase.counts.required, phase.counts.optional]
    for kind in ("failed", "timed_out", "abandoned", "suspect"):
        number = sum(tally.of(kind) for tally in tallies)
        if number:
            parts.append(f"{number} {kind.replace('_', ' ')}")
    if phase.pending and phase.state != "active":
        parts.append(f"{phase.pending} pending")
    if phase.withdrawn:
        parts.append(f"{phase.withdrawn} withdrawn")
    return ", ".join(parts)


def pace_words(phase: PhaseView) -> str:
    """Return how fast a phase goes, and how long it has still to go."""
    if phase.took is None or (phase.state == "active" and phase.rate is None):
        return ""
    rate = f"{phase.rate:,.1f}/s" if phase.rate is not None and phase.fan_out else ""
    left = f"about {span(max(phase.left, SECOND))} left" if phase.left and phase.fan_out else ""
    return " ".join(part for part in (span(phase.took), rate, left) if part)


def why_words(phase: PhaseView, now: datetime) -> str:
    """Return why a phase is as it is: its mark, failure or opening; for one that goes on, its next clock."""
    if phase.failure is not None and phase.state in {"failed", "skipped"}:
        return phase.failure
    if phase.opened is not None:
        short = f", without {names(phase)}" if phase.missing_count else ""
        return f"opened by {phase.opened}{short}"
    if phase.clock is not None:
        return clock_words(phase.clock, now)
    return f"needs {', '.join(phase.needs)}" if phase.state == "waiting" else ""


def members(number: int) -> str:
    """Return how many members there are."""
    return f"{number} member{'' if number == 1 else 's'}"


def names(phase: PhaseView) -> str:
    """Return the first few who are missing, and how many there are beside them."""
    more = phase.missing_count - len(phase.missing)
    if not phase.missing:
        return members(more)
    return ", ".join(map(one_line, phase.missing)) + (f" and {more} more" if more else "")


def row(phase: PhaseView, now: datetime) -> tuple[str, str, str, str, str]:
    """Return a phase as the cells of a line: name, state, counts, pace, why."""
    return phase.name, state_words(phase), count_words(phase), pace_words(phase), why_words(phase, now)


def mark_words(phase: PhaseView, run: RunView) -> str:
    """Return a mark with its reason and the times that matter."""
    mark = phase.mark
    assert mark is not None
    said = f"{mark.kind} since {local(mark.since, run.timezone)}: {one_line(mark.reason)}"
    if phase.missing:
        said += f" ({names(phase)})"
    if mark.next_at is not None and mark.next_at != run.fails_at:
        said += f"; looked at again at {local(mark.next_at, run.timezone)}"
    return f"{said}; max_age ends it at {local(run.fails_at, run.timezone)}"
