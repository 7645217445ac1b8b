"""A coordinator that counts messages, as many systems grow to be: small, and honest about what it does.

- A counter goes up with every delivery, and a producer that repeats itself sends another message; at the number of
  members the next phase is started.
- The deadline is looked at when another delivery arrives, for nothing else calls the code.
- A message is marked as processed before the work on it, so that a redelivery after a crash is dropped.
- Errors of the store and of the bus are logged and swallowed, and the message is acknowledged.
- A start by the deadline counts what it has, and names nobody.
"""

from bench.reliability.days import MEMBERS, WINDOW, Day, Delivery, Outcome


class Counting:
    """The state of one day."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._count = 0
        self._first_at: float | None = None
        self._triggered = False
        self._refusals = day.bus_refusals
        self._counted: list[str] = []
        self._acknowledged: list[str] = []
        self.outcome = Outcome()

    def deliver(self, delivery: Delivery) -> None:
        """Take one message."""
        if delivery.dies == "before":
            # Marked, then dead: the redelivery finds the mark, and is acknowledged without any work.
            self._acknowledged.append(delivery.member)
            return
        self._acknowledged.append(delivery.member)
        if self._day.down(delivery.at):
            return
        self._count += 1
        self._counted.append(delivery.member)
        self._first_at = delivery.at if self._first_at is None else self._first_at
        due = delivery.at >= self._first_at + WINDOW
        if not self._triggered and (self._count >= len(MEMBERS) or due):
            self._trigger(delivery.at)

    def _trigger(self, at: float) -> None:
        self._triggered = True
        if self._refusals:
            return
        self.outcome.opened_at = at
        self.outcome.started += 1

    def result(self) -> Outcome:
        """Return what became of the day."""
        self.outcome.counted = tuple(self._counted)
        self.outcome.acknowledged = tuple(self._acknowledged)
        self.outcome.kept = tuple(self._counted)
        return self.outcome


def run(day: Day) -> Outcome:
    """Live through a day."""
    coordinator = Counting(day)
    for delivery in day.deliveries:
        coordinator.deliver(delivery)
    return coordinator.result()
