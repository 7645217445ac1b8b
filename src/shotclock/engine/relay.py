"""The relay: what the outbox holds is told to the world, hand-overs at once, alerts beside them, each at least once."""

import logging
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from shotclock.clock import seconds
from shotclock.core.clocks import halted
from shotclock.engine import expecting, recovering
from shotclock.engine.alerting import Ledger, records
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.lanes import Clerk, Lane, Runner, back_off
from shotclock.errors import BusError
from shotclock.model import Halt, Outgoing, RunId
from shotclock.ports import Bus, Channel, Outlet, Transaction

_log = logging.getLogger("shotclock.relay")

_URGENT: Final = ("handover", "amended")
_FACTS: Final = ("alert", "look")
_AT_ONCE: Final = 50
"""Facts that become records in one commit: many at once would keep others from writing."""


class LogChannel:
    """Writes each alert as one line to the log `shotclock.alert`."""

    def send(self, alert: Mapping[str, Any]) -> None:
        """Log one alert."""
        names = ", ".join(str(name) for name in alert.get("names", ()))
        parts = (
            str(alert.get("text", "")),
            f"({names})" if names else "",
            f"-> {alert['command']}" if alert.get("command") else "",
        )
        logging.getLogger("shotclock.alert").warning("%s", " ".join(part for part in parts if part))


def only(channel: Channel) -> tuple[Outlet, ...]:
    """Return what one channel alone makes: it hears of every fact as it comes."""
    return (Outlet(name="log", channel=channel, each=True),)


class Relay:
    """Delivers what is due; each channel has a thread of its own, so that a slow one holds up nothing else."""

    def __init__(self, coordinator: Coordinator, bus: Bus | None, channels: Channel | Sequence[Outlet]) -> None:
        self._coordinator = coordinator
        self._store = coordinator.store
        self._settings = coordinator.settings
        self._bus = bus
        self._outlets = tuple(channels) if isinstance(channels, Sequence) else only(channels)
        self._own = any(not outlet.each for outlet in self._outlets)
        """Whether this process has channels that hear of the end of an alert."""
        self._staff()
        self._registered_at: datetime | None = None

    def deliver(self) -> None:
        """Take what is ready and hand it over; what is halted waits, but for alerts."""
        now = self._coordinator.clock.now()
        self.register()
        ready = self._store.read(lambda view: view.ready_routes(now))
        if not ready.isdisjoint(_URGENT):
            self._hand_over(now)
        if not ready.isdisjoint(_FACTS):
            self._recorder.ring()
        self._ring_lanes(ready)

    def finish(self) -> None:
        """Tell what is over by now, before a process ends that nobody may follow for long."""
        if self._own and self.close():
            self._staff()
            now = self._coordinator.clock.now()
            self._store.write(lambda tx: _look_at_open(Ledger(tx, self._settings, now)))
            self.deliver()

    def close(self) -> bool:
        """Deliver the notices at hand, if the channels take them in time, and say whether they did.

        The rest is delivered by the next relay.
        """
        until = seconds() + self._settings.stop.total_seconds()
        self._recorder.stop()
        recorded = self._recorder.join(max(until - seconds(), 0))
        for lane in self._lanes.values():
            lane.thread.stop()
        ended = [lane.thread.join(max(until - seconds(), 0)) for lane in self._lanes.values()]
        self._clerk.close()
        return recorded and all(ended)

    def _staff(self) -> None:
        """Set up the threads: of the records, of each channel, and of what became of notices."""
        self._recorder = Runner("shotclock facts", self._record)
        self._clerk = Clerk(self._coordinator)
        lanes = [Lane(self._coordinator, outlet, self._clerk) for outlet in self._outlets]
        self._lanes = {lane.route: lane for lane in lanes}

    def _ring_lanes(self, ready: AbstractSet[str]) -> None:
        for route in self._lanes.keys() & ready:
            self._lanes[route].thread.ring()

    def register(self) -> None:
        """Say from time to time which channels this process has, where others may have none."""
        now = self._coordinator.clock.now()
        if self._own and (self._registered_at is None or now >= self._registered_at + self._settings.purge):
            self._store.write(lambda tx: Ledger(tx, self._settings, now, self._outlets).register())
            self._registered_at = now

    def _hand_over(self, now: datetime) -> None:
        most, hold = self._settings.backlog, self._settings.outbox_hold
        messages, halts = self._store.write(lambda tx: (tx.take_outbox(now, most, hold, _URGENT), tx.halts()))
        self._ring([message for message in messages if not _is_halted(message, halts, now)])

    def _record(self) -> bool:
        """Make alerts of some facts and look at some that are open; say whether there may be more of them.

        It is one commit with marking what told of them.
        """
        settings, now = self._settings, self._coordinator.clock.now()

        def work(tx: Transaction) -> int:
            ledger = Ledger(tx, settings, now, self._outlets)
            taken = tx.take_outbox(now, _AT_ONCE, settings.outbox_hold, _FACTS)
            for message in taken:
                if message.route == "alert":
                    ledger.take(message)
                elif "expect" in message.body:
                    expecting.look(tx, message, now, settings)
                else:
                    _look(ledger, message)
            return len(taken)

        number = self._store.write(work)
        self._ring_lanes(self._store.read(lambda view: view.ready_routes(now)))
        return number == _AT_ONCE

    def _ring(self, messages: Sequence[Outgoing]) -> None:
        done: list[Outgoing] = []
        for message in messages:
            try:
                if self._bus is not None:
                    self._bus.ring(message.route, message.body)
            except BusError as error:
                self._failed(message, error)
            else:
                done.append(message)
        if done:
            phases = [int(message.body["id"]) for message in done if message.route == "handover"]
            self._coordinator.delivered([message.key for message in done], phases)

    def _failed(self, message: Outgoing, error: Exception) -> None:
        """Note a failed delivery; the next follows after a wait that doubles."""
        wait = back_off(self._settings, message.attempts, self._coordinator.clock.jitter())
        ready_at = self._coordinator.clock.now() + wait
        _log.warning("%s: not delivered, again in %s: %s", message.key, wait, error)
        self._store.write(lambda tx: tx.unsent(message.key, ready_at, f"{type(error).__name__}: {error}"))


def _look(ledger: Ledger, message: Outgoing) -> None:
    """Look whether what an alert told is over; come back while it is not."""
    alert, again = ledger.find(message.body["alert"]), None
    if alert is not None and alert.over_at is None:
        again = ledger.look(alert, recovering.over(ledger.tx, alert, ledger.now))
    if again is None:
        ledger.tx.sent([message.key])
    else:
        ledger.tx.unsent(message.key, again, "")


def _look_at_open(ledger: Ledger) -> None:
    for alert in records(ledger.tx, over=False):
        why = recovering.over(ledger.tx, alert, ledger.now)
        if why is not None:
            ledger.look(alert, why)


def _is_halted(message: Outgoing, halts: Sequence[Halt], now: datetime) -> bool:
    identity = RunId.parse(message.run)
    return halted([halt for halt in halts if halt.holds_for(identity)], now) is not None
