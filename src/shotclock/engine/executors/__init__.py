"""Ways to carry out a job: in a thread, in a child process, as a command; all end in a report to the inbox."""

from collections.abc import Callable
from typing import Protocol

from shotclock.engine.job import Job, Key
from shotclock.model import Rule

Noted = Callable[[Key, str, Rule], None]
"""Hears what held for a flag that a job asked for."""


class Executor(Protocol):
    """Carries out jobs side by side; each one that was started ends in exactly one report, or is dropped."""

    def start(self, job: Job) -> None:
        """Begin a job; returns at once."""

    def stop(self, key: Key) -> bool:
        """Tell a job that nobody waits for it; say whether it can be cut without waiting for its timeout."""

    def cut(self, key: Key) -> None:
        """End a job at its timeout: it is reported as timed out, and whatever it still does counts no longer."""

    def kill(self, key: Key) -> None:
        """End a job that was cut and has not ended since."""

    def drop(self) -> None:
        """End all that runs, as far as that is possible, without a report."""

    def close(self) -> None:
        """End what is kept for later jobs; nothing is started after it."""
