"""What operators are told: it arrives, it folds, it ends, and nobody waits for it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import pytest

from shotclock.channels import open_channels
from shotclock.channels.slack import SlackChannel
from shotclock.engine import alerting
from shotclock.engine.relay import LogChannel, Relay
from shotclock.errors import UsageError
from shotclock.ports import Outlet, Store
from shotclock.settings import load
from tests.scenarios.world import World
from tests.slack import WAIT, Slack, a_slack

ONE = "phases:\n  raw:\n    members: {a: {external: true}}\n    gate: {expected_by: 5m}\n"


@pytest.fixture
def slack() -> Iterator[Slack]:
    with a_slack() as made:
        yield made


class Told:
    """A world whose relay tells a Slack."""

    def __init__(self, world: World, slack: Slack) -> None:
        channel = SlackChannel("slack", slack.address, timedelta(seconds=10))
        self.world, self.outlets = world, (Outlet(name="slack", channel=channel),)

    def relay(self) -> Relay:
        return Relay(self.world.coordinator, self.world.line, self.outlets)

    def go(self, **span: float) -> None:
        """Let time pass, then sweep and tell; twice, for what the first look has found."""
        self.world.clock.instant += timedelta(**span)
        for _ in range(2):
            while self.world.coordinator.sweep():
                pass
            relay = self.relay()
            relay.deliver()
            relay.close()


@pytest.fixture
def told(world: World, slack: Slack) -> Told:
    return Told(world, slack)


def test_a_schedule_that_never_fires_is_noticed_by_its_absence(world: World, told: Told, slack: Slack) -> None:
    plan = world.pipeline(f'starts: {{schedule: "0 6 * * *"}}\nexpect: {{success_within: 26h}}\n{ONE}')
    world.coordinator.register(plan)
    told.go(hours=25)
    assert slack.texts == []
    for _ in range(5):
        told.go(hours=1)
    (text,) = slack.texts
    assert text.startswith("p/default: no run has succeeded since 2025-01-15 12:00 UTC")
    world.start()
    world.say("a")
    told.go(minutes=1)
    assert len(slack.texts) == 2
    assert "over after" in slack.texts[-1]


def test_repeated_alerts_fold_into_one_with_a_count_and_the_end_is_told(world: World, told: Told, slack: Slack) -> None:
    world.pipeline(ONE)
    days = [f"2025-01-{day}" for day in range(10, 16)]
    for day in days:
        world.start(key=day)
    told.go(minutes=6)
    assert len(slack.texts) == 1
    (alert,) = world.store.read(alerting.records)
    assert (alert.fact, alert.count, len(alert.runs)) == ("expected", len(days), len(days))
    told.go(minutes=15)
    assert f"{len(days)} times since" in slack.texts[-1]
    for day in days:
        world.say("a", run=f"p/{day}")
    told.go(minutes=1)
    assert len(slack.texts) == 3
    assert "over after" in slack.texts[-1]
    told.go(hours=2)
    assert len(slack.texts) == 3


def test_a_channel_without_an_address_fails_at_the_start() -> None:
    settings = load({"alerts": "slack=$SLACK_WEBHOOK critical"}, environment={})
    with pytest.raises(
        UsageError, match=r"setting alerts .*: slack: the environment variable SLACK_WEBHOOK is not set"
    ):
        open_channels(settings, LogChannel(), {})


def test_a_slow_slack_never_delays_a_hand_over(world: World, told: Told, slack: Slack) -> None:
    """Slack takes a message and does not answer; meanwhile three phases are handed over, one after the other."""
    members = "members: {a: {external: true}}"
    world.start(
        f"phases:\n  raw:\n    {members}\n    gate: {{expected_by: 5m}}\n"
        f"  mid:\n    needs: [raw]\n    {members}\n  end:\n    needs: [mid]\n    {members}\n"
    )
    slack.free.clear()
    world.clock.instant += timedelta(minutes=6)
    while world.coordinator.sweep():
        pass
    relay = told.relay()
    relay.deliver()
    assert slack.came.wait(WAIT)
    for phase in ("raw", "mid", "end"):
        assert world.handovers(phase) == 1
        world.say("a", phase=phase)
        relay.deliver()
    assert world.run().state == "complete"
    slack.free.set()
    relay.close()
    assert len(slack.texts) >= 1


@pytest.mark.parametrize("answer", [500, 404, "cut", "lost"])
def test_a_failing_slack_never_fails_a_hand_over(world: World, told: Told, slack: Slack, answer: int | str) -> None:
    slack.answers.extend([answer] * 3)
    world.start(f"{ONE}  next: {{needs: [raw], members: {{n: {{external: true}}}}}}\n")
    told.go(minutes=6)
    world.say("a")
    told.go(seconds=1)
    assert world.handovers("next") == 1
    world.say("n", phase="next")
    assert world.run().state == "complete"
    for _ in range(4):
        told.go(minutes=5)
    assert (answer == 404) is not any("nothing has reported" in text for text in slack.texts)


def test_two_relays_over_one_store_record_and_tell_each_alert_once(world: World, told: Told, slack: Slack) -> None:
    phases = "".join(
        f"  p{number}:\n    members: {{a: {{external: true}}}}\n    gate: {{expected_by: 5m}}\n" for number in range(9)
    )
    world.start(f"phases:\n{phases}")
    world.clock.instant += timedelta(minutes=6)
    while world.coordinator.sweep():
        pass
    both = told.relay(), Relay(world.coordinator, world.line, told.outlets)
    for relay in both:
        relay.deliver()
    for relay in both:
        relay.close()
    assert sorted(slack.came_times().values()) == [1] * 9
    assert len(cast("Store", world.store).read(alerting.records)) == 9
