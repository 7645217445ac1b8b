"""The user's side of a benchmark: an enumeration of items and functions that do nothing, and note when."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from threading import Event
from time import monotonic
from typing import Any

from shotclock import Context, Item, Succeeded

DONE = Succeeded()
marks: list[tuple[float, int]] = []
"""When each task ended, and how many items it had."""
starts: list[float] = []
"""When each member function was entered."""
begun = Event()
"""Whether one was entered since somebody last looked."""


def listed(ctx: Context) -> Iterator[str]:
    """Enumerate as many items as the plan's parameter says."""
    return (f"item-{number}" for number in range(int(ctx.params["items"])))


def nothing(_ctx: Context, items: Sequence[Item]) -> Mapping[str, Succeeded]:
    """Do nothing with each item."""
    marks.append((monotonic(), len(items)))
    return {item.id: DONE for item in items}


def half_then_die(ctx: Context, items: Sequence[Item]) -> Mapping[str, Succeeded]:
    """Do nothing with half of the items, then die as a machine does."""
    nothing(ctx, items)
    if sum(number for _, number in marks) > int(ctx.params["items"]) / 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return {item.id: DONE for item in items}


def follow(ctx: Context) -> Succeeded:
    """Note when the function was entered, and tell whoever waits for it."""
    now = monotonic()
    starts.append(now)
    begun.set()
    target: Any = ctx.params.get("tell")
    if target is not None:
        with open(str(target), "w", encoding="utf-8") as pipe:  # noqa: PTH123 - a named pipe is no file
            pipe.write(f"{now!r}\n")
    return DONE
