"""The repository keeps its own rules: what a reader would trip over fails here."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.docs.repository import ROOT, files, named, sources

MOST_LINES = 450
SAME_STATEMENTS = 4
TEXT = {".cfg", ".ini", ".json", ".md", ".py", ".sql", ".toml", ".txt", ".yaml", ".yml", ""}

FOREIGN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:wor[k]|hom[e]|roo[t]|User[s]|tmp/\w)(?=/|\b)"),
    "a package registry's host": re.compile(r"py[p]i\.org|pythonhoste[d]\.|registry\.np[m]js|deb\.debia[n]"),
    "work left undone": re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|NotImplemente[d]Error)\b"),
    "a hole in the coverage": re.compile(r"pragma: no cove[r]"),
    "an ignore without its reason": re.compile(r"type: ignor[e](?!\[[\w, -]+\]  # \w)|# noq[a](?!: [A-Z0-9, ]+ - \w)"),
}
"""Spelt so that this file does not find itself."""

python = pytest.mark.parametrize("path", sources("src", "pipelines", "tests"), ids=named)


@pytest.mark.parametrize("path", [path for path in files() if path.suffix in TEXT], ids=named)
def test_a_file_holds_nothing_that_belongs_elsewhere(path: Path) -> None:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    found = [f"{named(path)}:{at}: {what}" for at, row in lines for what, bad in FOREIGN.items() if bad.search(row)]
    assert found == []


@python
def test_a_file_says_in_its_first_line_what_it_is_for(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(module), f"{named(path)} has no docstring"
    assert module.body[0].lineno == 1


@python
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_nothing_is_written_twice() -> None:
    places = defaultdict(list)
    for path in sources("src", "pipelines"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                places[_body(node)].append(f"{named(path)}:{node.lineno} {node.name}")
    assert [where for body, where in places.items() if body and len(where) > 1] == []


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return what a function does, its docstring aside; nothing for what is too short to matter."""
    statements = node.body[1:] if ast.get_docstring(node) else node.body
    inner = [child for statement in statements for child in ast.walk(statement) if isinstance(child, ast.stmt)]
    return "" if len(inner) < SAME_STATEMENTS else ast.dump(ast.Module(body=statements, type_ignores=[]))


def test_no_folder_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert [named(path) for path in sources("src", "pipelines", "tests") if path.stem in drawers] == []
    assert [named(path) for path in files() if drawers & set(path.relative_to(ROOT).parts[:-1])] == []
