"""The days of a backfill, one after the other: which are left, gone on with or done again, and how far it is."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from shotclock.cli import foreground, wording
from shotclock.cli.ending import EXIT
from shotclock.cli.shell import Shell, one_line
from shotclock.clock import SystemClock, stopwatch
from shotclock.engine.coordinator import Coordinator
from shotclock.errors import UsageError
from shotclock.model import Plan, Run, RunId, RunState
from shotclock.ports import Store
from shotclock.settings import Settings

WORST: Final[tuple[RunState, ...]] = ("complete", "partial", "failed")
"""Outcomes of a day, the better ones first."""
NAMED: Final = 5
"""Days an error or the end names."""


class Day(Struct, frozen=True, kw_only=True):
    """How one day of a backfill ended."""

    event: str = "day.ended"
    run: str
    state: RunState
    done_now: bool
    number: int
    of: int
    reason: str | None
    left: timedelta | None
    """Time to go, by the days done so far."""


class Backfill:
    """Runs days in order; what it is given decides, it keeps nothing but the days' outcomes."""

    def __init__(self, shell: Shell, store: Store, settings: Settings, plan: Plan, go_on: str) -> None:
        self._shell = shell
        self._store = store
        self._settings = settings
        self._plan = plan
        self._go_on = go_on
        self._coordinator = Coordinator(store, settings, SystemClock())

    def refuse_unfinished(self, keys: Sequence[str], *, resume: bool) -> None:
        """Raise `UsageError` if days have unfinished runs and nobody said that they may be gone on with."""
        known = [] if resume else [run for key in keys if (run := self._known(key)) is not None]
        unfinished = [run.id for run in known if run.state == "running"]
        if unfinished:
            more = f" and {len(unfinished) - NAMED} more" if len(unfinished) > NAMED else ""
            message = f"not over yet: {', '.join(unfinished[:NAMED])}{more}; --resume goes on with unfinished days"
            raise UsageError(message)

    def carry(self, keys: Sequence[str], *, resume: bool, off: int) -> int:
        """Run the days and return the exit code of the worst."""
        days: list[Day] = []
        time = stopwatch()
        for key in keys:
            run, done_now = self._day(key, resume=resume)
            if run.state == "running":
                return foreground.interrupted(self._shell, run.id, self._go_on)
            worked = sum(one.done_now for one in days) + done_now
            left = time() / worked * (len(keys) - len(days) - 1) if worked else None
            days.append(_told(run, done_now=done_now, number=len(days) + 1, of=len(keys), left=left))
            self._say(days[-1])
        return self._end(days, off)

    def _day(self, key: str, *, resume: bool) -> tuple[Run, bool]:
        """Return a day's run, over; the flag says whether anything was done for it."""
        run = self._known(key)
        if run is None:
            run, _ = self._coordinator.start(self._plan, key)
        elif run.state == "failed" and resume:
            run = self._coordinator.rerun(run.id, self._plan, self._broken(run))
        elif run.state != "running":
            return run, False
        return foreground.carry(self._shell, self._store, self._settings, run, quiet=True), True

    def _broken(self, run: Run) -> str:
        """Return the phase from which a failed day is done again."""
        phases = self._store.read(lambda view: view.phases(run.id))
        failed = next((phase.name for phase in phases if phase.state == "failed"), None)
        return failed or self._plan.phases[0].name

    def _known(self, key: str) -> Run | None:
        return self._store.read(lambda view: view.newest(self._identity(key)))

    def _identity(self, key: str) -> RunId:
        return RunId(pipeline=self._plan.pipeline, key=key, mode=self._plan.mode)

    def _say(self, day: Day) -> None:
        self._shell.document(day)
        left = f", about {wording.span(day.left)} left" if day.left else ""
        before = "" if day.done_now else " (before)"
        reason = f": {one_line(day.reason)}" if day.reason else ""
        self._shell.say(f"[{day.number}/{day.of}] {day.run}: {day.state}{before}{reason}{left}")

    def _end(self, days: Sequence[Day], off: int) -> int:
        """Say how the days ended and return the exit code of the worst."""
        states = [day.state for day in days]
        counts = {str(state): states.count(state) for state in WORST}
        worst: RunState = max(states, key=WORST.index, default="complete")
        bad = [day.run for day in days if day.state in {"failed", "partial"}]
        self._shell.document({"event": "backfill.ended", **counts, "off": off, "bad": bad, "exit": EXIT[worst]})
        said = ", ".join(f"{number} {state}" for state, number in counts.items() if number) or "no days to run"
        self._shell.say(f"{self._plan.pipeline}: {said}" + (f", {off} days off" if off else ""))
        for run in bad[:NAMED]:
            self._shell.say(f"next: {self._shell.command(f'shotclock status {run}')}")
        if counts["failed"]:
            self._shell.say(f"next: {self._go_on}")
        return EXIT[worst]


def _told(run: Run, *, done_now: bool, number: int, of: int, left: timedelta | None) -> Day:
    return Day(run=run.id, state=run.state, done_now=done_now, number=number, of=of, reason=run.reason, left=left)
