"""Flags in a simulation: flipped after every event, asked for by every task, and what must hold of the answers.

They are drawn from a source of their own, so that a seed's history is the same with them and without them.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from shotclock.core import flags
from shotclock.engine.asking import Asking
from shotclock.engine.assign import Assigner
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.working import Lease
from shotclock.errors import UsageError
from shotclock.model import OFF, ON, Flag, FlagValue, Rule, Run, Split
from shotclock.ports import Snapshot
from shotclock.testing.lots import Lots
from shotclock.testing.violation import require

if TYPE_CHECKING:
    from shotclock.testing.world import World

DECLARED: Final = {
    flag.name: flag
    for flag in (
        Flag(name="whole", owner="sim", purpose="For whole runs.", default=Split(share=5000)),
        Flag(name="fine", owner="sim", purpose="For each item.", key="item", default=ON, requires=("whole",)),
        Flag(name="loud", owner="sim", purpose="Read at each decision.", binding="live", excludes=("fine",)),
    )
}
"""The flags of every simulated pipeline."""
_SALT: Final = 0x5EED_F1A6
_SPLITS: Final = (OFF, ON, ON, Split(share=1000), Split(share=5000))


class Flags:
    """Whoever flips flags, and the account of what each generation was told."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._lots = Lots(world.options.seed ^ _SALT)
        self._people = Coordinator(world.store, world.settings, world.clock)
        self._assigner = Assigner(world.store, world.settings)
        self._told: dict[tuple[str, str, str], FlagValue] = {}
        self._frozen: dict[str, dict[str, Rule]] = {}

    def flip(self) -> None:
        """Change a flag, or roll all of them back, or undo that; what is not legal or not known yet is refused."""
        name, split, deed = self._lots.pick(tuple(DECLARED)), self._lots.pick(_SPLITS), self._lots.number(0, 19)
        with suppress(UsageError):
            if deed == 0:
                self._people.roll_back((), actor="ann", reason="all off")
            elif deed == 1:
                self._people.bring_back((), actor="ann", reason="all back")
            else:
                self._people.turn_flag(name, split, actor="ann", reason="a flip")
            self._world.count("flags flipped")

    def asked(self, lease: Lease) -> dict[str, Rule]:
        """Ask for every flag as the function of a task would; return what its report says of them."""
        noted: dict[str, Rule] = {}
        (job,) = self._assigner.jobs([lease])
        asking = Asking(job.assignment, self._live, noted.__setitem__)
        units = [item.id for item in job.items] or [job.assignment.member]
        asking("loud", None)
        self._tell(job.assignment.run, "whole", "", asking("whole", None).value)
        for unit in units:
            self._tell(job.assignment.run, "fine", unit, asking("fine", unit).value)
        return noted

    def _tell(self, run: str, name: str, unit: str, value: FlagValue) -> None:
        """Check that a generation is told the same again."""
        first = self._told.setdefault((run, name, unit), value)
        require(value == first, "I10", f"{run} was told {first} and {value} of {name} for {unit or 'the run'}")

    def began(self, view: Snapshot, run: Run) -> None:
        """Check what a new generation has frozen: the flags of now, or those of the one that it repeats by itself."""
        plan = view.plan(run.id)
        expected = flags.freeze(plan, {state.name: state for state in view.flags()})
        if run.cause == "late":
            expected = self._frozen[_before(run)]
        require(plan.frozen == expected, "I10", f"{run.id} has frozen {plan.frozen}, not {expected}")
        self._frozen[run.id] = plan.frozen

    def _live(self, flag: Flag) -> Rule:
        states = self._world.store.read(lambda view: {state.name: state for state in view.flags()})
        return flags.resolve({flag.name: flag}, states)[flag.name]


def _before(run: Run) -> str:
    """Return the generation before one."""
    base = run.id.partition("#")[0]
    return base if run.generation == 2 else f"{base}#{run.generation - 1}"  # noqa: PLR2004 - the first has no number
