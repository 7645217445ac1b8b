"""A process that fails at any commit, before or after it, loses no alert and makes no second record of one."""

from datetime import datetime, timedelta
from threading import Event
from typing import cast

import pytest

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.relay import Relay
from shotclock.errors import StoreError
from shotclock.ports import Store
from shotclock.testing.tap import Change, Fault, FaultKind, Tap
from tests.slack import WAIT
from tests.unit.alerts.house import House, Mouth, outlet

KINDS: tuple[FaultKind, ...] = ("refused", "unknown")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("commit", range(1, 6))
def test_an_alert_is_recorded_once_and_told_whatever_fails(kind: FaultKind, commit: int) -> None:
    mouth = Mouth()
    house = House(outlet("ops", mouth), alerts_send=timedelta(seconds=10))
    house.tell("opening")
    tap = Tap(house.store, house.clock, lambda _change, _now: None)
    tap.arm(Fault(kind=kind, commit=commit))
    broken = Coordinator(cast("Store", tap), house.settings, house.clock)
    relay = Relay(broken, house.bell, house.outlets)
    failed = False
    try:
        relay.deliver()
    except StoreError:
        failed = True
    relay.close()
    for _ in range(3):
        house.deliver(minutes=1)
    assert mouth.facts[:1] == ["opening"]
    assert len(mouth.facts) <= 2
    assert house.alert().count == 1
    assert house.unsent() == []
    assert failed is (commit == 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_came_back_is_written_down_as_soon_as_the_store_takes_it(kind: FaultKind) -> None:
    mouth, marked = Mouth(), Event()
    house = House(outlet("ops", mouth), sweep=timedelta(milliseconds=1))

    def watch(change: Change, _now: datetime) -> None:
        if any(key.startswith("notice:") for key in change.sent):
            marked.set()

    tap = Tap(house.store, house.clock, watch)
    house.tell("opening")
    tap.arm(Fault(kind=kind, commit=4))
    relay = Relay(Coordinator(cast("Store", tap), house.settings, house.clock), house.bell, house.outlets)
    relay.deliver()
    assert marked.wait(WAIT)
    relay.close()
    house.deliver(minutes=5)
    assert mouth.facts == ["opening"]
    assert house.unsent() == []
