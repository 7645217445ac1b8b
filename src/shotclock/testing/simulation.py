"""Simulates whole histories from seeds: the same seed is the same history, in every process and on every machine."""

import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median

from shotclock.clock import stopwatch
from shotclock.ports import Store
from shotclock.stores.memory import MemoryStore
from shotclock.testing.drawing import draw
from shotclock.testing.lots import Lots
from shotclock.testing.play import play
from shotclock.testing.violation import BrokenError
from shotclock.testing.world import World


@dataclass(frozen=True, kw_only=True)
class Violation:
    """An invariant that a seed has broken; `str()` tells the options and the last events before it."""

    seed: int
    invariant: str
    what: str
    event: int
    """Number of the event after which it was found."""
    options: str
    history: tuple[str, ...]
    cause: str = ""
    """Where an unexpected error came from."""

    def __str__(self) -> str:
        events = "\n  ".join(self.history)
        cause = f"\n{self.cause}" if self.cause else ""
        return f"{self.invariant} broken by {self.options}\nafter event {self.event}: {self.what}\n  {events}{cause}"


@dataclass(kw_only=True)
class SimulationReport:
    """What a simulation did and found."""

    seeds: int = 0
    events: list[int] = field(default_factory=list)
    """How many events each seed had."""
    counters: Counter[str] = field(default_factory=Counter)
    """How often what happened: openings by reason, answers by kind, faults by kind, and the like."""
    in_seeds: Counter[str] = field(default_factory=Counter)
    """In how many seeds each of these happened."""
    violations: list[Violation] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def median(self) -> float:
        """How many events the seed in the middle had."""
        return median(self.events or [0])

    def __str__(self) -> str:
        rows = (
            f"  {name}: {number} in {self.in_seeds[name]} seeds ({self.in_seeds[name] / self.seeds:.1%})"
            for name, number in sorted(self.counters.items())
        )
        total = sum(self.events)
        head = f"{self.seeds} seeds, {total} events (median {self.median:g} a seed), {self.seconds:.1f} s"
        return "\n".join([head, *rows, f"{len(self.violations)} violations"])


def simulate(
    seeds: Iterable[int],
    *,
    store: Callable[[], Store] = MemoryStore,
    most: int = 1,
    remember: int = 40,
    seen: Callable[[int, World], None] = lambda _seed, _world: None,
) -> SimulationReport:
    """Simulate seeds one after another on new stores, until `most` of them have broken an invariant.

    A violation tells the last `remember` events.
    `seen` is called after each seed with the world it left.
    """
    report, elapsed = SimulationReport(), stopwatch()
    for seed in seeds:
        opened = store()
        world, broken = one(seed, opened, remember)
        report.seeds += 1
        report.events.append(world.events)
        report.counters.update(world.counters)
        report.in_seeds.update(dict.fromkeys(world.counters, 1))
        seen(seed, world)
        opened.close()
        if broken is not None:
            report.violations.append(_violation(seed, world, broken))
        if len(report.violations) >= most:
            break
    report.seconds = elapsed().total_seconds()
    return report


def one(seed: int, store: Store, remember: int) -> tuple[World, BrokenError | None]:
    """Simulate one seed on an empty store; return the world as it was left, and what was found."""
    lots = Lots(seed)
    return play(draw(seed, lots), lots, store, remember)


def _violation(seed: int, world: World, broken: BrokenError) -> Violation:
    cause = broken.__cause__
    return Violation(
        seed=seed,
        invariant=broken.name,
        what=broken.what,
        event=world.events,
        options=str(world.options),
        history=tuple(world.history),
        cause="" if cause is None else "".join(traceback.format_exception(cause)[-6:]),
    )
