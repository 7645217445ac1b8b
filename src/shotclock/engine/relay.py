"""The relay: what the outbox holds is told to the world, hand-overs at once, alerts beside them, each at least once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shotclock.clock import seconds
from shotclock.core.clocks import halted
from shotclock.engine import expecting, recovering
from shotclock.engine.alerting import Ledger, records
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.lanes import Clerk, Lane, back_off
from shotclock.errors import BusError
from shotclock.model import Halt, Outgoing, RunId
from shotclock.ports import Bus, Channel, Outlet, Transaction

_log = logging.getLogger("shotclock.relay")

_URGENT: Final = ("handover", "amended")
_FACTS: Final = ("alert", "look")


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
        self._clerk, self._lanes = self._staffed()
        self._registered_at: datetime | None = None

    def deliver(self) -> None:
        """Take what is ready and hand it over; what is halted waits, but for alerts."""
        now = self._coordinator.clock.now()
        self.register()
        ready = self._store.read(lambda view: view.ready_routes(now))
        if not ready.isdisjoint(_URGENT):
            self._hand_over(now)
        if not ready.isdisjoint(_FACTS):
            self._record(now)
            ready |= self._store.read(lambda view: view.ready_routes(now))
        for route in self._lanes.keys() & ready:
            self._lanes[route].ring()

    def finish(self) -> None:
        """Tell what is over by now, before a process ends that nobody may follow for long."""
        if self._own and self.close():
            self._clerk, self._lanes = self._staffed()
            now = self._coordinator.clock.now()
            self._store.write(lambda tx: _look_at_open(Ledger(tx, self._settings, now)))
            self.deliver()

    def close(self) -> bool:
        """Deliver the notices at hand, if the channels take them in time, and say whether they did.

        The rest is delivered by the next relay.
        """
        until = seconds() + self._settings.stop.total_seconds()
        for lane in self._lanes.values():
            lane.stop()
        ended = [lane.join(max(until - seconds(), 0)) for lane in self._lanes.values()]
        self._clerk.close()
        return all(ended)

    def _staffed(self) -> tuple[Clerk, dict[str, Lane]]:
        """Return the threads of the channels, and who writes down what became of their notices."""
        clerk = Clerk(self._coordinator)
        lanes = [Lane(self._coordinator, outlet, clerk) for outlet in self._outlets]
        return clerk, {lane.route: lane for lane in lanes}

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

    def _record(self, now: datetime) -> None:
        """Make alerts of facts and look at those that are open, in one commit with marking what told of them."""
        settings = self._settings

        def work(tx: Transaction) -> None:
            ledger = Ledger(tx, settings, now, self._outlets)
            for message in tx.take_outbox(now, settings.backlog, settings.outbox_hold, _FACTS):
                if message.route == "alert":
                    ledger.take(message)
                elif "expect" in message.body:
                    expecting.look(tx, message, now, settings)
                else:
                    _look(ledger, message)

        self._store.write(work)

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
