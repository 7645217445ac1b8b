"""Drawing from chance with nothing but `random()`, whose sequence is the same in every release of Python."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

_CHANCE = 0.25


def hits(luck: Random, tries: int, chance: float) -> int:
    """Return how many of so many tries succeed."""
    draw = luck.random
    return sum([draw() < chance for _ in range(tries)])


def count(luck: Random, mean: float) -> int:
    """Return a whole number around `mean`, at most about four times as much."""
    exact = mean / _CHANCE
    tries = int(exact)
    return hits(luck, tries + (luck.random() < exact - tries), _CHANCE)


def swing(luck: Random, width: float) -> float:
    """Return a factor around 1, from `1 - width` to `1 + width`, those near 1 more often."""
    return 1 + width * (luck.random() + luck.random() - 1)


def shuffled(luck: Random, things: Sequence[T]) -> list[T]:
    """Return the things in a drawn order."""
    drawn = sorted((luck.random(), place) for place in range(len(things)))
    return [things[place] for _, place in drawn]
