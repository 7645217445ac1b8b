"""Mappings of the file read key by key, and the problems found on the way, each with its line."""

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shotclock.errors import SpecError
from shotclock.model import lookalike
from shotclock.spec.source import is_nothing, line_of

T = TypeVar("T")
D = TypeVar("D")

_SHOWN = 60
_LISTED = 16


def shown(text: str) -> str:
    """Return `text` in quotes, on one line, and cut where it is long."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def close_to(word: str, options: Collection[str]) -> str:
    """Return the end of a sentence that names the option nearest to `word`; nothing where none is near."""
    folded = {lookalike(option): option for option in options}
    close = get_close_matches(lookalike(word), folded, n=1)
    return f"; the nearest is {folded[close[0]]!r}" if close else ""


def nearest(word: str, options: Collection[str]) -> str:
    """Return the end of a sentence that names the option nearest to `word`, or the options where none is near."""
    few = ", ".join(list(options)[:_LISTED])
    return close_to(word, options) or (f"; known are {few}" if few else "")


def described(node: Node) -> str:
    """Return what a node is, for the end of "expected …, got …"."""
    if isinstance(node, ScalarNode):
        return "nothing" if is_nothing(node) else shown(node.value)
    return "a mapping" if isinstance(node, MappingNode) else "a list"


class Problems:
    """What is wrong with a file, gathered so that one reading tells all of it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[tuple[int, str], None] = {}

    def add(self, line: int, *words: str) -> None:
        """Add one problem; the words (phase, member, key, what is wrong) are joined, empty ones left out."""
        text = ": ".join(word for word in words if word)
        self._found[line, "".join(letter if letter.isprintable() else " " for letter in text)] = None

    def raise_any(self) -> None:
        """Raise `SpecError` with all problems in the order of the file, if there are any."""
        if self._found:
            ordered = sorted(self._found, key=lambda problem: problem[0])
            raise SpecError(tuple(f"{self._file}:{line}: {text}" for line, text in ordered))


class Entry(NamedTuple):
    """One line of a mapping: its key, where that stands, and its value."""

    key: str
    line: int
    value: Node


class Table:
    """A mapping of the file; what is wrong with it goes to the problems, and reading goes on with defaults.

    `broken` says that it is not a mapping or has unknown keys: then what seems missing may only be misspelt.
    """

    def __init__(
        self, node: Node, where: str, problems: Problems, *, keys: Collection[str] | None, line: int | None = None
    ) -> None:
        self.where = where
        self.problems = problems
        self.line = line_of(node) if line is None else line
        self.entries: dict[str, Entry] = {}
        self.broken = not isinstance(node, MappingNode)
        if isinstance(node, MappingNode):
            self.entries = {entry.key: entry for entry in self._read(node)}
            self.know(keys)
        else:
            problems.add(self.line, where, f"expected a mapping, got {described(node)}")

    def __contains__(self, key: str) -> bool:
        """Say whether the key is written."""
        return key in self.entries

    def _read(self, node: MappingNode) -> Iterator[Entry]:
        own: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key, ScalarNode):
                self.problems.add(line_of(key), self.where, f"a key must be text, got {described(key)}")
            elif key.value in own:
                first = f"; it stands on line {own[key.value]} already"
                self.problems.add(line_of(key), self.where, f"duplicate key {shown(key.value)}{first}")
            else:
                own[key.value] = line_of(key)
                yield Entry(key.value, line_of(key), value)
        yield from self._merged(node, own)

    def _merged(self, node: MappingNode, own: Collection[str]) -> Iterator[Entry]:
        """Yield what ``<<`` brings in: the mapping's own keys win, then the first of several merged mappings."""
        seen = set(own)
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                continue
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                for entry in Table(source, self.where, self.problems, keys=None).entries.values():
                    if entry.key not in seen:
                        seen.add(entry.key)
                        yield entry

    def know(self, keys: Collection[str] | None) -> None:
        """Add a problem for each key that is not one of `keys`; none if they are free."""
        for entry in self.entries.values():
            if keys is not None and entry.key not in keys:
                self.broken = True
                text = f"unknown key {shown(entry.key)}{nearest(entry.key, keys)}"
                self.problems.add(entry.line, self.where, text)

    def wrong(self, key: str, text: str, *, line: int | None = None) -> None:
        """Add a problem with the value of a key."""
        entry = self.entries.get(key)
        self.problems.add(line or (entry.line if entry else self.line), self.where, key, text)

    def complain(self, text: str) -> None:
        """Add a problem with the mapping as a whole."""
        self.problems.add(self.line, self.where, text)

    def missing(self, text: str) -> None:
        """Add a problem with something that is not there, unless a misspelt key may explain it."""
        if not self.broken:
            self.complain(text)

    def line_at(self, key: str) -> int:
        """Return the line of a key, or of the mapping where the key is not written."""
        return self.entries[key].line if key in self.entries else self.line

    def line_under(self, *path: str | int) -> int:
        """Return the line of a key within keys (or of a place in a list), as far down as it is written."""
        line, node = self.line, None
        for step in path:
            found = self.entries.get(str(step)) if node is None else _step(node, step)
            if found is None:
                break
            line, node = found.line, found.value
        return line

    def node(self, key: str) -> Node | None:
        """Return the value of a key as it stands in the file."""
        entry = self.entries.get(key)
        return entry.value if entry else None

    def take(self, key: str, read: Callable[[Node], T], default: D) -> T | D:
        """Return the value of a key as `read` understands it; its `ValueError` becomes a problem."""
        entry = self.entries.get(key)
        if entry is None:
            return default
        try:
            return read(entry.value)
        except ValueError as error:
            self.wrong(key, str(error))
            return default

    def need(self, key: str, read: Callable[[Node], T], default: D, *, example: str) -> T | D:
        """Return the value of a key that must be there."""
        if key not in self.entries:
            self.missing(f"{key} is missing: write {example}")
        return self.take(key, read, default)

    def each(self, key: str, read: Callable[[Node], T]) -> list[tuple[T, int]]:
        """Return the members of a list with their lines; a single value is a list of one."""
        entry = self.entries.get(key)
        if entry is None:
            return []
        found = []
        for node in entry.value.value if isinstance(entry.value, SequenceNode) else [entry.value]:
            line = line_of(node) if isinstance(entry.value, SequenceNode) else entry.line
            try:
                found.append((read(node), line))
            except ValueError as error:
                self.wrong(key, str(error), line=line)
        return found

    def inner(self, key: str, keys: Mapping[str, object] | None, *, where: str | None = None) -> "Table | None":
        """Return the mapping under a key; `where` replaces the path of keys that its problems begin with."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        path = where if where is not None else ": ".join(word for word in (self.where, key) if word)
        return Table(entry.value, path, self.problems, keys=keys, line=entry.line)


def _step(node: Node, step: str | int) -> Entry | None:
    if isinstance(node, SequenceNode) and isinstance(step, int):
        value = node.value[step]
        return Entry(str(step), line_of(value), value)
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((Entry(str(step), line_of(key), value) for key, value in pairs if key.value == step), None)
