"""Statements, read by name from the files in ``sql``; those of the SQLite store."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

_NAMED = re.compile(r"^-- name: (?P<name>\w+)\n(?P<text>.+?);$", re.MULTILINE | re.DOTALL)
_FOLDER = Path(__file__).with_name("sql")


def named(file: Path) -> Mapping[str, str]:
    """Return the statements of a file by name."""
    text = file.read_text(encoding="utf-8")
    return MappingProxyType({found["name"]: found["text"] for found in _NAMED.finditer(text)})


def schema() -> list[str]:
    """Return the statements that make an empty store, in order."""
    text = (_FOLDER / "schema.sql").read_text(encoding="utf-8")
    return [part for part in text.split(";\n") if part.strip()]


SQL: Final = named(_FOLDER / "queries.sql")
"""Statement by name."""

ADDITIONS: Final = named(_FOLDER / "additions.sql")
"""What the file of an older release lacks and this one needs."""

DUMPED: Final = tuple(name.removeprefix("dump_") for name in SQL if name.startswith("dump_"))
"""The tables, in the order of a dump."""
