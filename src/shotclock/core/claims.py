"""Claims on keys: who may carry out what a key stands for, for how long, and what is said to whoever comes again.

State table::

            -> claimed   the first who comes; the token is 1
    claimed -> claimed   its lease has run out, and somebody else comes: the token grows
            -> done      whoever holds the current token says what came of it
            -> free      whoever holds the current token gives up
    free    -> claimed   somebody comes: the token grows
    done                 until it expires; then whoever comes is the first again
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace


class Claim(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of a key."""

    state: Literal["claimed", "done", "free"] = "claimed"
    token: int = 1
    payload: str
    """What the payload hashes to."""
    at: datetime
    """When it last changed: what it expires by."""
    until: datetime | None = None
    """How long it is claimed."""
    result: Any = None


class Claimed(Struct, frozen=True, kw_only=True):
    """The caller may carry it out."""

    claim: Claim
    expired: bool = False
    """Whether what was remembered was too old to count."""

    @property
    def token(self) -> int:
        """What the caller shows when it ends."""
        return self.claim.token


class Done(Struct, frozen=True, kw_only=True):
    """It was carried out before."""

    result: Any


class Busy(Struct, frozen=True, kw_only=True):
    """Somebody carries it out now."""

    retry_after: timedelta


class Conflict(Struct, frozen=True, kw_only=True):
    """The key stands for another payload."""


Answer = Claimed | Done | Busy | Conflict


def begin(known: Claim | None, payload: str, now: datetime, lease: timedelta, kept: timedelta) -> Answer:
    """Answer whoever comes with a key; `kept` is how long what was done is remembered."""
    fresh = Claim(payload=payload, at=now, until=now + lease)
    if known is None:
        return Claimed(claim=fresh)
    fresh = replace(fresh, token=known.token + 1)
    if known.at + kept <= now:
        return Claimed(claim=fresh, expired=True)
    if known.payload != payload:
        return Conflict()
    if known.state == "done":
        return Done(result=known.result)
    if known.state == "claimed" and known.until is not None and known.until > now:
        return Busy(retry_after=known.until - now)
    return Claimed(claim=fresh)


def finish(held: Claim, result: object, now: datetime) -> Claim:
    """Return a claim that is held with what came of it."""
    return replace(held, state="done", at=now, until=None, result=result)


def release(held: Claim, now: datetime) -> Claim:
    """Return a claim that is held given up."""
    return replace(held, state="free", at=now, until=None)


def renew(held: Claim, now: datetime, lease: timedelta) -> Claim:
    """Return a claim that is held, held for longer."""
    return replace(held, at=now, until=now + lease)


def is_held(known: Claim | None, token: int) -> bool:
    """Say whether a token is the current one of a claim that has not ended."""
    return known is not None and known.state == "claimed" and known.token == token
