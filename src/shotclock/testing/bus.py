"""The bus of a simulation: what it carries may come twice, late, out of order, again after it was seen to, or never."""

from collections.abc import Callable
from typing import Literal, get_args

from shotclock.testing.lots import HOUR, MINUTE, SECOND, Lots

Trouble = Literal["duplicate", "delay", "reorder", "drop", "redeliver"]
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)

Event = Callable[[], None]


def _nothing() -> None:
    """Stand for a sender that does not notice that its message was lost."""


class Bus:
    """Carries messages; `share` of them meet trouble while `troubled` says that there is any."""

    def __init__(
        self,
        lots: Lots,
        share: float,
        *,
        troubled: Callable[[], bool],
        later: Callable[..., None],
        count: Callable[[str], None],
    ) -> None:
        self._lots = lots
        self._share = share
        self._troubled = troubled
        self._later = later
        self._count = count
        self._held: list[Event] = []
        """What others overtake."""

    def carry(self, deliver: Event, *, lost: Event = _nothing) -> None:
        """Deliver a message, in time and once unless there is trouble; `lost` is called for one that nobody gets."""
        lots = self._lots
        if not self._troubled() or not lots.chance(self._share):
            deliver()
            self._let_go()
            return
        trouble = lots.pick(TROUBLES)
        self._count(f"bus {trouble}")
        match trouble:
            case "duplicate":
                deliver()
                self._later(lots.span(0 * SECOND, SECOND), deliver)
            case "delay":
                self._later(lots.span(MINUTE, lots.pick((10 * MINUTE, HOUR))), deliver)
            case "reorder":
                self._held.append(deliver)
                self._later(lots.span(MINUTE, 5 * MINUTE), self._let_go)
            case "redeliver":
                deliver()
                self._later(lots.span(10 * SECOND, 10 * MINUTE), deliver)
            case "drop":
                lost()

    def _let_go(self) -> None:
        """Deliver what was overtaken."""
        held, self._held = self._held, []
        for deliver in held:
            deliver()
