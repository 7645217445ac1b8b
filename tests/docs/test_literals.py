"""Times and numbers of workers are settings or stand in the pipeline's file; none is written into code."""

from pathlib import Path

import pytest

from tests.docs.literals import literal_times, literal_times_in, literal_workers
from tests.docs.repository import ROOT, files, named

ALLOWED = {
    "src/shotclock/settings.py": "defines the settings",
    "src/shotclock/model/plan.py": "defines what a pipeline file need not say",
    "src/shotclock/spec/scalars.py": "bounds the durations that a pipeline file may hold",
    "pipelines/nba/card.py": "counts days of the league's calendar",
    "pipelines/nba/grade.py": "counts days of the league's calendar",
}
ALONE = {
    "src/shotclock/model/plan.py": "defines what a pipeline file need not say",
    "pipelines/nba/models.py": "trains in one thread, so that equal rows make equal models",
}
READ = {".py", ".sql"}
CODE = ("src", "pipelines")


def test_what_is_left_out_is_there() -> None:
    assert {named(path) for folder in CODE for path in files(ROOT / folder)} >= ALLOWED.keys() | ALONE.keys()


@pytest.mark.parametrize(
    "path",
    [path for folder in CODE for path in files(ROOT / folder) if path.suffix == ".py" and named(path) not in ALONE],
    ids=named,
)
def test_no_number_of_workers_is_written_as_a_literal(path: Path) -> None:
    assert literal_workers(path.read_text(encoding="utf-8"), named(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "ThreadPoolExecutor(8)",
        "futures.ProcessPoolExecutor(max_workers=4)",
        "Pool(processes=2)",
        "max_workers = 3",
        "def f(*, concurrency: int = 5): ...",
        "workers: int = 2 * 2",
        "Semaphore(10)",
    ],
)
def test_a_literal_number_of_workers_is_found(source: str) -> None:
    assert len(literal_workers(source, "x.py")) >= 1


@pytest.mark.parametrize(
    "source", ["Execution(max_workers=given)", "Semaphore()", "left = work.max_workers - busy", "workers = list(all)"]
)
def test_what_is_no_number_of_workers_is_left_alone(source: str) -> None:
    assert literal_workers(source, "x.py") == []


@pytest.mark.parametrize(
    "path",
    [path for folder in CODE for path in files(ROOT / folder) if path.suffix in READ and named(path) not in ALLOWED],
    ids=named,
)
def test_no_time_is_written_as_a_literal(path: Path) -> None:
    assert literal_times_in(path, named(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "worker.join(5)",
        "queue.get(timeout=0.5)",
        "time.sleep(1)",
        "poll_interval = 2",
        "class A:\n    lease_ttl: float = 60.0",
        "def f(*, timeout: float = 30): ...",
        "def f(a, delay=3, b=None): ...",
        "deadline = now + timedelta(minutes=5)",
        "LIMIT = timedelta(hours=2)",
        "wait = given or 10",
        "timeout = 60 * 5",
        "connection.execute('PRAGMA busy_timeout = 5000')",
        "retry(delay=timedelta(seconds=1))",
    ],
)
def test_a_literal_time_is_found(source: str) -> None:
    assert len(literal_times(source, "x.py")) >= 1


@pytest.mark.parametrize(
    "source",
    [
        "worker.join(settings.stop.total_seconds())",
        "queue.get(timeout=0)",
        "queue.get(timeout=None)",
        "', '.join(names)",
        "limit = 100",
        "MINUTE = timedelta(minutes=1)",
        "since = timedelta(0)",
        "deadline = started + gate.after",
        "released = pages[1]",
        "task = replace(task, hour_leases=task.hour_leases + 1 if hour else 1)",
        "wait = now + back_off * (0.5 + jitter / 2)",
        "waiting = counts.pending > 0",
        "deadline = read(text, 3)",
        "'the lease timeout is too short'",
        "def f(*, timeout: float | None = None): ...",
    ],
)
def test_what_is_no_time_is_left_alone(source: str) -> None:
    assert literal_times(source, "x.py") == []
