"""The tutorial is true: its files written and its commands typed in order give what the page shows, but for times."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.repository import ROOT
from tests.docs.tutorial import Typed, Written, lesson, settled

PAGE = ROOT / "docs" / "tutorial.md"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give a reader's environment, with the command of this checkout and no settings of ours."""
    command = tmp_path / "bin" / "shotclock"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m shotclock "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOTCLOCK_")}
    path = f"{command.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb"}


def written(folder: Path, step: Written) -> None:
    file = folder / step.path
    file.parent.mkdir(parents=True, exist_ok=True)
    before = f"{file.read_text(encoding='utf-8')}\n\n" if step.more else ""
    file.write_text(before + step.body, encoding="utf-8")


def test_what_the_tutorial_shows_is_what_its_reader_sees(tmp_path: Path, environment: dict[str, str]) -> None:
    folder, code = tmp_path / "reader", 0
    folder.mkdir()
    for step in lesson(PAGE):
        if isinstance(step, Written):
            written(folder, step)
            continue
        done = subprocess.run(  # noqa: S603 - the page's own commands
            ["/bin/sh", "-c", f"(exit {code}); {step.command}"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert settled(done.stdout) == settled(step.shown), step.command
        code = done.returncode


def test_the_tutorial_shows_each_thing_it_promises() -> None:
    typed = " ".join(step.command for step in lesson(PAGE) if isinstance(step, Typed))
    assert all(
        f"shotclock {command} " in typed for command in ("validate", "run", "missing", "explain", "rerun", "report")
    )
    files = [step for step in lesson(PAGE) if isinstance(step, Written) and step.path.endswith("pipeline.yaml")]
    assert all(words in files[-1].body for words in ("external: true", "deadline:", "items:", "then:"))
