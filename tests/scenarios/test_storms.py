"""What fails over and over costs little: attempts are bounded, spaced, and end; operators are told once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.world import NOON, World

ALONE = "phases:\n  raw:\n    members: {box: 'here:box'}\n    execution: {attempts: 100}\n"


def attempts(world: World, *, every: int = 1, **span: float) -> list[datetime]:
    """Let time pass with a worker at hand that looks so often, in seconds; return when it attempted something."""
    worker, found = world.worker(), list[datetime]()
    until = world.clock.instant + timedelta(**span)
    while world.clock.instant < until:
        found += [world.clock.instant] * worker.step()
        world.clock.instant += timedelta(seconds=every)
        world.look()
    return found


def test_data_that_cannot_exist_yet_is_not_asked_for_before_its_time_and_at_most_three_times(world: World) -> None:
    steps = "times = [datetime(2025, 1, 15, 12, minute, tzinfo=UTC) for minute in (20, 40, 59)]\n"
    steps += "def box(ctx):\n    return Empty(reason='no game has ended', not_before=times.pop(0))\n"
    world.start(ALONE, steps)
    found = attempts(world, every=30, hours=1)
    assert found == [NOON, NOON + timedelta(minutes=20), NOON + timedelta(minutes=40)]
    assert world.kinds() == {"empty": 1}
    assert world.run().state == "complete"


def test_a_member_that_always_wants_to_be_asked_again_is_asked_a_bounded_number_of_times_an_hour(world: World) -> None:
    world.start(ALONE, "def box(ctx):\n    raise Retry('busy', after=timedelta(seconds=5))\n")
    found = attempts(world, every=5, hours=2)
    first = [at for at in found if at < NOON + timedelta(hours=1)]
    assert (len(first), len(found)) == (world.settings.hourly_attempts, 2 * world.settings.hourly_attempts)


def test_a_permanent_error_ends_after_one_attempt_and_never_comes_back(world: World) -> None:
    world.start(ALONE, "def box(ctx):\n    raise Permanent('404: no such day')\n")
    assert len(attempts(world, every=10, minutes=10)) == 1
    assert world.kinds() == {"failed": 1}
    (letter,) = world.store.read(lambda view: view.entries("dead_letter", scope="p/2025-01-15"))
    assert (letter.member, letter.body["reason"]) == ("box", "404: no such day")
    assert world.say("box", "failed", override=True, reason="again").kind == "late"
    assert attempts(world, every=60, hours=1) == []


def test_a_member_with_ten_failures_and_no_success_gets_one_attempt_and_is_named_first(world: World) -> None:
    members = "{good: 'here:good', bad: 'here:bad'}"
    rest = "execution: {mode: parallel, max_workers: 2, attempts: 2}, gate: {hopeless: open, grace: 1m}"
    file = f"phases:\n  raw: {{members: {members}, {rest}}}\n"
    world.pipeline(file, "def good(ctx):\n    return Succeeded()\ndef bad(ctx):\n    raise ValueError('down')\n")
    for day in range(1, 11):
        world.start(key=f"2025-01-{day:02}")
        assert len(attempts(world, seconds=10)) == 3
    world.start(key="2025-01-11")
    world.look()
    assert world.alerts("demoted")[0]["names"] == ["bad"]
    assert len(attempts(world, seconds=10)) == 2
    opening = world.opened(run="p/2025-01-11")
    assert (opening.reason, opening.partial, opening.shortfall) == ("all", False, ("bad",))


def test_the_same_error_on_every_attempt_is_held_up_within_five_minutes_and_its_cost_is_told_once(world: World) -> None:
    world.start(ALONE, "def box(ctx):\n    raise ConnectionError(f'no route to 10.0.0.{ctx.attempt}')\n")
    found = attempts(world, minutes=5)
    (alert,) = world.alerts("breaker")
    assert "5 attempts within " in alert["text"]
    assert "ConnectionError: no route to #.#.#.#" in alert["text"]
    assert len(found) == 5
    assert len(attempts(world, every=30, hours=1)) <= 12
    assert len(world.alerts("breaker")) == 1


def test_a_source_that_is_down_does_not_burn_through_a_whole_fan_out(world: World) -> None:
    steps = "down = True\ndef players(ctx):\n    return [str(number) for number in range(500)]\n"
    steps += "def work(ctx, items):\n    if down:\n        raise OSError('the source is down')\n"
    steps += "    return {item.id: Succeeded() for item in items}\n"
    file = "phases:\n  raw: {items: 'here:players', run: 'here:work', execution: {mode: parallel, max_workers: 8}}\n"
    world.start(file, steps)
    assert len(attempts(world, every=5, minutes=10)) < 60
    assert world.kinds()["pending"] > 450
    world.steps.down = False
    attempts(world, every=5, minutes=6)
    assert world.kinds()["pending"] == 0
    assert len(world.alerts("breaker")) == 1


def test_a_backfill_that_finds_nothing_three_times_is_empty_and_stops_asking(world: World) -> None:
    steps = "asked = []\ndef box(ctx):\n    asked.append(ctx.key)\n"
    steps += "    return Empty(reason='not there', not_before=datetime(2025, 1, 15, 13, len(asked), tzinfo=UTC))\n"
    world.start(ALONE, steps, key="2024-07-04")
    assert len(attempts(world, every=60, hours=6)) == 3
    assert world.kinds(run="p/2024-07-04") == {"empty": 1}
    assert (world.run("p/2024-07-04").state, world.alerts("failed")) == ("complete", [])


@pytest.mark.parametrize(("day", "runs"), [(4, 1), (5, 0)])
def test_off_season_is_not_a_gap(world: World, day: int, runs: int) -> None:
    steps = "def season(day):\n    return day.day != 5\n"
    phases = "phases: {raw: {members: {a: {external: true}}}}\n"
    plan = world.pipeline(f'starts: {{schedule: "0 6 * * *", calendar: "here:season"}}\n{phases}', steps)
    world.clock.instant = datetime(2025, 7, day, 5, tzinfo=UTC)
    world.coordinator.tick(plan)
    world.leap(days=12)
    found = world.coordinator.tick(plan)
    assert ("2025-07-05" in found.gaps) is False
    assert ("2025-07-04" in found.gaps) is bool(runs)
