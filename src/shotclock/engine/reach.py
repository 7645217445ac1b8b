"""What a worker takes on: of which run or pipelines, with which tags, and how much at once."""

from typing import Final

from msgspec import Struct

from shotclock.model import RunId
from shotclock.settings import Settings


class Reach(Struct, frozen=True, kw_only=True):
    """The bounds of what one worker process leases; without any, it takes whatever comes that asks for no tag."""

    run: str | None = None
    """Only tasks of this run."""
    pipelines: frozenset[str] = frozenset()
    """Only tasks of these pipelines; of all if none is named."""
    tags: frozenset[str] = frozenset()
    """What it has that tasks may ask for."""
    most: int = 0
    """Most tasks it holds at once over all phases; 0 is no bound."""

    def includes(self, run: str) -> bool:
        """Say whether it works on a run."""
        return self.run in {None, run} and (not self.pipelines or RunId.parse(run).pipeline in self.pipelines)

    def left(self, held: int) -> int:
        """Return how many more tasks it may take that holds so many."""
        return self.most - held if self.most else _UNBOUNDED


_UNBOUNDED: Final = 1 << 30
"""More tasks than any process holds."""
EVERYTHING: Final = Reach()
"""Whatever comes."""
NOTHING: Final = Reach(run="")
"""No task at all: no run has that name."""


def reach_of(settings: Settings, *, run: str | None = None, pipelines: frozenset[str] = frozenset()) -> Reach:
    """Return what a process with these settings takes on, of one run or of some pipelines where that is said."""
    return Reach(run=run, pipelines=pipelines, tags=settings.tag_set, most=settings.max_tasks)
