"""Alerts through the shipped command: proven, listed, taken on, silenced; refused at the start where they cannot go."""

import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.house import DAY, House
from tests.slack import WAIT, Slack, a_slack

PARTIAL = "phases:\n  raw:\n    members: {a: {external: true}}\n    gate: {hopeless: open, expected_by: 1s}\n"
HOOK = {"SHOTCLOCK_ALERTS": "slack=$HOOK warning,critical"}


@pytest.fixture
def slack() -> Iterator[Slack]:
    with a_slack() as made:
        yield made


@pytest.fixture
def small(house: House) -> House:
    house.pipeline("small", PARTIAL)
    return house


def test_a_test_alert_proves_delivery_and_names_the_channel_that_failed(house: House, slack: Slack) -> None:
    more = {"SHOTCLOCK_ALERTS": "slack=$HOOK; other=$HOOK info; log", "HOOK": slack.address}
    done = house("alerts", "test", more=more)
    assert (done.code, done.lines) == (0, ["slack: delivered", "other: delivered", "log: delivered"])
    assert slack.posted[0]["blocks"][0]["text"]["text"] == "test"
    slack.answers.extend([200, 404])
    done = house("alerts", "test", "--json", more=more)
    assert (done.code, [one["delivered"] for one in done.documents]) == (1, [True, False, True])
    assert done.documents[1] == {"channel": "other", "delivered": False, "error": "HTTP 404: no"}
    assert house("alerts", "test", "nobody", more=more).code == 2
    assert "secret" not in done.out + done.err


@pytest.mark.parametrize(
    "words",
    [
        ("worker",),
        ("run", "small", DAY),
        ("backfill", "small", "--from", DAY, "--to", DAY),
        ("alerts", "test"),
    ],
)
def test_a_channel_without_an_address_fails_at_the_start_and_nothing_begins(
    small: House, words: tuple[str, ...]
) -> None:
    done = small(*words, more=HOOK)
    assert done.code == 2
    assert done.err == (
        "error: setting alerts (SHOTCLOCK_ALERTS): slack: the environment variable HOOK is not set, or empty\n"
    )
    assert small("status").out.startswith("no runs yet")


def test_what_a_run_tells_arrives_is_listed_and_can_be_taken_on_and_silenced(small: House, slack: Slack) -> None:
    more = HOOK | {"HOOK": slack.address, "SHOTCLOCK_ALERTS_LOOK": "50ms"}
    started = small.start("run", "small", DAY, "--json", more=more)
    assert slack.came.wait(WAIT)
    started.says("phase.started")
    (listed,) = small("alerts", "list", "--json", more=more).document["alerts"]
    assert (listed["fact"], listed["severity"], listed["runs"]) == ("expected", "warning", [f"small/{DAY}"])
    taken = small("alerts", "ack", listed["id"][:6], "--actor", "ann", "--reason", "on it", more=more)
    assert taken.lines == [f"{listed['id']} is taken on by ann"]
    assert "taken on by ann" in small("alerts", "list", more=more).out
    assert small("report", f"small/{DAY}", "raw", "a", "succeeded", more=more).code == 0
    assert started.finish().code == 0
    assert [text.partition(" over after")[1] for text in slack.texts] == ["", " over after"]
    assert small("alerts", "list", more=more).lines == ["no alerts"]
    assert small("alerts", "list", "--all", "--json", more=more).document["alerts"][0]["channels"]["slack"]["at"]


def test_a_silence_is_listed_and_ended(small: House) -> None:
    run = small.start("run", "small", DAY)
    run.says("raw")
    run.send(signal.SIGINT)
    assert run.finish().code == 130
    made = small("alerts", "silence", "--fact", "blocked", "--for", "2h", "--reason", "known", "--json").document
    assert (made["fact"], made["reason"]) == ("blocked", "known")
    assert "silence" in small("alerts", "list").out
    assert small("alerts", "unsilence", made["id"][:5]).code == 0
    assert made["id"] not in small("alerts", "list").out
    assert small("alerts", "unsilence", made["id"]).code == 2
    assert small("alerts", "silence", "--for", "soon").code == 2


def test_a_dead_slack_lets_a_run_end_as_it_does_without_one(small: House) -> None:
    small.pipeline(
        "quick", 'phases:\n  raw: {members: {a: {run: "quick.steps:a"}}}\n', "def a(ctx): return Succeeded()\n"
    )
    more = HOOK | {"HOOK": "http://127.0.0.1:9/services/secret"}
    with_slack, without = small("run", "quick", DAY, more=more), small("run", "quick", "2025-01-16")
    assert (with_slack.code, without.code) == (0, 0)
    assert with_slack.err == without.err == ""


def test_a_process_that_is_killed_while_slack_is_slow_loses_no_alert(small: House, slack: Slack) -> None:
    more = HOOK | {"HOOK": slack.address, "SHOTCLOCK_ALERTS_SEND": "500ms", "SHOTCLOCK_OUTBOX_HOLD": "1s"}
    slack.free.clear()
    slack.answers.append("lost")
    killed = small.start("run", "small", DAY, more=more)
    assert slack.came.wait(WAIT)
    killed.send(signal.SIGKILL).finish()
    slack.came.clear()
    slack.free.set()
    again = small.start("run", "small", DAY, more=more)
    assert slack.came.wait(WAIT)
    assert small("report", f"small/{DAY}", "raw", "a", "succeeded", more=more).code == 0
    assert again.finish().code == 0
    told = [text for text in slack.texts if "nothing has reported" in text]
    assert len(told) == 2
    (alert,) = small("alerts", "list", "--all", "--json", more=more).document["alerts"]
    assert (alert["fact"], alert["count"]) == ("expected", 1)


def test_no_command_shows_an_address(house: House) -> None:
    more = {"SHOTCLOCK_ALERTS": "slack=https://hooks.example/secret", "SHOTCLOCK_WATCHED_BY": "https://h/secret"}
    for words in (("config", "show"), ("config", "show", "--json"), ("config", "check")):
        done = house(*words, more=more)
        assert "secret" not in done.out + done.err
