"""`shotclock simulate`: says what happened, exits 1 for a broken promise, and names the command that shows it again."""

import json

import pytest

from shotclock.cli.main import execute


def test_seeds_in_which_nothing_breaks_exit_0_and_tell_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["simulate", "--start", "5", "--seeds", "4"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 seeds, ")
    assert "answer accepted" in out
    assert out.endswith("0 violations\n")


def test_the_document_counts_in_how_many_seeds_each_thing_happened(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert execute(["simulate", "--seeds", "3", "--json"]) == 0
    said = json.loads(capsysbinary.readouterr().out)
    assert said["seeds"] == 3
    assert 0 < said["in_seeds"]["answer accepted"] <= 3
    assert said["counters"]["answer accepted"] >= said["in_seeds"]["answer accepted"]
    assert said["violations"] == []


def test_one_seed_is_told_event_by_event(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["simulate", "--seed", "3", "--verbose"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("seed 3: keys")
    assert "\n1 11:00:" in out


def test_progress_goes_to_the_error_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["simulate", "--seeds", "60"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("50 of 60 seeds, ")
    assert captured.out.startswith("60 seeds, ")


def test_a_broken_promise_exits_1_and_names_the_command_that_shows_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shotclock.engine.rolls.missing_names", lambda *_: ())
    assert execute(["simulate", "--seeds", "100"]) == 1
    out = capsys.readouterr().out
    assert "I4 broken by seed " in out
    assert "again: shotclock simulate --seed " in out
    assert "\n1 violations\n" in out
