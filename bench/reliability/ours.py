"""Our coordinator on the same days: the real one, on an injected clock and a store that fails as the day says."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any, TypeVar

from bench.reliability.days import DAY, MEMBERS, WINDOW, Day, Delivery, Outcome
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.relay import Relay
from shotclock.errors import BusError, StoreUnavailableError
from shotclock.model import Deadline, Gate, Member, PhasePlan, Plan, Report
from shotclock.ports import Snapshot, Transaction
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from shotclock.testing import FakeClock

T = TypeVar("T")
START = datetime(2025, 1, 15, tzinfo=UTC)
AGAIN = 60.0
"""Seconds after which a sender repeats what was not acknowledged."""

PLAN = Plan(
    pipeline="nba",
    phases=(
        PhasePlan(
            name="raw",
            members=tuple(Member(name=name) for name in MEMBERS),
            gate=Gate(deadline=Deadline(after=timedelta(seconds=WINDOW))),
        ),
        PhasePlan(name="analytics", needs=("raw",), members=(Member(name="next"),)),
    ),
)


class DiesError(Exception):
    """The process that was at work is dead."""


class Faulty:
    """A store in memory that is down, or whose process dies before or after a commit, when the day says so."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.down = False
        self.dies = ""

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Commit, unless the day has it otherwise."""
        dies, self.dies = self.dies, ""
        if self.down:
            message = "the store is down"
            raise StoreUnavailableError(message)
        if dies == "before":
            raise DiesError
        result = self.inner.write(work)
        if dies == "after":
            raise DiesError
        return result

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Read."""
        return self.inner.read(work)

    def version(self) -> int:
        """Return the number of commits."""
        return self.inner.version()

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield every row."""
        return self.inner.dump()

    def close(self) -> None:
        """Release nothing."""


class Tellers:
    """The bus and the alert channel of a day."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.started: list[str] = []
        self.alerts = 0

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        """Take a message, unless the bus refuses it."""
        if route == "handover" and body["phase"] == "analytics":
            if self.refusals:
                self.refusals -= 1
                message = "refused"
                raise BusError(message)
            self.started.append(str(body["id"]))

    def wait(self, timeout: float) -> bool:  # noqa: ARG002 - the port's signature
        """Say that nothing was rung."""
        return False

    def close(self) -> None:
        """Release nothing."""

    def send(self, alert: Mapping[str, Any]) -> None:  # noqa: ARG002 - only counted
        """Take an alert."""
        self.alerts += 1


class Living:
    """One day of our coordinator."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.clock = FakeClock(START)
        self.store = Faulty()
        self.tellers = Tellers(day.bus_refusals)
        settings = Settings()
        self.coordinator = Coordinator(self.store, settings, self.clock)
        self.relay = Relay(self.coordinator, self.tellers, self.tellers)
        self.acknowledged: list[str] = []
        self.run = self.coordinator.start(PLAN, "2025-01-15")[0].id
        self._coming = [(delivery.at, number, delivery) for number, delivery in enumerate(day.deliveries)]

    def live(self) -> Outcome:
        """Take every delivery when it comes, and sweep when something is due."""
        number = len(self._coming)
        while (at := self._next()) <= DAY:
            self.clock.move_to(START + timedelta(seconds=at))
            self.store.down = self.day.down(at)
            while self._coming and self._coming[0][0] <= at:
                delivery = heappop(self._coming)[2]
                if not self._deliver(delivery):
                    number += 1
                    heappush(self._coming, (at + AGAIN, number, Delivery(at=at + AGAIN, member=delivery.member)))
            if not self.store.down:
                self.coordinator.sweep()
                self.relay.deliver()
        self.relay.close()
        return self._result()

    def _next(self) -> float:
        due = self.coordinator.next_due()
        now = (self.clock.now() - START).total_seconds()
        swept = DAY + 1 if due is None else max((due - START).total_seconds(), now + 1)
        return min(self._coming[0][0] if self._coming else DAY + 1, swept)

    def _deliver(self, delivery: Delivery) -> bool:
        """Take one report; say whether it was acknowledged."""
        self.store.dies = delivery.dies
        report = Report(run="nba/2025-01-15", phase="raw", member=delivery.member, outcome="succeeded")
        try:
            self.coordinator.report([report])
        except (DiesError, StoreUnavailableError):
            return False
        self.acknowledged.append(delivery.member)
        return True

    def _result(self) -> Outcome:
        return self.store.read(self._read)

    def _read(self, view: Snapshot) -> Outcome:
        phase = view.phase_of(self.run, "raw")
        assert phase is not None, self.run
        counted = [MEMBERS[task.lo] for task in view.tasks(phase.id) if task.kinds != b"\0"]
        late = [entry.member for entry in view.entries("late", scope=self.run)]
        parked = [entry.member for entry in view.entries("parked", scope="nba/2025-01-15")]
        opening = view.opening(phase.id)
        return Outcome(
            opened_at=None if opening is None else (opening.at - START).total_seconds(),
            counted=tuple(counted),
            missing=None if opening is None else opening.missing,
            declared_partial=opening is not None and opening.partial,
            started=len(set(self.tellers.started)),
            alerts=self.tellers.alerts,
            acknowledged=tuple(self.acknowledged),
            kept=(*counted, *late, *parked),
        )


def run(day: Day) -> Outcome:
    """Live through a day."""
    return Living(day).live()
