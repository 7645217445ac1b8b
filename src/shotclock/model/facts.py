"""What has happened: runs, phases, tasks, reports, answers, openings, messages; frozen values as stores keep them."""

from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct, field

from shotclock.model.counts import Counts, Kind
from shotclock.model.dispatch import Breaker, LimitKind, Near, Ramp, Recovery
from shotclock.model.flags import Rule
from shotclock.model.identity import RunId

RunState = Literal["running", "complete", "partial", "failed"]
PhaseState = Literal["waiting", "active", "closing", "opened", "done", "failed", "skipped"]
OpenReason = Literal["all", "quorum", "deadline", "stall", "hopeless", "empty", "forced"]
MarkKind = Literal["blocked", "vetoed", "halted", "stalled"]

PHASE_OVER: frozenset[PhaseState] = frozenset({"done", "failed", "skipped"})
"""States a phase never leaves."""
ACCEPTING: frozenset[PhaseState] = frozenset({"waiting", "active"})
"""States in which a report can still count (a waiting phase parks it until it starts)."""


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of a pipeline for a key and a mode; its plan is kept beside it."""

    id: str
    pipeline: str
    key: str
    mode: str
    generation: int = 1
    state: RunState = "running"
    superseded: bool = False
    """Whether a newer generation has taken its place; fenced off, its outcome kept."""
    started_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None
    """Why it failed or is partial, in one line."""
    cause: str = "started"
    """What made this generation: ``started``, ``schedule``, ``missed``, ``report``, ``rerun``, ``then``, ``late``."""
    inherits: tuple[str, ...] = ()
    """Names that upstream phases of a carried or partial input lacked, shown in every context."""

    @property
    def identity(self) -> RunId:
        """The run's identity, generation included."""
        return RunId(pipeline=self.pipeline, key=self.key, mode=self.mode, generation=self.generation)


