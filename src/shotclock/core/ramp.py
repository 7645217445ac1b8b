"""The ramp: how many tasks of a fan-out may be in flight over all workers, learnt from how the workers answer.

State table::

    narrow    -> wider     as many as the window holds were answered, or a while passed without a refusal: it doubles
              -> wide      it holds the most: nothing is counted any more
    any       -> narrower  a worker refuses: it halves, and nothing is dispatched for a pause, which doubles too

It starts at what one worker takes, so that a single process is never held up. Refusals of tasks that were in flight
together are one. An answer ends the pause.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from shotclock.model import Ramp

PAUSES_MOST = 3
"""Doublings of the pause."""


class Limits(Struct, frozen=True, kw_only=True):
    """The bounds of a ramp."""

    most: int
    """The window at which it ends."""
    step: timedelta
    """The first pause after a refusal, and the time without one after which the window doubles."""


def begin(workers: int, now: datetime) -> Ramp:
    """Return the ramp of a fan-out whose first tasks are leased; one worker takes `workers` at once."""
    return Ramp(window=workers, since=now)


def window(ramp: Ramp, now: datetime, limits: Limits) -> int | None:
    """Return how many tasks may be in flight at `now`; None without a bound, 0 in a pause."""
    if ramp.window is None:
        return None
    if now < ramp.since:
        return 0
    doubled = ramp.window * 2 ** min((now - ramp.since) // limits.step, limits.most.bit_length())
    return doubled if doubled < limits.most else None


def acknowledged(ramp: Ramp, now: datetime, limits: Limits) -> Ramp:
    """Return the ramp after a task was answered with outcomes."""
    if ramp.window is None:
        return ramp
    since = min(ramp.since, now)
    holds = window(replace(ramp, since=since), now, limits)
    if holds is None:
        return Ramp(window=None, since=now)
    if ramp.acknowledged + 1 < holds:
        return replace(ramp, since=since, acknowledged=ramp.acknowledged + 1, refusals=0)
    return Ramp(window=2 * holds, since=now)


def refused(ramp: Ramp, leased_at: datetime, in_flight: int, now: datetime, limits: Limits) -> Ramp:
    """Return the ramp after a task that was leased at `leased_at` was refused, when `in_flight` were out in all."""
    if ramp.refused_at is not None and leased_at <= ramp.refused_at:
        return ramp
    holds = window(ramp, now, limits) or in_flight
    pause = limits.step * 2 ** min(ramp.refusals, PAUSES_MOST)
    return Ramp(
        window=max(min(holds, in_flight) // 2, 1), since=now + pause, refusals=ramp.refusals + 1, refused_at=now
    )
