"""Who works on a store: its processes, as they tell of themselves."""

from datetime import datetime

from msgspec import Struct, field

from shotclock.model.flags import Rule


class Process(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A live process, as its heartbeat describes it."""

    name: str
    """``host:pid:start``, the owner of its leases."""
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    version: str = ""
    kind: str = "run"
    """What it is for: ``run`` works on one run until it is over, ``worker`` on whatever comes."""
    tags: tuple[str, ...] = ()
    """What tasks may ask of a worker, and this one has."""
    settings: dict[str, str] = field(default_factory=dict)
    """Its settings as text, but for what may differ: processes over one store should agree."""
    flags: dict[str, Rule] = field(default_factory=dict)
    """What it believes of every flag that the store knows."""
    ended_at: datetime | None = None
    """When it left, having given everything back."""
