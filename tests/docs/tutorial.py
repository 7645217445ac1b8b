"""Reads a page that is a lesson: the files its reader writes, the commands they type, what they then see."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<path>\S+))?(?P<more> \+)?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_TIME = r"\d{2}:\d{2}:\d{2}(?:\.\d+)?"
_VARIES = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_TIME}(?:\+00:00)?|{_TIME}|\b\d+(?:\.\d+)?(?:ms|s)\b")
_TIMING = re.compile(r"^~ \w+: (?:started: \d+ members|started: its items are being listed|has \d+ members)$")
"""Whether a roll is told before or after it was listed depends on who is quicker."""
_SPACES = re.compile(r"[ \t]+")


class Written(Struct, frozen=True):
    """A file the reader writes, or adds to."""

    path: str
    body: str
    more: bool


class Typed(Struct, frozen=True):
    """A command the reader types, and what the page says they then see."""

    command: str
    shown: str


def lesson(page: Path) -> Iterator[Written | Typed]:
    """Yield what the reader does, in the order of the page."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if found["path"]:
            yield Written(found["path"], found["body"], bool(found["more"]))
        elif found["kind"] == "console":
            for part in re.split(r"^\$ ", found["body"], flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                yield Typed(command, shown)


def settled(shown: str) -> list[str]:
    """Return what is shown without what differs from run to run: times, durations, and the order of two streams."""
    lines = (_SPACES.sub(" ", _VARIES.sub("~", line)).strip() for line in shown.strip().splitlines())
    return sorted(line for line in lines if not _TIMING.match(line))
