"""What runs beside what: the plan's words say it, and no more than that is leased at once."""

import pytest
from msgspec.structs import replace

from shotclock.engine.beside import Lane, Lanes, lanes
from shotclock.engine.reach import reach_of
from shotclock.model import Execution, Items, Member, PhasePlan, Plan
from shotclock.settings import Settings
from tests.unit.engine.day import Day, fan_out


def phase(name: str, *needs: str, members: int = 3, **execution: object) -> PhasePlan:
    own = tuple(Member(name=f"m{number}", run="x:a") for number in range(members))
    return PhasePlan(name=name, needs=needs, members=own, execution=Execution(**execution))  # type: ignore[arg-type]  # fields


def shaped(*phases: PhasePlan, **settings: object) -> Lanes:
    return lanes(Plan(pipeline="p", phases=phases), Settings(**settings))  # type: ignore[arg-type]  # fields of the settings


def lane(own: PhasePlan, **settings: object) -> Lane:
    return shaped(own, **settings).phases[0]


def reasons(found: Lane) -> dict[str, str]:
    return {reason.key: reason.text for reason in found.reasons}


def test_phases_come_in_waves_and_run_beside_whatever_they_do_not_stand_on() -> None:
    found = shaped(phase("a"), phase("b", "a"), phase("c"), phase("d", "b"), phase("e", "d", "c"))
    assert found.waves == (("a", "c"), ("b",), ("d",), ("e",))
    assert {one.name: one.beside for one in found.phases} == {
        "a": ("c",),
        "b": ("c",),
        "c": ("a", "b", "d"),
        "d": ("c",),
        "e": (),
    }


@pytest.mark.parametrize(
    ("execution", "settings", "at_once", "in_all"),
    [
        ({}, {}, 1, 9),
        ({"mode": "parallel", "max_workers": 4}, {}, 4, 9),
        ({"mode": "process", "max_workers": 20}, {}, 9, 9),
        ({"mode": "parallel", "max_workers": 4, "max_in_flight": 3}, {}, 3, 3),
        ({"mode": "parallel", "max_workers": 4}, {"max_tasks": 2}, 2, 9),
    ],
)
def test_one_process_leases_as_many_tasks_of_members_as_is_told(
    day: Day, execution: dict[str, object], settings: dict[str, int], at_once: int, in_all: int
) -> None:
    own = phase("raw", members=9, **execution)
    told = lane(own, **settings)
    assert (told.at_once, told.in_all) == (at_once, in_all)
    day.start(own)
    reach = reach_of(Settings(**settings))  # type: ignore[arg-type]  # fields of the settings
    assert len(day.coordinator.lease("w", {}, reach)) == at_once


def test_every_bound_is_told_with_the_word_that_makes_it() -> None:
    own = phase("raw", mode="parallel", max_workers=4, max_in_flight=6, tags=("gpu",))
    asking = replace(own, members=(*own.members[:2], Member(name="out"), Member(name="big", run="x:a", tags=("big",))))
    told = lane(replace(asking, then="x:then"), max_tasks=2)
    assert (told.tags, told.in_all) == (("big", "gpu"), 3)
    assert set(reasons(told)) == {
        "members",
        "execution.mode",
        "execution.max_workers",
        "execution.max_in_flight",
        "max_tasks",
        "execution.needs",
        "members.big.needs",
        "then",
    }
    assert reasons(told)["max_tasks"] == "2 at once in a process, over all phases and runs (the call)"


def test_a_fan_out_tells_its_chunks_and_how_it_begins() -> None:
    told = lane(replace(fan_out(chunk=50), needs=()))
    assert (told.at_once, told.in_all) == (100, None)
    assert reasons(told)["execution.chunk"] == "50 items in a task"
    assert reasons(told)["ramp"].startswith("begins with 100 over all processes")


def test_what_reports_from_outside_takes_no_worker() -> None:
    outside = PhasePlan(name="raw", members=(Member(name="a"), Member(name="b")))
    assert (lane(outside).at_once, "execution.max_workers" in reasons(lane(outside))) == (0, False)
    items = PhasePlan(name="raw", items=Items(source="x:items"))
    assert (lane(items).at_once, lane(items).in_all) == (1, 1)
