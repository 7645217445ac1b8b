"""The pipeline file as text and as a tree of YAML nodes, within bounds that no file can blow up."""

import os
from pathlib import Path
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shotclock.errors import SpecError

FILE_NAME: Final = "pipeline.yaml"
MAX_BYTES: Final = 1024 * 1024
MAX_NODES: Final = 250_000
"""Most nodes once every alias is written out."""
MAX_DEPTH: Final = 32

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)


def find(path: Path) -> Path:
    """Return the pipeline file that `path` names, itself or by its folder; raise `SpecError` if there is none."""
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        message = f"there is no pipeline file {file}; `shotclock init NAME` writes one to start from"
        raise SpecError((message,))
    return file


def folder_of(file: Path) -> str:
    """Return the absolute folder of the file; a linked folder keeps the name that imports go by."""
    return os.path.abspath(file.parent)  # noqa: PTH100 - Path.resolve would follow links and rename the package


def read(file: Path) -> str:
    """Return the file's text; raise `SpecError` if it cannot be read, is too large or is not UTF-8."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _at(file, 1, f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise _at(file, 1, f"is larger than {MAX_BYTES // 1024} KiB; keep data out of the pipeline file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _at(file, line, "is not UTF-8 text; save it as UTF-8") from error


def tree(text: str, file: Path) -> MappingNode:
    """Return the file's mapping as YAML nodes; raise `SpecError` with the line of what is not YAML or out of bounds."""
    try:
        _bound_depth(text, file)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _yaml(file, text, error) from error
    if root is None:
        raise _at(file, 1, "the file is empty; `shotclock init NAME` writes one to start from")
    if not isinstance(root, MappingNode):
        raise _at(file, 1, "expected a mapping that begins with pipeline: NAME")
    _measure(root, {}, file)
    return root


def line_of(node: Node | yaml.Event) -> int:
    """Return the line a node or event begins on, counted from 1."""
    return int(node.start_mark.line if node.start_mark else 0) + 1


def _at(file: Path, line: int, text: str) -> SpecError:
    return SpecError((f"{file.name}:{line}: {text}",))


def _yaml(file: Path, text: str, error: yaml.YAMLError) -> SpecError:
    """Turn the parser's error into one line: most have a mark, those of single characters a position."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", 0) or 0
    line = int(mark.line) + 1 if mark else text.count("\n", 0, position) + 1
    what = ", ".join(str(part) for part in _said(error) if part) or "the text cannot be parsed"
    hint = "; put a text that begins with * in quotes" if "alias" in what else ""
    return _at(file, line, f"not valid YAML: {what}{hint}")


def _said(error: yaml.YAMLError) -> tuple[object, ...]:
    return tuple(getattr(error, name, None) for name in ("context", "problem", "reason"))


def _bound_depth(text: str, file: Path) -> None:
    """Refuse deep nesting before anything recursive sees it; the event parser itself does not recurse."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _at(file, line_of(event), f"nested more than {MAX_DEPTH} levels deep")


def _measure(node: Node, known: dict[int, tuple[int, int] | None], file: Path) -> tuple[int, int]:
    """Return size and depth of a node with its aliases written out; each node is looked at once."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise _at(file, line_of(node), "an anchor contains an alias of itself")
        return size
    if node.tag not in _TAGS:
        raise _at(file, line_of(node), f"tags such as {node.tag} mean nothing here; write the value itself")
    known[id(node)] = None
    sizes = [_measure(child, known, file) for child in children(node)]
    total, depth = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
    if total > MAX_NODES or depth > MAX_DEPTH:
        limits = f"{MAX_NODES} values or {MAX_DEPTH} levels"
        raise _at(file, line_of(node), f"with its aliases written out, this is more than {limits}")
    known[id(node)] = (total, depth)
    return total, depth


def children(node: Node) -> list[Node]:
    """Return the nodes directly inside a mapping (keys and values) or a list; none for a scalar."""
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def is_nothing(node: Node) -> bool:
    """Say whether the node is YAML's null: nothing, ``~`` or ``null`` without quotes."""
    return isinstance(node, ScalarNode) and not node.style and node.value in {"", "~", "null", "Null", "NULL"}
