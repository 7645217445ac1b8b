"""Lots drawn from a seed: the only randomness of a simulation, the same in every process."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Lots:
    """A source of choices; a seed draws the same ones every time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - repeats a simulation, guards nothing

    def chance(self, share: float) -> bool:
        """Say yes in that share of the draws."""
        return self._random.random() < share

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self._random.random() * len(options))]

    def number(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def span(self, low: timedelta, high: timedelta) -> timedelta:
        """Return a duration between two, to the millisecond."""
        return low + timedelta(milliseconds=int(self._random.random() * ((high - low) / timedelta(milliseconds=1))))

    def some(self, options: Sequence[T], share: float) -> tuple[T, ...]:
        """Return each of the options with that chance, in their order."""
        return tuple(option for option in options if self.chance(share))

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()
