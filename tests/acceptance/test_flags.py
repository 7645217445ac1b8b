"""Flags from the command line: set, shown, rolled back with evidence, everywhere, with the store down, and undone."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shotclock import Coordinator, Settings, load, open_store
from shotclock.clock import SystemClock
from tests.acceptance.house import DAY, House, Started
from tests.acceptance.test_workers import started
from tests.servers import PostgresServer

CROWD = 10
BOUND = 5.0
FILE = """
flags:
  fast: {owner: ann, purpose: A faster way., default: on}
  loud: {owner: ann, purpose: Say more., binding: live, default: on, alias: ENABLE_LOUD}
  sized: {owner: ann, purpose: The size of a page., variants: [small, large]}
phases:
  raw: {members: {games: {run: "gated.steps:games"}}}
  scores:
    needs: [raw]
    items: "gated.steps:players"
    run: "gated.steps:score"
    execution: {mode: parallel, max_workers: 2, chunk: 1}
"""
STEPS = """
import os, time
from threading import Event

def games(ctx):
    return Succeeded()

def players(ctx):
    return (Item(f"p{number}") for number in range(NUMBER))

def score(ctx, items):
    Event().wait(WAIT)
    begun = time.time()
    fast, loud = ctx.flag("fast"), ctx.flag("loud")
    with (ctx.home / "asked").open("a") as file:
        file.write(f"{begun} {os.getpid()} {fast} {loud} {ctx.generation}\\n")
    return {item.id: Succeeded() for item in items}
"""


def gated(house: House, number: int, wait: float) -> Path:
    return house.pipeline("gated", FILE, STEPS.replace("NUMBER", str(number)).replace("WAIT", str(wait)))


def asked(house: House) -> list[list[str]]:
    """Return what each task was told: when it asked, in which process, of fast, of loud, and its generation."""
    return [line.split() for line in house.file(".shotclock", "asked").read_text().splitlines()]


def test_flags_are_set_shown_and_accounted_for(house: House) -> None:
    gated(house, 2, 0)
    listed = house("flags", "list", "--pipeline", "gated")
    assert [line.split()[:5] for line in listed.lines] == [
        ["fast", "on", "declared", "v1", "run"],
        ["loud", "on", "declared", "v1", "live"],
        ["sized", "small", "declared", "v1", "run"],
    ]
    assert house("flags", "set", "fast", "25%", "--reason", "a look", "--actor", "bob").lines == [
        "fast: on -> 25% (version 2)"
    ]
    assert house("flags", "set", "sized", "large", "--percent", "10").lines == [
        "sized: small -> large 10%, else small (version 2)"
    ]
    shown = house("flags", "show", "ENABLE_LOUD", more={"ENABLE_LOUD": "off"})
    assert shown.lines[0] == "loud"
    assert "here loud is off by its environment, whatever is set" in shown.lines
    (first, _) = house("flags", "audit", "--json").document
    assert (first["flag"], first["what"], first["actor"], first["reason"]) == ("fast", "set", "bob", "a look")
    assert [line.split()[2:6] for line in house("flags", "audit", "fast").lines] == [["fast", "set", "on", "->"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("flags", "set", "fasst", "on"), "there is no flag fasst; the nearest is fast"),
        (("flags", "set", "fast", "perhaps"), "'perhaps' is not a value of fast: expected on, off or a percentage"),
        (("flags", "set", "sized", "huge"), "'huge' is not a value of sized: expected one of small, large"),
        (("flags", "set", "fast", "on", "--percent", "101"), "'101' is not a percentage"),
        (("flags", "show", "DUAL_WRITE_MODE"), "DUAL_WRITE_MODE is no flag: state is written in one place"),
        (("rollback",), "name the flags, or give --all"),
        (("rollback", "fast", "--all"), "name the flags, or give --all"),
        (("rollback", "fasst"), "there is no flag fasst; the nearest is fast"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(house: House, words: tuple[str, ...], told: str) -> None:
    gated(house, 1, 0)
    house("flags", "list", "--pipeline", "gated")
    done = house(*words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert told in done.err


def test_a_rollback_now_starts_what_carries_the_flag_again_without_it(house: House) -> None:
    pipeline = gated(house, 400, 0.02)
    run = started(house, pipeline)
    worker = house.start("worker")
    worker.says("scores.items")
    done = house("rollback", "fast", "--reason", "too fast")
    assert done.code == 0, done.err
    assert f"{run} carries another value of fast: goes on with it until it is over" in done.lines
    assert done.lines[-1].startswith("confirmed by 1 of 1 processes after ")
    again = house("rollback", "fast", "--now", "--reason", "too fast", "--json").document
    assert again["runs"] == [{"run": run, "flags": ["fast"], "again": f"{run}#2"}]
    assert house("status", f"{run}#2", "--json").document["phases"][0]["carried_from"] == run
    worker.says("scores.items")
    while not any(line[-1] == "2" for line in asked(house)):
        worker.says("scores.items")
    worker.send(signal.SIGTERM).finish()
    assert {(line[4], line[2]) for line in asked(house)} == {("1", "True"), ("2", "False")}
    undone = house("rollback", "fast", "--undo").lines
    assert undone[-2] == f"{run}#2 carries another value of fast: goes on with it until it is over"


def test_with_the_store_down_the_kill_switch_is_thrown_and_taken_back(house: House) -> None:
    gated(house, 1, 0)
    house("flags", "list", "--pipeline", "gated")
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    done = house("rollback", "fast", "--store", nowhere, more={"SHOTCLOCK_STORE_BUSY": "100ms"})
    assert done.code == 1
    assert "the store cannot be used" in done.err
    assert done.lines[0].endswith("flags.off turns off: fast")
    assert house("flags", "list").lines[0].split()[:3] == ["fast", "off", "kill_switch"]
    assert house("run", "gated", DAY).code == 0
    assert {line[2] for line in asked(house)} == {"False"}
    assert house("rollback", "fast", "--undo").code == 0
    assert not house.file(".shotclock", "flags.off").exists()
    assert house("flags", "list").lines[0].split()[:3] == ["fast", "on", "declared"]


# --- ten processes ---


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give where state lives: a file, or a schema of a server."""
    if request.param == "file":
        yield ""
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    found = server.fresh()
    yield found
    server.give_back(found)


