"""What a log line is about, following the work into threads, tasks and children; and any value in words of JSON."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

TEXT_MOST: Final = 8_192
"""Characters of one text; a line has room for several."""
_MANY: Final = 100
"""Elements of one list or mapping that are said."""
_DEEP: Final = 6
"""Levels of what is nested."""
_about: ContextVar[Mapping[str, object]] = ContextVar("shotclock_about", default=MappingProxyType({}))


def about() -> Mapping[str, object]:
    """Return what the work in hand is about: pipeline, run, phase, member, attempt, correlation, trace."""
    return _about.get()


@contextmanager
def saying(words: Mapping[str, object]) -> Iterator[None]:
    """Have all that is logged within say these words too; coroutines take them along."""
    before = _about.set({**_about.get(), **words})
    try:
        yield
    finally:
        _about.reset(before)


def plain(value: object) -> object:
    """Return any value as JSON has it; raises nothing, goes round in no circle, and is never long."""
    return _plain(value, 0)


def _plain(value: object, depth: int) -> object:
    match value:
        case None | bool():
            return value
        case str():
            return text(value)
        case int() if type(value) is int and abs(value) < 1 << 63:
            return value
        case float() if type(value) is float and math.isfinite(value):
            return value
        case _:
            return _shown(value, depth)


def _shown(value: object, depth: int) -> object:
    try:
        if isinstance(value, Mapping) and depth < _DEEP:
            pairs = [pair for pair, _ in zip(value.items(), range(_MANY), strict=False)]
            return {text(str(name)): _plain(inner, depth + 1) for name, inner in pairs}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEP:
            return [_plain(inner, depth + 1) for inner, _ in zip(value, range(_MANY), strict=False)]
        return text(str(value))
    except Exception as error:  # noqa: BLE001 - a value of the user's may raise anything while it is looked at
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def text(value: str) -> str:
    """Return a text that any reader of JSON takes: no half of a character, and not too long."""
    if len(value) > TEXT_MOST:
        value = f"{value[:TEXT_MOST]}... ({len(value) - TEXT_MOST} more characters)"
    return value.encode("utf-8", "replace").decode("utf-8") if not value.isascii() else value
