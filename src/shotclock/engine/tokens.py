"""Tokens in a store: made, listed, rotated, revoked, each in one commit with a record of who did it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from shotclock import clock as clocks
from shotclock.clock import Clock
from shotclock.core import tokens
from shotclock.errors import ConflictError, NotFoundError, UsageError
from shotclock.model import Entry, Scope, Secret, Token
from shotclock.ports import Snapshot, Store, Transaction

SCOPE: Final = "tokens"
"""The scope of tokens and of the records of who did what to them."""
USED: Final = "tokens.used"
"""The scope of when they were used last."""
MOST: Final = 1_000
"""Most tokens a store may have; of those that count no more, the oldest are forgotten beyond it."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A token with its secret, which is told here and never again."""

    token: Token
    text: str

    def __repr__(self) -> str:
        return f"Issued(token={self.token!r}, text='...')"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A token as operators see it."""

    token: Token
    state: tokens.State
    overlaps: datetime | None
    """Until when the secret before the newest counts."""
    used: datetime | None
    """The hour in which it was used last."""


class Tokens:
    """The tokens of a store; every method may be called from any thread and process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self, name: str, scopes: Sequence[Scope], *, by: str, life: timedelta | None, pipelines: Sequence[str] = ()
    ) -> Issued:
        """Make a token that lives for `life`; None: until it is revoked."""
        now, (secret, text) = self._clock.now(), _drawn()
        token = Token(
            id=clocks.secret(tokens.ID_BYTES),
            name=_checked(name, scopes),
            scopes=tuple(dict.fromkeys(scopes)),
            pipelines=tuple(dict.fromkeys(pipelines)),
            created=now,
            by=by,
            secrets=(_kept(secret, now, life),),
        )
        self._store.write(lambda tx: _add(tx, token))
        return Issued(token=token, text=tokens.written(token.id, text))

    def list(self) -> list[Listed]:
        """Return all tokens, the oldest first, those that count no more too."""
        now = self._clock.now()
        found, used = self._store.read(lambda view: (known(view), uses(view)))
        return [
            Listed(
                token=token,
                state=tokens.state(token, now),
                overlaps=tokens.overlapping(token, now),
                used=used.get(token.id),
            )
            for token in sorted(found, key=lambda token: token.created)
        ]

    def rotate(self, which: str, *, by: str, life: timedelta | None, overlap: timedelta) -> Issued:
        """Give a token a new secret; the one before counts for `overlap`, and not at all where that is nothing.

        `which` is its id or name. Raises `ConflictError` while the overlap of the last rotation goes on, unless nothing
        is to overlap: somebody may still use the secret before the last.
        """
        now, (secret, text) = self._clock.now(), _drawn()

        def work(tx: Transaction) -> Token:
            token = _found(known(tx), which)
            _expect_rotatable(token, now, overlap)
            rotated = tokens.rotate(token, _kept(secret, now, life), overlap)
            _put(tx, rotated, what="rotated", by=by, now=now)
            return rotated

        rotated = self._store.write(work)
        return Issued(token=rotated, text=tokens.written(rotated.id, text))

    def revoke(self, which: str, *, by: str) -> Token:
        """End a token, by its id or name, with all its secrets; a repeat does nothing."""
        now = self._clock.now()

        def work(tx: Transaction) -> Token:
            token = _found(known(tx), which)
            revoked = tokens.revoke(token, now, by)
            if revoked != token:
                _put(tx, revoked, what="revoked", by=by, now=now)
            return revoked

        return self._store.write(work)


def known(view: Snapshot) -> list[Token]:
    """Return every token that a store has, the last changed last."""
    return [_token(entry) for entry in view.entries("access", scope=SCOPE, limit=MOST)]


def uses(view: Snapshot) -> dict[str, datetime]:
    """Return the hour in which each token that was ever used was used last, by id."""
    return {entry.member: entry.at for entry in view.entries("access", scope=USED, limit=MOST)}


def note_uses(tx: Transaction, ids: Iterable[str], hour: datetime) -> None:
    """Keep that tokens were used in an hour; those of which the store knows that, or a later one, stay as they are."""
    there = {token.id for token in known(tx)}
    for token_id in sorted(there & set(ids)):
        kept = tx.entries("access", scope=USED, member=token_id)
        if not kept or kept[-1].at < hour:
            tx.remove_entries(entry.id for entry in kept)
            tx.append(Entry(kind="access", scope=USED, member=token_id, at=hour))


def _drawn() -> tuple[str, str]:
    """Draw a secret; return what it hashes to, and itself."""
    secret = clocks.secret(tokens.SECRET_BYTES)
    return tokens.hashed(secret), secret


def _kept(digest: str, now: datetime, life: timedelta | None) -> Secret:
    return Secret(digest=digest, created=now, expires=None if life is None else now + life)


def _checked(name: str, scopes: Sequence[Scope]) -> str:
    if not scopes:
        message = "a token needs a scope: report, read or operate"
        raise UsageError(message)
    if not name.strip() or not name.isprintable():
        message = f"{name!r} is no name for a token: say in a few words who will use it"
        raise UsageError(message)
    return name.strip()


def _add(tx: Transaction, token: Token) -> None:
    there = known(tx)
    if any(other.name == token.name and tokens.state(other, token.created) != "revoked" for other in there):
        message = f"there is a token named {token.name}: rotate it, revoke it first, or take another name"
        raise ConflictError(message)
    if len(there) >= MOST:
        _forget(tx, tokens.dispensable(there, token.created))
    _put(tx, token, what="created", by=token.by, now=token.created)


def _forget(tx: Transaction, token: Token | None) -> None:
    if token is None:
        message = f"there are {MOST} tokens, the most there may be: revoke one that nobody uses"
        raise UsageError(message)
    for scope in (SCOPE, USED):
        tx.remove_entries(entry.id for entry in tx.entries("access", scope=scope, member=token.id))


def _put(tx: Transaction, token: Token, *, what: str, by: str, now: datetime) -> None:
    tx.remove_entries(entry.id for entry in tx.entries("access", scope=SCOPE, member=token.id))
    tx.append(Entry(kind="access", scope=SCOPE, member=token.id, at=now, body=_body(token)))
    said = {"what": what, "actor": by, "name": token.name, "scopes": list(token.scopes)}
    tx.append(Entry(kind="audit", scope=SCOPE, member=token.id, at=now, body=said))


def _body(token: Token) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(token)
    return body


def _token(entry: Entry) -> Token:
    return msgspec.convert(entry.body, Token)


def _found(there: Sequence[Token], which: str) -> Token:
    """Return the token of that id, or that is shown whole, or else the newest of that name."""
    shown = tokens.read(which)
    which = which if shown is None else shown[0]
    named = [token for token in there if token.id == which] or [token for token in there if token.name == which]
    if not named:
        near = get_close_matches(which, [token.name for token in there], n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        message = f"there is no token {which}{hint}; shotclock tokens list names all"
        raise NotFoundError(message)
    return max(named, key=lambda token: token.created)


def _expect_rotatable(token: Token, now: datetime, overlap: timedelta) -> None:
    if token.revoked is not None:
        message = f"token {token.name} was revoked: create another"
        raise ConflictError(message)
    until = tokens.overlapping(token, now)
    if until is not None and overlap:
        message = (
            f"token {token.name} has a secret before this one that counts until {until:%Y-%m-%d %H:%M:%S}Z: "
            "rotate it after that, or with --overlap 0s to end both now"
        )
        raise ConflictError(message)
