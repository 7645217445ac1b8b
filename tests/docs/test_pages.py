"""The pages hold: links lead somewhere, commands exist, every decision is listed."""

import re
from pathlib import Path

import pytest

from shotclock.spec import load
from tests.docs.repository import ROOT, files, named

PAGES = [path for path in files() if path.suffix == ".md"]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
MAKE = re.compile(r"(?<![\w-])make (?P<target>[a-z][a-z-]*)(?=`|\n| +#| ARGS| DATE| PYTHON)")
TARGET = re.compile(r"^(?P<target>[a-z][a-z-]*):(?P<line>.*)$", re.MULTILINE)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchor(title: str) -> str:
    """Return the fragment under which a heading can be linked to."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def leads_somewhere(page: Path, target: str) -> bool:
    where, _, fragment = target.partition("#")
    aim = (page.parent / where).resolve() if where else page
    if not aim.exists():
        return False
    titles = (found["title"] for found in HEADING.finditer(FENCE.sub("", text(aim)))) if fragment else ()
    return not fragment or fragment in {anchor(title) for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(FENCE.sub("", text(page)))]
    inside = [target for target in targets if not target.startswith(("http:", "https:", "mailto:"))]
    assert [target for target in inside if not leads_somewhere(page, target)] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_on_the_page_is_in_the_makefile(page: str) -> None:
    targets = {found["target"] for found in TARGET.finditer(text(ROOT / "Makefile"))}
    named_here = {found["target"] for found in MAKE.finditer(text(ROOT / page))}
    assert {"run", "test"} <= named_here
    assert named_here <= targets


def test_every_task_of_the_makefile_has_a_line_in_its_help() -> None:
    tasks = list(TARGET.finditer(text(ROOT / "Makefile")))
    assert [found["target"] for found in tasks if " ## " not in found["line"]] == []


def test_every_decision_is_listed_under_its_title_and_every_listed_one_exists() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\[(\d{4}) ([^\]]+)\]\((\d{4}-[^)]+\.md)\)", text(folder / "README.md"))
    written = {path.name: text(path).splitlines()[0] for path in folder.glob("[0-9]*.md")}
    assert {name: f"# {number} {title}" for number, title, name in listed} == written
    assert [number for number, *_ in listed] == [f"{at:04}" for at in range(1, len(written) + 1)]


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")), ids=named)
def test_a_decision_tells_what_was_rejected_and_what_follows(page: Path) -> None:
    titles = [found["title"] for found in HEADING.finditer(text(page))][1:]
    assert titles == ["Context", "Decision", "Rejected", "Consequences"]


def test_every_change_fragment_has_a_kind_that_the_changelog_knows() -> None:
    kinds = set(re.findall(r'^directory = "(\w+)"$', text(ROOT / "pyproject.toml"), re.MULTILINE))
    fragments = [path.name for path in files(ROOT / "changelog.d") if path.name != "README.md"]
    assert [name for name in fragments if name.split(".")[1] not in kinds or not name.endswith(".md")] == []


def test_the_pipeline_on_the_front_page_is_a_pipeline(tmp_path: Path) -> None:
    found = re.search(r"^```yaml\n(?P<file>.*?)^```", text(ROOT / "README.md"), re.MULTILINE | re.DOTALL)
    assert found is not None
    (tmp_path / "pipeline.yaml").write_text(found["file"], encoding="utf-8")
    assert [phase.name for phase in load(tmp_path).phases] == ["raw", "predictions"]
