"""The service keeps to what its OpenAPI document says, whatever it is asked: every check, on every operation.

Half of what names a pipeline, a key or a phase is made to name what is there, so that handlers are reached, too.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, BaseSchema, Case, CheckFunction, GenerationMode
from schemathesis.core import NotSet
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection

from shotclock.engine.tokens import Tokens
from shotclock.model import SCOPES
from tests.unit.http.house import DAY, Asking, asking

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Question: TypeAlias = Case[Any]
SLICE, WHOLE = 6, 240
"""Cases for each operation: some in every run, and 5,000 over all of them in the long proof."""
THERE = {"pipeline": "sources", "key": DAY, "phase": "raw"}
BY_DESIGN: Mapping[str, list[CheckFunction]] = {"/v1/push": [negative_data_rejection]}
"""A pushed message that nothing can be made of is kept and acknowledged: refused, it would come again for ever."""
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with asking(tmp_path_factory.mktemp("openapi"), open_to_all=False) as made:
        made.service.vitals.health.started(())
        yield made


@pytest.fixture(scope="module")
def shown(ask: Asking) -> dict[str, str]:
    """Give what a caller shows who may do everything; there is a run to do it with."""
    tokens = Tokens(ask.service.store, ask.service.clock)
    made = {"Authorization": f"Bearer {tokens.create('all', SCOPES, by='test', life=None).text}"}
    assert ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY}, **made).status == 201
    return made


@pytest.fixture(scope="module")
def described(ask: Asking) -> BaseSchema:
    """Give the document as the service tells it."""
    return schemathesis.openapi.from_asgi("/openapi.json", ask.app)


def cases(operation: Operation) -> st.SearchStrategy[Question]:
    """Draw what the document allows, and what it does not where it forbids anything."""
    allowed = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    forbids = operation.body or operation.path_parameters or operation.query
    return allowed | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE) if forbids else allowed


def as_senders_write(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Write whole numbers without a point: JSON Schema takes 3.0 for an integer, the service does not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: as_senders_write(one) for name, one in value.items()}
    return [as_senders_write(one) for one in value] if isinstance(value, list) else value


def left_out(case: Question) -> list[CheckFunction]:
    """Return the checks that a case is not for: no body is as good as an empty one where none is required."""
    if case.operation.body and isinstance(case.body, NotSet):
        return [negative_data_rejection]
    return BY_DESIGN.get(case.path, [])


def keeps_to_it(schema: BaseSchema, shown: dict[str, str], number: int) -> int:
    """Ask as many cases of every operation as that, and check every answer; return how many were asked."""
    asked = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @seed(20250115)
        @settings(max_examples=number, suppress_health_check=QUIET, phases=[Phase.generate])
        @given(case=cases(operation), there=st.booleans())
        def holds(case: Question, there: bool) -> None:  # noqa: FBT001 - drawn
            nonlocal asked
            asked += 1
            allowed = case.meta is not None and case.meta.generation.mode.is_positive
            if there and allowed and not case.path.endswith("/events"):
                case.path_parameters.update({name: THERE[name] for name in case.path_parameters})
            case.body = as_senders_write(case.body)
            given = {} if "Authorization" in case.headers and not allowed else shown
            case.call_and_validate(headers=given, excluded_checks=left_out(case))

        holds()
    return asked


def test_a_slice_of_what_may_be_asked_is_answered_as_described(described: BaseSchema, shown: dict[str, str]) -> None:
    assert keeps_to_it(described, shown, SLICE) >= 100


@pytest.mark.long
def test_five_thousand_questions_are_answered_as_described(
    described: BaseSchema,
    shown: dict[str, str],
    record_property: Callable[[str, object], None],
) -> None:
    asked = keeps_to_it(described, shown, WHOLE)
    record_property("cases", asked)
    assert asked >= 5_000
