"""A provider for the OpenFeature client: flags of a store, or of the task at hand, read the standard way.

    api.set_provider(ShotclockProvider.of_store(Settings()))
    api.get_client().get_boolean_value("new_model", False, EvaluationContext("player-1"))

The targeting key is the unit. Flags are on or off, or have variants, which are texts; there are no numbers or objects.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, TargetingKeyMissingError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from shotclock.context import Context
from shotclock.core import flags
from shotclock.engine.beliefs import Beliefs
from shotclock.model import BUCKETS, Evaluation, value_words
from shotclock.outcomes import Permanent
from shotclock.settings import Settings
from shotclock.stores import open_store

Ask = Callable[[str, str | None], Evaluation]
V = TypeVar("V")
_Objects = Sequence[FlagValueType] | Mapping[str, FlagValueType]

_REASONS: Final = {
    "declared": Reason.DEFAULT,
    "set": Reason.STATIC,
    "split": Reason.SPLIT,
    "environment": Reason.STATIC,
    "kill_switch": Reason.DISABLED,
    "combination": Reason.DISABLED,
    "unreadable": Reason.STALE,
}


class ShotclockProvider(AbstractProvider):
    """Answers by `ask`, which is given a flag's name and the unit; `close` ends what it stands on."""

    def __init__(self, ask: Ask, close: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._ask = ask
        self._close = close

    @classmethod
    def of_store(cls, settings: Settings) -> "ShotclockProvider":
        """Answer with what holds now, never older than `flags_bound`; runs at work may carry something else."""
        store = open_store(settings)
        return cls(_Asked(Beliefs(store, settings)), store.close)

    @classmethod
    def of_task(cls, context: Context) -> "ShotclockProvider":
        """Answer as the context does: flags that bind the run as its plan has them."""
        return cls(lambda name, key: _told(context, name, key))

    def shutdown(self) -> None:
        """Release the store."""
        self._close()

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata(name="shotclock")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - the client's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Return whether a flag is on for a unit."""
        return self._resolve(flag_key, type(default_value), evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Return the variant that a unit has."""
        return self._resolve(flag_key, type(default_value), evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Refuse: no flag is a number."""
        return self._resolve(flag_key, type(default_value), evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Refuse: no flag is a number."""
        return self._resolve(flag_key, type(default_value), evaluation_context)

    def resolve_object_details(
        self, flag_key: str, default_value: _Objects, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[_Objects]:
        """Refuse: no flag is an object."""
        return self._resolve(flag_key, type(default_value), evaluation_context)

    def _resolve(self, name: str, kind: type[V], given: EvaluationContext | None) -> FlagResolutionDetails[V]:
        answer = self._ask(name, given.targeting_key if given else None)
        if type(answer.value) is not kind:
            message = f"flag {name} is {value_words(answer.value)}, which is no {kind.__name__}"
            raise TypeMismatchError(message)
        return FlagResolutionDetails(
            value=answer.value,
            reason=_REASONS[answer.reason],
            variant=value_words(answer.value),
            flag_metadata={"version": answer.version, "reason": answer.reason},
        )


class _Asked:
    """Asks what this process believes of a store's flags."""

    def __init__(self, beliefs: Beliefs) -> None:
        self._beliefs = beliefs

    def __call__(self, name: str, key: str | None) -> Evaluation:
        flag = self._beliefs.declared(name)
        if flag is None:
            message = f"the store knows no flag {name}"
            raise FlagNotFoundError(message)
        rule = self._beliefs.rule(flag)
        if key is None and 0 < rule.split.share < BUCKETS:
            message = f"flag {name} is for each {flag.key}: give it as the targeting key"
            raise TargetingKeyMissingError(message)
        return flags.evaluate(flag, rule, key or "")


def _told(context: Context, name: str, key: str | None) -> Evaluation:
    try:
        return context.flag_details(name, key=key)
    except Permanent as error:
        raise FlagNotFoundError(str(error)) from error
