"""Simulates seeds from the command line: `python -m shotclock.testing --seeds 2000`."""

import argparse
import sys
from collections.abc import Callable, Sequence

from shotclock.testing.simulation import simulate
from shotclock.testing.world import World

FEW, EVERYTHING = 40, 1_000_000
"""How many events are remembered."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what the arguments ask for, print what happened, and return 1 if an invariant was broken."""
    given = _parser().parse_args(arguments)
    seeds = range(given.start, given.start + given.seeds) if given.seed is None else [given.seed]
    report = simulate(
        seeds, most=given.most, remember=EVERYTHING if given.verbose else FEW, seen=_teller(given.verbose)
    )
    for violation in report.violations:
        sys.stdout.write(f"{violation}\n\nagain: python -m shotclock.testing --seed {violation.seed}\n\n")
    sys.stdout.write(f"{report}\n")
    return 1 if report.violations else 0


def _teller(verbose: bool) -> Callable[[int, World], None]:  # noqa: FBT001 - the option as it was given
    """Return what tells a seed's options and all of its events, where that was asked for."""

    def tell(_seed: int, world: World) -> None:
        if verbose:
            sys.stdout.write("\n".join([str(world.options), *world.history, ""]))

    return tell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shotclock.testing", description="Simulate histories from seeds.")
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds (100)")
    parser.add_argument("--start", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--seed", type=int, help="one seed alone")
    parser.add_argument("--most", type=int, default=1, help="stop after so many seeds that break an invariant (1)")
    parser.add_argument("--verbose", action="store_true", help="tell every event")
    return parser


if __name__ == "__main__":
    sys.exit(main())
