"""The flags of the file: who owns each, what it is for, whom it is given to, and what may stand beside it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

from msgspec.structs import replace
from yaml.nodes import Node

from shotclock.model import Flag, Split, slug, split_of
from shotclock.spec.nodes import Entry, Table, nearest, shown
from shotclock.spec.scalars import choice, name_of, text
from shotclock.spec.schema import FLAG

_BINDINGS: Final[tuple[Literal["run", "live"], ...]] = ("run", "live")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_FEW: Final = 2
"""Fewest variants: what stands for off, and another."""


def flags_of(top: Table) -> dict[str, Flag]:
    """Read all flags, and check that what they name is there."""
    table = top.inner("flags", None)
    if table is None:
        return {}
    tables = {entry.key: _table(entry, table) for entry in table.entries.values()}
    flags = {name: _flag(name, own) for name, own in tables.items()}
    for name, own in tables.items():
        _check_names(own, flags[name], flags)
    _check_aliases(tables, flags)
    return flags


def _table(entry: Entry, flags: Table) -> Table:
    try:
        slug(entry.key, "flag")
    except ValueError as error:
        flags.problems.add(entry.line, str(error))
    return Table(entry.value, f"flag {entry.key}", flags.problems, keys=FLAG, line=entry.line)


def _flag(name: str, table: Table) -> Flag:
    plain = Flag(
        name=name,
        owner=table.need("owner", text, "", example="owner: who answers for it"),
        purpose=table.need("purpose", text, "", example="purpose: what it turns on, in a sentence"),
        binding=table.take("binding", choice(_BINDINGS), _BINDINGS[0]),
        key=table.take("key", name_of("key"), "run"),
        variants=_variants(table),
        requires=tuple(found for found, _ in table.each("requires", text)),
        excludes=tuple(found for found, _ in table.each("excludes", text)),
        expires=table.take("expires", _date, None),
        alias=table.take("alias", _variable, None),
    )
    off = split_of(plain, "off")
    return replace(
        plain,
        default=table.take("default", lambda node: _split(plain, node), off),
        safe=table.take("safe", lambda node: _whole(plain, node), off),
    )


def _variants(table: Table) -> tuple[str, ...]:
    found = table.each("variants", name_of("variant"))
    names = tuple(dict.fromkeys(name for name, _ in found))
    if "variants" in table and len(names) != len(found):
        table.wrong("variants", "one is named twice")
    if "variants" in table and len(names) < _FEW:
        table.wrong("variants", "expected two or more, the one that stands for off first")
        return ()
    return names


def _split(flag: Flag, node: Node) -> Split:
    return split_of(flag, text(node))


def _whole(flag: Flag, node: Node) -> Split:
    """Read what is safe: the same for everybody."""
    split = split_of(flag, text(node))
    if not split.is_off and not split.is_whole:
        message = f"{split} is no safe value: it must be the same for everybody"
        raise ValueError(message)
    return split


def _date(node: Node) -> date:
    word = text(node)
    try:
        return date.fromisoformat(word)
    except ValueError as error:
        message = f"expected a date such as 2026-01-31, got {shown(word)}"
        raise ValueError(message) from error


def _variable(node: Node) -> str:
    word = text(node)
    if not _VARIABLE.fullmatch(word):
        message = f"{shown(word)} cannot name an environment variable"
        raise ValueError(message)
    return word


def _check_names(table: Table, flag: Flag, flags: Mapping[str, Flag]) -> None:
    for key, names in (("requires", flag.requires), ("excludes", flag.excludes)):
        for name in names:
            if name == flag.name:
                table.wrong(key, "a flag cannot name itself")
            elif name not in flags:
                table.wrong(key, f"there is no flag {shown(name)}{nearest(name, flags)}")
            elif key == "excludes" and name in flag.requires:
                table.wrong(key, f"{shown(name)} is required as well")


def _check_aliases(tables: Mapping[str, Table], flags: Mapping[str, Flag]) -> None:
    taken: dict[str, str] = {}
    for name, flag in flags.items():
        if flag.alias is not None and taken.setdefault(flag.alias, name) != name:
            tables[name].wrong("alias", f"{flag.alias} sets {taken[flag.alias]} already")
