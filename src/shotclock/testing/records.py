"""What a simulation has seen of each phase, kept beside the store, for an account of its own of what was due."""

from dataclasses import dataclass, field
from datetime import datetime

from shotclock.model import KINDS, SATISFIED, UNSATISFIED, Counts, Kind, Note, Opening, Phase, PhasePlan, Plan, Run
from shotclock.ports import Snapshot

_SATISFIED = bytes(code for code, kind in enumerate(KINDS) if kind in SATISFIED)
_UNSATISFIED = bytes(code for code, kind in enumerate(KINDS) if kind in UNSATISFIED)
_EXPECTED = bytes(code for code, kind in enumerate(KINDS) if kind != "withdrawn")
_PENDING = b"\0"


def satisfied(kinds: bytes) -> int:
    """Count the satisfied among members."""
    return _of(kinds, _SATISFIED)


def unsatisfied(kinds: bytes) -> int:
    """Count the unsatisfied among members."""
    return _of(kinds, _UNSATISFIED)


def expected(kinds: bytes) -> int:
    """Count all but the withdrawn among members."""
    return _of(kinds, _EXPECTED)


def pending(kinds: bytes) -> int:
    """Count the pending among members."""
    return kinds.count(_PENDING)


def _of(kinds: bytes, codes: bytes) -> int:
    return len(kinds) - len(kinds.translate(None, codes))


@dataclass(slots=True, kw_only=True)
class Record:
    """One phase: how its members stand, and when what happened that its clocks count from."""

    plan: Plan
    own: PhasePlan
    run: Run
    phase: Phase
    kinds: bytes = b""
    """By ordinal."""
    ranks: bytes = b""
    notes: dict[int, Note] = field(default_factory=dict)
    parts: tuple[tuple[int, int, Kind], ...] = ()
    """Where, which, and how it was, of each part that is in."""
    started_at: datetime | None = None
    first_at: datetime | None = None
    signal_at: datetime | None = None
    progress_at: datetime | None = None
    retry_until: datetime | None = None
    held_since: datetime | None = None
    """Since when the rule holds but for optional members."""
    closed_at: datetime | None = None
    """When the gate was decided: from then on nothing may change how a member stands."""
    counted: Counts | None = None
    """How the members stood then, counted from the rows."""
    opening: Opening | None = None

    @property
    def critical(self) -> bytes:
        """How the critical members stand."""
        return self._rank(0)

    @property
    def required(self) -> bytes:
        """How the required members stand."""
        return self._rank(1)

    @property
    def optional(self) -> bytes:
        """How the optional members stand."""
        return self._rank(2)

    def _rank(self, wanted: int) -> bytes:
        return bytes(kind for kind, rank in zip(self.kinds, self.ranks, strict=True) if rank == wanted)

    @property
    def complete(self) -> bool:
        """Whether the roll is known to hold everyone."""
        return self.phase.sealed and not self.phase.enumeration_failed and not self.phase.roll_incomplete

    @property
    def where(self) -> str:
        """The phase's name, for a message."""
        return f"{self.phase.run} {self.phase.name}"

    def kind(self, ordinal: int) -> Kind:
        """Return how a member stands: without a roll, because its phase never started, it is pending."""
        return KINDS[self.kinds[ordinal]] if self.kinds else "pending"


def ordinal_of(view: Snapshot, record: Record, name: str) -> int | None:
    """Return a member's place in its roll, found without the index that the product keeps of names."""
    if record.own.items is None:
        found = record.own.member(name)
        return None if found is None else found[0]
    phase = record.phase
    for page in view.pages(phase.id if phase.source is None else phase.source):
        if name in page.ids:
            return page.lo + page.ids.index(name)
    return None