@pytest.mark.long
@pytest.mark.parametrize("address", ["file", "postgres"], indirect=True)
def test_ten_processes_under_load_believe_a_rollback_and_who_is_stopped_is_named(
    house: House, address: str, record_property: Callable[[str, object], None]
) -> None:
    pipeline = gated(house, 100_000, 0.05)
    home = house.folder / ".shotclock"
    home.mkdir()
    settings = Settings(home=home, store=address)
    with closing(open_store(settings)) as store:
        Coordinator(store, settings, SystemClock()).start(load(pipeline), DAY)
    more = {"SHOTCLOCK_STORE": address} if address else {}
    crowd = [house.start("worker", more=more) for _ in range(CROWD)]
    for worker in crowd:
        worker.says("scores.items")
    done = house("rollback", "--all", "--reason", "all of it", "--json", more=more)
    assert done.code == 0, done.err
    said = done.document
    record_property("ten processes believed a rollback after", f"{said['seconds']:.1f} s")
    assert said["seconds"] < BOUND
    assert [one["confirmed"] for one in said["processes"]] == [True] * CROWD
    assert {one["believes"]["loud"]["origin"] for one in said["processes"]} == {"set"}
    assert not any(one["believes"]["loud"]["split"].get("share") for one in said["processes"])
    assert house("rollback", "--all", "--undo", more=more).code == 0
    _stopped_is_named(house, crowd, more)


def _stopped_is_named(house: House, crowd: list[Started], more: dict[str, str]) -> None:
    """Stop one of a crowd, roll back, wake it up, and see that it reads before it acts."""
    sleeper = crowd[0].send(signal.SIGSTOP)
    done = house("rollback", "--all", "--reason", "again", "--json", more=more)
    assert done.code == 1
    silent = [one["process"] for one in done.document["processes"] if not one["confirmed"]]
    assert [name.split(":")[1] for name in silent] == [str(sleeper.process.pid)]
    assert f"not confirmed by {silent[0]}" in done.err
    over = time.time()
    sleeper.send(signal.SIGCONT)
    sleeper.says("scores.items")
    while not any(float(line[0]) > over and int(line[1]) == sleeper.process.pid for line in asked(house)):
        sleeper.says("scores.items")
    told = [line for line in asked(house) if float(line[0]) > over]
    assert {line[3] for line in told} == {"False"}
    assert house("rollback", "--all", more=more).code == 0
    for worker in crowd:
        worker.send(signal.SIGKILL).finish()
