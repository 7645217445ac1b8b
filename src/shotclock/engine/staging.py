"""Staged files that nothing names: what attempts left behind whose word never counted, listed and in time removed."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from shotclock.engine import rolls
from shotclock.model import DEFAULT_MODE, Phase, Run, RunId, Task
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings

FOLDER, LOOKED = "staged", ".looked"
"""Where staged files lie, and the file there whose time says up to when they were looked at."""

ALL = 10**9
"""Late reports of a phase; the files of any of them may be wanted by a later generation."""


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A staged file that no settlement, consolidation or kept report names, and no holder of a task is writing."""

    path: str
    """Relative to the home folder."""
    run: str
    size: int
    at: datetime
    """When it was last written."""


def orphans(view: Snapshot, home: Path, until: datetime, since: datetime | None = None) -> Iterator[Orphan]:
    """Yield the orphans last written up to `until` and after `since`, of runs that the store knows."""
    for folder in sorted((home / FOLDER).glob("*/*")):
        files = [file for file in _files(home, folder) if file[1] <= until and (since is None or file[1] > since)]
        run = _run_of(view, folder) if files else None
        if run is None:
            continue
        named, at_work = _named(view, run)
        for path, at, size in files:
            if path not in named and not path.startswith(tuple(at_work)):
                yield Orphan(path=path, run=str(replace(run.identity, generation=1)), size=size, at=at)


def collect(store: Store, settings: Settings, now: datetime) -> int:
    """Remove orphans that are older than `settings.staged_for`; return how many there were.

    What an earlier call has looked at is not looked at again: a file that is named stays named. Nothing is looked at
    sooner than `settings.purge` after any process did.
    """
    folder = settings.home / FOLDER
    marker = folder / LOOKED
    looked = _written(marker) if marker.exists() else None
    if not folder.is_dir() or (looked is not None and now - looked < settings.purge):
        return 0
    until = now - settings.staged_for
    since = None if looked is None else looked - settings.staged_for
    found = store.read(lambda view: list(orphans(view, settings.home, until, since)))
    for orphan in found:
        _remove(settings.home / orphan.path, folder)
    marker.touch()
    os.utime(marker, (now.timestamp(), now.timestamp()))
    return len(found)


def _remove(path: Path, root: Path) -> None:
    """Remove a file, and the folders that are empty without it; where others write or tidy meanwhile they stay."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root:
            return
        try:
            folder.rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                raise
            return


def _files(home: Path, folder: Path) -> list[tuple[str, datetime, int]]:
    """Return path, time and size of every file; one that is moved or removed meanwhile is not there."""
    found = []
    for path in sorted(Path(base) / name for base, _, names in os.walk(folder) for name in names):
        try:
            told = path.stat()
        except FileNotFoundError:
            continue
        at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=told.st_mtime)
        found.append((path.relative_to(home).as_posix(), at, told.st_size))
    return found


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=path.stat().st_mtime)


def _run_of(view: Snapshot, folder: Path) -> Run | None:
    """Return the newest generation of the run whose files lie in a folder, if the store knows it."""
    key, dot, mode = folder.name.rpartition(".")
    names = [(folder.name, DEFAULT_MODE), *([(key, mode)] if dot else [])]
    found = (view.newest(RunId(pipeline=folder.parent.name, key=key, mode=mode)) for key, mode in names)
    return next((run for run in found if run is not None), None)


def _named(view: Snapshot, newest: Run) -> tuple[set[str], list[str]]:
    """Return the files that any generation of a run names, and the folders that holders of its tasks write to."""
    named: set[str] = set()
    at_work: list[str] = []
    for number in range(1, newest.generation + 1):
        run = view.run(str(replace(newest.identity, generation=number)))
        for phase in view.phases(run.id) if run is not None else []:
            for task in _tasks(view, phase):
                named.update(_texts(msgspec.to_builtins(task)))
                if run is not None and task.state == "leased":
                    at_work.append(_folder(run, phase, task))
            kept = view.entries("late", scope=phase.run, phase=phase.name, limit=ALL)
            named.update(text for entry in kept for text in _texts(entry.body))
    return named, at_work


def _tasks(view: Snapshot, phase: Phase) -> Iterator[Task]:
    if phase.source is None:
        yield from rolls.tasks(view, phase)
        singles = (view.task(phase.id, "then", 0), view.task(phase.id, "enumerate", 0))
        yield from (task for task in singles if task is not None)


def _folder(run: Run, phase: Phase, task: Task) -> str:
    mode = "" if run.mode == DEFAULT_MODE else f".{run.mode}"
    where = f"{FOLDER}/{run.pipeline}/{run.key}{mode}/g{run.generation}/{phase.name}"
    return f"{where}/{task.work}-{task.lo}-{task.token}/"


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever outputs hold
    """Yield every path of a staged file in a value."""
    if isinstance(value, str) and value.startswith(f"{FOLDER}/"):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
