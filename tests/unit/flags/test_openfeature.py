"""The standard client reads flags of a store and of a task, and is told why it got what it got."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from shotclock.aliases import BY_NAME
from shotclock.context import Assignment, Context
from shotclock.engine.asking import Asking
from shotclock.flags.described import ELSEWHERE, where
from shotclock.flags.openfeature import ShotclockProvider
from shotclock.model import ON, Flag, FlagState, Rule, Split
from shotclock.settings import Settings
from shotclock.stores import open_store
from tests.unit.engine.day import START

FLAGS = {
    name: Flag(name=name, owner="ann", purpose="a test", key=key, variants=variants)
    for name, key, variants in (("whole", "run", ()), ("new_model", "item", ()), ("size", "team", ("small", "large")))
}
SPLITS = {"whole": None, "new_model": Split(share=7000), "size": Split(value="large", share=10_000, rest="small")}
PLAYER = EvaluationContext("player-1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    given = Settings(home=tmp_path)
    with closing(open_store(given)) as store:
        for name, flag in FLAGS.items():
            kept = FlagState(name=name, version=1, declared=flag, split=SPLITS[name], at=START)
            store.write(lambda tx, kept=kept: tx.put_flag(kept))  # type: ignore[misc]  # bound now
    return given


@pytest.fixture
def client(settings: Settings) -> Iterator[OpenFeatureClient]:
    api.set_provider(ShotclockProvider.of_store(settings))
    yield api.get_client()
    api.clear_providers()


def test_a_unit_is_told_its_value_the_reason_and_the_version(client: OpenFeatureClient) -> None:
    said = client.get_boolean_details("new_model", default_value=False, evaluation_context=PLAYER)
    assert (said.value, said.reason, said.variant) == (True, Reason.SPLIT, "on")
    assert said.flag_metadata == {"version": 1, "reason": "split"}
    other = EvaluationContext("player-2")
    assert not client.get_boolean_value("new_model", default_value=True, evaluation_context=other)
    assert client.get_string_value("size", "small", PLAYER) == "large"
    assert client.get_boolean_details("whole", default_value=True).reason == Reason.DEFAULT


def test_what_cannot_be_answered_is_the_default_with_the_reason(client: OpenFeatureClient) -> None:
    asked = (
        client.get_boolean_details("unknown", default_value=True),
        client.get_boolean_details("new_model", default_value=True),
        client.get_string_details("new_model", "x", PLAYER),
        client.get_integer_details("whole", 7),
        client.get_float_details("whole", 0.5),
        client.get_object_details("whole", {}),
    )
    assert [said.error_code for said in asked] == [
        ErrorCode.FLAG_NOT_FOUND,
        ErrorCode.TARGETING_KEY_MISSING,
        *(ErrorCode.TYPE_MISMATCH,) * 4,
    ]
    assert [said.value for said in asked] == [True, True, "x", 7, 0.5, {}]


def test_a_task_is_told_what_its_plan_has_frozen() -> None:
    assignment = Assignment(
        run="p/x",
        pipeline="p",
        key="x",
        mode="default",
        generation=1,
        phase="raw",
        work="member",
        lo=0,
        member="m",
        token=1,
        attempt=1,
        home="",
        flags=FLAGS,
        rules={"whole": Rule(split=ON, version=3, origin="set")},
    )
    context = Context(assignment, flags=Asking(assignment, lambda _flag: Rule(split=ON), lambda _name, _rule: None))
    provider = ShotclockProvider.of_task(context)
    assert provider.get_metadata().name == "shotclock"
    assert provider.resolve_boolean_details("whole", default_value=False).value


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_known_elsewhere_is_answered_with_where_the_feature_lives(name: str) -> None:
    assert ELSEWHERE[name] in where(name.lower(), FLAGS)


def test_a_name_that_belongs_to_a_setting_or_a_phase_is_answered_as_there() -> None:
    assert where("PHASE2_COMPLETION_TIMEOUT_MINUTES", FLAGS).endswith(
        BY_NAME["PHASE2_COMPLETION_TIMEOUT_MINUTES"].instead
    )
    assert "setting idempotent" in where("DEDUP_TTL_DAYS", FLAGS)
