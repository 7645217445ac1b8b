"""Durations and sizes as people write them: read, and written again."""

import re
from datetime import timedelta
from typing import Final

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)")
_SIZE = re.compile(r"(?P<number>\d+)(?P<unit>KiB|MiB|GiB|KB|MB|GB|B|)")
_ADDRESS = re.compile(r"(?<![\w+.-])([a-zA-Z][\w+.-]*://)[^\s;]*")
_POWERS: Final = {"": 0, "B": 0, "KB": 1, "KiB": 1, "MB": 2, "MiB": 2, "GB": 3, "GiB": 3}
"""A thousand means 1,024 in every unit of size, as it does in `memory:` of a pipeline file."""


class Secret(str):
    """Text that may hold what must not be seen; shown with what follows ``://`` left out."""

    __slots__ = ()


def bare(text: str) -> str:
    """Return text without what is secret in its addresses."""
    return _ADDRESS.sub(r"\1***", text)


class Size(int):
    """A number of bytes, written with its unit."""

    __slots__ = ()

    def __str__(self) -> str:
        size, power = int(self), 0
        while size and size % 1024 == 0 and power < 3:  # noqa: PLR2004 - the largest unit
            size, power = size >> 10, power + 1
        return f"{size}{('B', 'KiB', 'MiB', 'GiB')[power]}"


def size(text: str) -> Size:
    """Read ``256KiB``, ``1 MiB`` or a number of bytes; raises `ValueError` that says what is accepted."""
    found = _SIZE.fullmatch(text.strip().replace(" ", ""))
    if found is None:
        message = f"{text!r} is not a size: write a number with B, KiB, MiB or GiB, such as 256KiB"
        raise ValueError(message)
    return Size(int(found["number"]) << 10 * _POWERS[found["unit"]])


def duration(text: str) -> timedelta:
    """Read ``1h30m``, ``90s``, ``500ms`` or ``2d``; raises `ValueError` that says what is accepted."""
    compact = text.strip().replace(" ", "")
    found = list(_DURATION.finditer(compact))
    if not found or "".join(part[0] for part in found) != compact:
        message = f"{text!r} is not a duration: write numbers with ms, s, m, h or d, such as 30m or 1h30m"
        raise ValueError(message)
    from shotclock.model.spans import UNITS  # noqa: PLC0415 - commands that look at nothing load no model

    total = sum(float(part["number"]) * UNITS[part["unit"]] for part in found)
    return timedelta(seconds=total)


def words(span: timedelta) -> str:
    """Write a duration as `duration` reads it: the two largest units, or milliseconds below a second."""
    from shotclock.model import spans  # noqa: PLC0415 - commands that look at nothing load no model

    return spans.words(span)


def exactly(span: timedelta) -> str:
    """Write a duration with every unit it has, nothing rounded but what is below a millisecond."""
    from shotclock.model.spans import UNITS  # noqa: PLC0415 - commands that look at nothing load no model

    text, rest = "", round(span / timedelta(milliseconds=1))
    for unit in ("d", "h", "m", "s", "ms"):
        number, rest = divmod(rest, round(UNITS[unit] * 1000))
        text += f"{number}{unit}" if number else ""
    return text or "0ms"
