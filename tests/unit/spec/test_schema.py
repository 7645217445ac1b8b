"""The published schema and page are the reader's own: they accept what it accepts and name every key it knows."""

import json
import re
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from shotclock.spec import load, schema
from tests.unit.spec.written import FULL, gate_text, phase_text, said

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs" / "pipeline.schema.json"
PAGE = (ROOT / "docs" / "pipeline-file.md").read_text(encoding="utf-8")
PIPELINES = [FULL, *sorted(ROOT.glob("pipelines/*/pipeline.yaml"))]
BLOCKS = [(kind, text) for kind, text in re.findall(r"```yaml (\w+)\n(.*?)```", PAGE, re.DOTALL)]


class AsWritten(yaml.SafeLoader):
    """Reads times of day as text, as editors do, which follow YAML 1.2."""


def _number(_: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    return node.value if ":" in node.value else int(node.value)


AsWritten.add_constructor("tag:yaml.org,2002:int", _number)


def problems(text: str) -> list[str]:
    found = Draft202012Validator(schema()).iter_errors(yaml.load(text, Loader=AsWritten))  # noqa: S506 - a SafeLoader
    return [error.message for error in found]


def test_the_published_schema_is_the_function_s() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema()


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.parent.name)
def test_every_example_pipeline_is_accepted_by_reader_and_schema(file: Path) -> None:
    load(file)
    assert problems(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "phases: {}\n",
        "pipeline: p\nphases: {}\n",
        "pipeline: p\nphases: {a: {memebers: {m: {external: true}}}}\n",
        phase_text("members: {m: {memory: 1}}\n"),
        phase_text("members: {m: 'p.m:f'}\nitems: p.m:i\n"),
        gate_text("deadline: {after: 30}\n"),
        gate_text("tolerate: some\n"),
    ],
)
def test_what_the_schema_refuses_the_reader_refuses_too(text: str, tmp_path: Path) -> None:
    assert problems(text)
    assert said(tmp_path, text)


@pytest.mark.parametrize(("kind", "text"), BLOCKS)
def test_every_example_of_the_page_is_accepted_by_reader_and_schema(kind: str, text: str, tmp_path: Path) -> None:
    one_phase = "phases: {raw: {members: {schedule: {external: true}, props: {external: true}}}}\n"
    named = "    members: {a: 'p.m:a', b: 'p.m:b', c: {external: true, optional: true}}\n"
    whole = {
        "pipeline": lambda: text,
        "top": lambda: f"pipeline: p\n{one_phase}{text}",
        "phase": lambda: phase_text(text) + indent("grade: {members: {m: {external: true}}}\n", "  "),
        "gate": lambda: gate_text(text, named),
    }[kind]()
    assert said(tmp_path, whole.replace("needs: [raw, ", "needs: [grade, ")) == []
    assert problems(whole) == []


def keys(part: Any) -> set[str]:  # noqa: ANN401 - a schema is any JSON
    """Return every key a schema knows."""
    if isinstance(part, list):
        return set().union(*map(keys, part))
    if not isinstance(part, dict):
        return set()
    own = set(part["properties"]) if isinstance(part.get("properties"), dict) else set()
    return own.union(*map(keys, part.values()))


def test_the_page_names_every_key() -> None:
    unnamed = {key for key in keys(schema()) if not re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", PAGE)}
    assert unnamed == set()
