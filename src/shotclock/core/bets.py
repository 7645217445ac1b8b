"""What one run says of a flag, as bets that are fair if what they bet against is true.

Four accounts are kept, as logarithms::

    harm      won where the flag's part of a run's bad units is what it would be if it made them `worse` times as likely
    struck    won where the flag's side fails as chance cannot explain: in more than a share `outside` of the runs
    cleared   won where the flag's part of a run's bad units is what it would be if the flag did nothing
    rare      won where fewer units with the flag go bad than `least`, however many of the others do

Given how many units of a run went bad at all, the number of those with the flag is hypergeometric if the flag does
nothing, because a hash has drawn them, and Fisher's noncentral one if it does something; their ratio is the bet. A
shock that hits the whole run is in the total, and so not in the ratio. A shock that hits one side must count as one
event and not as all of its units: both hypotheses leave a share `OUTLIER` of the runs to anything at all, and let the
odds wander by `WANDER` from run to run, so that a split which neither explains wins nothing, and what one run can win
or lose is bounded. That the flag's side fails as a whole, run after run, is for `struck` to see.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, lgamma, log, log1p
from typing import Final

from msgspec import Struct

from shotclock.model import Accounts, Arms

MOST: Final = log(4)
"""Most that one run adds to `harm` or `cleared`."""
LEAST: Final = log(0.1)
"""What one run takes from them at most."""
OUTLIER: Final = 0.05
"""The share of the runs whose split is left to anything at all."""
CAUTION: Final = 0.8
"""What a bet makes of a split that nothing explains: a little less than it was."""
WANDER: Final = 0.25
"""By how much the logarithm of the odds may wander from run to run, as a standard deviation."""
NODES: Final = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))
"""Where a normal distribution is looked at to be averaged over, and with which weights."""
STRUCK: Final = 0.001
"""The flag's side is struck where chance explains so many bad units, or more, no more often than this."""
STRUCK_SHARE: Final = 0.25
"""The share of struck runs at which that account grows fastest."""
RARE_SHARE: Final = 0.25
"""The part of `least` at which the account `rare` grows fastest."""
RARE_MOST: Final = log(1.75)
"""Most that one run adds to `rare`."""
RARE_LEAST: Final = log(0.25)
"""What one run takes from it at most."""
TABLED: Final = 2_000
"""Bad units of a run up to which every split is weighed; a larger run is scaled down, since its bet is bounded."""


class Harm(Struct, frozen=True, kw_only=True):
    """What the bets are about."""

    worse: float = 2.0
    """The harm to be found: so many times the odds of going bad."""
    least: float = 0.01
    """A share of bad units that is no harm, however few of the others go bad."""
    outside: float = 0.05
    """The share of the runs in which something outside may strike the flag's side alone."""


def place(arms: Arms, about: Harm) -> Accounts:
    """Return by what one run moves the accounts; a run that lacks one of the two sides says nothing."""
    if not arms.flagged or not arms.others:
        return Accounts()
    rare = _rare(arms.flagged, about.least)[min(arms.flagged_bad, _last(arms.flagged, about.least))]
    arms = _scaled(arms)
    bad = arms.flagged_bad + arms.others_bad
    if not 0 < bad < arms.flagged + arms.others:
        return Accounts(struck=_struck(about, happened=False), rare=rare)
    split = _split(arms.flagged, arms.others, bad, about.worse)
    at = arms.flagged_bad - split.lo
    struck = _struck(about, happened=arms.flagged_bad >= split.struck_from)
    return Accounts(harm=split.harm[at], struck=struck, cleared=split.cleared[at], rare=rare)


