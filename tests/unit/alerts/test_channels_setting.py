"""Channels are read from one setting: what is wrong is said at the start, and no address is ever shown."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.channels import open_channels
from shotclock.channels.watched import Watched, open_watched
from shotclock.engine.relay import LogChannel
from shotclock.errors import LaterError, UsageError
from shotclock.settings import Settings, examine, load, shown
from tests.slack import WAIT, a_slack

WRONG = {
    "slack": "slack: has no address",
    "slack=$HOOK": "slack: the environment variable HOOK is not set",
    "slack=https://": "slack: its address is no https://HOST/PATH",
    "ops=secret": "ops: its address is none that apprise knows",
    "ops=mailto://": "ops: its address is none that apprise knows",
    "Slack=https://h/secret": "'Slack' cannot name a channel",
    "slack=https://h/secret loud": "slack: 'loud' is no severity; there are critical, warning, info",
    "slack=https://h/secret info warning": "slack: expected NAME=ADDRESS SEVERITY,SEVERITY",
    "a=https://h/secret; a=https://h/secret": "there are two channels a",
}


def opened(text: str, **environment: str) -> list[tuple[str, list[str], bool]]:
    settings = load({"alerts": text}, environment={})
    found = open_channels(settings, LogChannel(), environment)
    return [(one.name, sorted(one.severities), one.each) for one in found]


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_used_is_refused_with_the_setting_and_without_the_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(text)
    assert str(caught.value).startswith(f"setting alerts (the call): {WRONG[text]}")
    assert "secret" not in str(caught.value)


def test_channels_have_names_severities_and_addresses_from_the_environment() -> None:
    text = "slack=$HOOK critical,warning; ops=json://host/secret; log info"
    everything = ["critical", "info", "warning"]
    assert opened(text, HOOK="https://h/secret") == [
        ("slack", ["critical", "warning"], False),
        ("ops", everything, False),
        ("log", ["info"], False),
    ]


def test_without_any_the_log_hears_everything_as_it_comes() -> None:
    assert opened("") == [("log", ["critical", "info", "warning"], True)]


def test_no_address_is_shown(tmp_path: Path) -> None:
    text = "slack=https://user:secret@h/secret warning; ops=mailto://secret; mine=$HOOK"
    settings = load({"alerts": text, "watched_by": "https://h/secret"}, environment={})
    assert settings.text("alerts") == "slack=https://*** warning; ops=mailto://***; mine=$HOOK"
    assert settings.text("watched_by") == "https://***"
    told = [shown(settings), str(settings), repr(settings), [str(settings.origin("alerts"))]]
    found = examine({"alerts": text, "home": tmp_path, "lease": timedelta(seconds=1)}, {})
    assert "secret" not in json.dumps([*told, found.problems])


def test_a_service_that_does_not_take_an_alert_is_tried_again() -> None:
    settings = load({"alerts": "ops=json://127.0.0.1:9/secret"}, environment={})
    (ops,) = open_channels(settings, LogChannel(), {})
    with pytest.raises(LaterError, match="did not take it"):
        ops.channel.send({"text": "x", "fact": "test"})


def test_a_service_is_told_what_who_and_which_command_and_the_end_as_good_news() -> None:
    with a_slack() as server:
        address = server.address.replace("http://", "json://")
        (ops,) = open_channels(load({"alerts": f"ops={address} critical"}, environment={}), LogChannel(), {})
        said = {"fact": "blocked", "severity": "critical", "text": "p/1 raw: blocked", "names": ["a", "b"]}
        ops.channel.send(said | {"command": "shotclock explain p/1 raw"})
        ops.channel.send(said | {"state": "over", "names": []})
    first, last = server.posted
    assert first["message"].splitlines() == ["p/1 raw: blocked", "missing: a, b", "run: shotclock explain p/1 raw"]
    assert (first["title"], first["type"], last["type"]) == ("shotclock: blocked", "failure", "success")


@pytest.mark.parametrize("text", ["ftp://h/x", "nonsense", "https://", "$NOWHERE"])
def test_an_address_outside_that_is_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(UsageError, match=r"setting watched_by \(the call\): "):
        open_watched(load({"watched_by": text}, environment={}), {})


def test_the_address_outside_is_called_after_a_sweep_and_no_more_often_than_it_should_be() -> None:
    settings = Settings()
    now = [0.0]
    with a_slack() as slack:
        watched = Watched(slack.address, settings.watched_every, settings.alerts_send, now=lambda: now[0])
        watched.swept()
        assert slack.came.wait(WAIT)
        slack.came.clear()
        now[0] = settings.watched_every.total_seconds() - 1
        watched.swept()
        assert not slack.came.is_set()
        now[0] += 1
        watched.swept()
        assert slack.came.wait(WAIT)
        watched.close()


def test_without_an_address_nobody_is_called() -> None:
    watched = open_watched(Settings())
    watched.swept()
    watched.close()
