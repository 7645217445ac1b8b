"""The sweep's round over everything that is due, beside others that do the same, and what is dropped with time."""

from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from shotclock.engine import claiming
from shotclock.model import Phase
from shotclock.ports import Store, Transaction
from shotclock.settings import Settings

Look = Callable[[int, datetime], bool]
"""Sees to a phase in a commit of its own; says whether it was due still, or another process was first."""

_STRIDE: Final = 37
"""Due phases that a sweep passes over for each race it has lost: who has lost more often goes on elsewhere."""


class Sweep:
    """Goes through what is due; where another process was first it goes on at another place of the list."""

    def __init__(self, store: Store, most: int, look: Look) -> None:
        self._store = store
        self._most = most
        self._look = look
        self._lost = 0
        """How often another process was first."""

    def run(self, now: datetime) -> int:
        """Look at what is due, `most` at a time; return how many, and raise what went wrong at the end."""
        looked: set[int] = set()
        errors: list[Exception] = []
        due = self._due(now, looked)
        while due:
            phase = due.popleft()
            looked.add(phase.id)
            try:
                first = self._look(phase.id, now)
            except Exception as error:  # noqa: BLE001 - raised again after the phases that remain
                errors.append(error)
                continue
            if not first:
                self._lost += 1
                due = self._due(now, looked)
                due.rotate(-self._lost * _STRIDE)
        if errors:
            message = f"{len(errors)} of {len(looked)} due phases could not be looked at"
            raise ExceptionGroup(message, errors)
        return len(looked)

    def _due(self, now: datetime, looked: AbstractSet[int]) -> deque[Phase]:
        """Return what is due and was not looked at."""
        found = self._store.read(lambda view: view.due(now, self._most))
        return deque(phase for phase in found if phase.id not in looked)


def purge(store: Store, settings: Settings, now: datetime) -> None:
    """Drop what is kept for a time only: what was parked or quarantined, what handlers did, processes that are gone."""
    most = settings.backlog

    def work(tx: Transaction) -> int:
        parked = tx.purge_entries("parked", now - settings.parked_for, most)
        quarantined = tx.purge_entries("quarantine", now - settings.parked_for, most)
        return max(parked, quarantined, claiming.purge(tx, now - settings.idempotent, most))

    while store.write(work) == most:
        pass
    known = store.read(lambda view: view.processes())
    gone = [process.name for process in known if process.beat_at < now - settings.gone]
    if gone:
        store.write(lambda tx: tx.forget(gone))