def expected(runs: int, seen: Arms, about: Harm) -> Accounts:
    """Return by what a run of the average size moves each account if that account is right."""
    flagged, others = -(-seen.flagged // runs), -(-seen.others // runs)
    bad = round((seen.flagged_bad + seen.others_bad) / runs)
    arms = _scaled(Arms(flagged=flagged, others=others, others_bad=min(bad, others)))
    rate = seen.others_bad / seen.others if seen.others else 0.0
    rare = _rare(flagged, about.least)
    usual = sum(_binomial(flagged, number, rate) * pay for number, pay in enumerate(rare))
    if not arms.others_bad or not arms.flagged or not arms.others:
        return Accounts(rare=usual)
    split = _split(arms.flagged, arms.others, arms.others_bad, about.worse)
    return Accounts(harm=split.harm_wins, cleared=split.cleared_wins, rare=usual)


class _Split(Struct, frozen=True, kw_only=True):
    """The bets on how a run's bad units are split, for each number with the flag from `lo` on."""

    lo: int
    harm: tuple[float, ...]
    cleared: tuple[float, ...]
    harm_wins: float
    """What the bet wins on average where it is right."""
    cleared_wins: float
    struck_from: int
    """So many bad units with the flag are more than chance explains."""


@lru_cache(maxsize=65_536)
def _split(flagged: int, others: int, bad: int, worse: float) -> _Split:
    lo, hi = max(0, bad - others), min(bad, flagged)
    ways = [_choose(flagged, number) + _choose(others, bad - number) for number in range(lo, hi + 1)]
    nothing, harmed = _tilted(ways, 0.0), _tilted(ways, log(worse))
    loose, loose_harmed = _wandering(ways, 0.0), _wandering(ways, log(worse))
    harm, cleared = _bet(loose_harmed, loose, nothing), _bet(loose, loose_harmed, harmed)
    return _Split(
        lo=lo,
        harm=harm,
        cleared=cleared,
        harm_wins=_mean(harmed, harm),
        cleared_wins=_mean(nothing, cleared),
        struck_from=lo + _tail(nothing),
    )


def _bet(likely: Sequence[float], against: Sequence[float], truth: Sequence[float]) -> tuple[float, ...]:
    """Bet on one distribution against another, so that it is at most fair where `truth` holds."""
    anything = OUTLIER / len(against)
    pays = [
        log((CAUTION * anything + (1 - CAUTION * OUTLIER) * one) / (anything + (1 - OUTLIER) * other))
        for one, other in zip(likely, against, strict=True)
    ]
    return _fair([min(max(pay, LEAST), MOST) for pay in pays], truth)


def _fair(pays: Sequence[float], truth: Sequence[float]) -> tuple[float, ...]:
    """Lower what a bet pays until it is at most fair."""
    better = max(0.0, log(sum(chance * exp(pay) for chance, pay in zip(truth, pays, strict=True))))
    return tuple(pay - better for pay in pays)


def _tilted(ways: Sequence[float], log_odds: float) -> list[float]:
    """Return the chances of each split if having the flag multiplies the odds of going bad."""
    weights = [way + number * log_odds for number, way in enumerate(ways)]
    top = max(weights)
    found = [exp(weight - top) for weight in weights]
    total = sum(found)
    return [one / total for one in found]


def _wandering(ways: Sequence[float], log_odds: float) -> list[float]:
    """Return the same, averaged over odds that wander."""
    parts = [(weight, _tilted(ways, log_odds + WANDER * node)) for node, weight in NODES]
    return [sum(weight * chances[place] for weight, chances in parts) for place in range(len(ways))]


def _tail(chances: Sequence[float]) -> int:
    """Return from which place on all that follows has at most the chance `STRUCK`."""
    total, place = 0.0, len(chances)
    while place and total + chances[place - 1] <= STRUCK:
        place -= 1
        total += chances[place]
    return place


def _struck(about: Harm, *, happened: bool) -> float:
    by_chance = about.outside + STRUCK
    return log(STRUCK_SHARE / by_chance) if happened else log((1 - STRUCK_SHARE) / (1 - by_chance))


@lru_cache(maxsize=512)
def _rare(flagged: int, least: float) -> tuple[float, ...]:
    """Bet that fewer than `least` of the units with the flag go bad; nothing is said of the others."""
    aim = RARE_SHARE * least
    per_bad, per_good = log(aim / least), log1p(-aim) - log1p(-least)
    numbers = range(_last(flagged, least) + 1)
    pays = [number * per_bad + (flagged - number) * per_good for number in numbers]
    truth = [_binomial(flagged, number, least) for number in numbers]
    return _fair([min(max(pay, RARE_LEAST), RARE_MOST) for pay in pays], truth)


def _last(flagged: int, least: float) -> int:
    """Return a number of bad units above which nothing more is lost, nor likely."""
    usual = flagged * least
    return min(flagged, int(usual + 10 * (usual + 1) ** 0.5))


def _binomial(total: int, number: int, rate: float) -> float:
    if not 0 < rate < 1:
        return float(number == round(total * rate))
    return exp(_choose(total, number) + number * log(rate) + (total - number) * log1p(-rate))


def _mean(chances: Sequence[float], pays: Sequence[float]) -> float:
    return sum(chance * pay for chance, pay in zip(chances, pays, strict=True))


def _choose(total: int, number: int) -> float:
    return lgamma(total + 1) - lgamma(number + 1) - lgamma(total - number + 1)


def _scaled(arms: Arms) -> Arms:
    by = -(-(arms.flagged_bad + arms.others_bad) // TABLED)
    if by <= 1:
        return arms
    return Arms(
        flagged=-(-arms.flagged // by),
        flagged_bad=arms.flagged_bad // by,
        others=-(-arms.others // by),
        others_bad=arms.others_bad // by,
    )
