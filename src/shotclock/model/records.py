"""What stands beside the state: entries that are kept, messages that are to be told, halts."""

from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from shotclock.model.identity import RunId

EntryKind = Literal[
    "past",
    "late",
    "conflict",
    "parked",
    "early",
    "dead_letter",
    "audit",
    "signal",
    "tick",
    "gap",
    "claim",
    "ramp",
    "alert",
    "silence",
    "quarantine",
    "access",
]

NOTICE: Final = "notice "
"""What the route of an alert on its way to one channel begins with; the channel's name follows."""


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record beside the state that never decides: history, late and parked reports, dead letters, audit, ticks.

    Those of kind `claim` are what handlers have done or are at, one for each key, which is their scope; those of kind
    `ramp` are how the ramps of flags stand, one for each flag; those of kind `alert` what operators are told, one for
    each fact; `silence` what they do not want to hear; `quarantine` messages that nothing could be made of; `access`
    who may call the service.
    """

    id: int = 0
    """Number the store gives."""
    kind: EntryKind
    scope: str
    """Where it belongs: the text form of a run without generation for parked and signal entries, with it otherwise."""
    phase: str = ""
    member: str = ""
    at: datetime
    digest: str = ""
    """What its content hashes to, where repeats are recognised by it."""
    body: dict[str, Any] = field(default_factory=dict)


class Outgoing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something the world must be told, written in the commit that made it true; a repeat of `key` does nothing."""

    key: str
    route: str
    """``alert``, ``handover``, ``amended``; ``notice NAME``, an alert on its way to that channel; ``look``, a reminder
    to look at what was told."""
    body: dict[str, Any] = field(default_factory=dict)
    run: str = ""
    created_at: datetime
    ready_at: datetime
    attempts: int = 0
    error: str | None = None


class Halt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A span in which nothing is dispatched, opened or delivered."""

    scope: str
    """``*``, a pipeline, or a run's text form; without a generation it holds for every one of them."""
    since: datetime
    until: datetime | None = None
    actor: str = ""
    reason: str = ""

    def holds_for(self, run: RunId) -> bool:
        """Say whether the halt is about a run, whenever it is in force."""
        return self.scope in {"*", run.pipeline, str(run), str(replace(run, generation=1))}
