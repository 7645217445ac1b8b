"""Whether a campaign of seeds was worth its time: every kind of trouble often enough, every outcome at least once."""

from typing import Final

from shotclock.testing.bus import TROUBLES
from shotclock.testing.simulation import SimulationReport

ENOUGH: Final = 500
"""Seeds from which on a campaign has to have seen everything."""
SHARE: Final = 0.1
"""The share of the seeds that each kind of trouble must come up in."""
EVENTS: Final = 200
"""Events that half of the seeds must have had."""

FAULTS: Final = (
    *(f"bus {trouble}" for trouble in TROUBLES),
    *(f"fault {kind}" for kind in ("refused", "unknown", "died_before", "died_after")),
    *(f"crash {who}" for who in ("coordinator", "worker", "sweep", "relay")),
    *(f"several {what}" for what in ("coordinators", "workers", "sweeps")),
    *("clocks skewed", "sweeps raced", "delivery failed", "relay died before marking", "flags flipped"),
)
"""Every kind of trouble that seeds draw."""
SOMETIMES: Final = (
    *(f"answer {kind}" for kind in ("accepted", "duplicate", "conflict", "late", "parked", "withdrawn", "fenced")),
    *(f"leased {work}" for work in ("member", "chunk", "enumerate", "then")),
    *("ruled all", "ruled quorum", "ruled quorum partial", "ruled deadline partial"),
    *("ruled stall partial", "ruled hopeless partial", "ruled empty", "ruled forced partial", "failed"),
    *("asked", "check never answered", "renewed", "stopped", "refused page", "refused retry"),
    *("late rerun asked", "late rerun made", "late rerun at its bound"),
)
"""What must have happened in some seed, or else the campaign shows less than it seems to."""


def shortfalls(report: SimulationReport) -> list[str]:
    """Name what a campaign has seen too little of; nothing is asked of one that is small or was broken off."""
    if report.seeds < ENOUGH or report.violations:
        return []
    least = SHARE * report.seeds
    seldom = [
        f"{name} in {report.in_seeds[name]} of {report.seeds} seeds, fewer than {SHARE:.0%}"
        for name in FAULTS
        if report.in_seeds[name] < least
    ]
    never = [f"{name} in no seed" for name in SOMETIMES if not report.in_seeds[name]]
    short = [f"{report.median:g} events in half of the seeds, fewer than {EVENTS}"] if report.median < EVENTS else []
    return [*seldom, *never, *short]
