"""Whole histories from seeds: invariants hold at every commit, and everything that can go wrong has."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from shotclock.stores.memory import MemoryStore
from shotclock.testing import SimulationReport, simulate
from shotclock.testing.campaign import ENOUGH, FAULTS, SOMETIMES, shortfalls

SLICE = range(150)
LONG = range(500 if os.environ.get("SHOTCLOCK_PROOF") == "slice" else 2_000)
FOUND = [int(line.split()[0]) for line in (Path(__file__).with_name("seeds.txt")).read_text().splitlines() if line]


def clean(report: SimulationReport) -> None:
    assert not report.violations, str(report.violations[0])


def test_no_seed_of_a_slice_breaks_an_invariant_and_each_kind_of_trouble_comes_up() -> None:
    report = simulate(SLICE)
    clean(report)
    assert [name for name in FAULTS if not report.in_seeds[name]] == []


def campaign(**seldom: int) -> SimulationReport:
    """Return a campaign in which all came up often enough, but for what is given."""
    seen = dict.fromkeys([*FAULTS, *SOMETIMES], ENOUGH) | {name.replace("_", " "): by for name, by in seldom.items()}
    return SimulationReport(seeds=ENOUGH, events=[200] * ENOUGH, in_seeds=Counter(seen))


def test_a_campaign_that_saw_everything_often_enough_lacks_nothing() -> None:
    assert shortfalls(campaign(bus_drop=ENOUGH // 10, ruled_empty=1)) == []


def test_a_campaign_that_saw_too_little_of_a_trouble_says_of_which() -> None:
    (said,) = shortfalls(campaign(bus_drop=ENOUGH // 10 - 1))
    assert said.startswith("bus drop in 49 of 500 seeds")


def test_a_campaign_that_never_saw_an_outcome_says_which() -> None:
    assert shortfalls(campaign(ruled_empty=0)) == ["ruled empty in no seed"]


def test_a_campaign_of_short_histories_says_how_short() -> None:
    report = campaign()
    report.events = [199] * ENOUGH
    assert shortfalls(report) == ["199 events in half of the seeds, fewer than 200"]


def test_nothing_is_asked_of_a_small_campaign() -> None:
    assert shortfalls(SimulationReport(seeds=ENOUGH - 1)) == []


def test_seeds_that_found_something_once_find_nothing_now() -> None:
    clean(simulate(FOUND))


@pytest.mark.long
def test_no_seed_breaks_an_invariant() -> None:
    report = simulate(LONG)
    sys.stdout.write(f"{report}\n")
    clean(report)
    assert shortfalls(report) == []


def rows(seed: int) -> list[object]:
    """Return everything that a seed leaves in its store."""
    stores: list[MemoryStore] = []
    left: list[object] = []

    def new() -> MemoryStore:
        stores.append(MemoryStore())
        return stores[-1]

    simulate([seed], store=new, seen=lambda _seed, _world: left.extend(stores[-1].dump()))
    return left


def test_the_same_seed_is_the_same_history() -> None:
    assert rows(7)
    assert rows(7) == rows(7)
    assert rows(7) != rows(8)


@pytest.mark.parametrize("hashing", ["1", "2"])
def test_a_history_does_not_depend_on_the_process_it_runs_in(hashing: str) -> None:
    command = [sys.executable, "-m", "shotclock", "simulate", "--start", "3", "--seeds", "4"]
    environment = {**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 - our own module
    here = str(simulate(range(3, 7)))
    assert told.stdout.splitlines()[1:] == here.splitlines()[1:]


def test_a_broken_invariant_is_told_with_its_seed_its_options_and_what_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "shotclock.core.rules.tolerated", lambda gate, counts: gate.tolerate.rounded_up(counts.expected)
    )
    (violation,) = simulate(range(500)).violations
    text = str(violation)
    assert violation.invariant in {"I3", "I4"}
    assert f"seed {violation.seed}: keys" in text
    assert '"tolerate":{"percent"' in text
    assert len(violation.history) > 1


def test_a_simulation_stops_at_as_many_broken_seeds_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shotclock.engine.rolls.missing_names", lambda *_: ())
    report = simulate(range(100), most=2)
    assert len(report.violations) == 2
    assert Counter(violation.invariant for violation in report.violations) == {"I4": 2}
