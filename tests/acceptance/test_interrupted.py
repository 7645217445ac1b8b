"""Ctrl-C and `kill -9`: what was done stays, what was not is done by the same command."""

import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from tests.acceptance.house import DAY, House

RUN = f"slow/{DAY}"
AT_ONCE = {"SHOTCLOCK_STOP": "100ms"}
"""Members that will not end are not waited for."""
FILE = """
phases:
  raw:
    members: {games: {run: "slow.steps:games"}}
  scores:
    needs: [raw]
    items: "slow.steps:items"
    run: "slow.steps:score"
    execution: {mode: MODE, max_workers: 2, chunk: 2, timeout: 1m}
    then: "slow.steps:total"
"""
STEPS = """
from pathlib import Path
from threading import Event

GO = Path(__file__).with_name("go")

def games(ctx):
    return Succeeded()

def items(ctx):
    return (Item(f"p{number}") for number in range(8))

def score(ctx, items):
    pause = Event()
    while not GO.exists() and items[0].id != "p0" and not ctx.stop:
        pause.wait(0.01)
    if not GO.exists() and items[0].id != "p0":
        raise Retry("stopped")
    with (ctx.home / "done.txt").open("a") as file:
        file.writelines(f"{item.id}\\n" for item in items)
    return {item.id: Succeeded(rows=1) for item in items}

def total(ctx):
    names = sorted(one.name for one in ctx.settled())
    (ctx.published / "total.txt").write_text("\\n".join(names))
    return {"show": f"{len(names)} scores"}
"""


def slow(house: House, mode: str = "parallel") -> None:
    """Write a pipeline whose third chunk waits for a file."""
    house.pipeline("slow", FILE.replace("MODE", f"{mode}"), STEPS)


def go(house: House) -> None:
    """Let the waiting chunks go on."""
    house.file("slow", "go").write_text("")


def test_ctrl_c_gives_the_leases_back_and_the_same_command_goes_on(house: House) -> None:
    slow(house)
    running = house.start("run", "slow", DAY, more=AT_ONCE)
    running.says("scores: 2 of 8")
    stopped = running.send(signal.SIGINT).finish()
    assert stopped.code == 130
    assert f"go on with: shotclock run slow {DAY}" in stopped.err
    assert "Traceback" not in stopped.err
    store = house.store()
    assert store.read(lambda view: view.leased()) == []
    store.close()
    go(house)
    done = house("run", "slow", DAY)
    assert done.code == 0
    assert "8 scores" in done.out


def test_a_wish_to_terminate_is_taken_like_ctrl_c(house: House) -> None:
    slow(house, "process")
    running = house.start("run", "slow", DAY, more=AT_ONCE)
    running.says("scores: 2 of 8")
    assert running.send(signal.SIGTERM).finish().code == 130
    go(house)
    assert house("run", "slow", DAY).code == 0


def test_a_killed_run_goes_on_where_it_was_and_does_nothing_twice(house: House) -> None:
    slow(house, "process")
    running = house.start("run", "slow", DAY)
    running.says("scores: 2 of 8")
    assert running.send(signal.SIGKILL).finish().code == -signal.SIGKILL
    go(house)
    done = house("run", "slow", DAY)
    assert done.code == 0
    names = [f"p{number}" for number in range(8)]
    assert house.file(".shotclock", "published", "slow", DAY, "total.txt").read_text().split() == names
    scored = house.file(".shotclock", "done.txt").read_text().split()
    assert [scored.count(name) for name in ("p0", "p1")] == [1, 1]


def test_json_writes_a_line_for_each_event_and_the_outcome_last(house: House) -> None:
    slow(house)
    go(house)
    events = house("run", "slow", DAY, "--json").documents
    assert events[0] == {"event": "run.started", "run": RUN}
    assert {"phase.started", "phase.opened", "phase.consolidated"} <= {event["event"] for event in events}
    last = events[-1]
    assert (last["event"], last["state"], last["exit"], last["published"]) == (
        "run.ended",
        "complete",
        0,
        ["total.txt"],
    )
    for words in (("status",), ("status", RUN), ("missing", RUN), ("explain", RUN, "scores"), ("validate", "slow")):
        assert house(*words, "--json").document is not None


def test_without_a_terminal_there_are_no_control_characters(house: House) -> None:
    slow(house)
    go(house)
    done = house("run", "slow", DAY, more={"TERM": "xterm-256color"})
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", done.out + done.err) == []


def on_a_terminal(house: House, more: dict[str, str]) -> tuple[int, str]:
    """Run the pipeline on a terminal of its own and return what it drew."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "shotclock", "run", "slow", DAY],
        cwd=house.folder,
        env=house.environment({"TERM": "xterm-256color", "COLUMNS": "120", **more}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = b""
    try:
        while chunk := os.read(ours, 65_536):
            drawn += chunk
            if b"2 of 8" in drawn:
                go(house)
    except OSError:  # a terminal without a process on it ends with an error
        pass
    finally:
        os.close(ours)
    return process.wait(), drawn.decode()


def test_on_a_terminal_each_phase_has_a_line_that_is_redrawn(house: House) -> None:
    slow(house)
    code, drawn = on_a_terminal(house, {})
    assert code == 0
    assert "\x1b[" in drawn
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn)
    assert re.search(r"scores +active +2 of 8", plain)
    assert re.search(r"raw +done +1 of 1", plain)
    assert f"{RUN}: complete" in plain


def test_no_color_leaves_colours_out(house: House) -> None:
    slow(house)
    code, drawn = on_a_terminal(house, {"NO_COLOR": "1"})
    assert code == 0
    assert re.findall(r"\x1b\[[0-9;]*3[0-9]m", drawn) == []


LOUD = """
import os
def a(ctx):
    print("chatter")
    os.write(1, b"more chatter\\n")
    return Succeeded()
"""


@pytest.mark.parametrize("mode", ["sequential", "process"])
def test_what_members_print_stays_out_of_the_json_document(house: House, mode: str) -> None:
    member = "{a: {run: 'loud.steps:a'}}"
    house.pipeline(
        "loud", f"key: {{type: date}}\nphases: {{raw: {{members: {member}, execution: {{mode: {mode}}}}}}}\n", LOUD
    )
    done = house("run", "loud", DAY, "--json")
    assert done.documents[-1]["event"] == "run.ended"
    assert done.err.count("chatter") == 2
