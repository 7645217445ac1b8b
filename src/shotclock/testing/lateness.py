"""New generations that late reports ask for: a second opinion on which must be made, when, and how many at most."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from shotclock.model import PHASE_OVER, SATISFIED, Kind, Report
from shotclock.settings import Settings
from shotclock.testing import oracle
from shotclock.testing.lots import SECOND
from shotclock.testing.oracle import Halts
from shotclock.testing.records import Record
from shotclock.testing.violation import require

SLACK = 3 * SECOND
"""How far clocks may differ, and a little."""


class Account(Protocol):
    """Where what was seen is kept."""

    records: dict[int, Record]
    asked: dict[int, datetime]
    """When the first late report came that asks for a new generation, by phase."""


class Lateness:
    """What late reports have asked for, and what came of it."""

    def __init__(self, account: Account, settings: Settings, count: Callable[[str], None]) -> None:
        self._account = account
        self._settings = settings
        self._count = count

    def reported(self, report: Report, record: Record, ordinal: int, now: datetime) -> None:
        """Take note of a report that was answered late."""
        phase, gate = record.phase, record.own.gate
        if gate.late != "rerun" or phase.state == "skipped" or report.part is not None:
            return
        if not self._helps(report, record, ordinal):
            return
        if self._automatic(record) >= self._settings.max_reruns:
            self._count("late rerun at its bound")
        elif phase.id not in self._account.asked:
            self._count("late rerun asked")
            self._account.asked[phase.id] = now

    def _helps(self, report: Report, record: Record, ordinal: int) -> bool:
        """Say whether a report would have turned a missing member satisfied."""
        base = record if record.phase.source is None else self._account.records[record.phase.source]
        stood: Kind = base.kind(ordinal)
        items = record.own.items
        optional = items is None and record.own.members[ordinal].importance == "optional"
        missing = not optional and stood not in SATISFIED and stood != "withdrawn"
        contract = record.own.members[ordinal].contract if items is None else items.contract
        enough = not contract.min_rows or (report.rows or 0) >= contract.min_rows
        return missing and (report.outcome in {"empty", "skipped"} or (report.outcome == "succeeded" and enough))

    def _automatic(self, record: Record) -> int:
        """Count the generations of a run, up to the phase's own, that late reports have made."""
        runs = {other.run.id: other.run for other in self._of(record)}
        return sum(run.cause == "late" and run.generation <= record.run.generation for run in runs.values())

    def _of(self, record: Record) -> list[Record]:
        """Return the records of all generations of a phase's run."""
        stem = record.run.id.partition("#")[0]
        return [other for other in self._account.records.values() if other.run.id.partition("#")[0] == stem]

    def began(self, record: Record, now: datetime) -> None:
        """Check a generation that late reports have made: it was asked for long enough ago, and is not one too many."""
        run = record.run
        if run.cause != "late" or record.phase.index:
            return
        self._count("late rerun made")
        made = self._automatic(record)
        require(made <= self._settings.max_reruns, "late", f"{run.id} is automatic generation number {made}")
        before = [other.phase.id for other in self._of(record) if other.run.generation == run.generation - 1]
        asked = [self._account.asked[phase] for phase in before if phase in self._account.asked]
        settled = [since for since in asked if since + self._settings.late_settling - SLACK <= now]
        require(
            bool(settled), "late", f"{run.id} was made at {now}, and no late report of long enough ago asked for it"
        )

    def overdue(self, superseded: dict[str, None], halts: Halts, now: datetime) -> None:
        """Check that nothing that was asked for is still to come, once its phase is over and others had time."""
        for phase, since in self._account.asked.items():
            record, due = self._account.records[phase], since + self._settings.late_settling + SLACK
            if record.run.id in superseded or record.phase.state not in PHASE_OVER or now < due:
                continue
            ended = [halt.until for halt in oracle.halts_of(record, halts)]
            held = any(until is None or until > now - self._settings.check_again for until in ended)
            what = f"{record.where}: a late report of {since} asked for a new generation, and there is none"
            require(held, "late", what)
