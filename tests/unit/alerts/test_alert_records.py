"""One record for each fact: repeats fold with a count, the end is told, and what is taken on or silenced is not."""

from datetime import timedelta

import pytest

from shotclock.engine import steering
from shotclock.errors import NotFoundError, RefusedError, UsageError
from shotclock.model import Acknowledged, Gate, Report, Silence
from tests.unit.alerts.house import House, Mouth, at, outlet

HOUR = timedelta(hours=1)


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
def house(mouth: Mouth) -> House:
    return House(outlet("ops", mouth))


def silence(house: House, **fields: str) -> Silence:
    now = at(house)
    what = Silence(id="", at=now, until=now, actor="ann", **fields)
    return steering.silence(house.store, now, what, HOUR)


def test_a_fact_becomes_one_record_and_one_notice_in_each_channel_that_hears_of_it(mouth: Mouth) -> None:
    other, deaf = Mouth(), Mouth()
    house = House(outlet("ops", mouth), outlet("all", other), outlet("page", deaf, "critical"))
    house.tell("opening")
    house.deliver()
    alert = house.alert()
    assert (alert.fact, alert.severity, alert.pipeline, alert.phase) == ("opening", "warning", "p", "raw")
    assert {name: one.state for name, one in alert.channels.items()} == {"ops": "delivered", "all": "delivered"}
    assert (mouth.facts, other.facts, deaf.facts) == (["opening"], ["opening"], [])
    assert mouth.sent[0]["command"] == "c"


def test_the_same_fact_of_a_pipelines_phase_folds_into_one_alert_with_a_count(house: House, mouth: Mouth) -> None:
    for day in range(1, 6):
        house.tell("blocked", run=f"p/2025-01-{day:02}")
        house.start(f"2025-01-{day:02}", Gate())
    house.tell("blocked", run="p/2025-01-05", phase="other")
    house.deliver()
    assert sorted((alert.phase, alert.count) for alert in house.alerts()) == [("other", 1), ("raw", 5)]
    assert mouth.facts == ["blocked", "blocked"]


def test_repeats_are_told_in_one_notice_when_the_window_is_over(house: House, mouth: Mouth) -> None:
    for turn in range(3):
        house.tell("demoted", turn=turn)
        house.deliver()
    assert mouth.facts == ["demoted"]
    house.deliver(minutes=15)
    assert mouth.facts == ["demoted", "demoted"]
    assert "3 times since" in mouth.sent[1]["text"]
    house.tell("demoted")
    house.deliver()
    house.deliver(minutes=15)
    house.deliver(minutes=15)
    assert mouth.facts == ["demoted"] * 3
    assert "4 times since" in mouth.sent[2]["text"]
    assert house.alert().over == "it was told"


def test_what_was_told_once_is_a_new_alert_after_the_window(house: House, mouth: Mouth) -> None:
    house.tell("opening", turn=1)
    house.deliver()
    house.deliver(minutes=16)
    house.tell("opening", turn=2)
    house.deliver()
    assert [alert.over_at is None for alert in house.alerts()] == [False, True]
    assert mouth.facts == ["opening", "opening"]


def test_the_end_of_what_was_told_is_told_once_to_who_was_told(house: House, mouth: Mouth) -> None:
    late = Mouth()
    house.outlets = [*house.outlets, outlet("page", late, "critical")]
    house.start("2025-01-15")
    house.deliver(minutes=2)
    assert mouth.facts == ["expected"]
    house.coordinator.report([Report(run="p/2025-01-15", phase="raw", member="a", outcome="succeeded")])
    for _ in range(3):
        house.deliver(minutes=1)
    assert (mouth.facts, late.facts) == (["expected", "-expected"], [])
    assert "over after 1m" in mouth.sent[1]["text"]
    assert (house.alert().over, house.unsent()) == ("the phase is done", [])


def test_an_alert_about_several_runs_is_over_when_all_of_them_are_free(house: House, mouth: Mouth) -> None:
    for day in ("2025-01-14", "2025-01-15"):
        house.start(day)
    house.deliver(minutes=2)
    assert house.alert().count == 2
    for day, told in (("2025-01-14", ["expected"]), ("2025-01-15", ["expected", "-expected"])):
        house.coordinator.report([Report(run=f"p/{day}", phase="raw", member="a", outcome="succeeded")])
        house.deliver(minutes=1)
        assert mouth.facts == told


def test_the_end_waits_for_the_notice_that_is_still_under_way(house: House, mouth: Mouth) -> None:
    mouth.raises = [ConnectionError("gone")]
    house.start("2025-01-15")
    house.deliver(minutes=2)
    house.coordinator.report([Report(run="p/2025-01-15", phase="raw", member="a", outcome="succeeded")])
    house.deliver(seconds=0.5)
    for _ in range(3):
        house.deliver(minutes=1)
    assert mouth.facts == ["expected", "-expected"]


