"""The relay: what the outbox holds is told to the world, hand-overs at once, alerts beside them, each at least once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from shotclock.core.clocks import halted
from shotclock.engine.coordinator import Coordinator
from shotclock.errors import BusError, StoreError
from shotclock.model import Halt, Outgoing, RunId
from shotclock.ports import Bus, Channel, Transaction

_log = logging.getLogger("shotclock.relay")


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


class Relay:
    """Delivers what is due; alerts go through a thread of their own, so that a slow channel holds up nothing else."""

    def __init__(self, coordinator: Coordinator, bus: Bus | None, channel: Channel) -> None:
        self._coordinator = coordinator
        self._store = coordinator.store
        self._settings = coordinator.settings
        self._bus = bus
        self._channel = channel
        self._alerts: SimpleQueue[Outgoing | None] = SimpleQueue()
        self._sending: set[str] = set()
        self._lock = Lock()
        self._thread: Thread | None = None

    def deliver(self) -> None:
        """Take what is ready and hand it over; what is halted waits, but for alerts."""
        settings, now = self._settings, self._coordinator.clock.now()
        taken = self._store.write(lambda tx: (tx.take_outbox(now, settings.backlog, settings.outbox_hold), tx.halts()))
        messages, halts = taken
        for message in messages:
            if message.route == "alert":
                self._alert(message)
        free = [message for message in messages if message.route != "alert" and not _is_halted(message, halts, now)]
        self._ring(free)

    def close(self) -> None:
        """Deliver the alerts at hand, if the channel takes them in time; the rest is delivered by the next relay."""
        if self._thread is not None:
            self._alerts.put(None)
            self._thread.join(self._settings.stop.total_seconds())
            self._thread = None

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

    def _alert(self, message: Outgoing) -> None:
        with self._lock:
            if message.key in self._sending:
                return
            self._sending.add(message.key)
        if self._thread is None:
            self._thread = Thread(target=self._send_alerts, name="shotclock alerts", daemon=True)
            self._thread.start()
        self._alerts.put(message)

    def _send_alerts(self) -> None:
        while (message := self._alerts.get()) is not None:
            try:
                self._send(message)
            except StoreError as error:
                _log.warning("alert %s: sent, but not marked so; it will be sent again: %s", message.key, error)
            finally:
                with self._lock:
                    self._sending.discard(message.key)

    def _send(self, message: Outgoing) -> None:
        try:
            self._channel.send(message.body)
        except Exception as error:  # noqa: BLE001 - a channel is the user's, and whatever it raises is a failed delivery
            self._failed(message, error)
            return
        self._store.write(lambda tx: tx.sent([message.key]))

    def _failed(self, message: Outgoing, error: Exception) -> None:
        """Note a failed delivery; the next follows after a wait that doubles."""
        first, most = self._settings.retry_first, self._settings.retry_most
        wait = min(first * 2 ** min(message.attempts, 30), most) * (0.5 + self._coordinator.clock.jitter() / 2)
        ready_at = self._coordinator.clock.now() + wait
        _log.warning("%s: not delivered, again in %s: %s", message.key, wait, error)

        def work(tx: Transaction) -> None:
            tx.unsent(message.key, ready_at, f"{type(error).__name__}: {error}")

        self._store.write(work)


def _is_halted(message: Outgoing, halts: Sequence[Halt], now: datetime) -> bool:
    identity = RunId.parse(message.run)
    return halted([halt for halt in halts if halt.holds_for(identity)], now) is not None
