"""Every function a pipeline names is tried before a run needs it, and what is wrong is told with who names it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest

from shotclock.model import Plan
from shotclock.spec import check_imports, load
from tests.unit.spec.written import wrote

Write = Callable[[str, str], Plan]


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """Name a package that no other test imports, and forget its modules afterwards."""
    name = f"pipeline_{uuid4().hex}"
    (tmp_path / name).mkdir()
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def plan(package: str, tmp_path: Path) -> Write:
    """Return a function that writes a phase and a module `work` beside it; PACKAGE stands for the package's name."""

    def write(phase: str, code: str) -> Plan:
        (tmp_path / package / "work.py").write_text(dedent(code))
        text = f"pipeline: p\nphases:\n  raw: {phase}\n".replace("PACKAGE", package)
        return load(wrote(tmp_path / package, text))

    return write


def test_functions_that_can_be_called_are_no_problem(plan: Write) -> None:
    phase = "{items: 'PACKAGE.work:f', run: 'PACKAGE.work:f', then: 'PACKAGE.work:f', gate: {check: 'PACKAGE.work:f'}}"
    assert check_imports(plan(phase, "def f(): ...")) == []


def test_looking_leaves_the_import_path_as_it_was(plan: Write) -> None:
    before = list(sys.path)
    check_imports(plan("{members: {m: 'PACKAGE.work:f'}}", "import sys; sys.path.pop(0)"))
    assert sys.path == before


def test_a_function_that_is_not_there_names_the_nearest(plan: Write, package: str, tmp_path: Path) -> None:
    found = check_imports(plan("{members: {m: 'PACKAGE.work:player_bx'}}", "def player_box(): ..."))
    file = tmp_path / package / "work.py"
    assert found == [
        (
            f"pipeline.yaml:3: phase raw: member m: {package}.work:player_bx: {file} has no player_bx;"
            " the nearest is 'player_box'"
        ),
    ]


def test_a_name_that_is_no_function_is_a_problem(plan: Write, package: str, tmp_path: Path) -> None:
    found = check_imports(plan("{members: {m: 'PACKAGE.work:rows'}}", "rows = 3"))
    file = tmp_path / package / "work.py"
    assert found == [
        f"pipeline.yaml:3: phase raw: member m: {package}.work:rows: rows in {file} is not a function; name one that is"
    ]


def test_a_module_that_is_not_there_is_a_problem(plan: Write, package: str) -> None:
    found = check_imports(plan("{items: 'PACKAGE.wrk:f', external: true}", ""))
    assert found == [
        (
            f"pipeline.yaml:3: phase raw: items: {package}.wrk:f: there is no module {package}.wrk;"
            " create it, or correct the name"
        ),
    ]


def test_a_module_whose_own_import_is_missing_says_which_and_where(plan: Write, package: str, tmp_path: Path) -> None:
    found = check_imports(plan("{members: {m: 'PACKAGE.work:f'}}", "\nimport not_installed_anywhere\n"))
    file = tmp_path / package / "work.py"
    assert found == [
        (
            f"pipeline.yaml:3: phase raw: member m: {package}.work:f: importing {package}.work raised"
            f" ModuleNotFoundError: No module named 'not_installed_anywhere' at {file}:2;"
            " install not_installed_anywhere, or correct the import"
        ),
    ]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("\n1 / 0\n", "ZeroDivisionError: division by zero at {file}:2"),
        ("\ndef f(:\n", "SyntaxError: invalid syntax at {file}:2"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3 at {file}:2"),
        ("raise ValueError('one\\ntwo')\n", "ValueError: one at {file}:1"),
    ],
)
def test_a_module_that_fails_says_how_and_where(
    plan: Write, package: str, tmp_path: Path, code: str, told: str
) -> None:
    (problem,) = check_imports(plan("{members: {m: {external: true}}, then: 'PACKAGE.work:f'}", code))
    raised = told.format(file=tmp_path / package / "work.py")
    assert problem == (
        f"pipeline.yaml:3: phase raw: then: {package}.work:f: importing {package}.work raised {raised};"
        f" correct it, then `python -c 'import {package}.work'` shows the rest"
    )


def test_the_calendar_the_check_and_the_run_of_items_are_tried_too(package: str, tmp_path: Path) -> None:
    text = f"""\
        pipeline: p
        starts: {{schedule: "0 6 * * *", calendar: "{package}.a:f"}}
        phases:
          raw:
            items: {package}.b:f
            run: {package}.c:f
            gate: {{check: "{package}.d:f"}}
            then: {package}.e:f
        """
    found = check_imports(load(wrote(tmp_path / package, dedent(text))))
    assert [problem.partition(f": {package}")[0] for problem in found] == [
        "pipeline.yaml:2: starts: calendar",
        "pipeline.yaml:5: phase raw: items",
        "pipeline.yaml:6: phase raw: run",
        "pipeline.yaml:7: phase raw: gate: check",
        "pipeline.yaml:8: phase raw: then",
    ]


def test_a_file_that_changed_since_is_not_given_as_the_place(plan: Write, package: str, tmp_path: Path) -> None:
    read = plan("{members: {m: 'PACKAGE.work:f'}}", "")
    (tmp_path / package / "pipeline.yaml").write_text("pipeline: other\n")
    (problem,) = check_imports(read)
    assert problem.startswith(f"phase raw: member m: {package}.work:f: ")
