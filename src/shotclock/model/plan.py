"""What a pipeline declares, resolved for one mode: phases, rolls, gates, clocks; frozen when a run starts."""

from datetime import time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal

from msgspec import Struct, field

from shotclock.model.counts import Importance
from shotclock.model.flags import Flag, Rule
from shotclock.model.identity import DEFAULT_MODE


class Amount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number of members, given as a count or as a percentage of a base; exactly one is set."""

    count: int | None = None
    percent: Decimal | None = None

    def rounded_down(self, base: int) -> int:
        """Return the number, a percentage of `base` rounded down: how many may be missing."""
        return self._of(base, ROUND_FLOOR)

    def rounded_up(self, base: int) -> int:
        """Return the number, a percentage of `base` rounded up: how many must be there."""
        return self._of(base, ROUND_CEILING)

    def _of(self, base: int, rounding: str) -> int:
        if self.percent is None:
            return self.count or 0
        return int((self.percent * base / 100).to_integral_value(rounding))

    def __str__(self) -> str:
        return str(self.count or 0) if self.percent is None else f"{self.percent.normalize():f}%"


NONE = Amount(count=0)


class Need(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many satisfied members open a gate as a quorum.

    ``of="members"`` counts critical and required members; ``of="optional"`` counts optional ones, beside the
    rule ``all`` for the rest.
    """

    amount: Amount
    of: Literal["members", "optional"] = "members"


class Tier(Struct, frozen=True, kw_only=True):
    """A lower need that comes into force `after` a time counted from the deadline's anchor, or the phase's start."""

    after: timedelta
    need: Need


class Anchor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The instant a deadline counts from.

    ``clock`` is the wall-clock time `at` on the key's date plus `day`, in the pipeline's zone.
    """

    kind: Literal["first_report", "run_start", "clock", "signal"] = "first_report"
    at: time | None = None
    day: int = 0
    signal: str | None = None


class Deadline(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a phase stops waiting, and what it does then."""

    after: timedelta
    anchor: Anchor = Anchor()
    then: Literal["open", "block", "fail"] = "open"
    flag: str | None = None
    """A flag for whole runs: one that does not have it has no deadline here."""


class Stall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long a phase may go without progress; with `need` met it opens then, otherwise its tasks are queued again."""

    after: timedelta
    need: Need | None = None


Hopeless = Literal["fail", "open", "block"]
Late = Literal["record", "amend", "rerun"]


class Gate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rule and the clocks that decide when a phase is over."""

    need: Need | None = None
    tiers: tuple[Tier, ...] = ()
    tolerate: Amount = NONE
    grace: timedelta = timedelta(0)
    deadline: Deadline | None = None
    expected_by: timedelta | None = None
    """By when, counted from the phase's start, the anchor of the deadline (or the first report) should have come."""
    stall: Stall | None = None
    hopeless: Hopeless = "fail"
    empty: Literal["open", "refuse"] = "open"
    check: str | None = None
    """Import path of the user's veto."""
    late: Late = "record"


class Contract(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a member's success must show to be believed."""

    min_rows: int = 0


class Member(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named member of a roll; without `run` and `command` it is external and reports from outside."""

    name: str
    importance: Importance = "required"
    run: str | None = None
    command: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    contract: Contract = Contract()
    demoted: bool = False
    """Optional only because it was silent for ten runs; restored by its first good report."""
    attempts: int | None = None
    """Attempts this run, where they differ from the phase's: one, for a member that keeps failing."""
    timeout: timedelta | None = None
    tags: tuple[str, ...] = ()
    """What a worker must have to take its task, beside what the phase's execution asks for."""

    @property
    def external(self) -> bool:
        """Whether the member reports from outside."""
        return self.run is None and not self.command


class Items(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A roll that a function enumerates; without `run` its items are external and report by name."""

    source: str
    run: str | None = None
    contract: Contract = Contract()


class Execution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a phase's tasks are worked on; the only source of parallelism."""

    mode: Literal["sequential", "parallel", "process"] = "sequential"
    max_workers: int = 1
    max_in_flight: int = 0
    """Most tasks of the phase leased at once over all workers; 0 for no bound but the workers'."""
    timeout: timedelta = timedelta(minutes=10)
    attempts: int = 3
    chunk: int = 1
    """Items a task."""
    budget: timedelta | None = None
    """Time for the phase from its first lease; what has not started by then is abandoned."""
    tags: tuple[str, ...] = ()
    """What a worker must have to take a task of a member or a chunk of items, such as ``gpu``."""
    memory: int | None = None
    """Most bytes of address space a child process may have while it works on a task."""


class Fresh(Struct, frozen=True, kw_only=True):
    """How old a phase's inputs may be at its start, and what happens when all are older."""

    within: timedelta
    otherwise: Literal["flag", "block"] = "flag"


class PhasePlan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One phase as planned: what it needs, its roll, how it is worked on, its gate."""

    name: str
    needs: tuple[str, ...] = ()
    needs_previous: tuple[str, ...] = ()
    """Phases of the previous run (nearest earlier key, same mode) whose outcome this phase reads."""
    members: tuple[Member, ...] = ()
    absent: tuple[str, ...] = ()
    """Members of the pipeline that this mode leaves out, by every name they have."""
    items: Items | None = None
    execution: Execution = Execution()
    gate: Gate = Gate()
    asked: tuple[str, ...] = ()
    """Flags that its gate was planned by, when the generation started."""
    then: str | None = None
    """Import path of the consolidation that runs once after the opening."""
    fresh: Fresh | None = None

    def member(self, name: str) -> tuple[int, Member] | None:
        """Return ordinal and member for a name or an alias."""
        for ordinal, member in enumerate(self.members):
            if name == member.name or name in member.aliases:
                return ordinal, member
        return None

    @property
    def asks(self) -> bool:
        """Whether any of its work asks something of a worker."""
        return bool(self.execution.tags) or any(member.tags for member in self.members)

    def tags_of(self, ordinal: int) -> frozenset[str]:
        """Return what a worker must have to take the task of a member, or of any item."""
        own = self.members[ordinal].tags if self.items is None else ()
        return frozenset((*self.execution.tags, *own))


class Schedule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When runs start by themselves."""

    cron: str | None = None
    day: int = 0
    """Days added to the tick's local date to give the key."""
    calendar: str | None = None
    on_report: bool = False
    """Whether the first report of a known member starts the run."""


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pipeline resolved for one mode, as a run keeps it."""

    pipeline: str
    folder: str = ""
    """Folder of the pipeline file; its parent is where the functions are imported from."""
    digest: str = ""
    """What the pipeline file's text hashes to."""
    key_name: str = "key"
    key_type: Literal["date", "text"] = "date"
    timezone: str = "UTC"
    mode: str = DEFAULT_MODE
    starts: Schedule = Schedule()
    max_age: timedelta = timedelta(hours=48)
    success_within: timedelta | None = None
    """How often a run must succeed; when none has for that long, operators are told."""
    phases: tuple[PhasePlan, ...] = ()
    """In an order in which every phase comes after what it needs."""
    params: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)
    """As the file declares them, by name."""
    frozen: dict[str, Rule] = field(default_factory=dict)
    """What holds for the flags that bind a run, fixed when its generation starts."""

    def phase(self, name: str) -> PhasePlan:
        """Return the phase of that name; raises `KeyError`."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise KeyError(name)

    def downstream(self, name: str) -> tuple[PhasePlan, ...]:
        """Return the phases that need `name` directly."""
        return tuple(phase for phase in self.phases if name in phase.needs)
