"""Access: what a caller of the service may do, and what is kept of the tokens that say so."""

from datetime import datetime
from typing import Final, Literal, get_args

from msgspec import Struct

Scope = Literal["report", "read", "operate"]
"""``report``: report members and signals; ``read``: look at everything; ``operate``: start, halt, force, change. None
includes another."""
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


class Secret(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of one secret of a token: never the secret itself."""

    digest: str
    """The SHA-256 of the secret, in hex."""
    created: datetime
    expires: datetime | None = None
    """The first instant at which it no longer counts; None: it does not end by itself."""


class Token(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token as the store keeps it: who it stands for, and what its secrets hash to."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    pipelines: tuple[str, ...] = ()
    """The pipelines it is limited to; none: all."""
    created: datetime
    by: str = ""
    """Who made it."""
    secrets: tuple[Secret, ...]
    """The newest last; an older one counts until the overlap of a rotation is over."""
    revoked: datetime | None = None
    revoked_by: str = ""

    @property
    def expires(self) -> datetime | None:
        """When its newest secret ends."""
        return self.secrets[-1].expires


class Caller(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who calls the service, once that is known; it holds no secret."""

    kind: Literal["token", "oidc", "local"]
    name: str
    """The name of a token, the verified identity, or ``local``."""
    id: str = ""
    """The id of a token."""
    scopes: frozenset[Scope] = frozenset()
    pipelines: frozenset[str] = frozenset()
    """The pipelines it is limited to; none: all."""

    def covers(self, pipeline: str) -> bool:
        """Say whether it may do anything with a pipeline."""
        return not self.pipelines or pipeline in self.pipelines

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.id else self.name
