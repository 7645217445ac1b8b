"""The commands and their page say the same: a section for each, with every option, and examples in every help."""

import re

import click
import pytest

from shotclock.cli.main import COMMANDS, commands
from tests.docs.repository import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (?P<name>\w+)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
EVERYWHERE = {"--home", "--store", "--json", "--debug", "--help"}


def command(name: str) -> click.Command:
    """Return a command as the group gives it."""
    found = commands.get_command(click.Context(commands), name)
    assert found is not None
    return found


def test_every_command_has_its_section_in_the_order_of_the_help() -> None:
    assert [found["name"] for found in SECTION.finditer(PAGE)] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_every_option_and_no_other(name: str) -> None:
    section = next(one["body"] for one in SECTION.finditer(PAGE) if one["name"] == name)
    found = command(name)
    every = [found, *(found.commands.values() if isinstance(found, click.Group) else ())]
    options = {text for one in every for option in one.params for text in option.opts if text.startswith("--")}
    assert options >= EVERYWHERE - {"--help"}
    assert set(re.findall(r"--[a-z][a-z-]*", section)) - EVERYWHERE == options - EVERYWHERE


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_examples_of_it(name: str) -> None:
    found = command(name)
    text = found.get_help(click.Context(found, info_name=name))
    assert re.search(rf"Examples:\n +shotclock .*{name}", text)
    assert found.get_short_help_str()