class Ruling(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The decision that a phase is over: fixed when it closes, carried out when it opens."""

    reason: OpenReason
    partial: bool = False
    roll_incomplete: bool = False
    rule: str = ""
    """The rule in words, with its numbers, as `explain` shows it."""


class Vote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the user's `check` answered, and on which state of the phase."""

    yes: bool
    reason: str = ""
    at: datetime
    changes: int
    worse: int


class Mark(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a phase that could be over is not: a name, a reason, and when it is looked at next."""

    kind: MarkKind
    reason: str
    since: datetime
    next_at: datetime | None = None


class Force(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operator's order to open a phase whatever is missing."""

    actor: str
    reason: str
    at: datetime


class Handover(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the start of a phase has been told and confirmed."""

    state: Literal["triggered", "delivered", "started", "unacknowledged"] = "triggered"
    triggered_at: datetime
    delivered_at: datetime | None = None
    started_at: datetime | None = None
    sent: int = 1


class Phase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one phase of one generation; every change raises `version` by one.

    State table (terminal ones in capitals)::

        waiting -> active      every upstream is done
                -> SKIPPED     an upstream failed or was skipped
        active  -> closing     the gate decided to open, other than by `all`: nothing recorded later belongs to it
                -> opened      the gate opened by `all`
                -> FAILED      the gate decided to fail; max_age
        closing -> opened      the opening is written
                -> FAILED      max_age
        opened  -> DONE        no `then`, or `then` completed
                -> FAILED      `then` ran out of attempts; max_age
    """

    id: int = 0
    """Number the store gives when the run is added; tasks, pages and entries refer to it."""
    run: str
    name: str
    index: int
    """Place in the plan's order."""
    state: PhaseState = "waiting"
    version: int = 0
    changes: int = 0
    """Raised when a member's standing or the roll changed: what makes an older no of the check worth asking again."""
    worse: int = 0
    """Raised when the roll changed or a member became worse: what makes an older yes of the check invalid."""
    counts: Counts = Counts()
    size: int = 0
    """Ordinals given out so far."""
    pages: int = 0
    sealed: bool = False
    roll_incomplete: bool = False
    """Whether the roll was sealed before its enumeration had ended."""
    enumeration_failed: bool = False
    repeated: tuple[str, ...] = ()
    """Item ids that the enumeration gave more than once; at most 100 are named."""
    started_at: datetime | None = None
    first_at: datetime | None = None
    """When the first settlement or part was accepted."""
    signal_at: datetime | None = None
    progress_at: datetime | None = None
    retry_until: datetime | None = None
    """Latest end of a wait before another attempt."""
    leased_at: datetime | None = None
    """When the first task was leased."""
    grace_since: datetime | None = None
    stalled_at: datetime | None = None
    recovery: Recovery = Recovery()
    """How the queueing again of its tasks has done, each time nothing moved."""
    breakers: dict[int, Breaker] = field(default_factory=dict)
    """What holds up members that fail over and over, by ordinal; -1 for all items of a fan-out."""
    near: dict[LimitKind, Near] = field(default_factory=dict)
    """Limits of which most was used, without their being reached."""
    ramp: Ramp | None = None
    """Of a fan-out, from its first lease on."""
    budget_spent: bool = False
    vote: Vote | None = None
    asking_until: datetime | None = None
    """Until when an asked `check` has to answer; while it stands nobody else asks."""
    expected_alerted: bool = False
    force: Force | None = None
    ruling: Ruling | None = None
    closed_at: datetime | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    mark: Mark | None = None
    failure: str | None = None
    """Why the phase failed or was skipped, in one line."""
    handover: Handover | None = None
    previous: str | None = None
    """The previous run this phase reads, fixed when it starts; None if there is none."""
    inherited: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names missing upstream (inherited ones too), by upstream phase, fixed when the phase starts."""
    inherits_partial: bool = False
    carried_from: str | None = None
    """The run whose opening this generation carries by reference."""
    source: int | None = None
    """The phase that holds the facts of a carried one: its tasks, pages and settlements are read there."""
    absent_upstream: tuple[str, ...] = ()
    """Phases of a previous run that this phase would have read, were they there."""
    stale_inputs: tuple[str, ...] = ()
    """Inputs whose data was too old when the phase started, all of them being so."""
    folded: bool = False
    """Whether operators are told of its end in the one alert of a resume, not in one of its own."""
    rerun_at: datetime | None = None
    """When late reports make a new generation from this phase, after they had time to settle."""
    flags: dict[str, Rule] = field(default_factory=dict)
    """What held for each flag that its work has asked for; of a live one, when it was last asked for."""
    due_at: datetime | None = None
    """When the sweep must look at the phase next; the index over it finds everything that is due."""


Work = Literal["member", "chunk", "enumerate", "then", "outside"]
"""What a task is: a processor, a chunk of items, the listing of items, the consolidation; never leased: `outside`."""

TaskState = Literal["queued", "leased", "ended", "outside"]


class Note(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What one member said, beyond its kind."""

    reason: str | None = None
    rows: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None
    """How recent the data behind the outputs is."""
    at: datetime | None = None
    by: str | None = None
    """Who settled it, where it was not its worker."""
    final: bool = True


class Batch(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Which ordinals one lease of a task settled, and what it made for all of them, such as a staged file."""

    token: int
    at: datetime
    ranges: tuple[tuple[int, int], ...]
    """Half-open ranges of ordinals."""
    outputs: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Rule] = field(default_factory=dict)
    """What held for each flag that was asked for meanwhile."""


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One numbered part of a member: a file, a page."""

    kind: Kind
    reason: str | None = None
    rows: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)


class Task(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A range of consecutive members with how each stands, and the lease on the work for them.

    A named processor is a range of one; a chunk of items is a range of many; `enumerate` and `then` are empty ranges.

    State table::

        queued  -> leased    a worker takes it: the token grows by one
        leased  -> queued    given back, an attempt failed, or the lease ran out and somebody leases it again
                -> ended     all its members have settled
        queued  -> ended     an operator settled its members
        outside              reports come from elsewhere; never leased
    """

    phase: int
    work: Work
    lo: int = 0
    hi: int = 0
    """The range is half-open: ordinals lo to hi - 1."""
    rank: int = 1
    """0 critical, 1 required, 2 optional: the order of leasing before the file's."""
    state: TaskState = "queued"
    token: int = 0
    owner: str | None = None
    leased_at: datetime | None = None
    lease_until: datetime | None = None
    ready_at: datetime | None = None
    """Not before this instant, if set."""
    kinds: bytes = b""
    """One byte per member, `counts.CODE` of its kind."""
    notes: dict[int, Note] = field(default_factory=dict)
    batches: tuple[Batch, ...] = ()
    tries: dict[int, int] = field(default_factory=dict)
    """Attempts that failed, by ordinal (by `lo` for an empty range)."""
    losses: int = 0
    """Leases that ran out since a member of the range last settled."""
    halve: bool = False
    """Whether the last lease ended without outcomes, so that the next one takes only half of what is left."""
    hour_at: datetime | None = None
    """Start of the hour in which `hour_leases` counts, for the bound on attempts within an hour."""
    hour_leases: int = 0
    not_yet: dict[int, int] = field(default_factory=dict)
    """How often a member answered that its data cannot exist yet, by ordinal."""
    parts: dict[int, Part] = field(default_factory=dict)
    parts_total: int | None = None
    result: dict[str, Any] = field(default_factory=dict)
    """What a completed `then` returned."""
    error: str | None = None
    """The last error, in one line."""


class Page(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Items `lo` to `lo + len(ids) - 1` of a roll, as the enumeration gave them."""

    phase: int
    number: int
    lo: int
    ids: tuple[str, ...]
    payloads: tuple[Any, ...]
    digest: str
    """What ids and payloads hash to; an enumeration resumed in another order differs."""


OutcomeKind = Literal["succeeded", "empty", "skipped", "failed"]


class PartOf(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which part of a member a report speaks of, and how many there are where it knows."""

    number: int
    of: int | None = None
    last: bool = False


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a member says from outside, by name."""

    run: str
    """Text form of the run; without a generation it means the newest."""
    phase: str
    member: str
    outcome: OutcomeKind
    reason: str | None = None
    rows: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None
    retry: bool = False
    """A failure that is a note: the member stays pending."""
    part: PartOf | None = None
    token: int | None = None
    override: bool = False
    """An operator settles the member whoever works on it; the task's token grows, so that its worker is fenced."""
    actor: str | None = None


class Again(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An attempt that settled nothing: why, and when the next may start."""

    cause: Literal["error", "timed_out", "died", "retry", "not_yet"]
    reason: str
    after: timedelta | None = None
    not_before: datetime | None = None


class TaskReport(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a worker says of a task it leased.

    `kinds` has one byte per member of the range the lease handed out; 0 where nothing is said of it. A member under
    `again` had an attempt of its own that failed; `whole` says that the task as a whole ended without outcomes.
    """

    phase: int
    work: Work
    lo: int
    token: int
    kinds: bytes = b""
    notes: dict[int, Note] = field(default_factory=dict)
    again: dict[int, Again] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    whole: Again | None = None
    ended: bool = True
    """Whether the worker is done with its lease; a partial report keeps it."""
    permanent: str | None = None
    """For `enumerate` and `then`: why it can never succeed."""
    pages: int | None = None
    """For `enumerate`: how many pages this listing gave, where it ended."""
    flags: dict[str, Rule] = field(default_factory=dict)
    """What held for each flag that was asked for under this lease."""


AnswerKind = Literal["accepted", "duplicate", "conflict", "late", "parked", "withdrawn", "fenced"]


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How a report was taken; what is accepted, conflicting, late or parked is stored before the answer is given."""

    kind: AnswerKind
    detail: str = ""
    """Why, and what to do next."""


class Opening(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The immutable fact that a phase is over: why, with what, and who was missing."""

    phase: int
    run: str
    name: str
    reason: OpenReason
    partial: bool = False
    roll_incomplete: bool = False
    rule: str = ""
    at: datetime
    closed_at: datetime
    counts: Counts
    missing: tuple[str, ...] = ()
    """Critical and required members pending or unsatisfied; none if there are too many to name: see `missing_count`."""
    missing_count: int = 0
    shortfall: tuple[str, ...] = ()
    """Optional members that are not satisfied."""
    withdrawn: tuple[str, ...] = ()
    late_by: timedelta | None = None
    """How long after its deadline the gate opened, where it had one."""


class Upstream(Struct, frozen=True, kw_only=True):
    """A phase as those that stand on it see it: what it opened with, what its consolidation gave, who took part."""

    phase: Phase
    opening: Opening | None
    end: Task | None
    tasks: list[Task]
