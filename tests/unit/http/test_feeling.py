"""A process that cannot do its work says so, and what is broken beside the work does not stop it."""

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from shotclock.clock import seconds
from shotclock.engine.process import beaten, this_process
from shotclock.http.selfcheck import check, checking
from shotclock.model import Fact
from shotclock.ports import Snapshot, Transaction
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from tests.unit.http.front import START
from tests.unit.http.house import DAY, FILE, RUN, asking

T = TypeVar("T")
STRICT: dict[str, Any] = {"health_cache": timedelta(milliseconds=1)}


def test_a_member_whose_import_breaks_keeps_the_process_not_ready_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    package = tmp_path / f"broken_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "steps.py").write_text("import a_library_that_is_not_there\n", encoding="utf-8")
    file = FILE.replace("props: {external: true}", f'props: {{run: "{package.name}.steps:props"}}')
    with asking(tmp_path, **STRICT) as ask:
        (tmp_path / "sources" / "pipeline.yaml").write_text(file, encoding="utf-8")
        assert (ask("GET", "/health/ready").status, ask("GET", "/health/live").status) == (503, 200)
        ask.service.vitals.health.started(check(ask.service))
        refused = ask("GET", "/health/ready")
        assert refused.status == 503
        assert "a_library_that_is_not_there" in " ".join(refused.body["reasons"])
        assert not ask("GET", "/health").body["ok"]


def test_a_process_whose_start_was_checked_and_where_nothing_is_wrong_is_ready(tmp_path: Path) -> None:
    with asking(tmp_path, **STRICT) as ask, checking(ask.service):
        deadline = seconds() + 30
        while ask("GET", "/health/ready").status != 200:
            assert seconds() < deadline, ask("GET", "/health/ready").body
        found = ask("GET", "/health/ready").body
        assert (found["ok"], found["reasons"]) == (True, [])
        assert {one["name"] for one in found["checks"]} >= {"store", "disk", "sweep", "backlog", "heartbeat"}


def test_what_raises_beside_the_work_is_shown_broken_and_the_work_goes_on(tmp_path: Path) -> None:
    def broken(_facts: Sequence[Fact]) -> None:
        message = "out of order"
        raise RuntimeError(message)

    with asking(tmp_path, **STRICT) as ask:
        ask.service.vitals.audience._listeners["metrics"] = broken  # noqa: SLF001 - it breaks
        ask.service.vitals.health.started(())
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        assert [ask.report(name).body["answer"] for name in ("odds", "props")] == ["accepted", "accepted"]
        assert ask("GET", f"/v1/runs/{RUN}").body["phases"][0]["state"] == "done"
        ready = ask("GET", "/health/ready")
        assert (ready.status, set(ready.body["broken"])) == (200, {"metrics"})
        assert "out of order" in ask("GET", "/health").body["broken"]["metrics"]


def test_metrics_and_figures_tell_of_reports_and_requests(tmp_path: Path) -> None:
    with asking(tmp_path, **STRICT) as ask:
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        ask.report("odds")
        ask.report("odds")
        scraped = ask("GET", "/metrics")
        assert scraped.headers["content-type"].startswith("text/plain; version=")
        assert 'shotclock_reports_total{answer="duplicate",pipeline="sources",source="outside"} 1.0' in scraped.text
        routes = {one["route"]: one for one in ask("GET", "/health/metrics").body["routes"]}
        assert (routes["/v1/reports"]["requests"], routes["/v1/reports"]["errors"]) == (2, 0)
        assert 0 < routes["/v1/reports"]["p50"] <= routes["/v1/reports"]["p99"]


def test_a_heartbeat_that_cannot_be_written_is_visible_whatever_old_ones_there_are(tmp_path: Path) -> None:
    store = MemoryStore()
    process = this_process(START, Settings(), kind="worker", tags=())
    old = beaten(process, START - timedelta(hours=2), ended=True)

    def fill(tx: Transaction) -> None:
        for number in range(1_000):
            tx.beat(replace(old, name=f"worker-{number}"))

    store.write(fill)
    with asking(tmp_path, store, **STRICT) as ask:
        ask.service.vitals.health.started(())
        assert ask("GET", "/health/ready").status == 200
        failed = Fact(name="heartbeat.failed", at=START, reason="StoreUnavailableError")
        ask.service.vitals.audience.tell([failed])
        refused = ask("GET", "/health/ready")
        assert (refused.status, "heartbeat" in refused.body["reasons"][0]) == (503, True)


class Stopped(MemoryStore):
    """A store that answers nothing while it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = Event()
        self.goes_on.set()

    def write(self, work: Callable[[Transaction], T]) -> T:
        self.goes_on.wait()
        return super().write(work)

    def read(self, work: Callable[[Snapshot], T]) -> T:
        self.goes_on.wait()
        return super().read(work)


def test_a_store_that_stops_under_load_is_told_and_nothing_that_waits_is_lost(tmp_path: Path) -> None:
    store, answers = Stopped(), list[str]()
    quick = {"health_check": timedelta(milliseconds=200), **STRICT}
    with asking(tmp_path, store, **quick) as ask:
        ask.service.vitals.health.started(())
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        assert ask("GET", "/health/ready").status == 200
        store.goes_on.clear()
        callers = [Thread(target=lambda: answers.append(ask.report("odds").body["answer"])) for _ in range(20)]
        for caller in callers:
            caller.start()
        lookers = [Thread(target=ask, args=("GET", path)) for path in ("/metrics", "/health") * 4]
        for looker in lookers:
            looker.start()
        stopped_at = seconds()
        found = ask("GET", "/health/ready")
        assert (found.status, any(reason.startswith("store") for reason in found.body["reasons"])) == (503, True)
        assert seconds() - stopped_at < 5  # however many look at a store that does not answer
        assert ask("GET", "/health/live").status == 200
        for looker in lookers:
            looker.join()
        assert answers == []
        store.goes_on.set()
        for caller in callers:
            caller.join()
        assert sorted(answers) == ["accepted"] + ["duplicate"] * 19
