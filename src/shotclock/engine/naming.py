"""Runs by the names people type: whole, without generation, or the key alone; the nearest ones of an unknown name."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from msgspec.structs import replace

from shotclock.errors import NotFoundError, UsageError
from shotclock.model import Phase, Run, RunId, names_generation
from shotclock.ports import Snapshot

LOOKED_AT: Final = 1_000
"""Newest runs among which pipelines and near names are looked for."""
NEAR: Final = 3
SIMILAR: Final = 0.5


def find_run(view: Snapshot, text: str) -> Run:
    """Return the run that `text` means, the newest generation unless it names one.

    A key alone is enough if only one pipeline and mode has it. Raises `UsageError` for what names several runs or
    cannot be a run, `NotFoundError` with the nearest runs otherwise.
    """
    identity = identity_of(view, text)
    run = view.run(str(identity)) if names_generation(text) else view.newest(identity)
    if run is None:
        raise NotFoundError(_unknown(view, text))
    return run


def identity_of(view: Snapshot, text: str) -> RunId:
    """Return the identity that `text` means, which need not be there if pipeline and key are given."""
    if "/" in text:
        try:
            return RunId.parse(text)
        except ValueError as error:
            raise UsageError(str(error)) from error
    found = _by_key(view, text)
    if len(found) > 1:
        message = f"{text} is a key of several runs: {', '.join(run.id for run in found)}; name one of them"
        raise UsageError(message)
    if not found:
        raise NotFoundError(_unknown(view, text))
    return found[0].identity


def find_phase(phases: Sequence[Phase], run: Run, name: str) -> Phase:
    """Return the phase of that name; raises `NotFoundError` with the nearest one."""
    names = [phase.name for phase in phases]
    if name in names:
        return phases[names.index(name)]
    near = get_close_matches(name, names, n=1)
    hint = f"; the nearest is {near[0]}" if near else f"; it has {', '.join(names)}"
    message = f"{run.id} has no phase {name}{hint}"
    raise NotFoundError(message)


def scope_of(view: Snapshot, text: str) -> str:
    """Return the pipeline or run that a halt's scope means; a run without a generation stands for every one of them."""
    if text == "*" or view.runs(pipeline=text, limit=1):
        return text
    found = find_run(view, text)
    return found.id if names_generation(text) else str(replace(found.identity, generation=1))


def _by_key(view: Snapshot, text: str) -> list[Run]:
    """Return the newest generation of each pipeline and mode that has a run of that key."""
    key, _, generation = text.partition("#")
    kinds = sorted({(run.pipeline, run.mode) for run in view.runs(limit=LOOKED_AT)})
    number = int(generation) if generation.isdecimal() else None
    found = (view.newest(RunId(pipeline=pipeline, key=key, mode=mode)) for pipeline, mode in kinds)
    runs = [run for run in found if run is not None]
    if number is None:
        return runs
    return [old for run in runs if (old := view.run(str(_generation(run, number)))) is not None]


def _generation(run: Run, number: int) -> RunId:
    return RunId(pipeline=run.pipeline, key=run.key, mode=run.mode, generation=number)


def _unknown(view: Snapshot, text: str) -> str:
    """Say that there is no such run, and name the nearest ones."""
    runs = view.runs(limit=LOOKED_AT)
    by_name = {name: run.id for run in runs[::-1] for name in (run.key, run.id)}
    near = [by_name[name] for name in get_close_matches(text, by_name, n=2 * NEAR, cutoff=SIMILAR)]
    named = list(dict.fromkeys(near))[:NEAR] or [run.id for run in runs[:NEAR]]
    hint = f"; the nearest: {', '.join(named)}" if named else "; there are no runs yet"
    return f"there is no run {text}{hint}"
