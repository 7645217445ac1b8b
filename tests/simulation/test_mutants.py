"""The simulator finds planted bugs: each within 500 seeds, most within a few."""

from collections.abc import Callable

import pytest

from shotclock.testing import simulate
from tests.simulation.mutants import MUTANTS, Mutant

ENOUGH = range(500)


@pytest.mark.parametrize("plant", MUTANTS, ids=[plant.__name__ for plant in MUTANTS])
def test_a_planted_bug_is_found(plant: Mutant, record_property: Callable[[str, object], None]) -> None:
    with plant():
        report = simulate(ENOUGH)
    record_property("seeds", report.seeds)
    assert len(report.violations) == 1, f"not found in {report.seeds} seeds"
