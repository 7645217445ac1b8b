"""Single values, read by the type of their field: names, durations, times of day, amounts, import paths.

Each reader takes a node and returns a value; it raises `ValueError` that says what is accepted.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shotclock.amounts import duration, words
from shotclock.model import Amount, slug
from shotclock.spec.nodes import close_to, described, shown
from shotclock.spec.source import is_nothing

T = TypeVar("T", bound=str)

LONGEST: Final = timedelta(days=366)
"""Longest duration a file may hold; what is added to a date of today must still be a date."""

_TIME = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.?[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_PERCENT = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,6})?)\s*%")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) *(KB|MB|GB)")
_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_ALL = Decimal(100)


def text(node: Node) -> str:
    """Read any single value as it is written."""
    if not isinstance(node, ScalarNode) or is_nothing(node) or not node.value.strip():
        message = f"expected a text, got {described(node)}"
        raise ValueError(message)
    if not node.value.isprintable():
        message = f"{shown(node.value)} has characters that cannot be printed"
        raise ValueError(message)
    return str(node.value)


def name_of(what: str) -> Callable[[Node], str]:
    """Return a reader of names of a `what`: pipeline, phase, mode."""
    return lambda node: slug(text(node), what)


def flag(node: Node) -> bool:
    """Read ``true`` or ``false``."""
    word = text(node).lower()
    if word not in {"true", "false"}:
        message = f"expected true or false, got {described(node)}"
        raise ValueError(message)
    return word == "true"


def whole(bounds: Mapping[str, Any]) -> Callable[[Node], int]:
    """Return a reader of whole numbers within the bounds that the field's schema states."""
    low, high = bounds["minimum"], bounds["maximum"]

    def read(node: Node) -> int:
        word = text(node)
        if not _WHOLE.fullmatch(word) or not low <= int(word) <= high:
            message = f"expected a whole number from {low} to {high}, got {described(node)}"
            raise ValueError(message)
        return int(word)

    return read


def size(node: Node) -> int:
    """Read an amount of memory, such as ``512MB``, as bytes."""
    found = _SIZE.fullmatch(text(node).strip())
    if found is None or not float(found[1]):
        message = f"expected a size with KB, MB or GB, such as 512MB, got {described(node)}"
        raise ValueError(message)
    return int(float(found[1]) * _UNITS[found[2]])


def choice(options: Sequence[T]) -> Callable[[Node], T]:
    """Return a reader of one of the given words."""

    def read(node: Node) -> T:
        word = text(node) if isinstance(node, ScalarNode) and not is_nothing(node) else ""
        for option in options:
            if word == option:
                return option
        message = f"expected one of {', '.join(options)}, got {described(node)}{close_to(word, options)}"
        raise ValueError(message)

    return read


def span(node: Node) -> timedelta:
    """Read a duration such as ``90s`` or ``1h30m``; zero is one."""
    try:
        length = duration(text(node))
    except OverflowError:
        length = timedelta.max
    if length > LONGEST:
        message = f"{described(node)} is longer than {words(LONGEST)}, the longest duration accepted"
        raise ValueError(message)
    return length


def positive(node: Node) -> timedelta:
    """Read a duration longer than zero."""
    length = span(node)
    if not length:
        message = "must be longer than zero"
        raise ValueError(message)
    return length


def is_time(node: Node | None) -> bool:
    """Say whether a node is written as a time of day."""
    return isinstance(node, ScalarNode) and _TIME.fullmatch(node.value.strip()) is not None


def time_of_day(node: Node) -> time:
    """Read a wall-clock time such as ``06:00``."""
    if not is_time(node):
        message = f"expected a time of day such as 06:00, got {described(node)}"
        raise ValueError(message)
    hour, minute, second = [*(int(part) for part in text(node).strip().split(":")), 0][:3]
    return time(hour, minute, second)


def amount(node: Node) -> Amount:
    """Read a number of members: a count such as ``12``, or a percentage such as ``2.5%``."""
    word = text(node).strip()
    share = _PERCENT.fullmatch(word)
    if share is None and not _WHOLE.fullmatch(word):
        message = f"expected a count such as 12 or a percentage such as 80%, got {described(node)}"
        raise ValueError(message)
    number = Decimal(share[1]) if share else Decimal(word)
    if number < 0:
        message = f"{word} is negative"
        raise ValueError(message)
    if share and number > _ALL:
        message = f"{word} is more than 100%"
        raise ValueError(message)
    return Amount(percent=number) if share else Amount(count=int(number))


def import_path(node: Node) -> str:
    """Read the import path of a function, ``package.module:function``."""
    word = text(node)
    module, colon, function = word.partition(":")
    if not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        message = f"{shown(word)} is not an import path: write package.module:function, such as nba.raw:player_box"
        raise ValueError(message)
    return word


def anything(node: Node) -> object:
    """Read a value of no fixed type: true, false, null, numbers, text, lists and mappings of these."""
    if isinstance(node, SequenceNode):
        return [anything(part) for part in node.value]
    if isinstance(node, MappingNode):
        return _mapping(node)
    if is_nothing(node):
        return None
    quoted = isinstance(node, ScalarNode) and node.style
    return str(node.value) if quoted else loose(str(node.value))


def _mapping(node: MappingNode) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in node.value:
        name = text(key)
        if name in values:
            message = f"has the key {shown(name)} twice"
            raise ValueError(message)
        values[name] = anything(value)
    return values


def loose(word: str) -> object:
    """Read what a word without quotes stands for: true, false, a number, or itself."""
    if word in {"true", "True", "false", "False"}:
        return word.lower() == "true"
    if _WHOLE.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word) and abs(float(word)) != float("inf"):
        return float(word)
    return word
