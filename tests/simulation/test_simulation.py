"""Whole histories from seeds: invariants hold at every commit, and everything that can go wrong has."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from shotclock.stores.memory import MemoryStore
from shotclock.testing import SimulationReport, simulate

SLICE = range(150)
LONG = range(300 if os.environ.get("SHOTCLOCK_PROOF") == "slice" else 2_000)
FOUND = (14, 48, 61, 63, 351, 616, 991, 1031, 1345, 1710, 2264, 2681, 3192, 3962)
"""Seeds that have found something once."""
SOMETIMES = (
    *(f"answer {kind}" for kind in ("accepted", "duplicate", "conflict", "late", "parked", "withdrawn", "fenced")),
    *(f"fault {kind}" for kind in ("refused", "unknown", "died_before", "died_after")),
    *(f"leased {work}" for work in ("member", "chunk", "enumerate", "then")),
    *("ruled all", "ruled quorum", "ruled quorum partial", "ruled deadline partial"),
    *("ruled stall partial", "ruled hopeless partial", "ruled empty", "ruled forced partial", "failed"),
    *("asked", "check never answered", "worker died", "renewed", "stopped", "refused page", "refused retry"),
    *("delivery failed", "relay died before marking"),
)
"""What must have happened in some seeds, or else the simulation shows less than it seems to."""


def clean(report: SimulationReport) -> None:
    assert not report.violations, str(report.violations[0])


def test_no_seed_of_a_slice_breaks_an_invariant_and_each_kind_of_thing_happens() -> None:
    report = simulate(SLICE)
    clean(report)
    assert [name for name in SOMETIMES if not report.counters[name]] == []


def test_seeds_that_found_something_once_find_nothing_now() -> None:
    clean(simulate(FOUND))


@pytest.mark.long
def test_no_seed_breaks_an_invariant() -> None:
    report = simulate(LONG)
    sys.stdout.write(f"{report}\n")
    clean(report)


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
