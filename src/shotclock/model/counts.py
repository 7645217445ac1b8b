"""What a member can stand at, and the counts of a phase by importance and standing."""

from typing import Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

Importance = Literal["critical", "required", "optional"]
"""How much a gate wants a member: before any opening, until the clock, or only during the grace."""

Kind = Literal["pending", "succeeded", "empty", "skipped", "failed", "timed_out", "abandoned", "suspect", "withdrawn"]
"""How a member stands, to the detail that people ask for."""

Standing = Literal["pending", "satisfied", "unsatisfied", "withdrawn"]
"""How a member stands, to the detail that the gate asks for."""

IMPORTANCES: Final[tuple[Importance, ...]] = get_args(Importance)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CODE: Final[dict[Kind, int]] = {kind: code for code, kind in enumerate(KINDS)}
"""The byte that stands for a kind where a task keeps one byte for each of its members."""

SATISFIED: Final[frozenset[Kind]] = frozenset({"succeeded", "empty", "skipped"})
UNSATISFIED: Final[frozenset[Kind]] = frozenset({"failed", "timed_out", "abandoned", "suspect"})


def standing_of(kind: Kind) -> Standing:
    """Fold a kind to the standing the gate counts."""
    if kind in SATISFIED:
        return "satisfied"
    if kind in UNSATISFIED:
        return "unsatisfied"
    return "withdrawn" if kind == "withdrawn" else "pending"


class Tally(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many members of one importance stand at each kind."""

    pending: int = 0
    succeeded: int = 0
    empty: int = 0
    skipped: int = 0
    failed: int = 0
    timed_out: int = 0
    abandoned: int = 0
    suspect: int = 0
    withdrawn: int = 0

    @property
    def satisfied(self) -> int:
        """How many count for the gate."""
        return self.succeeded + self.empty + self.skipped

    @property
    def unsatisfied(self) -> int:
        """How many settled without counting for the gate."""
        return self.failed + self.timed_out + self.abandoned + self.suspect

    @property
    def expected(self) -> int:
        """How many the gate expects: all but the withdrawn."""
        return self.pending + self.satisfied + self.unsatisfied

    def of(self, kind: Kind) -> int:
        """Return how many stand at `kind`."""
        number: int = getattr(self, kind)
        return number

    def add(self, kind: Kind, number: int) -> "Tally":
        """Return the tally with `number` (possibly negative) more at `kind`; a count never falls below zero."""
        return replace(self, **{kind: _natural(kind, self.of(kind) + number)})

    def move(self, was: Kind, now: Kind, number: int) -> "Tally":
        """Return the tally with `number` fewer at `was` and as many more at `now`."""
        if was == now:
            return self
        less, more = getattr(self, was) - number, getattr(self, now) + number
        return replace(self, **{was: _natural(was, less), now: _natural(now, more)})


def _natural(kind: Kind, total: int) -> int:
    if total < 0:
        message = f"{kind} would become {total}"
        raise AssertionError(message)
    return total


class Counts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many members of a phase stand at each kind, by importance."""

    critical: Tally = Tally()
    required: Tally = Tally()
    optional: Tally = Tally()

    def of(self, importance: Importance) -> Tally:
        """Return the tally of one importance."""
        tally: Tally = getattr(self, importance)
        return tally

    def add(self, importance: Importance, kind: Kind, number: int = 1) -> "Counts":
        """Return the counts with `number` more members of `importance` at `kind`."""
        return replace(self, **{importance: self.of(importance).add(kind, number)})

    def move(self, importance: Importance, was: Kind, now: Kind, number: int = 1) -> "Counts":
        """Return the counts after `number` members of `importance` went from one kind to another."""
        return replace(self, **{importance: self.of(importance).move(was, now, number)})

    @property
    def expected(self) -> int:
        """How many members the roll expects: all but the withdrawn."""
        return self.critical.expected + self.required.expected + self.optional.expected

    @property
    def pending(self) -> int:
        """How many members have not settled."""
        return self.critical.pending + self.required.pending + self.optional.pending

    @property
    def satisfied(self) -> int:
        """How many members of any importance are satisfied."""
        return self.critical.satisfied + self.required.satisfied + self.optional.satisfied

    @property
    def unsatisfied(self) -> int:
        """How many members of any importance settled without counting."""
        return self.critical.unsatisfied + self.required.unsatisfied + self.optional.unsatisfied

    @property
    def withdrawn(self) -> int:
        """How many members were taken out of the roll."""
        return self.critical.withdrawn + self.required.withdrawn + self.optional.withdrawn
