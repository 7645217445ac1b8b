"""Metrics count what is told and read what waits; dashboard and alert rules name only what there is."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from typing import cast

import pytest
import yaml

from shotclock import Coordinator, Report, Settings, open_store
from shotclock.clock import SystemClock
from shotclock.engine.telling import Audience
from shotclock.errors import StoreUnavailableError
from shotclock.model import Fact, Member, PhasePlan, Plan
from shotclock.observe.metrics import Metrics, quantile
from shotclock.ports import Store

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"shotclock_[a-z_]+")
AT = datetime(2025, 1, 15, 12, tzinfo=UTC)
PLAN = Plan(
    pipeline="p",
    phases=(
        PhasePlan(name="raw", members=(Member(name="a"),)),
        PhasePlan(name="next", needs=("raw",), members=(Member(name="b", run="x:y"),)),
    ),
)
FACTS = ("dead_letter.kept", "schedule.missed", "alert.raised", "task.leased", "heartbeat.failed", "phase.failed")


@pytest.fixture
def metrics() -> Metrics:
    settings = Settings(store="memory://")
    store = open_store(settings)
    made = Metrics(store, settings, SystemClock())
    coordinator = Coordinator(store, settings, SystemClock(), audience=Audience({"metrics": made.told}))
    run, _ = coordinator.start(PLAN, "2025-01-15")
    report = Report(run=run.id, phase="raw", member="a", outcome="succeeded")
    coordinator.report([report, report])
    coordinator.report([Report(run="nobody/1", phase="raw", member="a", outcome="succeeded")])
    made.told([Fact(name=name, at=AT, run="p/1", phase="raw") for name in FACTS])
    made.told([Fact(name="run.ended", at=AT, run="p/1", reason="complete", took=timedelta(hours=1))])
    made.observe_request("/v1/reports", "POST", 200, 0.004)
    return made


def values(metrics: Metrics) -> dict[str, float]:
    lines = (line for line in metrics.text().decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_what_a_run_does_is_counted_and_what_waits_is_read(metrics: Metrics) -> None:
    found = values(metrics)
    assert found['shotclock_reports_total{answer="accepted",pipeline="p",source="outside"}'] == 1
    assert found['shotclock_reports_total{answer="duplicate",pipeline="p",source="outside"}'] == 1
    assert found['shotclock_openings_total{partial="no",pipeline="p",reason="all"}'] == 1
    assert found['shotclock_backlog_tasks{phase="next",pipeline="p"}'] == 1
    assert found['shotclock_run_seconds_sum{outcome="complete",pipeline="p"}'] == 3600
    assert found["shotclock_store_readable"] == 1


def test_who_reports_to_a_pipeline_that_nobody_knows_makes_no_series(metrics: Metrics) -> None:
    assert 'pipeline="nobody"' not in metrics.text().decode()
    assert values(metrics)['shotclock_reports_total{answer="parked",pipeline="",source="outside"}'] == 1


def test_a_store_that_cannot_be_read_costs_only_what_is_read_from_it(tmp_path: Path) -> None:
    store: Store = open_store(Settings(home=tmp_path))
    metrics = Metrics(store, Settings(), SystemClock())
    store.close()
    metrics.observe_request("/v1/reports", "POST", 503, 0.004)
    found = values(metrics)
    assert (found["shotclock_store_readable"], "shotclock_sweep_lag_seconds" in found) == (0, False)
    assert found['shotclock_http_requests_total{method="POST",route="/v1/reports",status="503"}'] == 1


def test_reports_that_come_again_about_what_does_not_exist_make_only_so_many_series(metrics: Metrics) -> None:
    metrics.told([Fact(name="report.duplicate", at=AT, run=f"p{number}/1") for number in range(2_000)])
    names = re.findall(r'shotclock_reports_total{answer="duplicate",pipeline="(\w+)"', metrics.text().decode())
    assert (len(names), "other" in names) == (501, True)


class Hanging:
    """A store that answers nothing until it may."""

    def __init__(self) -> None:
        self.goes_on = Event()

    def read(self, _work: object) -> None:
        self.goes_on.wait()
        message = "gone"
        raise StoreUnavailableError(message)


def test_scrapes_of_a_store_that_hangs_end_in_time_and_leave_one_thread() -> None:
    store = Hanging()
    settings = Settings(health_check=timedelta(milliseconds=20))
    metrics = Metrics(cast("Store", store), settings, SystemClock())
    for _ in range(4):
        assert values(metrics)["shotclock_store_readable"] == 0
    hanging = [thread for thread in threads() if thread.name == "shotclock probe metrics"]
    store.goes_on.set()
    assert len(hanging) == 1
    hanging[0].join()


def test_when_a_pipeline_last_succeeded_is_read_from_the_store() -> None:
    store = open_store(Settings(store="memory://"))
    coordinator = Coordinator(store, Settings(), SystemClock())
    plan = Plan(pipeline="p", phases=PLAN.phases[:1])
    for day in ("2025-01-15", "2025-01-16"):
        run, _ = coordinator.start(plan, day)
        coordinator.report([Report(run=run.id, phase="raw", member="a", outcome="succeeded")])
    ended = store.read(lambda view: view.run(run.id))
    assert ended is not None
    assert ended.ended_at is not None
    found = values(Metrics(store, Settings(), SystemClock()))
    last = found['shotclock_last_success_timestamp_seconds{pipeline="p"}']
    assert last == pytest.approx(ended.ended_at.timestamp(), abs=1e-3)
    store.close()


def test_how_late_a_gate_opened_is_counted_where_it_was_late(metrics: Metrics) -> None:
    metrics.told([Fact(name="gate.opened", at=AT, run="p/1", phase="raw", reason="deadline", more={"late_by": 90.0})])
    found = values(metrics)
    assert found['shotclock_opening_late_seconds_sum{pipeline="p"}'] == 90
    assert found['shotclock_opening_late_seconds_count{pipeline="p"}'] == 1


def test_many_dead_letters_of_a_commit_are_counted_as_many(metrics: Metrics) -> None:
    metrics.told([Fact(name="dead_letter.kept", at=AT, run="p/1", phase="raw", number=41)])
    assert values(metrics)['shotclock_dead_letters_total{pipeline="p"}'] == 42


def test_a_quantile_is_a_value_that_was_seen() -> None:
    assert [quantile([1, 2, 3, 4], part) for part in (0, 0.5, 0.99)] == [1, 3, 4]
    assert quantile([], 0.5) == 0


def dashboard() -> list[str]:
    board = json.loads((ROOT / "deploy/grafana/shotclock.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def rules() -> list[str]:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def test_every_metric_that_the_dashboard_and_the_rules_name_exists(metrics: Metrics) -> None:
    there = {name.partition("{")[0] for name in values(metrics)}
    named = {name for expr in (*dashboard(), *rules()) for name in NAME.findall(expr)}
    assert len(named) > 10
    assert named - there == set()


def test_every_rule_says_how_grave_it_is_and_what_to_do() -> None:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in groups[0]["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert "shotclock " in rule["annotations"]["description"]
