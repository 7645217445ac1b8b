"""Against a Slack that is slow, busy, broken or cut off: never zero, exactly once where its answer came back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shotclock.channels.slack import SlackChannel, blocks
from shotclock.engine.relay import Relay
from shotclock.errors import LaterError, RefusedError
from tests.slack import WAIT, Slack, a_slack
from tests.unit.alerts.house import House, Mouth, outlet, slack_outlet

PHASES = [f"phase{number}" for number in range(12)]


@pytest.fixture
def slack() -> Iterator[Slack]:
    with a_slack() as made:
        yield made


def tell_all(house: House) -> None:
    for phase in PHASES:
        house.tell("opening", phase=phase)


def channel(slack: Slack) -> SlackChannel:
    return SlackChannel("slack", slack.address, timedelta(seconds=10))


def test_every_alert_comes_once_to_a_slack_that_answers(slack: Slack) -> None:
    house = House(slack_outlet(slack))
    tell_all(house)
    house.deliver()
    house.deliver(minutes=1)
    assert sorted(slack.came_times().values()) == [1] * len(PHASES)
    assert house.unsent() == []


@pytest.mark.parametrize("wrong", [[500], [503, 500], [429], ["cut"], ["cut", 500, 429]])
def test_what_was_not_taken_comes_later_and_once(slack: Slack, wrong: list[int | str]) -> None:
    house = House(slack_outlet(slack))
    slack.answers.extend(wrong)
    tell_all(house)
    for _ in range(4):
        house.deliver(minutes=2)
    assert sorted(slack.came_times().values()) == [1] * len(PHASES)
    assert house.unsent() == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_answer_makes_an_alert_come_again_and_no_other(slack: Slack, times: int) -> None:
    house = House(slack_outlet(slack))
    house.tell("opening", phase="only")
    slack.answers.extend(["lost"] * times)
    for _ in range(4):
        house.deliver(minutes=2)
    tell_all(house)
    house.deliver()
    assert slack.came_times().most_common(2)[0][1] == times + 1
    assert sorted(slack.came_times().values()) == [*[1] * len(PHASES), times + 1]


def test_a_busy_slack_is_left_alone_for_as_long_as_it_asks(slack: Slack) -> None:
    house = House(slack_outlet(slack))
    slack.answers.append(429)
    house.tell("opening", phase="one")
    relay = Relay(house.coordinator, house.bell, house.outlets)
    relay.deliver()
    assert slack.came.wait(WAIT)
    house.tell("opening", phase="two")
    relay.deliver()
    relay.close()
    house.clock.instant += timedelta(seconds=89)
    assert slack.texts == []
    house.deliver(seconds=1)
    house.deliver(minutes=1)
    assert len(slack.texts) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_slack_will_never_take_is_kept_with_its_reason_and_told_elsewhere(slack: Slack, status: int) -> None:
    ops = Mouth()
    house = House(slack_outlet(slack), outlet("ops", ops))
    slack.answers.append(status)
    house.tell("opening")
    for _ in range(3):
        house.deliver(minutes=5)
    told = next(alert for alert in house.alerts() if alert.fact == "opening").channels["slack"]
    assert (told.state, told.error) == ("refused", f"HTTP {status}: no")
    assert ops.facts == ["opening", "undelivered"]
    assert slack.texts == []


def test_a_slow_slack_holds_up_no_hand_over_and_no_other_channel(slack: Slack) -> None:
    ops = Mouth()
    house = House(slack_outlet(slack), outlet("ops", ops))
    slack.free.clear()
    tell_all(house)
    relay = Relay(house.coordinator, house.bell, house.outlets)
    relay.deliver()
    assert slack.came.wait(WAIT)
    house.start("2025-01-15")
    relay.deliver()
    assert house.bell.rung == ["handover p/2025-01-15"]
    assert len(slack.texts) == 1
    slack.free.set()
    relay.close()
    assert (len(ops.sent), len(slack.texts)) == (len(PHASES), len(PHASES))


@pytest.mark.parametrize(("answer", "error"), [(500, LaterError), (404, RefusedError), ("cut", LaterError)])
def test_no_error_names_the_address(slack: Slack, answer: int | str, error: type[Exception]) -> None:
    slack.answers.append(answer)
    with pytest.raises(error) as caught:
        channel(slack).send({"text": "x"})
    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_alert_in_slack_says_what_since_when_who_and_which_command_within_its_limits(slack: Slack) -> None:
    alert = {
        "fact": "blocked",
        "severity": "critical",
        "run": "nba/2025-01-15",
        "phase": "raw",
        "text": "critical member missing <!channel> " + "x" * 9_000,
        "names": [f"member {number} {'y' * 200}" for number in range(500)],
        "command": "shotclock rerun nba/2025-01-15 raw B",
        "since": "2025-01-15T12:00:00+00:00",
        "id": "3f9a1c20aa",
    }
    channel(slack).send(alert)
    (posted,) = slack.posted
    header, what, who, run, context = posted["blocks"]
    assert header["text"]["text"] == "blocked: nba/2025-01-15 raw"
    assert "member 0" in who["text"]["text"]
    assert run["text"]["text"] == "*Run:* `shotclock rerun nba/2025-01-15 raw B`"
    assert "2025-01-15T12:00:00" in context["elements"][0]["text"]
    assert "<!channel>" not in what["text"]["text"]
    assert len(header["text"]["text"]) <= 150
    assert len(posted["text"]) <= 4_000
    assert max(len(part["text"]["text"]) for part in (what, who, run)) <= 3_000
    assert blocks(alert | {"state": "over", "names": [], "command": ""})[1]["text"]["text"].startswith(":white_check")
