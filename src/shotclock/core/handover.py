"""Hand-overs: whether the start of a phase was told, taken and acted on, and what to do when nothing happens.

State table (`started` is terminal, and may come from any other state)::

    triggered       -> delivered        the bus took the message
    delivered       -> triggered        nothing in the time given, awake: sent again, once
                    -> unacknowledged   nothing after the second delivery either: one alert, nothing else
    any             -> started          the first lease, page, seal, report or explicit word
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from shotclock.core import clocks
from shotclock.model import Halt, Handover

SENT_MOST = 2
"""Deliveries before operators are told."""


def due_at(handover: Handover, halts: Iterable[Halt], now: datetime, timeout: timedelta) -> datetime | None:
    """Return when a delivered hand-over must have been acted on, awake; None while it cannot be due."""
    halts = tuple(halts)
    if handover.state != "delivered" or handover.delivered_at is None or clocks.halted(halts, now):
        return None
    return clocks.after_awake(handover.delivered_at, timeout, halts, now)


def next_step(
    handover: Handover, now: datetime, halts: Iterable[Halt], timeout: timedelta
) -> Literal["wait", "send_again", "escalate"]:
    """Say what is to be done about a hand-over at `now`."""
    due = due_at(handover, halts, now, timeout)
    if due is None or now < due:
        return "wait"
    return "send_again" if handover.sent < SENT_MOST else "escalate"


def delivered(handover: Handover, now: datetime) -> Handover:
    """Return the hand-over after the bus took it; a word that comes twice or too late changes nothing."""
    if handover.state != "triggered":
        return handover
    return replace(handover, state="delivered", delivered_at=now)


def sent_again(handover: Handover, now: datetime) -> Handover:
    """Return the hand-over with its second message in the outbox; its time starts anew when that is delivered."""
    return replace(handover, state="triggered", triggered_at=now, delivered_at=None, sent=handover.sent + 1)


def unacknowledged(handover: Handover) -> Handover:
    """Return the hand-over as given up on; it may still be started."""
    return replace(handover, state="unacknowledged")


def started(handover: Handover, now: datetime) -> Handover:
    """Return the hand-over after the first sign of life; later signs change nothing."""
    return handover if handover.state == "started" else replace(handover, state="started", started_at=now)
