"""Members' functions: finding them by import path, and carrying one out on a task, whatever it does."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module, invalidate_caches
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from shotclock.context import Context
from shotclock.engine import results
from shotclock.engine.job import Job, failed_again, failed_for_good, out_of_memory, settled
from shotclock.engine.results import Said
from shotclock.errors import MemberError
from shotclock.model import CODE, Again, Note, TaskReport, member_name

Function = Callable[..., Any]

_importing = Lock()
_found: dict[tuple[str, str], Function] = {}


def resolve(function: str, folder: str) -> Function:
    """Return the function of an import path, with the parent of the pipeline's folder first on the path.

    Raises `MemberError` that names the function, what is wrong with it or its module, and the next step.
    """
    known = _found.get((folder, function))
    if known is not None:
        return known
    with _importing:
        _put_first(folder)
        module_name, _, name = function.partition(":")
        found = getattr(_module(module_name, function, folder), name, None)
    if not callable(found):
        problem = "is not there" if found is None else "is not a function"
        message = f"{function}: {name} {problem} in {module_name}; correct the name in pipeline.yaml"
        raise MemberError(message)
    return _found.setdefault((folder, function), found)


def _put_first(folder: str) -> None:
    parent = str(Path(folder).absolute().parent)
    if folder and parent not in sys.path[:1]:
        sys.path.insert(0, parent)
        invalidate_caches()


def _module(name: str, function: str, folder: str) -> ModuleType:
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"{function}: there is no module {error.name}; create it, or correct the name"
        else:
            message = f"{function}: {results.told(error, folder)}; install {error.name}, or correct the import"
        raise MemberError(message) from error
    except BaseException as error:  # a module may raise anything, SystemExit included, while it is imported
        message = f"{function}: importing {name} raised {results.told(error, folder)}; correct it, then run again"
        raise MemberError(message) from error
    _check_home(name, folder, function)
    return module


def _check_home(name: str, folder: str, function: str) -> None:
    """Refuse a package of another pipeline that has taken the name of this one's."""
    top = name.partition(".")[0]
    here = Path(folder).absolute().parent / top
    home = getattr(sys.modules.get(top), "__file__", None)
    if folder and here.is_dir() and home and not Path(home).resolve().is_relative_to(here.resolve()):
        message = f"{function}: {top} is imported from {home} already; run the two pipelines in processes of their own"
        raise MemberError(message)


def perform(job: Job, context: Context) -> TaskReport:
    """Carry out a member, a chunk or a consolidation; whatever it returns or raises becomes a report."""
    try:
        function = resolve(job.function, job.folder)
        if job.work == "chunk":
            return _chunk(job, context, function(context, list(job.items)))
        outcome = function(context)
        if job.work == "then":
            return settled(job, b"", {}, outputs=results.read_result(outcome, job.payload_bytes))
        return _member(job, context, results.read(outcome, job.payload_bytes))
    except BaseException as error:  # noqa: BLE001 - even SystemExit is an error of this member alone
        return raised(job, context, error)


def raised(job: Job, context: Context, error: BaseException) -> TaskReport:
    """Report what a function raised, and write the traceback of an error to the log."""
    if isinstance(error, MemoryError) and job.memory is not None:
        return out_of_memory(job)
    said = results.read_error(error, job.folder, job.payload_bytes)
    if said.again is None:
        reason = said.note.reason if said.note and said.note.reason else type(error).__name__
        context.log.info("attempt %d failed for good: %s", context.attempt, reason)
        return failed_for_good(job, reason)
    trace = error if said.again.cause == "error" else None
    context.log.warning("attempt %d: %s", context.attempt, said.again.reason, exc_info=trace)
    return failed_again(job, said.again)


def _member(job: Job, context: Context, said: Said) -> TaskReport:
    if said.again is not None:
        return failed_again(job, said.again)
    notes = {} if said.note is None else {job.lo: said.note}
    return settled(job, bytes((CODE[said.kind],)), notes, outputs=_staged(context))


def _chunk(job: Job, context: Context, outcomes: object) -> TaskReport:
    """Report what a chunk function said of each item it was given; one it says nothing of has failed an attempt."""
    if not isinstance(outcomes, Mapping):
        message = f"returned {type(outcomes).__name__}; return a mapping from item id to outcome"
        raise MemberError(message)
    places = {item.id: ordinal for item, ordinal in zip(job.items, job.ordinals, strict=True)}
    kinds = bytearray(job.size)
    notes: dict[int, Note] = {}
    again: dict[int, Again] = {}
    for name, outcome in outcomes.items():
        ordinal = places.get(name) if isinstance(name, str) else None
        if ordinal is None:
            ordinal = places.get(_normal(name))
        if ordinal is None:
            message = f"returned an outcome for {name!r}, which it was not given"
            raise LookupError(message)
        said = results.read(outcome, job.payload_bytes)
        kinds[ordinal - job.lo] = CODE[said.kind]
        if said.note is not None:
            notes[ordinal] = said.note
        if said.again is not None:
            again[ordinal] = said.again
    return settled(job, bytes(kinds), notes, again, _staged(context))


def _normal(name: object) -> str:
    try:
        return member_name(str(name)) if isinstance(name, str) else ""
    except ValueError:
        return ""


def _staged(context: Context) -> dict[str, list[str]]:
    staged = context.staged()
    return {"staged": staged} if staged else {}
