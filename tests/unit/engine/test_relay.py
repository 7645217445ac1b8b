"""What the outbox holds is delivered at least once; a channel that fails holds up nothing but its own alerts."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.relay import LogChannel, Relay
from shotclock.errors import BusError
from shotclock.model import Gate, Plan, Run
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from tests.unit.engine.day import KEY, StandingClock, external

WAIT = 60.0


class Recorder:
    """A bus and a channel that keep what they were given, or refuse it while told to."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.sent: list[str] = []
        self.refuses = False
        self.held = Event()
        self.held.set()
        self.came = Event()

    def ring(self, route: str, body: Mapping[str, Any]) -> None:
        if self.refuses:
            message = "down"
            raise BusError(message)
        self.rung.append(f"{route}:{body['phase']}")

    def wait(self, timeout: float) -> bool:
        raise AssertionError(timeout)

    def close(self) -> None:
        raise AssertionError

    def send(self, alert: Mapping[str, Any]) -> None:
        self.came.set()
        assert self.held.wait(WAIT)
        if self.refuses:
            message = "down"
            raise BusError(message)
        self.sent.append(str(alert["fact"]))


class House:
    """A coordinator over a standing clock, and its relay."""

    def __init__(self) -> None:
        self.clock, self.recorder, self.store = StandingClock(), Recorder(), MemoryStore()
        self.coordinator = Coordinator(self.store, Settings(), self.clock)
        self.relay = Relay(self.coordinator, self.recorder, self.recorder)

    def start(self) -> Run:
        phases = (external("a", gate=Gate(expected_by=timedelta(minutes=1))),)
        return self.coordinator.start(Plan(pipeline="p", phases=phases), KEY)[0]

    def pass_time(self, **span: float) -> None:
        self.clock.instant += timedelta(**span)
        while self.coordinator.sweep():
            pass

    def handover(self) -> str:
        phase = self.store.read(lambda view: view.phases(f"p/{KEY}"))[0]
        assert phase.handover is not None
        return phase.handover.state

    def waiting(self) -> list[tuple[str, int]]:
        """Return route and attempts of what is not delivered; reminders to look at what was told are no messages."""
        rows = (row for table, row in self.store.dump() if table == "outbox")
        return [(route, attempts) for _, _, route, _, sent, _, _, attempts, *_ in rows if not sent and route != "look"]


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    with closing(house.relay):
        yield house


def test_a_hand_over_is_delivered_with_the_message_that_told_of_it(house: House) -> None:
    house.start()
    assert house.handover() == "triggered"
    house.relay.deliver()
    assert house.recorder.rung == ["handover:raw"]
    assert house.handover() == "delivered"
    assert house.waiting() == []


def test_a_message_that_was_not_taken_is_tried_again_after_a_wait(house: House) -> None:
    house.recorder.refuses = True
    house.start()
    house.relay.deliver()
    assert (house.handover(), house.waiting()) == ("triggered", [("handover", 1)])
    house.recorder.refuses = False
    house.clock.instant += timedelta(minutes=1)
    house.relay.deliver()
    assert house.handover() == "delivered"


def test_a_slow_channel_holds_up_no_hand_over(house: House) -> None:
    house.recorder.held.clear()
    house.start()
    house.pass_time(minutes=2)
    house.relay.deliver()
    assert house.recorder.came.wait(WAIT)
    assert house.recorder.rung == ["handover:raw"]
    house.recorder.held.set()
    house.relay.close()
    assert house.recorder.sent == ["expected"]
    assert house.waiting() == []


def test_an_alert_at_hand_is_not_sent_twice_although_its_hold_has_run_out(house: House) -> None:
    house.recorder.held.clear()
    house.start()
    house.pass_time(minutes=2)
    house.relay.deliver()
    house.clock.instant += timedelta(hours=1)
    house.relay.deliver()
    house.recorder.held.set()
    house.relay.close()
    assert house.recorder.sent == ["expected"]


def test_a_channel_that_fails_leaves_its_alert_for_later(house: House) -> None:
    house.recorder.refuses = True
    house.start()
    house.pass_time(minutes=2)
    house.relay.deliver()
    house.relay.close()
    assert ("notice log", 1) in house.waiting()


def test_under_a_halt_alerts_are_sent_and_nothing_else(house: House) -> None:
    house.start()
    house.pass_time(minutes=2)
    house.coordinator.halt("p", actor="me", reason="wait")
    house.relay.deliver()
    house.relay.close()
    assert (house.recorder.rung, house.recorder.sent) == ([], ["expected"])
    house.coordinator.resume("p", actor="me")
    house.clock.instant += timedelta(minutes=1)
    house.relay.deliver()
    assert house.recorder.rung == ["handover:raw"]


def test_without_a_channel_an_alert_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    alert = {"fact": "opening", "text": "p/1 raw: opened deadline", "names": ["a", "b"], "command": "shotclock status"}
    LogChannel().send(alert)
    assert caplog.messages == ["p/1 raw: opened deadline (a, b) -> shotclock status"]
