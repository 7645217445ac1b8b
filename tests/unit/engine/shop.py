"""A small pipeline of a user for tests: a package written for the test, and an engine that works on it for real."""

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from shotclock.clock import Clock, SystemClock
from shotclock.engine.embedded import Engine
from shotclock.model import (
    KINDS,
    Execution,
    Gate,
    Items,
    Kind,
    Member,
    Note,
    Opening,
    Phase,
    PhasePlan,
    Plan,
    Run,
    Task,
)
from shotclock.ports import Store
from shotclock.settings import Settings
from shotclock.stores.sqlite import SqliteStore

PATIENCE = timedelta(seconds=60)
"""How long a test waits before it fails; nothing that works comes near it."""
SOON = timedelta(milliseconds=1)

HEAD = """import os, signal, threading
from datetime import datetime, timedelta, UTC
from shotclock.outcomes import *
def mark(ctx, word):
    with (ctx.home / "marks").open("a") as file:
        file.write(f"{word}\\n")
"""

_numbers = count(1)


class Shop:
    """A package with one module `steps`, a store on disk, and engines over it; close it when done."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.package = f"shop{next(_numbers)}"
        self.folder = home / self.package
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()
        quick = {"retry_first": SOON, "retry_most": SOON, "stop": PATIENCE}
        self.settings = Settings(home=home / "home", **{**quick, **settings})
        self.settings.home.mkdir()
        self.store: Store = SqliteStore(self.settings.home / "s.db", busy=PATIENCE, backlog=100)
        self._engines: list[Engine] = []

    def write(self, source: str, module: str = "steps") -> None:
        """Write the user's module, below lines that let it say things: `mark(ctx, word)` is read by `marks`."""
        (self.folder / f"{module}.py").write_text(HEAD + dedent(source).lstrip(), encoding="utf-8")

    def marks(self) -> list[str]:
        """Return the words that were marked, in order."""
        file = self.settings.home / "marks"
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def path(self, function: str) -> str:
        """Return the import path of a function of the module."""
        return f"{self.package}.steps:{function}"

    @property
    def steps(self) -> ModuleType:
        """The module as this process has it."""
        return import_module(f"{self.package}.steps")

    def members(self, *functions: str, **more: Any) -> PhasePlan:
        """Return a phase whose members are functions, each named like its function."""
        members = tuple(Member(name=name, run=self.path(name)) for name in functions)
        return self.phase(members=members, **more)

    def items(self, source: str, function: str, *, then: str | None = None, **more: Any) -> PhasePlan:
        """Return a phase of items."""
        items = Items(source=self.path(source), run=self.path(function))
        return self.phase(items=items, then=None if then is None else self.path(then), **more)

    def phase(self, *, name: str = "raw", needs: tuple[str, ...] = (), gate: Gate | None = None, **more: Any) -> PhasePlan:
        """Return a phase; what is not one of its parts belongs to its execution."""
        parts = {key: more.pop(key) for key in ("members", "items", "then") if key in more}
        execution = Execution(**{"mode": "parallel", "max_workers": 4, "attempts": 1, "timeout": PATIENCE, **more})
        return PhasePlan(name=name, needs=needs, execution=execution, gate=gate or Gate(), **parts)

    def engine(self, clock: Clock | None = None, **parts: Any) -> Engine:
        """Return an engine over the shop's store."""
        engine = Engine(self.store, self.settings, clock or SystemClock(), **parts)
        self._engines.append(engine)
        return engine

    def start(self, engine: Engine, *phases: PhasePlan) -> Run:
        """Start a run of these phases."""
        plan = Plan(pipeline="shop", folder=str(self.folder), phases=phases, params={"mark": "x"})
        return engine.coordinator.start(plan, "2025-01-15")[0]

    def run(self, *phases: PhasePlan, **parts: Any) -> Run:
        """Start a run of these phases and work on it until it is over."""
        engine = self.engine(**parts)
        return engine.until_over(self.start(engine, *phases).id)

    def phase_of(self, name: str = "raw") -> Phase:
        """Return a phase of the run as it stands."""
        phase = self.store.read(lambda view: view.phase_of("shop/2025-01-15", name))
        assert phase is not None
        return phase

    def opening(self, name: str = "raw") -> Opening:
        """Return a phase's opening."""
        phase = self.phase_of(name)
        opening = self.store.read(lambda view: view.opening(phase.id))
        assert opening is not None
        return opening

    def tasks(self, name: str = "raw") -> list[Task]:
        """Return the tasks of a phase."""
        phase = self.phase_of(name)
        return self.store.read(lambda view: view.tasks(phase.id))

    def result(self, name: str = "raw") -> dict[str, Any]:
        """Return what the consolidation of a phase returned."""
        phase = self.phase_of(name)
        task = self.store.read(lambda view: view.task(phase.id, "then", 0))
        assert task is not None
        return task.result

    def kinds(self, name: str = "raw") -> list[Kind]:
        """Return how the members of a phase stand, in roll order."""
        return [KINDS[code] for task in self.tasks(name) for code in task.kinds]

    def notes(self, name: str = "raw") -> dict[int, Note]:
        """Return what was said, by ordinal."""
        return {ordinal: note for task in self.tasks(name) for ordinal, note in task.notes.items()}

    def close(self) -> None:
        """End the engines, forget the package."""
        for engine in self._engines:
            engine.close()
        self.store.close()
        with suppress(ValueError):
            sys.path.remove(str(self.folder.parent))
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]


def until(condition: Callable[[], bool], ring: Any) -> None:
    """Wait for a condition that a bell announces: `ring.wait(seconds)` returns whenever it may have come true."""
    left = PATIENCE
    while not condition():
        assert left > timedelta(0), "waited in vain"
        ring.wait(PATIENCE.total_seconds() / 1_000)
        left -= PATIENCE / 1_000
