"""A small pipeline of a user for tests: a package written for the test, and an engine that works on it for real."""

import os
import select
import sys
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from msgspec.structs import replace

from shotclock.clock import SystemClock
from shotclock.engine.embedded import Engine
from shotclock.engine.worker import WarehouseOf
from shotclock.model import (
    KINDS,
    Execution,
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
from shotclock.ports import Bus, Store
from shotclock.settings import load
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
told = []
def tell(ctx, word):
    told.append((ctx.home / "ear").open("w"))
    told[-1].write(word)
    told[-1].flush()
"""

_numbers = count(1)


class Ear:
    """A named pipe that a user's code writes to, in whichever process it runs, and a test listens at."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def hear(self) -> str:
        """Wait for something to be written and return it; nothing, once all who had opened it for writing are gone."""
        ready, _, _ = select.select([self._handle], [], [], PATIENCE.total_seconds())
        assert ready, "heard nothing"
        return os.read(self._handle, 1_000).decode()

    def close(self) -> None:
        """Stop listening."""
        os.close(self._handle)


class Shop:
    """A package with one module `steps`, a store on disk, and engines over it; close it when done."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.package = f"shop{next(_numbers)}"
        self.folder = home / self.package
        self.folder.mkdir()
        (self.folder / "__init__.py").touch()
        sys.path.insert(0, str(home))
        quick: dict[str, object] = {"retry_first": SOON, "retry_most": SOON, "kill": 50 * SOON, "stop": PATIENCE}
        self.settings = load({"home": home / "home", **quick, **settings}, {})
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

    def ear(self) -> Ear:
        """Return where the user's `tell(ctx, word)` is heard; the word lasts as long as the process that said it."""
        return Ear(self.settings.home / "ear")

    def path(self, function: str) -> str:
        """Return the import path of a function of the module."""
        return f"{self.package}.steps:{function}"

    @property
    def steps(self) -> ModuleType:
        """The module as this process has it."""
        return import_module(f"{self.package}.steps")

    def members(self, *functions: str, **more: object) -> PhasePlan:
        """Return a phase whose members are functions, each named like its function."""
        members = tuple(Member(name=name, run=self.path(name)) for name in functions)
        return self.phase(members=members, **more)

    def items(self, source: str, function: str, *, then: str | None = None, **more: object) -> PhasePlan:
        """Return a phase of items."""
        items = Items(source=self.path(source), run=self.path(function))
        return self.phase(items=items, then=None if then is None else self.path(then), **more)

    def phase(self, **more: object) -> PhasePlan:
        """Return a phase called `raw` unless named; what is no field of a phase is one of its execution."""
        parts = {name: value for name, value in more.items() if name in PhasePlan.__struct_fields__}
        rest = {name: value for name, value in more.items() if name not in parts}
        execution = replace(Execution(mode="parallel", max_workers=4, attempts=1, timeout=PATIENCE), **rest)
        return replace(PhasePlan(name="raw", execution=execution), **parts)

    def engine(self, *, bus: Bus | None = None, warehouse: WarehouseOf | None = None) -> Engine:
        """Return an engine over the shop's store."""
        engine = Engine(self.store, self.settings, SystemClock(), bus=bus, warehouse=warehouse)
        self._engines.append(engine)
        return engine

    def start(self, engine: Engine, *phases: PhasePlan) -> Run:
        """Start a run of these phases."""
        plan = Plan(pipeline="shop", folder=str(self.folder), phases=phases, params={"mark": "x"})
        return engine.coordinator.start(plan, "2025-01-15")[0]

    def run(self, *phases: PhasePlan, warehouse: WarehouseOf | None = None) -> Run:
        """Start a run of these phases and work on it until it is over."""
        engine = self.engine(warehouse=warehouse)
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
