"""One simulated history: processes around one store, events in the order of a clock, faults, and the account of it."""

import heapq
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Question
from shotclock.errors import FencedError, StoreUnavailableError, UsageError
from shotclock.ports import Store
from shotclock.settings import Settings
from shotclock.testing.answers import Answers
from shotclock.testing.bus import Bus
from shotclock.testing.checks import Checks
from shotclock.testing.clock import FakeClock, SkewedClock
from shotclock.testing.drawing import Options
from shotclock.testing.flags import Flags
from shotclock.testing.lots import MINUTE, SECOND, Lots
from shotclock.testing.tap import Change, DeathError, Fault, FaultKind, Tap, UnknownError

T = TypeVar("T")

OF_WORKERS = frozenset({"lease", "done", "say", "renew", "page", "give_back"})
"""Calls of workers, whose own death counts."""
OF_TIMERS = {"sweep": "sweep", "take": "relay", "sent": "relay", "unsent": "relay"}
"""Who makes the calls that a clock makes."""
FAULTS: tuple[FaultKind, ...] = ("refused", "unknown", "died_before", "died_after")


class Done(Struct, frozen=True):
    """What became of an action that was answered: the commits it took."""

    changes: list[Change]


class Process(Struct, frozen=True):
    """A coordinator with its own clock and its own door to the store."""

    name: str
    clock: SkewedClock
    tap: Tap
    coordinator: Coordinator


def _nothing() -> None:
    """Stand for a process whose death matters to nobody."""


class World:
    """Everything one seed sets going."""

    def __init__(self, options: Options, lots: Lots, store: Store, settings: Settings, remember: int) -> None:
        self.options = options
        self.lots = lots
        self.store = store
        self.settings = settings
        self.clock = FakeClock(jitter=lots.jitter)
        self.started_at = self.clock.now()
        self.counters: Counter[str] = Counter()
        self.history: deque[str] = deque(maxlen=remember)
        self.events = 0
        self.faulty = True
        """Whether things still go wrong."""
        self.checks = Checks(store, settings, self.count)
        self.answers = Answers(store, self.checks)
        self.flags = Flags(self)
        self.checks.began = self.flags.began
        self.asked: Callable[[Question], None] = lambda _question: None
        self.processes = [self._process(number, ahead) for number, ahead in enumerate(options.ahead)]
        self.startled: Callable[[], None] = _nothing
        """Called after each fault."""
        self.bus = Bus(lots, options.bus, troubled=lambda: self.faulty, later=self.later, count=self.count)
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = 0
        self._count_company()

    def _count_company(self) -> None:
        """Count what the seed has several of, and whether their clocks agree."""
        options = self.options
        company = {"coordinators": len(options.ahead), "workers": options.workers, "sweeps": options.sweeps}
        for what, number in company.items():
            if number > 1:
                self.count(f"several {what}")
        if any(options.ahead):
            self.count("clocks skewed")

    def _process(self, number: int, ahead: timedelta) -> Process:
        clock = SkewedClock(self.clock, ahead)
        tap = Tap(self.store, clock, self.checks.committed)
        return Process(f"c{number}", clock, tap, self._coordinator(tap, clock))

    def _coordinator(self, tap: Tap, clock: SkewedClock) -> Coordinator:
        return Coordinator(tap, self.settings, clock, asked=self._ask)

    def _ask(self, question: Question) -> None:
        self.asked(question)

    @property
    def now(self) -> datetime:
        """The true time."""
        return self.clock.now()

    def count(self, what: str) -> None:
        """Count that something happened."""
        self.counters[what] += 1

    def later(self, span: timedelta, event: Callable[[], None]) -> None:
        """Have something happen after a while."""
        self._numbers += 1
        heapq.heappush(self._queue, (self.now + span, self._numbers, event))

    def next_at(self) -> datetime | None:
        """Return when the next event happens."""
        return self._queue[0][0] if self._queue else None

    def step(self, until: datetime) -> bool:
        """Let the next event happen if it does not come after `until`; say whether one did."""
        if not self._queue or self._queue[0][0] > until:
            return False
        at, _, event = heapq.heappop(self._queue)
        self.clock.move_to(max(at, self.now))
        event()
        if self.faulty:
            self.flags.flip()
        return True

    def attempt(
        self,
        what: str,
        work: Callable[[Coordinator], T],
        done: Callable[[T, list[Change]], None] = lambda _result, _changes: None,
        *,
        died: Callable[[], None] = _nothing,
        refused: Callable[[], None] = _nothing,
    ) -> None:
        """Do something at one of the coordinators; its process may die of it, the store may refuse it or not answer.

        Whoever got no answer mostly tries again. What the product refuses by right is counted.
        """
        process = self.lots.pick(self.processes)
        self.events += 1
        self.history.append(f"{self.events} {self.now:%H:%M:%S.%f} {process.name} {what}")
        process.tap.arm(self._fault())
        try:
            result = work(process.coordinator)
        except DeathError as error:
            self._met(process, error)
            self._restart(process, what)
            died()
        except (StoreUnavailableError, UnknownError, ExceptionGroup) as error:
            self._met(process, error)
            if not self.faulty or self.lots.chance(0.8):
                again = lambda: self.attempt(what, work, done, died=died, refused=refused)  # noqa: E731 - bound to this call
                self.later(self.lots.span(SECOND, MINUTE), again)
            else:
                refused()
        except (UsageError, FencedError) as error:
            self.history[-1] += f": {error}"
            self.count(f"refused {what.partition(' ')[0]}")
            refused()
        else:
            changes = process.tap.changes
            process.tap.arm(None)
            done(result, changes)

    def _restart(self, process: Process, what: str) -> None:
        """Replace a process that died in a call: what it remembered is lost."""
        deed = what.partition(" ")[0]
        if deed not in OF_WORKERS:
            self.count(f"crash {OF_TIMERS.get(deed, 'coordinator')}")
        coordinator = self._coordinator(process.tap, process.clock)
        self.processes[self.processes.index(process)] = replace(process, coordinator=coordinator)

    def _fault(self) -> Fault | None:
        if not self.faulty or not self.lots.chance(self.options.faults):
            return None
        return Fault(kind=self.lots.pick(FAULTS), commit=self.lots.pick((1, 1, 2)))

    def _met(self, process: Process, error: BaseException) -> None:
        if process.tap.met is None:
            raise error
        self.history[-1] += f": {process.tap.met}"
        self.startled()
        self.count(f"fault {process.tap.met}")
        process.tap.arm(None)
