"""`idempotent`: what a handler does for a key is done once, and whoever comes again is given what came of it."""

from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from shotclock.clock import SystemClock
from shotclock.core.claims import Claimed, Done
from shotclock.engine.claiming import Claims, Effect, refuse
from shotclock.errors import UsageError
from shotclock.model import digest
from shotclock.ports import Store
from shotclock.settings import Settings, load

R = TypeVar("R")
Key = str | Callable[..., str]


class Once:
    """One key in the hands of whoever came with it.

    Attributes: `repeated`, whether it was done before; `result`, what came of it then, or since; `token`, which grows
    with every claim of the key, for fencing in systems that can.
    """

    def __init__(self, claims: Claims, key: str, answer: Claimed | Done) -> None:
        self._claims = claims
        self.key = key
        self.repeated = isinstance(answer, Done)
        self.token = answer.token if isinstance(answer, Claimed) else 0
        self.result: Any = answer.result if isinstance(answer, Done) else None
        self.ended = self.repeated

    def done(self, result: object = None) -> Any:  # noqa: ANN401 - any JSON
        """Remember what came of it, and return that as repeats will get it; raises `FencedError` if it is too late."""
        return self._end(lambda: self._claims.finish(self.key, self.token, result))

    def commit(self, effect: Effect) -> Any:  # noqa: ANN401 - any JSON
        """Run `effect(connection)` in the store's own database and remember its result, in one transaction.

        Raises `FencedError`, and nothing is done, if the claim has run out and somebody else has come.
        """
        return self._end(lambda: self._claims.commit(self.key, self.token, effect))

    def renew(self) -> None:
        """Hold the claim for another `lease`, where the work takes longer; raises `FencedError`."""
        self._claims.renew(self.key, self.token)

    def _end(self, end: Callable[[], object]) -> object:
        if self.ended:
            message = f"{self.key}: it is done; ask `repeated` first"
            raise UsageError(message)
        self.result = end()
        self.ended = True
        return self.result


class Idempotent:
    """What `idempotent` returns: a context manager, and a decorator."""

    def __init__(self, key: Key, payload: object, claims: Claims, *, transaction: bool) -> None:
        self._key = key
        self._payload = payload
        self._claims = claims
        self._transaction = transaction
        self._once: Once | None = None

    def __enter__(self) -> Once:
        if not isinstance(self._key, str):
            message = "a key that is a function is for the decorator; give the key itself"
            raise UsageError(message)
        self._once = self._begin(self._key, self._payload)
        return self._once

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        once, self._once = self._once, None
        assert once is not None
        if once.ended:
            return
        if error is None:
            once.done()
        else:
            self._claims.release(once.key, once.token)

    def __call__(self, function: Callable[..., R]) -> Callable[..., R]:
        """Make a handler of a function; with `transaction` its first argument is the connection."""

        @wraps(function)
        def handler(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the function takes
            key = self._key if isinstance(self._key, str) else self._key(*args, **named)
            payload = [args, named] if self._payload is None else self._payload
            if self._transaction:
                return self._claims.carry_out(key, _digest(payload), lambda its: function(its, *args, **named))
            with Idempotent(key, payload, self._claims, transaction=False) as once:
                return once.result if once.repeated else once.done(function(*args, **named))

        return handler

    def _begin(self, key: str, payload: object) -> Once:
        answer = self._claims.begin(key, _digest(payload))
        return Once(self._claims, key, answer) if isinstance(answer, Claimed | Done) else refuse(key, answer)


def idempotent(
    key: Key, payload: object = None, *, store: Store, settings: Settings | None = None, transaction: bool = False
) -> Idempotent:
    """Do once what a key stands for, however often it is asked for.

    As a context manager it gives a `Once`. As a decorator it makes a handler: `key` may be a function of its arguments,
    `payload` is its arguments unless given, and with `transaction` it is called with a connection to the store's own
    database in front, its effect and the record of it being one transaction. The payload and the result are JSON.

    Raises `BusyError` while somebody else is at it, `ConflictError` where the key was used with another payload.
    """
    return Idempotent(key, payload, Claims(store, settings or load(), SystemClock()), transaction=transaction)


def _digest(payload: object) -> str:
    try:
        return digest(msgspec.json.encode(payload, order="deterministic"))
    except (TypeError, ValueError) as error:
        message = f"the payload cannot be compared: {error}; give one that is JSON"
        raise UsageError(message) from error
