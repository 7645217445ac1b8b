"""Many days: the oldest first, a failed one stops nobody, what is over is left, and the worst day decides."""

import signal

import pytest

from tests.acceptance.house import House

FILE = """
starts: {schedule: "0 6 * * *", calendar: "many.steps:plays"}
phases:
  raw: {members: {games: {run: "many.steps:games"}}}
"""
STEPS = """
from pathlib import Path
from threading import Event

def plays(day):
    return day.isoweekday() != 7

def games(ctx):
    with (ctx.home / "days.txt").open("a") as file:
        file.write(f"{ctx.key}\\n")
    here = Path(__file__)
    if ctx.key == "2025-01-03" and here.with_name("broken").exists():
        raise Permanent("no file for the day")
    pause = Event()
    while ctx.key == "2025-01-04" and here.with_name("wait").exists() and not ctx.stop:
        pause.wait(0.01)
    return Succeeded() if not ctx.stop else Empty()
"""
RANGE = ("backfill", "many", "--from", "2025-01-01", "--to", "2025-01-06")


def days(house: House) -> list[str]:
    """Return the days that were worked on, in order."""
    return house.file(".shotclock", "days.txt").read_text().split()


def test_days_are_run_oldest_first_and_days_off_are_left_out(house: House) -> None:
    house.pipeline("many", FILE, STEPS)
    done = house(*RANGE)
    assert done.code == 0
    assert days(house) == [f"2025-01-0{day}" for day in (1, 2, 3, 4, 6)]
    assert done.lines[0].startswith("[1/5] many/2025-01-01: complete")
    assert "left" in done.lines[0]
    assert done.lines[-1] == "many: 5 complete, 1 days off"


def test_a_failed_day_stops_nobody_and_is_done_again_by_resume(house: House) -> None:
    house.pipeline("many", FILE, STEPS)
    house.file("many", "broken").touch()
    done = house(*RANGE)
    assert done.code == 1
    assert "many: 4 complete, 1 failed" in done.out
    assert "--resume" in done.lines[-1]
    house.file("many", "broken").unlink()
    again = house(*RANGE)
    assert (again.code, len(days(house))) == (1, 5)
    resumed = house(*RANGE, "--resume", "--json")
    assert resumed.code == 0
    assert days(house)[5:] == ["2025-01-03"]
    assert [event["run"] for event in resumed.documents if event.get("done_now")] == ["many/2025-01-03#2"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_unfinished_day_needs_resume(house: House, number: signal.Signals) -> None:
    house.pipeline("many", FILE, STEPS)
    house.file("many", "wait").touch()
    running = house.start(*RANGE, more={"SHOTCLOCK_STOP": "100ms"})
    running.says("[3/5]")
    while days(house)[-1] != "2025-01-04":
        assert running.process.poll() is None
    stopped = running.send(number).finish()
    assert stopped.code == (130 if number == signal.SIGINT else -number)
    house.file("many", "wait").unlink()
    refused = house(*RANGE)
    assert refused.code == 2
    assert "many/2025-01-04; --resume" in refused.err
    assert house(*RANGE, "--resume").code == 0
    assert days(house)[-1] == "2025-01-06"


@pytest.mark.parametrize(
    ("first", "last", "hint"),
    [
        ("2025-01-06", "2025-01-01", "give the older day first"),
        ("2025-01-01", "2999-01-01", "in the future"),
        ("0001-01-01", "2025-01-01", "at most 3660: split it"),
        ("yesterday", "2025-01-01", "YYYY-MM-DD"),
    ],
)
def test_a_range_that_cannot_be_meant_is_refused(house: House, first: str, last: str, hint: str) -> None:
    house.pipeline("many", FILE, STEPS)
    done = house("backfill", "many", "--from", first, "--to", last)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert hint in done.err
    assert not house.file(".shotclock").exists()
