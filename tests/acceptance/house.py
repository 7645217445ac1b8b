"""A folder in which the shipped command runs as a user starts it: real processes, small pipelines, real clocks."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any

import pytest

from shotclock.settings import Settings
from shotclock.stores.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a process that should have ended, or a sign that should have come, is given up on."""
DAY = "2025-01-15"


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of the output."""
        return self.out.splitlines()

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The JSON documents of the output, one a line."""
        return [json.loads(line) for line in self.lines]

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        """The one JSON document of the output."""
        return json.loads(self.out)


class Started:
    """A command that runs; one that takes longer than PATIENCE is killed, so that no test waits for ever."""

    def __init__(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], before: Sequence[str] = ()
    ) -> None:
        self.words = words
        self._said: list[str] = []
        self._errors = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed when the command has ended
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [*before, sys.executable, "-m", "shotclock", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._guard = Timer(PATIENCE, self.process.kill)
        self._guard.start()

    def says(self, text: str) -> str:
        """Wait for a line that holds `text`, and return it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.append(line)
            if text in line:
                return line
        pytest.fail(f"never said {text!r}: {self.finish()}")

    def send(self, number: signal.Signals) -> "Started":
        """Send a signal."""
        self.process.send_signal(number)
        return self

    def finish(self) -> Done:
        """Wait for the end of the command."""
        assert self.process.stdout is not None
        self._said.append(self.process.stdout.read())
        self.process.wait()
        self._close()
        return Done(self.process.returncode, "".join(self._said), self._error)

    def end(self) -> bool:
        """End the command if it runs; say whether it did."""
        running = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        self._close()
        return running

    def _close(self) -> None:
        self._guard.cancel()
        self._guard.join()
        if not self._errors.closed:
            self._errors.seek(0)
            self._error = self._errors.read()
            self._errors.close()
        if self.process.stdout is not None:
            self.process.stdout.close()


class House:
    """A folder with pipelines and a store, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Started] = []

    def pipeline(self, name: str, file: str, steps: str = "") -> Path:
        """Write a pipeline; `file` is what stands below its name, `steps` its functions."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "pipeline.yaml").write_text(f"pipeline: {name}\n{file}", encoding="utf-8")
        head = "from shotclock import Empty, Item, Permanent, Retry, Skipped, Succeeded\n"
        (folder / "steps.py").write_text(f"{head}{steps}", encoding="utf-8")
        return folder

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a user who has set nothing."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SHOTCLOCK_")}
        return {**kept, "PYTHONPATH": str(ROOT / "src"), "TERM": "dumb", **(more or {})}

    def start(self, *words: str, more: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> "Started":
        """Start the command; `before` is a command that starts it in its turn."""
        started = Started(words, self.folder, self.environment(more), before)
        self._started.append(started)
        return started

    def __call__(self, *words: str, more: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> Done:
        """Carry out a command."""
        return self.start(*words, more=more, before=before).finish()

    def store(self) -> SqliteStore:
        """Open the store as another process would."""
        settings = Settings()
        return SqliteStore(
            self.folder / ".shotclock" / "shotclock.db", busy=settings.store_busy, backlog=settings.backlog
        )

    def rows(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return every row of the store."""
        store = self.store()
        try:
            return list(store.dump())
        finally:
            store.close()

    def file(self, *parts: str) -> Path:
        """Return the path of a file in the folder."""
        return self.folder.joinpath(*parts)

    def clear(self) -> list[str]:
        """End what is still running, and return what it was."""
        return [" ".join(started.words) for started in self._started if started.end()]
