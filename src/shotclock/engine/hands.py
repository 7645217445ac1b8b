"""The hands of a process that works: what they hold, and who may put more into them, the loop or a report's commit."""

from collections import Counter
from threading import Lock
from types import TracebackType
from typing import Self

from shotclock.engine import working
from shotclock.engine.desk import Desk
from shotclock.engine.reach import EVERYTHING, Reach
from shotclock.engine.working import Lease


class Hands:
    """Leases for one worker: its loop takes what there is, and a commit takes what it has made ready.

    A commit of any thread that starts a phase leases the phase's first tasks with it, unless the loop is leasing just
    then: the next phase begins without a commit of its own. Hands that are not open take nothing.
    """

    def __init__(self, owner: str = "", reach: Reach = EVERYTHING) -> None:
        self.owner = owner
        self.reach = reach
        self.busy: Counter[int] = Counter()
        """How many tasks of each phase the worker has begun and not ended; changed by the loop while it holds them."""
        self.given: list[Lease] = []
        """What was leased and the loop has yet to begin."""
        self.lock = Lock()
        """Held by whoever leases, from before its commit until what it leased is in `given`; else a limit is passed."""
        self.opened = False

    def open(self) -> None:
        """Let commits lease from now on."""
        with self.lock:
            self.opened = True

    def close(self) -> None:
        """Take nothing more; what was leased and not begun is the owner's still, and is given back with the rest."""
        with self.lock:
            self.opened = False
            self.given.clear()


class Grasp:
    """What one commit leases for the worker: handed over once it is durable, else as if nothing had been leased."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._holds = False
        self._taken: list[Lease] = []

    def lease(self, desk: Desk) -> None:
        """Lease from phases that were started at this desk; may be called again for the same commit."""
        self._taken = []
        if not desk.begun or not (self._holds or self._hands.lock.acquire(blocking=False)):
            return
        self._holds = True
        if self._hands.opened:
            phases = [desk.phase(phase_id) for phase_id in desk.begun]
            self._taken = working.lease_from(desk, self._hands.owner, self._hands.busy, self._hands.reach, phases)

    def keep(self) -> None:
        """Hand over what was leased: the commit is durable."""
        self._hands.given += self._taken

    def __enter__(self) -> Self:
        """Begin the commit."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others lease."""
        if self._holds:
            self._holds = False
            self._hands.lock.release()
