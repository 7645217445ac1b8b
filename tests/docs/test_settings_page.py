"""The settings page says what the code does: a section for each setting, and no section for anything else."""

import re
from pathlib import Path

import pytest

from shotclock.settings import described

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SECTION = re.compile(r"^## (?P<name>\w+)\n\n(?P<body>.*?)(?=\n## |\Z)", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    return {found["name"]: found["body"].strip() for found in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}


def expected(kind: str, default: str, meaning: str) -> str:
    shown = f"`{default}`" if default else "empty"
    return f"{meaning}\n\nA {kind}; default {shown}."


def test_every_setting_has_a_heading_in_the_order_of_the_code_and_every_heading_a_setting() -> None:
    assert list(sections()) == [name for name, *_ in described()]


@pytest.mark.parametrize("setting", described(), ids=lambda setting: setting[0])
def test_a_section_gives_the_meaning_the_type_and_the_default(setting: tuple[str, str, str, str]) -> None:
    name, kind, default, meaning = setting
    assert sections()[name] == expected(kind, default, meaning)