def test_an_alert_that_was_taken_on_is_told_no_more_but_its_end_is(house: House, mouth: Mouth) -> None:
    house.start("2025-01-15")
    house.deliver(minutes=2)
    taken = steering.acknowledge(
        house.store, house.settings, at(house), house.alert().id[:4], Acknowledged(actor="ann", at=at(house))
    )
    steering.acknowledge(house.store, house.settings, at(house), taken.id, Acknowledged(actor="bob", at=at(house)))
    house.tell("expected")
    house.deliver(minutes=20)
    acknowledged = house.alert().acknowledged
    assert acknowledged is not None
    assert (acknowledged.actor, house.alert().count, mouth.facts) == ("ann", 2, ["expected"])
    house.coordinator.report([Report(run="p/2025-01-15", phase="raw", member="a", outcome="succeeded")])
    house.deliver(minutes=1)
    house.deliver()
    assert mouth.facts == ["expected", "-expected"]
    with pytest.raises(UsageError, match="is over"):
        steering.acknowledge(house.store, house.settings, at(house), taken.id, Acknowledged(actor="x", at=at(house)))


@pytest.mark.parametrize("what", [{"fact": "blocked"}, {"pipeline": "p"}, {"run": "p/2025-01-15"}, {"channel": "ops"}])
def test_what_is_silenced_is_recorded_and_told_when_the_silence_ends_and_it_still_holds(
    house: House, mouth: Mouth, what: dict[str, str]
) -> None:
    house.start("2025-01-15", Gate(expected_by=HOUR * 9))
    silence(house, **what)
    house.tell("blocked")
    house.deliver()
    assert (mouth.facts, house.alert().channels["ops"].state) == ([], "silenced")
    house.tell("opening", run="q/2025-01-15")
    house.deliver()
    assert mouth.facts == (["opening"] if "channel" not in what else [])


def test_a_silence_ends_in_time_or_before_it_and_what_still_holds_is_told_then(house: House, mouth: Mouth) -> None:
    house.start("2025-01-15")
    made = silence(house)
    house.deliver(minutes=2)
    assert mouth.facts == []
    assert steering.unsilence(house.store, at(house), made.id[:5], "ann") == made
    house.deliver(minutes=1)
    assert mouth.facts == ["expected"]
    with pytest.raises(NotFoundError, match="none of the silences"):
        steering.unsilence(house.store, at(house), made.id, "ann")


def test_beyond_its_most_a_channel_hears_of_the_rest_in_one_sum(mouth: Mouth) -> None:
    house = House(outlet("ops", mouth), alerts_most=3)
    for number in range(10):
        house.tell("opening", phase=f"phase{number}")
    house.tell("parked", phase="last")
    house.deliver()
    assert mouth.facts == ["opening"] * 3
    house.deliver(minutes=16)
    house.deliver(minutes=16)
    assert mouth.facts == [*["opening"] * 3, "sum"]
    assert "8 more alerts" in mouth.sent[-1]["text"]
    assert "7 opening, 1 parked" in mouth.sent[-1]["text"]
    house.tell("gaps", phase="x")
    house.deliver()
    assert mouth.facts[-1] == "gaps"
    assert house.unsent() == []


def test_a_channel_that_refuses_is_told_of_once_in_another_and_again_when_it_is_well(mouth: Mouth) -> None:
    broken = Mouth()
    house = House(outlet("ops", mouth), outlet("slack", broken))
    broken.raises = [RefusedError("HTTP 403: no_service"), RefusedError("HTTP 403: no_service")]
    house.tell("opening", phase="a")
    house.tell("opening", phase="b")
    house.deliver()
    house.deliver()
    assert mouth.facts == ["opening", "opening", "undelivered"]
    assert "slack does not take alerts: HTTP 403" in mouth.sent[-1]["text"]
    assert {one.channels["slack"].state for one in house.alerts() if one.fact == "opening"} == {"refused"}
    house.tell("opening", phase="c")
    house.deliver()
    house.deliver(minutes=1)
    assert (broken.facts, mouth.facts[-1]) == (["opening"], "-undelivered")


def test_two_relays_at_once_tell_each_alert_once(mouth: Mouth) -> None:
    first = House(outlet("ops", mouth))
    second = House(outlet("ops", mouth), store=first.store)
    for number in range(20):
        first.tell("opening", phase=f"phase{number}")
        (first if number % 2 else second).deliver()
    first.deliver()
    second.deliver()
    assert sorted(str(one["phase"]) for one in mouth.sent) == sorted(f"phase{number}" for number in range(20))


def test_a_process_without_channels_leaves_notices_to_the_one_that_has_them(mouth: Mouth) -> None:
    serving = House(outlet("ops", mouth))
    serving.deliver()
    worker = House(outlet("own", Mouth()), store=serving.store)
    worker.tell("opening")
    worker.deliver()
    assert mouth.facts == []
    serving.deliver()
    assert mouth.facts == ["opening"]


def test_what_has_not_come_again_for_long_is_closed_without_a_word(house: House, mouth: Mouth) -> None:
    house.start("2025-01-15", Gate(expected_by=timedelta(minutes=1)))
    house.deliver(days=3)
    house.deliver(days=8)
    house.deliver()
    assert mouth.facts[-1] == "failed"
    assert [alert.over for alert in house.alerts()] == ["it has not come again"]
