"""The settings page says what the code does: a section for each setting, and no section for anything else."""

import re
from pathlib import Path

import pytest

from shotclock.aliases import ALIASES
from shotclock.settings import RELATIONS, described

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
GENERAL = ["What must fit what", "Names of other systems", "Warnings at four fifths of a limit"]
SECTION = re.compile(r"^## (?P<name>\w+)\n\n(?P<body>.*?)(?=\n## |\Z)", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    return {found["name"]: found["body"].strip() for found in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}


def expected(kind: str, default: str, meaning: str) -> str:
    shown = f"`{default}`" if default else "empty"
    return f"{meaning}\n\nA {kind}; default {shown}."


def test_every_heading_is_that_of_a_setting_or_of_what_holds_for_several() -> None:
    headings = re.findall(r"^#{2,} (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [*GENERAL, *(name for name, *_ in described())]


def test_every_setting_has_a_heading_in_the_order_of_the_code_and_every_heading_a_setting() -> None:
    assert list(sections()) == [name for name, *_ in described()]


@pytest.mark.parametrize("setting", described(), ids=lambda setting: setting[0])
def test_a_section_gives_the_meaning_the_type_and_the_default(setting: tuple[str, str, str, str]) -> None:
    name, kind, default, meaning = setting
    assert sections()[name] == expected(kind, default, meaning)


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    table = re.search(r"^\|.*\n\|-.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table[1].splitlines()]


def test_the_page_has_every_relation_with_its_reason() -> None:
    def side(names: tuple[str, ...]) -> str:
        return " + ".join(f"`{name}`" for name in names)

    assert rows("What must fit what") == [
        [
            side(one.low),
            "at most" if one.equal else "less than",
            side(one.high),
            f"{one.why}{' (on a server)' if one.served else ''}",
        ]
        for one in RELATIONS
    ]


def test_the_page_has_every_alias_with_what_it_does() -> None:
    found = {name.strip("`"): text for name, text in rows("Names of other systems")}
    assert list(found) == [alias.name for alias in ALIASES]
    for alias in ALIASES:
        assert (
            f"](#{alias.setting})" in found[alias.name] if alias.setting else found[alias.name].endswith(alias.instead)
        )
