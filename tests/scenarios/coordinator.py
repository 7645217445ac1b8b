"""One coordinator of several, a process of its own: `python -m tests.scenarios.coordinator HOME STORE MINUTES`.

It says that it is ready, waits for a word, sees to all that is due that many minutes from now, until
nobody has anything more to do, and prints its alerts.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from shotclock import Coordinator, Settings, open_store
from shotclock.clock import SystemClock
from shotclock.engine.relay import Relay
from shotclock.ports import Store

HOLD = timedelta(hours=1)
"""Longer than a queue of alerts takes: whoever takes one is not thought dead before it was sent."""


class LaterClock(SystemClock):
    """A clock that is ahead, the same in every process."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Return the instant it is by then."""
        return super().now() + self._ahead


class Alerts:
    """A channel that keeps of which gate each alert tells."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def send(self, alert: Mapping[str, Any]) -> None:
        """Keep one."""
        self.told.append((alert["run"], alert["phase"], alert["fact"]))


def _waits(store: Store, now: datetime) -> bool:
    """Say whether a phase is due, or something is to be told; looks at what was told come again and again."""
    due, routes = store.read(lambda view: (view.due(now, 1), view.ready_routes(now)))
    return bool(due) or not routes <= {"look"}


def main(home: str, store: str, minutes: str) -> None:
    """See to all that is due, beside others who do the same."""
    settings, channel = Settings(home=Path(home), store=store, outbox_hold=HOLD, alerts_send=HOLD / 2), Alerts()
    with closing(open_store(settings)) as opened:
        coordinator = Coordinator(opened, settings, LaterClock(timedelta(minutes=int(minutes))))
        relay = Relay(coordinator, None, channel)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        pause = Event()
        while _waits(opened, coordinator.clock.now()):
            coordinator.sweep()
            relay.deliver()
            pause.wait(0.01)
        relay.close()
    sys.stdout.write(json.dumps(channel.told))


if __name__ == "__main__":
    main(*sys.argv[1:])
