"""Ramps of flags: the shares a flag goes through, what watches it meanwhile, and where it stands."""

from datetime import datetime, timedelta
from typing import Literal, get_args

from msgspec import Struct

from shotclock.model.evidence import Arms, Evidence
from shotclock.model.flags import BUCKETS, Split

Metric = Literal["unsatisfied", "retries", "duration", "lateness"]
"""What may become worse under a flag: how many units are not satisfied or had to be tried again; of whole runs also how
long they took and how late they opened."""

METRICS: tuple[Metric, ...] = get_args(Metric)
OF_RUNS: frozenset[Metric] = frozenset({"duration", "lateness"})
"""What is known of whole runs alone."""

RampState = Literal["ramping", "paused", "frozen", "done", "rolled_back", "overtaken"]
WATCHED: frozenset[RampState] = frozenset({"ramping", "paused", "frozen"})
"""States in which runs still count."""


class Guard(Struct, frozen=True, kw_only=True):
    """One metric that is watched, and what was seen of it."""

    metric: Metric
    worse: float = 2.0
    """The harm to be found: so many times the odds."""
    evidence: Evidence
    known: dict[str, int] = {}
    """Units that went bad, with the number of the run from which on they count again."""


class Spare(Struct, frozen=True, kw_only=True):
    """A run without the flag that no run with it was compared with yet."""

    where: str
    """Its pipeline and mode."""
    values: dict[Metric, float]


class FlagRamp(Struct, frozen=True, kw_only=True):
    """How a flag goes from share to share.

    State table::

        ramping  -> ramping      good after the hold: the next stage
                 -> done         good after the hold of the last stage
        ramping, paused
                 -> rolled_back  a guard is bad
        ramping  <-> paused      an operator: it stays where it is, and is still rolled back
        ramping  <-> frozen      an operator: nothing happens by itself
        any of these -> overtaken   somebody else has set the flag
    """

    name: str
    version: int = 1
    """Raised by one with every change."""
    state: RampState = "ramping"
    value: Split
    """What the flag gives to whom; its share is that of the stage."""
    stages: tuple[int, ...]
    """Shares in buckets, rising."""
    stage: int = 0
    hold: timedelta
    since: datetime
    """From when the hold of this stage counts."""
    stopped_at: datetime | None = None
    """When it was paused or frozen."""
    started_at: datetime
    guards: tuple[Guard, ...]
    counted: tuple[str, ...] = ()
    """The runs that were counted, the last ones of them."""
    runs: int = 0
    """How many that were in all."""
    spares: tuple[Spare, ...] = ()
    actor: str = ""
    reason: str = ""
    ended: str = ""
    """Why it is over."""

    @property
    def split(self) -> Split:
        """What the flag is set to while the ramp is where it is."""
        return Split(value=self.value.value, rest=self.value.rest, share=self.stages[self.stage])

    @property
    def compared(self) -> int:
        """How many stages leave units without the flag."""
        return sum(share < BUCKETS for share in self.stages)


class RunFacts(Struct, frozen=True, kw_only=True):
    """What a ramp is told of one run that is over."""

    run: str
    where: str
    """Its pipeline and mode."""
    share: int | None
    """The flag's share in its plan; None: the run knows nothing of the flag."""
    units: dict[Metric, list[tuple[str, bool, bool]]] = {}
    """For each metric its units: name, whether it has the flag, whether it went bad."""
    sums: dict[Metric, Arms] = {}
    """The same of a run with so many units that no single one weighs anything."""
    flagged: bool = False
    """For a flag of whole runs: whether the run has it."""
    values: dict[Metric, float] = {}
    """For a flag of whole runs: how bad it was."""
