"""What this process knows of the tokens: read again and again, and never older than the bound when it admits by it."""

import logging
from datetime import UTC, datetime
from hashlib import sha256
from math import inf
from threading import Lock

from shotclock.clock import Clock, seconds
from shotclock.core import tokens
from shotclock.engine.tokens import known, note_uses, uses
from shotclock.errors import StoreError
from shotclock.model import Caller, Token
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings

_log = logging.getLogger("shotclock.access")
_NEVER = datetime.max.replace(tzinfo=UTC)
_OFTEN = 5
"""How often within the bound it may be read again for a token that is not known or does not fit."""


class Book:
    """The tokens of a store as this process has read them; every method may be called from any thread."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._bound = settings.access_bound.total_seconds()
        self._lock = Lock()
        self._tokens: dict[str, tuple[Token, Caller]] = {}
        self._proven: dict[bytes, tuple[Caller, datetime]] = {}
        """Who has shown what hashes to that, and when that must be looked at again."""
        self._read_at = -inf
        """When the last read began, on the monotonic clock."""
        self._seen: set[str] = set()
        """The ids that were used since the last look at the store."""
        self._used: dict[str, datetime] = {}

    @property
    def is_old(self) -> bool:
        """Whether it was read too long ago to admit anybody by it."""
        return seconds() - self._read_at > self._bound

    @property
    def is_ageing(self) -> bool:
        """Whether it is time to read it again beside the requests, so that none has to wait for it."""
        return seconds() - self._read_at > self._bound / 2

    @property
    def is_new(self) -> bool:
        """Whether it was read just now: who is not in it is not asked for again."""
        return seconds() - self._read_at < self._bound / _OFTEN

    @property
    def is_empty(self) -> bool:
        """Whether no token was ever made."""
        return not self._tokens

    def recall(self, shown: str) -> Caller | None:
        """Return who has shown exactly this since the last read, as long as no secret of theirs has ended since."""
        entry = self._proven.get(sha256(shown.encode()).digest())
        if entry is None or self._clock.now() >= entry[1]:
            return None
        self._seen.add(entry[0].id)
        return entry[0]

    def find(self, token_id: str, digest: str, shown: str) -> Caller | None:
        """Return who shows a secret of that hash, by what was read last; None if that proves nothing."""
        proven, entry, now = self._proven, self._tokens.get(token_id), self._clock.now()
        if entry is None or not tokens.proves(entry[0], digest, now):
            return None
        ends = [secret.expires for secret in entry[0].secrets if secret.expires is not None and secret.expires > now]
        proven[sha256(shown.encode()).digest()] = (entry[1], min(ends, default=_NEVER))
        self._seen.add(token_id)
        return entry[1]

    def renew(self) -> None:
        """Read the tokens anew, and keep which were used; raises `StoreError` if they cannot be read.

        Whoever waits for somebody else's read takes that one.
        """
        asked = seconds()
        with self._lock:
            if self._read_at < asked:
                self._load()

    def _load(self) -> None:
        begun = seconds()
        found, used = self._store.read(_contents)
        self._tokens = {token.id: (token, tokens.caller(token)) for token in found}
        self._proven = {}
        self._used |= used
        self._read_at = begun
        self._keep_uses()

    def _keep_uses(self) -> None:
        """Have the store keep the hour of what was used; a failure is told, and admits or refuses nobody."""
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        seen = {self._seen.pop() for _ in range(len(self._seen))}
        fresh = {token_id for token_id in seen if self._used.get(token_id) != hour}
        if not fresh:
            return
        try:
            self._store.write(lambda tx: note_uses(tx, fresh, hour))
        except StoreError as error:
            _log.warning("it cannot be kept when tokens were used: %s", error)
            self._seen |= fresh
        else:
            self._used |= dict.fromkeys(fresh, hour)


def _contents(view: Snapshot) -> tuple[list[Token], dict[str, datetime]]:
    return known(view), uses(view)
