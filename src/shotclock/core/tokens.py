"""Tokens decided on values alone: how one is written, which secret counts, rotating and revoking.

A token is written ``sc_<id>_<secret>``: 8 and 64 digits in hex. It is found by its id; the secret, 256 random bits, is
compared by its SHA-256 alone. A hash that is slow on purpose would protect secrets that people choose; this one nobody
can try out.

State of a secret::

    counts -> counts until   another is put beside it (`rotate`), for the overlap
           -> ended          its time is over, or the token is revoked
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Literal

from msgspec.structs import replace

from shotclock.model import Caller, Secret, Token

ID_BYTES: Final = 4
SECRET_BYTES: Final = 32
PREFIX: Final = "sc_"
WRITTEN: Final = re.compile(r"sc_(?P<id>[0-9a-f]{8})_(?P<secret>[0-9a-f]{64})")
"""How a token is written; for whoever must find one in text, too."""

State = Literal["valid", "expired", "revoked"]


def written(token_id: str, secret: str) -> str:
    """Write a token as its owner shows it."""
    return f"{PREFIX}{token_id}_{secret}"


def read(text: str) -> tuple[str, str] | None:
    """Return the id of a token and what its secret hashes to; None if it is not written as a token."""
    found = WRITTEN.fullmatch(text)
    return None if found is None else (found[1], hashed(found[2]))


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return sha256(secret.encode()).hexdigest()


def proves(token: Token, shown: str, now: datetime) -> bool:
    """Say whether what a shown secret hashes to is one of the token's that counts; takes as long for any other."""
    if token.revoked is not None:
        return False
    right = [compare_digest(secret.digest, shown) and _counts(secret, now) for secret in token.secrets]
    return any(right)


def state(token: Token, now: datetime) -> State:
    """Say how a token stands."""
    if token.revoked is not None:
        return "revoked"
    return "valid" if any(_counts(secret, now) for secret in token.secrets) else "expired"


def rotate(token: Token, secret: Secret, overlap: timedelta) -> Token:
    """Put a new secret beside the newest, which counts for the overlap and never longer than it would have."""
    now = secret.created
    before = token.secrets[-1]
    until = min(now + overlap, before.expires or now + overlap)
    kept = [replace(before, expires=until)] if until > now else []
    return replace(token, secrets=(*kept, secret))


def overlapping(token: Token, now: datetime) -> datetime | None:
    """Return until when the secret before the newest counts; None if it does not."""
    older = [secret.expires for secret in token.secrets[:-1] if _counts(secret, now)]
    return older[-1] if older else None


def revoke(token: Token, now: datetime, by: str) -> Token:
    """End all secrets of a token at once; one that is revoked stays as it is."""
    return token if token.revoked is not None else replace(token, revoked=now, revoked_by=by)


def caller(token: Token) -> Caller:
    """Return who shows a token."""
    return Caller(
        kind="token",
        name=token.name,
        id=token.id,
        scopes=frozenset(token.scopes),
        pipelines=frozenset(token.pipelines),
    )


def dispensable(tokens: Iterable[Token], now: datetime) -> Token | None:
    """Return the one of these, oldest first, that is to be forgotten where there are too many; None if all count."""
    return next((token for token in tokens if state(token, now) != "valid"), None)


def _counts(secret: Secret, now: datetime) -> bool:
    return secret.expires is None or now < secret.expires
