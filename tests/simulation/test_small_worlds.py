"""Small worlds, gone through exhaustively: whatever order, whatever death, every invariant holds at every step."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from shotclock.testing.exhaustive import Explorer, SmallWorld
from shotclock.testing.violation import BrokenError
from tests.simulation.world_mutants import WORLD_MUTANTS
from tests.simulation.worlds import LARGER, SMALL

Told = Callable[[str, object], None]


def explored(world: SmallWorld, told: Told) -> None:
    found = Explorer(world).explore()
    assert found.ends
    assert found.deaths > found.states / 2, "a step writes more than a row"
    told("explored", str(found))


@pytest.mark.parametrize("name", SMALL)
def test_every_history_of_a_small_world_keeps_the_invariants(record_property: Told, name: str) -> None:
    explored(SMALL[name], record_property)


@pytest.mark.long
@pytest.mark.parametrize("name", LARGER)
def test_every_history_of_a_larger_world_keeps_the_invariants(record_property: Told, name: str) -> None:
    explored(LARGER[name], record_property)


@pytest.mark.parametrize("plant", WORLD_MUTANTS, ids=[plant.__name__ for plant in WORLD_MUTANTS])
def test_a_planted_bug_is_found_in_a_small_world(
    record_property: Told, plant: Callable[[], AbstractContextManager[None]]
) -> None:
    with plant(), pytest.raises(BrokenError) as broken:
        Explorer(SMALL[WORLD_MUTANTS[plant]]).explore()
    record_property("found", str(broken.value).partition("\n")[0][:200])
