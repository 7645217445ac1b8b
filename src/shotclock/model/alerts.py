"""What operators are told: alerts, how each fared in each channel, and what they do not want to hear."""

from datetime import datetime
from typing import Final, Literal, get_args

from msgspec import Struct

Severity = Literal["critical", "warning", "info"]
"""Whether somebody must act now, should look today, or may want to know."""

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

DeliveryState = Literal["waiting", "delivered", "failing", "refused", "silenced", "summed"]
"""`refused`: it will never be taken; `summed`: it came beyond the most of a window, and is told in the sum."""


class Delivery(Struct, frozen=True, kw_only=True):
    """How an alert fared in one channel."""

    state: DeliveryState = "waiting"
    at: datetime
    attempts: int = 0
    error: str | None = None


class Acknowledged(Struct, frozen=True, kw_only=True):
    """Who has taken an alert on, from when on it is not told again."""

    actor: str
    at: datetime
    reason: str = ""


class Alert(Struct, frozen=True, kw_only=True):
    """One fact about one phase of a pipeline, however often it came; the record that operators see.

    State table::

        open -> open   it came again: counted; told again only after the window, unless it is acknowledged
             -> over   what it told is over, or it has not come again for long
    """

    id: str
    fact: str
    severity: Severity
    pipeline: str = ""
    phase: str = ""
    """The phase, or what else it is about: a flag, a channel."""
    runs: tuple[str, ...] = ()
    """The runs it came in."""
    text: str
    names: tuple[str, ...] = ()
    command: str = ""
    count: int = 1
    told: int = 0
    """The count that channels were told last."""
    first_at: datetime
    last_at: datetime
    window_at: datetime
    """Since when repeats are only counted."""
    over_at: datetime | None = None
    over: str = ""
    """Why it is over, as channels are told."""
    acknowledged: Acknowledged | None = None
    channels: dict[str, Delivery] = {}


class Silence(Struct, frozen=True, kw_only=True):
    """What is not to be told until a time; an empty field means any."""

    id: str
    fact: str = ""
    pipeline: str = ""
    run: str = ""
    channel: str = ""
    until: datetime
    at: datetime
    actor: str = ""
    reason: str = ""

    def holds_for(self, alert: Alert, channel: str, now: datetime) -> bool:
        """Say whether a channel is not to be told of an alert."""
        named = (self.fact, alert.fact), (self.pipeline, alert.pipeline), (self.channel, channel)
        fits = all(mine in {"", its} for mine, its in named) and self.run in {"", *alert.runs[-1:]}
        return fits and now < self.until


class Budget(Struct, frozen=True, kw_only=True):
    """How many notices a channel had in a window, and what came beyond them, by fact."""

    since: datetime
    sent: int = 0
    more: dict[str, int] = {}
