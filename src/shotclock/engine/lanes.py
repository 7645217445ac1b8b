"""Notices on their way: a thread for each channel, and one that writes down what became of them, many at a time."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Final

from shotclock.engine.alerting import Ledger, Outcome
from shotclock.engine.coordinator import Coordinator
from shotclock.errors import BusError, LaterError, RefusedError, StoreError
from shotclock.model import NOTICE, Outgoing
from shotclock.ports import Outlet, Transaction
from shotclock.settings import Settings

_log = logging.getLogger("shotclock.relay")

_AT_ONCE: Final = 20
"""Notices a channel's thread takes at once: what it cannot send while they are its own, it gives back."""


def back_off(settings: Settings, attempts: int, jitter: float) -> timedelta:
    """Return the wait after a failed delivery: it doubles."""
    longest: timedelta = min(settings.retry_first * 2 ** min(attempts, 30), settings.retry_most)
    return longest * (0.5 + jitter / 2)


class Runner:
    """A thread that does a piece of work again and again when it is rung, until there is no more of it."""

    def __init__(self, name: str, work: Callable[[], bool]) -> None:
        self._name = name
        self._work = work
        self._bell = Event()
        self._stopping = False
        self._thread: Thread | None = None

    def ring(self) -> None:
        """Have the thread work."""
        if self._thread is None and not self._stopping:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._bell.set()

    def stop(self) -> None:
        """Have the thread do what there is, and end."""
        self._stopping = True
        self._bell.set()

    def join(self, most: float) -> bool:
        """Wait `most` seconds for the thread to end; say whether it has."""
        if self._thread is None:
            return True
        self._thread.join(most)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            last = self._stopping
            try:
                while self._work():
                    pass
            except StoreError as error:
                _log.warning("%s: the store could not be used: %s", self._name, error)
            except Exception:  # noqa: BLE001 - said with its traceback; what follows needs this thread
                _log.exception("%s: failed", self._name)
            if last:
                return


class Clerk:
    """Writes down what became of notices: all that came up while the commit before was made, in the next one."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._outcomes: SimpleQueue[Outcome | None] = SimpleQueue()
        self._lock = Lock()
        self._answered: set[str] = set()
        self._closing = Event()
        self._thread: Thread | None = None

    def tell(self, outcome: Outcome) -> None:
        """Have an outcome written down soon."""
        with self._lock:
            self._answered.add(outcome.message.key)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="shotclock notices", daemon=True)
                self._thread.start()
        self._outcomes.put(outcome)

    def knows(self, key: str) -> bool:
        """Say whether a notice was answered already, which is not written down yet."""
        with self._lock:
            return key in self._answered

    def close(self) -> None:
        """Write down what there is, if the store takes it in time."""
        self._closing.set()
        if self._thread is not None:
            self._outcomes.put(None)
            self._thread.join(self._coordinator.settings.stop.total_seconds())
            self._thread = None

    def _work(self) -> None:
        going = True
        while going:
            batch = [self._outcomes.get()]
            while True:
                try:
                    batch.append(self._outcomes.get_nowait())
                except Empty:
                    break
            going = None not in batch
            self._write([outcome for outcome in batch if outcome is not None])

    def _write(self, outcomes: list[Outcome]) -> None:
        """Write down outcomes; a store that cannot be used now is tried until it can, so that no answer is lost."""
        while outcomes:
            try:
                self._commit(outcomes)
                break
            except StoreError as error:
                _log.warning("%d notices: sent, but not marked so: %s", len(outcomes), error)
                if self._closing.wait(self._coordinator.settings.sweep.total_seconds()):
                    break
        with self._lock:
            self._answered.difference_update(outcome.message.key for outcome in outcomes)

    def _commit(self, outcomes: list[Outcome]) -> None:
        settings, now = self._coordinator.settings, self._coordinator.clock.now()

        def work(tx: Transaction) -> None:
            ledger = Ledger(tx, settings, now)
            for outcome in outcomes:
                ledger.settle(outcome)

        self._coordinator.store.write(work)


class Lane:
    """One channel: its thread takes the notices for it, and for no other, as long as there are any."""

    def __init__(self, coordinator: Coordinator, outlet: Outlet, clerk: Clerk) -> None:
        self._coordinator = coordinator
        self._settings = coordinator.settings
        self._outlet = outlet
        self._clerk = clerk
        self.route = f"{NOTICE}{outlet.name}"
        self._paused_until: datetime | None = None
        self.thread = Runner(f"shotclock alerts {outlet.name}", self._send_ready)

    def _send_ready(self) -> bool:
        """Take some notices that are ready and send them; say whether there may be more."""
        now = self._coordinator.clock.now()
        if self._paused_until is not None and now < self._paused_until:
            return False  # whoever sweeps rings again, for what is ready all the time
        taken = self._coordinator.store.write(lambda tx: self._take(tx, now))
        until = now + self._settings.outbox_hold - self._settings.alerts_send
        for message, payload in taken:
            if self._coordinator.clock.now() > until:
                return True  # another relay may have them soon
            if payload is not None and not self._clerk.knows(message.key) and not self._send(message, payload):
                return False  # it asked for a pause
        return len(taken) == _AT_ONCE

    def _take(self, tx: Transaction, now: datetime) -> list[tuple[Outgoing, Mapping[str, Any] | None]]:
        ledger = Ledger(tx, self._settings, now)
        taken = tx.take_outbox(now, _AT_ONCE, self._settings.outbox_hold, (self.route,))
        return [(message, ledger.payload(message)) for message in taken]

    def _send(self, message: Outgoing, payload: Mapping[str, Any]) -> bool:
        """Send a notice; say whether another one may follow at once."""
        try:
            self._outlet.channel.send(payload)
        except RefusedError as error:
            _log.warning("%s: refused by %s: %s", message.key, self._outlet.name, error)
            self._clerk.tell(Outcome(message=message, state="refused", error=str(error)))
        except Exception as error:  # noqa: BLE001 - a channel is the user's, and whatever it raises is a failed delivery
            return self._later(message, error)
        else:
            self._clerk.tell(Outcome(message=message, state="delivered"))
        return True

    def _later(self, message: Outgoing, error: Exception) -> bool:
        """Send a notice again after a wait that doubles; a wait that the other side asks for holds for all."""
        asked = error.after if isinstance(error, LaterError) else None
        own = back_off(self._settings, message.attempts, self._coordinator.clock.jitter())
        wait = own if asked is None else max(asked, own)
        _log.warning("%s: not delivered, again in %s: %s", message.key, wait, error)
        ready_at = self._coordinator.clock.now() + wait
        text = str(error) if isinstance(error, BusError) else f"{type(error).__name__}: {error}"
        self._clerk.tell(Outcome(message=message, state="failing", error=text, ready_at=ready_at))
        self._paused_until = ready_at if asked is not None else None
        return asked is None
