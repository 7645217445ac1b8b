"""What is said to the service and what it answers, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from shotclock.engine.fleet import BacklogLine, ProcessView
from shotclock.engine.listed import RunLine
from shotclock.model import Answer, AnswerKind, Entry, Halt, OutcomeKind, PartOf, Report, RunState

Slug = Annotated[str, Meta(pattern="^[a-z0-9_-]{1,100}$", examples=["nba"])]
Key = Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,100}$", examples=["2025-01-15"])]
RunName = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9_-]{1,100}/[A-Za-z0-9._-]{1,100}(/[a-z0-9_-]{1,100})?(#[1-9][0-9]{0,5})?$",
        description="PIPELINE/KEY, PIPELINE/KEY/MODE, either with #GENERATION; without one the newest is meant.",
        examples=["nba/2025-01-15"],
    ),
]
MemberName = Annotated[str, Meta(min_length=1, max_length=1_500, examples=["odds"])]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Reason = Annotated[str, Meta(max_length=10_000)]
Why = Annotated[str, Meta(min_length=1, max_length=10_000, description="Why; kept with it and shown.")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class _Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller says: a field that nobody knows is an error, not a silent loss."""


class PartBody(_Said, frozen=True, kw_only=True):
    """Which part of a member a report speaks of, and how many there are where that is known."""

    number: Count
    of: Count | None = None
    last: bool = False


class ReportBody(_Said, frozen=True, kw_only=True):
    """What a member says."""

    run: RunName
    phase: Slug
    member: MemberName
    outcome: OutcomeKind
    reason: Reason | None = None
    rows: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    as_of: Annotated[datetime, Meta(tz=True, description="How recent the data is.")] | None = None
    retry: bool = False
    part: PartBody | None = None
    token: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    override: bool = False

    def report(self, actor: str | None) -> Report:
        """Return it as the coordinator takes it."""
        part = None if self.part is None else PartOf(number=self.part.number, of=self.part.of, last=self.part.last)
        return Report(
            run=self.run,
            phase=self.phase,
            member=self.member,
            outcome=self.outcome,
            reason=self.reason,
            rows=self.rows,
            outputs=self.outputs,
            as_of=self.as_of,
            retry=self.retry,
            part=part,
            token=self.token,
            override=self.override,
            actor=actor,
        )


class AnswerBody(Struct, frozen=True, kw_only=True):
    """How a report was taken; all but `fenced` are stored before this is said."""

    answer: AnswerKind
    detail: str = ""

    @classmethod
    def of(cls, answer: Answer) -> "AnswerBody":
        """Return an answer as it is said."""
        return cls(answer=answer.kind, detail=answer.detail)


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not carried out (RFC 9457)."""

    title: str
    status: int
    detail: str
    problems: tuple[str, ...] = ()
    """One line for each thing wrong, where there are several."""


class StartBody(_Said, frozen=True, kw_only=True):
    """A run to start; a repeat attaches to the one that is there."""

    pipeline: Slug
    key: Key
    mode: Slug = "default"
    params: dict[str, Any] = field(default_factory=dict)


class RerunBody(_Said, frozen=True, kw_only=True):
    """What is to be done again; by default from the first phase that failed or was partial."""

    phase: Slug | None = None
    members: Annotated[list[MemberName], Meta(max_length=1_000)] = field(default_factory=list)
    then: bool = False
    params: dict[str, Any] = field(default_factory=dict)


class SignalBody(_Said, frozen=True, kw_only=True):
    """A signal that a deadline counts from."""

    signal: Name


class WhyBody(_Said, frozen=True, kw_only=True):
    """Why something is done."""

    reason: Why


class MemberBody(_Said, frozen=True, kw_only=True):
    """A member to be taken back."""

    member: MemberName


class WithdrawBody(_Said, frozen=True, kw_only=True):
    """A member to be taken out, and why."""

    member: MemberName
    reason: Why


class AliasBody(_Said, frozen=True, kw_only=True):
    """Another name of a member."""

    name: MemberName
    member: MemberName


Scope = Annotated[
    str,
    Meta(
        pattern="^(\\*|[a-z0-9_-]{1,100}(/[A-Za-z0-9._-]{1,100}(/[a-z0-9_-]{1,100})?(#[1-9][0-9]{0,5})?)?)$",
        description="* for everything, a pipeline, or a run.",
    ),
]


class HaltBody(_Said, frozen=True, kw_only=True):
    """What is to be stopped, and why."""

    scope: Scope
    reason: Why


class ResumeBody(_Said, frozen=True, kw_only=True):
    """What is to go on."""

    scope: Scope


class Nothing(_Said, frozen=True, kw_only=True):
    """No body, or an empty object."""


# --- questions: what stands in paths and after the question mark ---


class RunPath(Struct, frozen=True, kw_only=True):
    """A run."""

    pipeline: Slug
    key: Key


class PhasePath(RunPath, frozen=True, kw_only=True):
    """A phase of a run."""

    phase: Slug


class NoQuery(_Said, frozen=True, kw_only=True):
    """Nothing is asked."""


class RunQuery(_Said, frozen=True, kw_only=True):
    """Which mode and generation of a run; the newest generation unless one is named."""

    mode: Slug = "default"
    generation: Annotated[int, Meta(ge=1, le=999_999)] | None = None


class MissingQuery(RunQuery, frozen=True, kw_only=True):
    """Which mode and generation, and from where on."""

    after: Annotated[int, Meta(ge=-1, le=2**62, description="`after` of the page before.")] = -1


class RunsQuery(_Said, frozen=True, kw_only=True):
    """Which runs."""

    pipeline: Slug | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 20


# --- answers ---


class Runs(Struct, frozen=True, kw_only=True):
    """The newest runs."""

    runs: list[RunLine]


class Made(Struct, frozen=True, kw_only=True):
    """The run a command was about, and whether this call made it."""

    run: str
    state: RunState
    made: bool
    tried: tuple[str, ...] | None = None
    """Members that are tried again in place."""


class Done(Struct, frozen=True, kw_only=True):
    """A command that was carried out."""

    done: str


class Halts(Struct, frozen=True, kw_only=True):
    """The halts in force."""

    halts: list[Halt]


class Fleet(Struct, frozen=True, kw_only=True):
    """The processes on the store."""

    processes: list[ProcessView]


class Backlog(Struct, frozen=True, kw_only=True):
    """What waits, phase by phase."""

    backlog: list[BacklogLine]


class Swept(Struct, frozen=True, kw_only=True):
    """What a look at everything that is due came to."""

    phases: int
    """How many phases were due."""
    started: list[str]
    """Runs that schedules have started."""


class Quarantined(Struct, frozen=True, kw_only=True):
    """Messages that nothing could be made of, the oldest first."""

    messages: list[Entry]


class Pushed(Struct, frozen=True, kw_only=True):
    """What became of a pushed message: it will not come again."""

    answer: AnswerKind | Literal["quarantined"]
    detail: str = ""


class Alive(Struct, frozen=True, kw_only=True):
    """The process answers."""

    live: Literal[True] = True
