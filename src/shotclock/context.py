"""What a member's function is given: who it is, what it may read, where it may write, and whether it should go on."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from shotclock.clock import SystemClock
from shotclock.errors import FencedError
from shotclock.model import Counts, Evaluation, Flag, FlagValue, Kind, Opening, Rule, Work
from shotclock.outcomes import Permanent

if TYPE_CHECKING:
    from shotclock.ports import Warehouse


_CLOCK: Final = SystemClock()


class MemberInput(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one member of an upstream phase settled, and what it made."""

    kind: Kind
    rows: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None


class Input(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an upstream phase left: named members' outputs, the result of its `then`, and what is missing."""

    phase: str
    run: str
    absent: bool = False
    """No previous run to read from; nothing else is set."""
    partial: bool = False
    missing: tuple[str, ...] = ()
    counts: Counts = Counts()
    opening: Opening | None = None
    """How its gate opened; its instants are for people and logs, not for what must be the same in every run."""
    members: dict[str, MemberInput] = field(default_factory=dict)
    """Named members only; a fan-out's items are read through its result."""
    result: dict[str, Any] = field(default_factory=dict)


class Settlement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one member settled, for a consolidation: only what the opening counts."""

    name: str
    kind: Kind
    rows: int | None = None
    reason: str | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    staged: tuple[str, ...] = ()
    """Files its worker staged under the lease that settled it, relative to the home folder."""


class Assignment(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Everything about a leased task that a function is told; plain data that crosses process borders."""

    run: str
    pipeline: str
    key: str
    mode: str
    generation: int
    phase: str
    work: Work
    lo: int
    member: str
    """The member's name; for a chunk, ``items lo-hi``."""
    token: int
    attempt: int
    home: str
    deadline: datetime | None = None
    partial: bool = False
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    empty: bool = False
    stale: tuple[str, ...] = ()
    inputs: dict[str, Input] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    opening: Opening | None = None
    flags: dict[str, Flag] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    """What holds for the flags that bind the run, fixed when its generation started."""


class Context:
    """The one argument of every member function.

    Attributes mirror the assignment: `run` (text form), `pipeline`, `key`, `mode`, `generation`, `phase`, `member`,
    `attempt` (from 1), `token`, `deadline` (the instant after which nobody waits for the answer, as far as it is known
    when the task begins), `partial` and `missing` (whether and which names upstream lacked, by phase), `empty` (for a
    consolidation: the roll had no items), `inputs` by phase, `params`, `opening` (for a consolidation).
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        now: Callable[[], datetime] = _CLOCK.now,
        stopped: Callable[[], bool] = lambda: False,
        settled: Callable[[], Iterator[Settlement]] = lambda: iter(()),
        warehouse: "Callable[[], Warehouse] | None" = None,
        flags: Callable[[str, str | None], Evaluation] | None = None,
    ) -> None:
        self._assignment = assignment
        self._now = now
        self._stopped = stopped
        self._settled = settled
        self._warehouse = warehouse
        self._flags = flags
        self._staged: list[Path] = []
        self.run = assignment.run
        self.pipeline = assignment.pipeline
        self.key = assignment.key
        self.mode = assignment.mode
        self.generation = assignment.generation
        self.phase = assignment.phase
        self.member = assignment.member
        self.attempt = assignment.attempt
        self.token = assignment.token
        self.deadline = assignment.deadline
        self.partial = assignment.partial
        self.missing: Mapping[str, tuple[str, ...]] = assignment.missing
        self.empty = assignment.empty
        self.inputs: Mapping[str, Input] = assignment.inputs
        self.params: Mapping[str, Any] = assignment.params
        self.opening = assignment.opening

    @cached_property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """Where to log: `shotclock.member.PHASE.MEMBER`; chunks of a phase share one, and each line names theirs."""
        where = self.phase if self._assignment.work == "chunk" else f"{self.phase}.{self.member}"
        named = {"pipeline": self.pipeline, "run": self.run, "phase": self.phase, "member": self.member}
        said = {**named, "attempt": self.attempt}
        return logging.LoggerAdapter(logging.getLogger(f"shotclock.member.{where}"), said)

    def flag(self, name: str, *, key: str | None = None) -> FlagValue:
        """Return a flag's value: True or False, or the name of its variant.

        `key` says which unit is asked about: an item's id, or the value of the attribute that the flag is declared for.
        A flag of runs has none, and one of members is about this member where it is left out. Raises `Permanent` for a
        flag that the pipeline does not declare.
        """
        return self.flag_details(name, key=key).value

    def flag_details(self, name: str, *, key: str | None = None) -> Evaluation:
        """Return a flag's value with the reason and the version of what was set."""
        if self._flags is None:
            message = f"there is no flag {name!r} here: this context was made without flags"
            raise Permanent(message)
        return self._flags(name, key)

    @property
    def home(self) -> Path:
        """The folder that holds the store, the warehouse, staged and published files."""
        return Path(self._assignment.home)

    @property
    def published(self) -> Path:
        """The folder for what this run publishes; the same for every generation, so that a newer one replaces."""
        mode = "" if self.mode == "default" else f".{self.mode}"
        folder = self.home / "published" / self.pipeline / f"{self.key}{mode}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def warehouse(self) -> "Warehouse":
        """The warehouse; workers of a fan-out stage files instead, and only its consolidation commits."""
        if self._warehouse is None:
            message = "there is no warehouse here: stage files, and commit them in the phase's `then`"
            raise Permanent(message)
        return self._warehouse()

    def remaining(self, most: timedelta = timedelta.max) -> timedelta:
        """Return the time left until `deadline`, `most` at most, zero once it is over: what a sub-call may take."""
        if self.deadline is None:
            return most
        return min(max(self.deadline - self._now(), timedelta(0)), most)

    def stage(self, name: str) -> Path:
        """Return a path for a file of this attempt alone, named by the task's token: no other attempt writes it."""
        mode = "" if self.mode == "default" else f".{self.mode}"
        task = self._assignment
        folder = self.home / "staged" / self.pipeline / f"{self.key}{mode}" / f"g{self.generation}" / self.phase
        path = folder / f"{task.work}-{task.lo}-{self.token}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._staged.append(path)
        return path

    def staged(self) -> list[str]:
        """Return the staged files that exist, relative to the home folder, as settlements and outputs name them."""
        return [self.relative(path) for path in self._staged if path.exists()]

    def relative(self, path: Path) -> str:
        """Write a path below the home folder as outputs should name it, so that the home can be moved."""
        return path.relative_to(self.home).as_posix()

    def path(self, relative: str) -> Path:
        """Return the file that an output names."""
        return self.home / relative

    def output(self, phase: str, member: str) -> Mapping[str, Any]:
        """Return the outputs of a satisfied upstream member; raises `Permanent` naming it if it has none."""
        given = self.inputs[phase].members.get(member) if phase in self.inputs else None
        if given is None or given.kind != "succeeded":
            message = f"{phase}.{member} has no output here: it is {given.kind if given else 'not an input'}"
            raise Permanent(message)
        return given.outputs

    def settled(self) -> Iterator[Settlement]:
        """For a consolidation: yield the settlements the opening counts, in roll order, read page by page."""
        return self._settled()

    def commit_once(self, effect: Callable[[Any], None]) -> bool:
        """Run `effect` on the warehouse's connection exactly once for this phase; see `Warehouse.commit_once`."""
        if self.stop:
            message = f"{self.run} {self.phase}: no longer the owner of this task, or halted; nothing was committed"
            raise FencedError(message)
        mode = "" if self.mode == "default" else f"/{self.mode}"
        key = f"{self.pipeline}/{self.key}{mode}/{self.phase}"
        return self.warehouse.commit_once(key, (self.generation, self.token), effect)

    @property
    def stop(self) -> bool:
        """Whether nobody waits for this task any more; long functions look at it between steps and return.

        A process that is asked to end does not set it: its functions have a time to end by themselves, and count.
        """
        return self._stopped()
