"""Days as they happen: six members report within the hour, and now and then something goes wrong, drawn from a seed."""

from random import Random
from typing import Final, Literal, get_args

from msgspec import Struct

Incident = Literal[
    "none", "duplicates", "late_duplicate", "silent", "late", "unknown_name", "store_down", "crash_before",
    "crash_after", "bus_refuses", "all_silent_but_one",
]  # fmt: skip
"""What goes wrong on a day; none on half of them, the rest alike often."""

MEMBERS: Final = ("box", "props", "odds", "injuries", "lineups", "schedule")
WINDOW: Final = 30 * 60.0
"""Seconds from the first report to the deadline."""
OUTAGE: Final = 5 * 60.0
DAY: Final = 6 * 3600.0


class Delivery(Struct, frozen=True, kw_only=True, order=True):
    """A report on its way: when it arrives, from whom, and whether the receiver dies over it."""

    at: float
    member: str
    dies: Literal["", "before", "after"] = ""


class Day(Struct, frozen=True, kw_only=True):
    """One day: its deliveries in order, and what fails around them. Times are seconds from the start of the run."""

    incident: Incident
    deliveries: tuple[Delivery, ...]
    store_down: tuple[float, float] = (-1.0, -1.0)
    bus_refusals: int = 0

    def down(self, at: float) -> bool:
        """Say whether the store cannot be written at a time."""
        return self.store_down[0] <= at < self.store_down[1]


def draw(seed: int) -> Day:
    """Return the day of a seed."""
    lots = Random(seed)  # noqa: S311 - repeatable, guards nothing
    incident: Incident = "none" if lots.random() < 0.5 else lots.choice(get_args(Incident)[1:])
    arrivals = sorted(lots.uniform(60, 60 + WINDOW * 0.9) for _ in MEMBERS)
    order = lots.sample(MEMBERS, len(MEMBERS))
    usual = [Delivery(at=at, member=member) for at, member in zip(arrivals, order, strict=True)]
    return _with(incident, usual, lots)


def _with(incident: Incident, usual: list[Delivery], lots: Random) -> Day:
    victim = lots.randrange(len(usual))
    hit, others = usual[victim], usual[:victim] + usual[victim + 1 :]
    down = (hit.at - 1, hit.at - 1 + OUTAGE) if incident == "store_down" else (-1.0, -1.0)
    arriving: dict[Incident, list[Delivery]] = {
        "duplicates": usual + [_after(one, lots.uniform(1, 300)) for one in lots.choices(usual, k=4)],
        "late_duplicate": [*usual, _after(hit, 2 * WINDOW)],
        "silent": others,
        "late": [*others, _after(hit, 3 * WINDOW)],
        "unknown_name": [*others, Delivery(at=hit.at, member=f"nba_{hit.member}")],
        "crash_before": [*others, Delivery(at=hit.at, member=hit.member, dies="before")],
        "crash_after": [*others, Delivery(at=hit.at, member=hit.member, dies="after")],
        "all_silent_but_one": [hit],
    }
    return Day(
        incident=incident,
        deliveries=tuple(sorted(arriving.get(incident, usual))),
        store_down=down,
        bus_refusals=3 if incident == "bus_refuses" else 0,
    )


def _after(delivery: Delivery, seconds: float) -> Delivery:
    return Delivery(at=delivery.at + seconds, member=delivery.member)


class Outcome(Struct, kw_only=True):
    """What a coordinator made of a day."""

    opened_at: float | None = None
    counted: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    """Who it says is missing; None where it says nothing of it."""
    declared_partial: bool = False
    started: int = 0
    """How often the next phase was started."""
    alerts: int = 0
    acknowledged: tuple[str, ...] = ()
    """Members whose report was acknowledged, so that nobody sends it again."""
    kept: tuple[str, ...] = ()
    """Members of whom the store knows a report, in whatever way."""
