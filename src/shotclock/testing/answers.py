"""Checks what answers promise: an accepted report is in the store, any other has changed only its own record."""

from collections import Counter

from shotclock.model import (
    SATISFIED,
    Answer,
    Phase,
    Report,
    RunId,
    Task,
    TaskReport,
    member_name,
    names_generation,
)
from shotclock.ports import Snapshot, Store
from shotclock.testing.checks import Checks
from shotclock.testing.records import ordinal_of
from shotclock.testing.tap import Change
from shotclock.testing.violation import require


class Answers:
    """Holds the answers that were given against the store."""

    def __init__(self, store: Store, checks: Checks) -> None:
        self._store = store
        self._checks = checks
        self._promised: list[tuple[int, int, Report]] = []
        self._tokens: dict[tuple[int, str, int], int] = {}
        self._ended: set[tuple[int, str, int, int]] = set()
        self._said: Counter[tuple[str, str, str, int]] = Counter()
        self._parts: dict[tuple[str, str, str], set[int]] = {}
        """Which parts members have sent, whatever became of them, by run whatever its generation, phase and name."""

    def reported(self, reports: list[Report], answers: list[Answer], changes: list[Change]) -> None:
        """Check the answers to reports from outside that came in one call."""
        require(len(answers) == len(reports), "I12", f"{len(reports)} reports got {len(answers)} answers")
        for report, answer in zip(reports, answers, strict=True):
            if answer.kind == "duplicate" and report.part is not None:
                found = self._store.read(lambda view, report=report: self._find(view, report))  # type: ignore[misc]  # bound now
                settled = found is not None and bool(found[1].kinds[found[2] - found[1].lo])
                known = self._said[*_sender(report), report.part.number] > 1
                require(known or settled, "I12", f"{report} was {answer}, and nothing like it was sent before")
            if answer.kind == "accepted":
                self._kept(report, answer)
            elif len(reports) == 1:
                self._unchanged(f"{report} was {answer}", answer, changes)

    def worked(self, report: TaskReport, answer: Answer, changes: list[Change]) -> None:
        """Check the answer to a worker's report that came alone."""
        if answer.kind != "accepted":
            self._unchanged(f"{report} was {answer}", answer, changes)
        self.taken(report, answer)

    def leased(self, task: Task) -> None:
        """Check that a leased task is of a phase at work, and that its token has grown.

        The commit that leases may close the phase: it may find its budget spent, or give up on another task.
        """
        record = self._checks.records[task.phase]
        at_work = record.phase.state in {"active", "opened"} or record.closed_at == task.leased_at
        require(at_work, "I2", f"{task} was leased, and its phase is {record.phase.state}")
        key = (task.phase, task.work, task.lo)
        known = self._tokens.get(key, 0)
        require(task.token > known, "fence", f"{task} was leased under token {task.token} after {known}")
        self._tokens[key] = task.token

    def taken(self, report: TaskReport, answer: Answer) -> None:
        """Check what is known of a worker's report whatever else its call did: an accepted one ends its lease once."""
        if answer.kind != "accepted":
            return
        lease = (report.phase, report.work, report.lo, report.token)
        require(lease not in self._ended, "I7", f"{report} was accepted, and its lease had ended before")
        if report.ended:
            self._ended.add(lease)
        self._settled(report)

    def _unchanged(self, what: str, answer: Answer, changes: list[Change]) -> None:
        """Check that a report without effect has written none but its own record."""
        for change in changes:
            quiet = not change.tasks and not change.runs and not change.opened and not change.halts
            named = all(":parked:" in message.key or "amended:" in message.key for message in change.posted)
            own = all(entry.kind in {"late", "conflict", "parked", "early"} for entry in change.entries)
            require(quiet and named and own, "I8", f"{what}, and changed more than its own record")
            records = [self._checks.records[phase] for phase in change.phases]
            asked = answer.kind == "late" and all(record.own.gate.late == "rerun" for record in records)
            require(not records or asked, "I8", f"{what}, and changed its phase")

    def _settled(self, report: TaskReport) -> None:
        """Check that the outcomes of a worker's accepted report are in the store."""
        record = self._checks.records[report.phase]
        for place, code in enumerate(report.kinds):
            kept = not code or record.kinds[report.lo + place]
            require(bool(kept), "I12", f"{report} was accepted, and its member {report.lo + place} is pending")

    def _kept(self, report: Report, answer: Answer) -> None:
        found = self._store.read(lambda view: self._find(view, report))
        require(found is not None, "I12", f"{report} was {answer}, and nobody is found for it")
        assert found is not None
        phase, task, ordinal = found
        self._parts_of(report, answer)
        if not _holds(report, task, ordinal):
            require(held=False, name="I12", what=f"{report} was {answer}, and the store holds {task}")
        self._promised.append((phase.id, ordinal, report))

    def sent(self, report: Report) -> None:
        """Note that a report is under way."""
        if report.part is not None:
            self._parts.setdefault(_sender(report), set()).add(report.part.number)
            self._said[*_sender(report), report.part.number] += 1

    def _parts_of(self, report: Report, answer: Answer) -> None:
        """Check that a member which parts have settled has all of its own."""
        if report.part is None or (report.retry and report.outcome == "failed"):
            return
        own = self._parts[_sender(report)]
        settled = f"{report.member} is " in answer.detail
        whole = own == set(range(1, max(own) + 1))
        require(not settled or whole, "I7", f"{report} has settled its member, which has sent parts {sorted(own)} only")

    def _find(self, view: Snapshot, report: Report) -> tuple[Phase, Task, int] | None:
        identity = RunId.parse(report.run)
        run = view.run(str(identity)) if names_generation(report.run) else view.newest(identity)
        phase = None if run is None else view.phase_of(run.id, report.phase)
        if phase is None:
            return None
        ordinal = ordinal_of(view, self._checks.records[phase.id], member_name(report.member))
        task = None if ordinal is None else view.task_at(phase.id, ordinal)
        return None if ordinal is None or task is None else (phase, task, ordinal)

    def all_kept(self) -> None:
        """Check at the end that every good report that was accepted still counts in its generation."""
        for phase_id, ordinal, report in self._promised:
            record = self._checks.records[phase_id]
            good = report.outcome in {"empty", "skipped"} and report.part is None
            kept = not good or record.kind(ordinal) in SATISFIED
            require(kept, "I12", f"{report} was accepted, and at the end its member is {record.kind(ordinal)}")


def _sender(report: Report) -> tuple[str, str, str]:
    """Return who has sent a report: a member of the same name of another key's run is another one."""
    return report.run.partition("#")[0], report.phase, report.member


def _holds(report: Report, task: Task, ordinal: int) -> bool:
    """Say whether a member's row shows what an accepted report said."""
    settled = bool(task.kinds[ordinal - task.lo])
    if report.part is not None:
        return settled or report.part.number in task.parts or report.retry
    note = task.notes.get(ordinal)
    if report.outcome == "failed" and report.retry:
        return note is not None and note.reason == report.reason
    return settled and note is not None and note.rows == report.rows
