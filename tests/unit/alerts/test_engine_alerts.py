"""An engine with channels: it tells what is over before it ends, and those who watch that it has swept."""

from contextlib import closing
from datetime import timedelta
from threading import Event, Thread

from shotclock.clock import SystemClock
from shotclock.engine import alerting
from shotclock.engine.embedded import Engine
from shotclock.model import Gate, Plan, Report
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from tests.slack import WAIT
from tests.unit.alerts.house import Mouth, outlet
from tests.unit.engine.day import external


def test_every_sweep_that_came_to_its_end_is_told_to_who_watches() -> None:
    swept = Event()
    with closing(Engine(MemoryStore(), Settings(), SystemClock(), swept=swept.set)) as engine:
        thread = Thread(target=engine.serve)
        thread.start()
        assert swept.wait(WAIT)
        engine.stop()
        thread.join()


def test_a_process_that_ends_with_its_run_has_told_the_end_of_what_it_told() -> None:
    mouth, store = Mouth(), MemoryStore()
    settings = Settings(alerts_look=timedelta(hours=1))
    gate = Gate(expected_by=timedelta(milliseconds=1))
    with closing(Engine(store, settings, SystemClock(), outlets=(outlet("ops", mouth),))) as engine:
        run, _ = engine.coordinator.start(Plan(pipeline="p", phases=(external("a", gate=gate),)), "1")

        def report_once_told() -> None:
            if store.read(alerting.records):
                engine.coordinator.report([Report(run=run.id, phase="raw", member="a", outcome="succeeded")])

        engine.until_over(run.id, report_once_told, timedelta(milliseconds=10))
        assert [entry.member for entry in store.read(lambda view: view.entries("alert", scope="channel"))] == ["ops"]
    assert mouth.facts == ["expected", "-expected"]
