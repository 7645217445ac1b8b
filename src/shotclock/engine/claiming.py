"""Claims in a store: each step one commit, the effect in the same commit where it is made in the same database."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NoReturn

import msgspec

from shotclock.amounts import words
from shotclock.clock import Clock
from shotclock.core import claims
from shotclock.core.claims import Answer, Busy, Claim, Claimed, Conflict, Done
from shotclock.errors import BusyError, ConflictError, FencedError, UsageError
from shotclock.model import Entry
from shotclock.ports import Snapshot, Store, Transaction
from shotclock.settings import Settings

FIGURES: Final = "idempotent"
"""The scope of what is counted."""
LONGEST_KEY: Final = 500

Effect = Callable[[Any], Any]
"""What is done on a connection to the store's own database; what it returns is the result."""


class _EffectError(Exception):
    """What an effect raised, on its way out of the transaction: the store would take a database error for its own."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Claims:
    """The claims of a store; every method may be called from any thread and process."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def begin(self, key: str, payload: str) -> Answer:
        """Claim a key for a payload, given as what it hashes to."""
        return self._store.write(lambda tx: self._begin(tx, _checked(key), payload))

    def finish(self, key: str, token: int, result: object) -> Any:  # noqa: ANN401 - any JSON
        """Remember what came of it, and return that as repeats will get it; raises `FencedError`."""
        return self._store.write(lambda tx: self._finish(tx, key, token, result))

    def commit(self, key: str, token: int, effect: Effect) -> Any:  # noqa: ANN401 - any JSON
        """Carry out an effect in the store's own database and remember its result, in one transaction."""

        def work(tx: Transaction) -> object:
            self._held(tx, key, token)
            return self._finish(tx, key, token, _carried_out(tx, effect))

        return self._whole(work)

    def carry_out(self, key: str, payload: str, effect: Effect) -> Any:  # noqa: ANN401 - any JSON
        """Claim, carry out the effect in the store's own database, remember: all in one transaction, or a repeat.

        Raises `BusyError` while somebody else has claimed it, `ConflictError` where the key stands for another payload.
        """

        def work(tx: Transaction) -> Answer:
            answer = self._begin(tx, _checked(key), payload)
            if not isinstance(answer, Claimed):
                return answer
            return Done(result=self._finish(tx, key, answer.token, _carried_out(tx, effect)))

        answer = self._whole(work)
        return answer.result if isinstance(answer, Done) else refuse(key, answer)

    def release(self, key: str, token: int) -> None:
        """Give a claim up, so that the next who comes need not wait; one that is not held any more is let be."""

        def work(tx: Transaction) -> None:
            known = _known(tx, key)
            if known is not None and claims.is_held(known, token):
                _put(tx, key, claims.release(known, self._clock.now()))
                tx.tally(FIGURES, "released")

        self._store.write(work)

    def renew(self, key: str, token: int) -> None:
        """Hold a claim for another lease; raises `FencedError`."""
        now, lease = self._clock.now(), self._settings.lease
        self._store.write(lambda tx: _put(tx, key, claims.renew(self._held(tx, key, token), now, lease)))

    def _whole(self, work: Callable[[Transaction], Any]) -> Any:  # noqa: ANN401 - what the work returns
        try:
            return self._store.write(work)
        except _EffectError as wrapped:
            raise wrapped.error from None

    def _begin(self, tx: Transaction, key: str, payload: str) -> Answer:
        now, settings = self._clock.now(), self._settings
        answer = claims.begin(_known(tx, key), payload, now, settings.lease, settings.idempotent)
        match answer:
            case Claimed(claim=claim, expired=expired):
                _put(tx, key, claim)
                tx.tally(FIGURES, "claimed")
                if expired:
                    tx.tally(FIGURES, "expired")
            case Done():
                tx.tally(FIGURES, "repeated")
            case Busy():
                tx.tally(FIGURES, "busy")
            case Conflict():
                tx.tally(FIGURES, "conflicts")
        return answer

    def _held(self, tx: Transaction, key: str, token: int) -> Claim:
        known = _known(tx, key)
        if known is None or not claims.is_held(known, token):
            message = f"{key}: the claim of token {token} has run out and was taken over, or has ended"
            raise FencedError(message)
        return known

    def _finish(self, tx: Transaction, key: str, token: int, result: object) -> object:
        plain = _plain(key, result, self._settings.payload_bytes)
        _put(tx, key, claims.finish(self._held(tx, key, token), plain, self._clock.now()))
        return plain


def figures(view: Snapshot) -> dict[str, int]:
    """Return how many keys are remembered, and what was answered so far."""
    counted = dict.fromkeys(("claimed", "repeated", "busy", "conflicts", "released", "expired"), 0)
    return {"kept": view.count_entries("claim", scope_prefix=""), **counted, **view.tallies(FIGURES)}


def purge(tx: Transaction, before: datetime, most: int) -> int:
    """Forget up to `most` keys that nothing happened to since an instant; return how many."""
    number = tx.purge_entries("claim", before, most)
    if number:
        tx.tally(FIGURES, "expired", number)
    return number


def refuse(key: str, answer: Answer) -> NoReturn:
    """Raise the error that says why a key cannot be claimed now."""
    if isinstance(answer, Busy):
        message = f"{key}: somebody carries it out now; try again in {words(answer.retry_after)}"
        raise BusyError(message, answer.retry_after)
    message = f"{key}: it was used with another payload; take a new key for new content"
    raise ConflictError(message)


def _checked(key: str) -> str:
    if not key or len(key) > LONGEST_KEY:
        message = f"{key[:40]!r} cannot be a key: use 1 to {LONGEST_KEY} characters"
        raise UsageError(message)
    return key


def _known(view: Snapshot, key: str) -> Claim | None:
    found = view.entries("claim", scope=key, limit=1)
    return msgspec.convert(found[0].body, Claim) if found else None


def _put(tx: Transaction, key: str, claim: Claim) -> None:
    tx.remove_entries([entry.id for entry in tx.entries("claim", scope=key)])
    tx.append(Entry(kind="claim", scope=key, at=claim.at, digest=claim.payload, body=msgspec.to_builtins(claim)))


def _carried_out(tx: Transaction, effect: Effect) -> object:
    with tx.lend() as connection:
        try:
            return effect(connection)
        except Exception as error:
            raise _EffectError(error) from error


def _plain(key: str, result: object, limit: int) -> object:
    """Return a result as repeats will get it; raises `UsageError` if it is not JSON, or too large."""
    try:
        text = msgspec.json.encode(result)
    except (TypeError, ValueError) as error:
        message = f"{key}: the result cannot be kept as JSON: {error}"
        raise UsageError(message) from error
    if len(text) > limit:
        message = (
            f"{key}: the result has {len(text)} bytes, payload_bytes allows {limit}; keep it elsewhere and return where"
        )
        raise UsageError(message)
    plain: object = msgspec.json.decode(text)
    return plain
