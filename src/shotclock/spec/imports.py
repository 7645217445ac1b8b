"""Whether every function a plan names can be imported and called."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from shotclock.model import Plan, digest
from shotclock.spec.nodes import nearest
from shotclock.spec.source import FILE_NAME


class Named(NamedTuple):
    """A function of the plan: who names it, and its import path."""

    who: str
    function: str


def check_imports(plan: Plan) -> list[str]:
    """Return one line for each function of the plan that does not import or cannot be called; none if all do.

    Modules are imported with the parent of the pipeline's folder first on the path, as workers do; what their
    import does, it does here.
    """
    with _importable(plan.folder):
        invalidate_caches()
        found = [(named, _problem(named.function)) for named in _named(plan)]
    lines = _lines(plan)
    return [f"{_place(lines, named)}{named.who}: {problem}" for named, problem in found if problem]


def _named(plan: Plan) -> Iterator[Named]:
    if plan.starts.calendar:
        yield Named("starts: calendar", plan.starts.calendar)
    for phase in plan.phases:
        where = f"phase {phase.name}"
        for member in phase.members:
            if member.run:
                yield Named(f"{where}: member {member.name}", member.run)
        if phase.items:
            yield Named(f"{where}: items", phase.items.source)
        if phase.items and phase.items.run:
            yield Named(f"{where}: run", phase.items.run)
        if phase.gate.check:
            yield Named(f"{where}: gate: check", phase.gate.check)
        if phase.then:
            yield Named(f"{where}: then", phase.then)


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    entry = str(Path(folder).parent)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:  # an imported module may have taken it out
            sys.path.remove(entry)


def _problem(function: str) -> str | None:
    module_name, _, name = function.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        return _not_found(function, module_name, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module may raise anything while it is imported
        return f"{function}: importing {module_name} raised {_told(error)}; {_next(function)}"
    return _not_callable(module, function, name)


def _not_found(function: str, module: str, error: ModuleNotFoundError) -> str:
    if error.name and (module == error.name or module.startswith(f"{error.name}.")):
        return f"{function}: there is no module {error.name}; create it, or correct the name"
    return f"{function}: importing {module} raised {_told(error)}; install {error.name}, or correct the import"


def _not_callable(module: ModuleType, function: str, name: str) -> str | None:
    if not hasattr(module, name):
        near = nearest(name, [known for known in vars(module) if not known.startswith("_")])
        return f"{function}: {_home(module)} has no {name}{near}"
    if not callable(getattr(module, name)):
        return f"{function}: {name} in {_home(module)} is not a function; name one that is"
    return None


def _home(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or f"module {module.__name__}")


def _told(error: BaseException) -> str:
    """Return the error's kind, text and place on one line."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} at {error.filename}:{error.lineno}"
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}{_raised_at(error)}"


def _raised_at(error: BaseException) -> str:
    """Return where the error was raised, the import system's and this module's own frames left out."""
    at, step = "", error.__traceback__
    while step:
        file = step.tb_frame.f_code.co_filename
        if "importlib" not in file and file != __file__:
            at = f" at {file}:{step.tb_lineno}"
        step = step.tb_next
    return at


def _next(function: str) -> str:
    return f"correct it, then `python -c 'import {function.partition(':')[0]}'` shows the rest"


def _lines(plan: Plan) -> list[str]:
    """Return the lines of the pipeline file, if it is still the one the plan was read from."""
    file = Path(plan.folder, FILE_NAME)
    content = file.read_text(encoding="utf-8-sig", errors="replace") if file.is_file() else ""
    return content.splitlines() if digest(content.encode()) == plan.digest else []


def _place(lines: list[str], named: Named) -> str:
    """Return the place where the function is named; the first, where it is named more than once."""
    for number, line in enumerate(lines, 1):
        if named.function in line:
            return f"{FILE_NAME}:{number}: "
    return ""
