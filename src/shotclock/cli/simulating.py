"""`simulate`: histories of Shotclock in which everything goes wrong, drawn from seeds and held to its promises."""

from typing import TYPE_CHECKING

import click

from shotclock.cli.shell import Shell, common, examples

if TYPE_CHECKING:
    from shotclock.testing import SimulationReport, Violation
    from shotclock.testing.world import World

FEW, EVERYTHING = 40, 1_000_000
"""How many events of a seed are remembered."""
LINES, OFTEN, SELDOM = 20, 50, 1_000
"""How many lines of progress there are, and seeds between two of them at least and at most."""
FINE, FOUND = 0, 1


@click.command(
    epilog=examples(
        "shotclock simulate --seeds 2000",
        "shotclock simulate --seeds 500 --start 7000 --json",
        "shotclock simulate --seed 4711 --verbose",
    ),
)
@click.option("--seeds", type=click.IntRange(1), default=100, show_default=True, help="How many seeds.")
@click.option("--start", type=click.IntRange(0), default=0, show_default=True, help="The first seed.")
@click.option("--seed", type=click.IntRange(0), help="One seed alone.")
@click.option("--most", type=click.IntRange(1), default=1, show_default=True, help="Stop after so many broken seeds.")
@click.option("--verbose", is_flag=True, help="Tell what each seed drew, and every event.")
@common
@click.pass_obj
def simulate(shell: Shell, seeds: int, start: int, seed: int | None, most: int, *, verbose: bool) -> int:
    """Draw a pipeline and its troubles from each seed, play them on a clock that jumps, and check what must hold.

    The same seed is the same history on every machine. Nothing of yours is read or written. From 500 seeds on it
    also checks that every kind of trouble and of outcome has come up, since otherwise it would show little.

    Exit codes: 0 nothing was found, 1 a promise was broken or something has not come up, 2 wrong use.
    """
    from shotclock import testing  # noqa: PLC0415 - not for --help
    from shotclock.testing.campaign import shortfalls  # noqa: PLC0415 - likewise

    chosen = range(start, start + seeds) if seed is None else range(seed, seed + 1)
    watch = _Watch(shell, len(chosen), verbose=verbose)
    report = testing.simulate(chosen, most=most, remember=EVERYTHING if verbose else FEW, seen=watch.seen)
    short = shortfalls(report)
    shell.document(_document(report) | {"shortfalls": short})
    for violation in report.violations:
        shell.say(f"{violation}\n\nagain: {_again(violation)}\n")
    shell.say(str(report))
    for line in short:
        shell.say(f"too little: {line}")
    return FOUND if report.violations or short else FINE


class _Watch:
    """Says how far a simulation has come, and what its seeds did if that was asked for."""

    def __init__(self, shell: Shell, seeds: int, *, verbose: bool) -> None:
        from shotclock.clock import stopwatch  # noqa: PLC0415 - not for --help

        self._shell = shell
        self._seeds = seeds
        self._verbose = verbose
        self._step = min(max(seeds // LINES, OFTEN), SELDOM)
        self._done = 0
        self._events = 0
        self._elapsed = stopwatch()

    def seen(self, _seed: int, world: "World") -> None:
        """Take note of a seed that was played."""
        self._done += 1
        self._events += world.events
        if self._verbose:
            self._shell.say("\n".join([str(world.options), *world.history]))
        if self._done % self._step == 0 and self._done < self._seeds:
            seconds = self._elapsed().total_seconds()
            self._shell.note(f"{self._done} of {self._seeds} seeds, {self._events} events, {seconds:.0f} s")


def _document(report: "SimulationReport") -> dict[str, object]:
    return {
        "seeds": report.seeds,
        "events": sum(report.events),
        "median": report.median,
        "seconds": round(report.seconds, 1),
        "in_seeds": dict(sorted(report.in_seeds.items())),
        "counters": dict(sorted(report.counters.items())),
        "violations": [{"again": _again(violation), "told": violation} for violation in report.violations],
    }


def _again(violation: "Violation") -> str:
    return f"shotclock simulate --seed {violation.seed} --verbose"
