"""``python -m bench.reliability [DAYS]``: both coordinators through the same days, and what share went well."""

import json
import logging
import sys
from collections.abc import Callable
from typing import Final

from bench.reliability import counting, ours
from bench.reliability.days import MEMBERS, WINDOW, Day, Outcome, draw

SLACK: Final = 5 * 60.0
"""Seconds after it was due within which an opening is on time: an outage of the store, and repeated deliveries."""


def judge(day: Day, outcome: Outcome) -> set[str]:
    """Say what is true of a day: ``good``, or some of ``late``, ``wrong``, ``lost``, ``doubled``, ``silent``."""
    found = set[str]()
    first = min(delivery.at for delivery in day.deliveries if delivery.member in MEMBERS)
    if outcome.opened_at is None or outcome.started == 0:
        found.add("late")
        if not outcome.alerts:
            found.add("silent")
    elif outcome.opened_at > first + WINDOW + SLACK:
        found.add("late")
    if outcome.started > 1 or len(set(outcome.counted)) < len(outcome.counted):
        found.add("doubled")
    if set(outcome.acknowledged) - set(outcome.kept):
        found.add("lost")
    if outcome.opened_at is not None and not _right(day, outcome, outcome.opened_at):
        found.add("wrong")
    return found or {"good"}


def _right(day: Day, outcome: Outcome, opened_at: float) -> bool:
    """Say whether the opening was by all six, or says that it was not and names exactly who was missing."""
    arrived = {delivery.member for delivery in day.deliveries if delivery.at <= opened_at + 1}
    counted = set(outcome.counted) & arrived & set(MEMBERS)
    missing = set(MEMBERS) - counted
    if not missing:
        return not outcome.declared_partial
    return outcome.declared_partial and outcome.missing is not None and set(outcome.missing) == missing


def measure(live: Callable[[Day], Outcome], days: int) -> dict[str, float]:
    """Return the share of days that went well, and how many of each failure there were."""
    kinds = ("good", "late", "wrong", "lost", "doubled", "silent")
    counts = dict.fromkeys(kinds, 0)
    for seed in range(days):
        day = draw(seed)
        for kind in judge(day, live(day)):
            counts[kind] += 1
    return {"days": days, "good_percent": 100 * counts.pop("good") / days, **counts}


def main() -> None:
    """Measure both and print the result as JSON."""
    logging.disable(logging.WARNING)
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    both = {"counting messages": measure(counting.run, days), "ours": measure(ours.run, days)}
    sys.stdout.write(json.dumps(both, indent=2) + "\n")


if __name__ == "__main__":
    main()
