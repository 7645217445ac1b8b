"""Synthetic histories of a ramp: how many units go bad in each run, with the flag and without, in many worlds."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shotclock.core import evidence
from shotclock.model import Arms

Numbers = NDArray[np.float64]
Which = NDArray[np.bool_]
Draw = Callable[[np.random.Generator, int, int, float, float], Iterable[Arms]]
"""Draw runs of a size, with a share of units that have the flag, which makes them go bad so many times as often."""

BASE: Final = 0.02
"""How many units go bad without any flag."""


def independent(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw units that go bad each by itself."""
    return _sides(rng, size, share, np.full(runs, BASE * harm), np.full(runs, BASE))


def shocks(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw runs of which every tenth goes wrong as a whole: 10 to 60 % of its units, with the flag and without."""
    rate = np.where(rng.random(runs) < 0.1, rng.uniform(0.1, 0.6, runs), BASE)
    return _sides(rng, size, share, rate * harm, rate)


def drift(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw runs that get worse from 1 to 4 % over the stage, with bad days every week."""
    rate = np.linspace(0.01, 0.04, runs) * np.where((np.arange(runs) + rng.integers(7)) % 7 < 2, 1.5, 1.0)
    return _sides(rng, size, share, rate * harm, rate)


def wandering(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw runs whose two sides differ by more than chance: in two of three by up to a factor of 1.6."""
    with_flag, without = (BASE * np.exp(rng.normal(0, 0.35, runs)) for _ in range(2))
    return _sides(rng, size, share, with_flag * harm, without)


def one_side(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw runs in which something outside strikes either side, in 3 % of the runs each: 30 to 100 % of it."""
    return _sides(rng, size, share, _struck(rng, runs, BASE * harm), _struck(rng, runs, BASE))


def flags_side(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw runs in which something outside strikes the flag's side alone, in 3 % of the runs."""
    return _sides(rng, size, share, _struck(rng, runs, BASE * harm), np.full(runs, BASE))


def chunks(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw items of which, in every twentieth run, a whole chunk of fifty fails, whatever flag its items have."""
    has = rng.random(size) < share
    bad = rng.random((runs, size)) < np.where(has, BASE * harm, BASE)
    for run in np.flatnonzero(rng.random(runs) < 0.05):
        first = rng.integers(max(1, size // 50)) * 50
        bad[run, first : first + 50] = True
    return _counted(has, bad, evidence.KNOWN)


def lasting(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw items of which a third of the bad ones are broken and stay so for ten runs or so."""
    return _counted(*_breaking(rng, runs, size, share, harm), evidence.KNOWN)


def lasting_recounted(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw the same, counting a broken item again in each run."""
    return _counted(*_breaking(rng, runs, size, share, harm), 0)


def frail(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw items of which 5 % go bad in a fifth of all runs, for ever, and the others in 1 %."""
    return _counted(*_frail(rng, runs, size, share, harm), evidence.KNOWN)


def frail_recounted(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw the same, counting each time."""
    return _counted(*_frail(rng, runs, size, share, harm), 0)


def wild(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> Iterable[Arms]:
    """Draw runs whose sides differ by more than any flag would make them: by a factor of four in every third."""
    with_flag, without = (BASE * np.exp(rng.normal(0, 1.0, runs)) for _ in range(2))
    return _sides(rng, size, share, with_flag * harm, without)


def _sides(rng: np.random.Generator, size: int, share: float, with_flag: Numbers, without: Numbers) -> Iterable[Arms]:
    flagged = rng.binomial(size, share, len(without))
    flagged_bad = rng.binomial(flagged, np.minimum(with_flag, 1.0))
    others_bad = rng.binomial(size - flagged, np.minimum(without, 1.0))
    counts = zip(flagged.tolist(), flagged_bad.tolist(), others_bad.tolist(), strict=True)
    return [Arms(flagged=one, flagged_bad=bad, others=size - one, others_bad=other) for one, bad, other in counts]


def _struck(rng: np.random.Generator, runs: int, rate: float) -> Numbers:
    return np.where(rng.random(runs) < 0.03, rng.uniform(0.3, 1.0, runs), rate)


def _frail(rng: np.random.Generator, runs: int, size: int, share: float, harm: float) -> tuple[Which, Which]:
    has = rng.random(size) < share
    rate = np.where(rng.random(size) < 0.05, 0.2, 0.0105) * np.where(has, harm, 1.0)
    return has, rng.random((runs, size)) < rate


def _breaking(
    rng: np.random.Generator, runs: int, size: int, share: float, harm: float
) -> tuple[Which, Iterator[Which]]:
    has = rng.random(size) < share
    times = np.where(has, harm, 1.0)

    def days() -> Iterator[Which]:
        broken = rng.random(size) < BASE / 3 * times
        for _ in range(runs):
            drawn = rng.random((3, size))
            broken = (broken & (drawn[0] >= 0.1)) | (drawn[1] < BASE / 30 * times)
            yield broken | (drawn[2] < BASE * 2 / 3 * times)

    return has, days()


def _counted(has: Which, days: Iterable[Which], known: int) -> Iterator[Arms]:
    """Count each run's units as the product does: one that was bad within the last `known` runs is left out."""
    free = np.zeros(len(has), dtype=np.int64)
    for run, bad in enumerate(days):
        counts = free <= run
        yield _arms(has & counts, bad & counts, int(np.count_nonzero(counts)))
        if evidence.tells_of_units(_arms(has, bad, len(has))):
            free[bad] = run + known + 1


def _arms(has: Which, bad: Which, total: int) -> Arms:
    flagged, flagged_bad = int(np.count_nonzero(has)), int(np.count_nonzero(bad & has))
    others_bad = int(np.count_nonzero(bad)) - flagged_bad
    return Arms(flagged=flagged, flagged_bad=flagged_bad, others=total - flagged, others_bad=others_bad)
