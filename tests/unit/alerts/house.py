"""A coordinator over a standing clock, its relay with channels, and short words for what happens."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shotclock.channels.slack import SlackChannel
from shotclock.engine import alerting
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.relay import Relay
from shotclock.model import SEVERITIES, Alert, Gate, Outgoing, Plan, Severity
from shotclock.ports import Outlet, Store
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from tests.slack import Slack
from tests.unit.engine.day import StandingClock, external


class Bell:
    """A bus that keeps what was rung."""

    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        self.rung.append(f"{route} {body['run']}")

    def wait(self, timeout: float) -> bool:
        raise AssertionError(timeout)

    def close(self) -> None:
        raise AssertionError


class Mouth:
    """A channel that keeps what it was sent, or raises what it is told to."""

    def __init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.raises: list[Exception] = []

    def send(self, alert: Mapping[str, Any]) -> None:
        if self.raises:
            raise self.raises.pop(0)
        self.sent.append(alert)

    @property
    def facts(self) -> list[str]:
        """What it was told, `-` before what is over."""
        return [f"{'-' if one.get('state') == 'over' else ''}{one['fact']}" for one in self.sent]


class House:
    """One store, one process; `deliver` has a relay tell everything that is ready, and waits for its threads."""

    def __init__(self, *outlets: Outlet, store: Store | None = None, **settings: object) -> None:
        self.clock, self.bell, self.store = StandingClock(), Bell(), store or MemoryStore()
        self.settings = Settings(home=Path(), **settings)  # type: ignore[arg-type]  # fields of the settings
        self.coordinator = Coordinator(self.store, self.settings, self.clock)
        self.outlets: Sequence[Outlet] = outlets

    def tell(self, fact: str, run: str = "p/2025-01-15", phase: str = "raw", **more: object) -> None:
        """Put a fact in the outbox, as a desk does."""
        number = more.pop("turn", self.clock.instant.isoformat())
        body = {"fact": fact, "run": run, "phase": phase, "text": f"{run} {phase}: {fact}", "names": ["a"]}
        now = self.clock.instant
        key = f"alert:{run}:{phase}:{fact}:{number}"
        message = Outgoing(key=key, route="alert", body=body | {"command": "c"} | more, created_at=now, ready_at=now)
        self.store.write(lambda tx: tx.post(message))

    def start(self, key: str, gate: Gate | None = None) -> None:
        """Start a run of one external member."""
        phases = (external("a", gate=gate or Gate(expected_by=timedelta(minutes=1))),)
        self.coordinator.start(Plan(pipeline="p", phases=phases), key)

    def sweep(self) -> None:
        while self.coordinator.sweep():
            pass

    def deliver(self, **span: float) -> None:
        """Let time pass, sweep, and tell everything that is ready."""
        self.clock.instant += timedelta(**span)
        self.sweep()
        relay = Relay(self.coordinator, self.bell, self.outlets)
        relay.deliver()
        relay.close()

    def alerts(self) -> list[Alert]:
        return self.store.read(alerting.records)

    def alert(self) -> Alert:
        (alert,) = self.alerts()
        return alert

    def unsent(self) -> list[str]:
        """Return the keys of notices that are under way."""
        rows = (row for table, row in self.store.dump() if table == "outbox")
        return [str(row[1]) for row in rows if not row[4] and row[2] != "look"]


def outlet(name: str, channel: Mouth, *severities: Severity) -> Outlet:
    return Outlet(name=name, channel=channel, severities=frozenset(severities or SEVERITIES))


def slack_outlet(slack: Slack) -> Outlet:
    return Outlet(name="slack", channel=SlackChannel("slack", slack.address, timedelta(seconds=10)))


def at(house: House) -> datetime:
    return house.clock.instant
