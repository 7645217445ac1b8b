"""Pipeline files for tests: written to a folder, and what reading them says."""

from pathlib import Path
from textwrap import indent

from shotclock.errors import SpecError
from shotclock.model import Gate, PhasePlan, Plan
from shotclock.spec import load

FULL = Path(__file__).parent / "full.yaml"
"""A pipeline that uses every key."""

TOP = "pipeline: p\n"
ONE_PHASE = "phases: {a: {members: {m: {external: true}}}}\n"
RAW = "pipeline: p\nphases:\n  raw:\n"
MEMBERS = "    members: {a: 'p.m:a', b: {external: true, critical: true}, c: {external: true, optional: true}}\n"
ITEMS = "    items: p.m:items\n    run: p.m:work\n"


def wrote(folder: Path, text: str) -> Path:
    """Write a pipeline file; return it."""
    file = folder / "pipeline.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def said(folder: Path, text: str) -> list[str]:
    """Return the problems of a file, none if it can be used."""
    try:
        load(wrote(folder, text))
    except SpecError as error:
        return list(error.problems)
    return []


def phase_text(text: str) -> str:
    """Return a file whose one phase, `raw`, holds `text` from line 4 on."""
    return RAW + indent(text, "    ")


def gate_text(text: str, roll: str = MEMBERS) -> str:
    """Return a file whose one phase has a gate that holds `text`: from line 6 on beside members, 7 beside items."""
    return f"{RAW}{roll}    gate:\n{indent(text, '      ')}"


def plan_of(folder: Path, text: str) -> Plan:
    """Return the plan of a file."""
    return load(wrote(folder, text))


def phase_of(folder: Path, text: str) -> PhasePlan:
    """Return the one phase of a file."""
    return plan_of(folder, phase_text(text)).phases[0]


def gate_of(folder: Path, text: str, roll: str = MEMBERS) -> Gate:
    """Return the gate of the one phase of a file."""
    return plan_of(folder, gate_text(text, roll)).phases[0].gate
