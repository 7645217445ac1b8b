"""The table of routes: what each is for, who may call it, what it takes and answers; paths and OpenAPI come from it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from msgspec import Struct, field

from shotclock.http.bodies import NoQuery
from shotclock.model import Caller, Scope


class Reply(Struct, frozen=True, kw_only=True):
    """What a handler answers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}


class Asked(Struct, frozen=True, kw_only=True):
    """A request, read and checked."""

    path: Any
    query: Any
    body: Any
    raw: bytes
    headers: Mapping[str, str]
    caller: Caller


class Route(Struct, frozen=True, kw_only=True):
    """One door of the service."""

    method: Literal["GET", "POST"]
    path: str
    handler: Callable[..., Any]
    """Takes the service and what was asked; runs in a thread of its own unless it is a coroutine function."""
    summary: str
    scope: Scope | None = None
    """What a caller must be allowed to; None where everybody may."""
    in_path: type[Struct] | None = None
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    replies: Mapping[int, Any] = field(default_factory=dict)
    """What is answered, by status: a type, or a media type as text."""
    takes: tuple[str, ...] = ("application/json",)
    """Media types of the body."""
    raw: bool = False
    """Whether the handler reads the body itself, and admits callers by what is in it."""
    harmless: bytes | None = b"[]"
    """A body that changes nothing, for the check at the start; None where any would."""
