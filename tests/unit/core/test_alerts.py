"""What becomes of facts that operators are told: which repeats fold, when they are news, what a channel may hear."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from shotclock.core import alerts
from shotclock.model import Acknowledged, Alert

NOON = datetime(2025, 1, 15, 12, tzinfo=UTC)
LIMITS = alerts.Limits(window=timedelta(minutes=15), most=2, runs=3)
LATER = NOON + LIMITS.window
SAID = {"fact": "opening", "run": "p/1", "phase": "raw", "text": "p/1 raw: partial", "names": ["odds"], "command": "x"}
ANN = Acknowledged(actor="ann", at=NOON)


def alert(**more: object) -> Alert:
    return alerts.begun({**SAID, **more}, "p", "a1", NOON)


@pytest.mark.parametrize(
    ("said", "severity", "about"),
    [
        ({}, "warning", "raw"),
        ({"fact": "failed"}, "critical", "raw"),
        ({"fact": "demoted"}, "info", "raw"),
        ({"fact": "nobody knows this one"}, "warning", "raw"),
        ({"run": "", "phase": "", "names": ["slack"]}, "warning", "slack"),
        ({"run": "", "phase": "", "names": []}, "warning", ""),
        ({"phase": ""}, "warning", ""),
    ],
)
def test_a_fact_says_how_bad_it_is_and_what_it_is_about(said: dict[str, object], severity: str, about: str) -> None:
    found = alert(**said)
    assert (found.severity, found.phase, found.told, found.count) == (severity, about, 1, 1)
    assert found.runs == (() if said.get("run") == "" else ("p/1",))


def test_a_repeat_folds_within_the_window_or_for_as_long_as_what_was_told_lasts() -> None:
    passing, lasting = alert(), alert(fact="blocked")
    assert alerts.folds(passing, NOON, LIMITS)
    assert not alerts.folds(passing, LATER, LIMITS)
    assert alerts.folds(lasting, LATER, LIMITS)
    assert not alerts.folds(alerts.ended(lasting, "it came", NOON), NOON, LIMITS)
    assert not alerts.folds(replace(passing, runs=("p/1", "p/2", "p/3")), NOON, LIMITS)


def test_a_repeat_is_counted_and_has_the_newest_words() -> None:
    found = alerts.again(alerts.taken_on(alert(), ANN), alert(run="p/2", text="p/2 raw: partial"))
    assert (found.count, found.told, found.runs, found.text) == (2, 1, ("p/1", "p/2"), "p/2 raw: partial")
    assert found.acknowledged == ANN
    assert alerts.again(found, alert()).runs == ("p/2", "p/1")


def test_repeats_are_news_when_the_window_is_over_and_nobody_has_taken_the_alert_on() -> None:
    repeated = alerts.again(alert(), alert())
    assert not alerts.is_news(alert(), LATER, LIMITS)
    assert not alerts.is_news(repeated, NOON, LIMITS)
    assert alerts.is_news(repeated, LATER, LIMITS)
    assert not alerts.is_news(alerts.taken_on(repeated, ANN), LATER, LIMITS)
    told = alerts.retold(repeated, LATER)
    assert (told.told, told.window_at) == (2, LATER)


def test_who_takes_an_alert_on_first_stays() -> None:
    assert alerts.taken_on(alerts.taken_on(alert(), ANN), replace(ANN, actor="bob")).acknowledged == ANN


def test_a_channel_hears_so_many_in_a_window_and_the_rest_as_a_sum() -> None:
    budget, may = alerts.spend(None, "opening", NOON, LIMITS)
    assert (budget.sent, may) == (1, True)
    budget, may = alerts.spend(budget, "opening", NOON, LIMITS)
    assert may
    for fact in ("opening", "failed", "opening"):
        budget, may = alerts.spend(budget, fact, NOON, LIMITS)
        assert not may
    said = alerts.sum_of(budget)
    assert said["text"] == "3 more alerts since 2025-01-15 12:00 UTC: 1 failed, 2 opening"
    anew, may = alerts.spend(budget, "opening", LATER, LIMITS)
    assert (anew.since, anew.sent, anew.more, may) == (LATER, 1, {}, True)


def test_a_channel_is_given_words_a_count_and_the_command() -> None:
    first, repeated = alerts.notice(alert()), alerts.notice(alerts.again(alert(), alert()))
    assert (first["text"], first["names"], first["command"]) == ("p/1 raw: partial", ["odds"], "x")
    assert repeated["text"] == "p/1 raw: partial (2 times since 2025-01-15 12:00 UTC)"


def test_the_end_is_told_with_how_long_it_lasted() -> None:
    over = alerts.recovery(alerts.ended(alert(fact="blocked"), "it opened", LATER))
    assert (over["state"], over["text"], over["names"]) == ("over", "p/1 raw: over after 15m: it opened", [])
    nowhere = alerts.recovery(alert(run="", phase="", names=["slack"]))
    assert nowhere["text"].startswith("p slack: over after 0")
