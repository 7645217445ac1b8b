"""Plays the story in a process of its own, without threads: `python -m tests.crash.drill FOLDER --kills 25`."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from zlib import crc32

from shotclock.testing.crashes import Rig, sample
from shotclock.testing.points import Point
from tests.crash import mutants, steps  # noqa: F401 - imported once, for every process of the story
from tests.crash.promises import DRILL
from tests.crash.story import SERVER
from tests.servers import PostgresServer

PATIENCE = timedelta(seconds=60)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what the arguments ask for, and say what it came to; return 1 if a promise was broken."""
    given = _parser().parse_args(arguments)
    rig = Rig(given.folder, DRILL, patience=PATIENCE)
    with ExitStack() as stack:
        if given.store == "postgresql":
            stack.enter_context(_served())
        if given.plant:
            stack.enter_context(getattr(mutants, given.plant)())
        known = rig.undisturbed()
        assert any(f"{given.store} commit" in point.place for point in known), "no commit of the store was counted"
        tally = rig.kill(_chosen(known, given), known)
    sys.stdout.write("".join(f"{broken}\n" for broken in tally.broken))
    sys.stdout.write(f"{tally}\n")
    return 1 if tally.broken else 0


@contextmanager
def _served() -> Iterator[None]:
    """Have every process of the story keep its state on a server of this round."""
    server = PostgresServer().start()
    try:
        os.environ[SERVER] = server.url
        yield
    finally:
        server.remove()


def _chosen(known: Sequence[Point], given: argparse.Namespace) -> Sequence[Point]:
    """Choose the points to kill at: every one, or a sample; of these those that are near, and of these a part."""
    near = [point for point in known if given.near in str(point)]
    if given.kills:
        fixed, drawn = sample(near, given.kills, Random(given.seed))  # noqa: S311 - moments, not secrets
        near = fixed[: given.kills // 2] + drawn[: given.kills - given.kills // 2]
    part, parts = map(int, given.part.split("/"))
    return [point for point in near if crc32(str(point).encode()) % parts == part - 1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash.drill", description="Kill a story at its write points."
    )
    parser.add_argument("folder", type=Path, help="an empty folder to play in")
    parser.add_argument(
        "--store", choices=["sqlite", "postgresql"], default="sqlite", help="where the state is (sqlite)"
    )
    parser.add_argument("--kills", type=int, default=0, help="how many points to kill at (0: every one)")
    parser.add_argument("--seed", type=int, default=0, help="which of them, where it is not every one")
    parser.add_argument("--part", default="1/1", help="only this part of them: 1/2 and 2/2 are all (1/1)")
    parser.add_argument("--near", default="", help="only points that have this in their name")
    parser.add_argument("--plant", default="", help="a bug to plant, by its name in tests/crash/mutants.py")
    return parser


if __name__ == "__main__":
    sys.exit(main())
