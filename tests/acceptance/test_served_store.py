"""The same pipeline with its state on PostgreSQL: it publishes the same bytes, and its store moves there and back."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import game_logs
from tests.acceptance.house import DAY, ROOT, House
from tests.servers import PostgresServer

NBA = str(ROOT / "pipelines" / "nba")
RUN = f"small/{DAY}"
REAL_DAY = "2024-12-15"
FILE = """
phases:
  raw: {members: {games: {run: "small.steps:games"}, odds: {external: true}}}
  items: {needs: [raw], items: "small.steps:names", run: "small.steps:work", execution: {chunk: 7}}
"""
STEPS = """
def games(ctx):
    return Succeeded(rows=1)

def names(ctx):
    return (Item(f"item {number}") for number in range(100))

def work(ctx, items):
    return {item.id: Succeeded() for item in items}
"""


@pytest.fixture
def address(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of a schema that is not there."""
    found = postgres_server.place()
    yield found
    postgres_server.drop(found)


@pytest.fixture
def logs() -> str:
    """Give the folder of the published game logs."""
    return str(game_logs.folder("player_box_2024-25.csv.gz"))


def published(home: Path) -> dict[str, bytes]:
    """Return what was published, but for the files that say when and where."""
    files = (path for path in home.joinpath("published").rglob("*") if path.is_file())
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files if path.stem != "about"}


@pytest.mark.long
def test_a_day_of_the_reference_pipeline_publishes_the_same_bytes(house: House, address: str) -> None:
    assert house("store", "init", address).code == 0
    assert house("run", NBA, DAY, "--home", "served", "--store", address).code == 0
    assert house("run", NBA, DAY, "--home", "own").code == 0
    assert published(house.file("served")) == published(house.file("own"))
    assert len(published(house.file("own"))) > 2
    assert not house.file("served", "shotclock.db").exists()


@pytest.mark.long
def test_a_published_day_with_two_workers_beside_publishes_the_same_bytes(
    house: House, address: str, logs: str, record_property: Callable[[str, object], None]
) -> None:
    served = ("--home", "served", "--store", address)
    assert house("run", NBA, REAL_DAY, "--data", logs, "--home", "own").code == 0
    assert house("store", "init", address).code == 0
    workers = [house.start("worker", NBA, *served, "--json") for _ in range(2)]
    for worker in workers:
        worker.says('"worker.started"')
    run = house("run", NBA, REAL_DAY, "--data", logs, *served)
    assert run.code == 0, run.err
    ended = [worker.send(signal.SIGTERM).finish() for worker in workers]
    done = [[one for one in end.documents if one["event"] == "task.done"] for end in ended]
    assert [end.code for end in ended] == [0, 0]
    assert all(done), [end.out for end in ended]
    record_property("tasks done by the workers beside", [len(one) for one in done])
    assert published(house.file("served")) == published(house.file("own"))
    assert len(published(house.file("own"))) > 2


def test_a_store_that_was_not_made_is_refused_with_the_command_that_makes_it(house: House, address: str) -> None:
    house.pipeline("small", FILE, STEPS)
    done = house("run", "small", DAY, "--store", address)
    assert done.code == 1
    assert "shotclock store init" in done.err
    assert done.err.count("\n") == 1


def test_reports_commands_and_runs_share_a_served_store(house: House, address: str) -> None:
    house.pipeline("small", FILE, STEPS)
    more = {"SHOTCLOCK_STORE": address}
    assert "ready" in house("store", "init", more=more).out
    assert "is there already" in house("store", "init", more=more).out
    running = house.start("run", "small", DAY, more=more)
    running.says("raw: started")
    assert house("report", RUN, "raw", "odds", "succeeded", more=more).code == 0
    assert running.finish().code == 0
    assert "complete" in house("status", RUN, more=more).out.splitlines()[0]
    assert house("store", "upgrade", more=more).out.endswith("nothing to do\n")
    checked = house("store", "check", "--json", more=more)
    assert checked.document["rows"]["phase"] == 2
    assert "fsync is off" in checked.err


def test_a_store_is_copied_there_and_back_and_goes_on(house: House, address: str) -> None:
    house.pipeline("small", FILE, STEPS)
    running = house.start("run", "small", DAY)
    running.says("raw: started")
    refused = house("store", "copy", ".shotclock/shotclock.db", "copy.db")
    assert (refused.code, "end them first" in refused.err) == (2, True)
    running.end()
    assert house("store", "init", address).code == 0
    copied = house("store", "copy", ".shotclock/shotclock.db", address, "--json").document["rows"]
    assert copied["run"] == 1
    assert house("store", "copy", ".shotclock/shotclock.db", address).code == 2
    assert house("report", RUN, "raw", "odds", "succeeded", "--store", address).code == 0
    assert house("run", "small", DAY, "--store", address).code == 0
    assert house("store", "copy", "nothing.db", address).code == 2
    back = house("store", "copy", address, "back.db", "--json")
    assert back.document["rows"]["opening"] == 2
    assert "complete" in house("status", RUN, "--store", "sqlite:///back.db").out.splitlines()[0]
