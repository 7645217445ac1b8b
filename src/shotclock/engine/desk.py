"""One unit of work on the store: what was read and changed so far, and what must be decided before it commits."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from shotclock.core import gate, leases
from shotclock.engine.drafts import Drafts
from shotclock.engine.telling import Facts
from shotclock.model import (
    Entry,
    EntryKind,
    Halt,
    Outgoing,
    Phase,
    PhasePlan,
    Plan,
    Ruling,
    Run,
    RunId,
    Task,
    Work,
)
from shotclock.ports import Snapshot, Transaction
from shotclock.settings import Settings


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A user's check that has to be asked outside the transaction."""

    phase: int
    function: str
    ruling: Ruling


class Desk:
    """The state of one transaction; phases are written once each, when it is cleared."""

    def __init__(self, tx: Transaction, now: datetime, settings: Settings, jitter: Callable[[], float]) -> None:
        self._tx = tx
        self._drafts = Drafts(tx)
        self.now = now
        self.settings = settings
        self.jitter = jitter
        self.closing: list[int] = []
        """Phases closed here, to be opened in a commit of their own."""
        self.started: list[int] = []
        """Phases started here, whose early reports are to be taken now."""
        self.begun: list[int] = []
        """Phases started here, whose first tasks may be leased with this."""
        self.questions: list[Question] = []
        self.found: dict[tuple[int, str], int] = {}
        """Ordinals of items that were looked for ahead, by phase and name."""
        self.facts: Facts | None = None
        """What is told after the commit, where anybody listens."""
        self.rang = False
        """Whether something was written that others should look at."""
        self._phases: dict[int, Phase] = {}
        self._changed: dict[int, Phase] = {}
        """Phases that changed, as they were before."""
        self._touched: dict[int, None] = {}
        self._runs: dict[str, Run] = {}
        self._own: dict[int, PhasePlan] = {}
        self._limits: dict[int, leases.Limits] = {}
        self._newest: dict[RunId, str] = {}
        self._named: dict[tuple[str, str], int] = {}
        """Phases by run and name."""
        self._halts: list[Halt] | None = None

    @property
    def tx(self) -> Transaction:
        """The transaction itself, with all drafts of tasks written."""
        self._drafts.write()
        self._newest.clear()
        return self._tx

    @property
    def aside(self) -> Snapshot:
        """The transaction, for reading what is no task: drafts stay as they are."""
        return self._tx

    def task(self, phase_id: int, work: Work, lo: int) -> Task | None:
        """Return the task of that kind that starts at `lo`, as it stands here."""
        return self._drafts.task(phase_id, work, lo)

    def task_at(self, phase_id: int, ordinal: int) -> Task | None:
        """Return the task whose range holds `ordinal`, as it stands here."""
        return self._drafts.task_at(phase_id, ordinal)

    def fetch_tasks(self, phase_id: int, owner: str) -> None:
        """Read all tasks of a phase that an owner holds, in one go, for reports that follow."""
        self._drafts.fetch(phase_id, owner)

    def put_task(self, task: Task, token: int) -> None:
        """Replace a task whose token is the given one; it is written before anybody looks at tasks in the store."""
        self._drafts.put(task, token)

    def phase(self, phase_id: int) -> Phase:
        """Return a phase as it stands here."""
        known = self._phases.get(phase_id)
        if known is None:
            known = self._phases[phase_id] = self._tx.phase(phase_id)
        return known

    def phases(self, run_id: str) -> list[Phase]:
        """Return a run's phases as they stand here."""
        return [self._phases.setdefault(phase.id, phase) for phase in self._tx.phases(run_id)]

    def active(self) -> list[Phase]:
        """Return phases that are at work in runs that run, as they stand here."""
        return [self._phases.setdefault(phase.id, phase) for phase in self.tx.active()]

    def phase_of(self, run_id: str, name: str) -> Phase | None:
        """Return a run's phase by name as it stands here."""
        known = self._named.get((run_id, name))
        if known is not None:
            return self.phase(known)
        phase = self._tx.phase_of(run_id, name)
        if phase is None:
            return None
        self._named[run_id, name] = phase.id
        return self._phases.setdefault(phase.id, phase)

    def change(self, phase: Phase, **changes: Any) -> Phase:  # noqa: ANN401 - any field of a phase
        """Change a phase; it is written, with its version raised by one, when the desk is cleared."""
        current = self.phase(phase.id)
        changed = replace(current, **changes)
        if changed != current:
            self._changed.setdefault(phase.id, current)
            self._phases[phase.id] = changed
            if self.facts is not None:
                self.facts.phase_changed(current, changed)
        return changed

    def put(self, phase: Phase) -> Phase:
        """Put a phase that was changed elsewhere."""
        self._changed.setdefault(phase.id, self.phase(phase.id))
        self._phases[phase.id] = phase
        return phase

    def touch(self, phase: Phase) -> None:
        """Have the phase's gate decided before this commits."""
        self._touched[phase.id] = None

    @property
    def undecided(self) -> bool:
        """Whether a phase's gate must be decided."""
        return bool(self._touched)

    def touched(self) -> Phase | None:
        """Return the next phase whose gate must be decided."""
        if not self._touched:
            return None
        phase_id = next(iter(self._touched))
        del self._touched[phase_id]
        return self.phase(phase_id)

    def clear(self) -> None:
        """Write every task and phase that changed."""
        self._drafts.write()
        for phase_id, before in self._changed.items():
            after = self._phases[phase_id]
            self._tx.put_phase(replace(after, version=before.version + 1))
            self.rang = self.rang or not _only_counted(before, after)
        self._changed.clear()

    def run(self, run_id: str) -> Run:
        """Return a run that must be there."""
        known = self._runs.get(run_id) or self._tx.run(run_id)
        assert known is not None, run_id
        self._runs[run_id] = known
        return known

    def newest(self, identity: RunId) -> Run | None:
        """Return the newest generation of a run."""
        known = self._newest.get(identity)
        if known is not None:
            return self.run(known)
        run = self._tx.newest(identity)
        if run is not None:
            self._newest[identity] = run.id
            self._runs[run.id] = run
        return run

    def put_run(self, run: Run) -> None:
        """Write a run."""
        if self.facts is not None:
            self.facts.run_changed(self._runs.get(run.id), run)
        self._tx.put_run(run)
        self._runs[run.id] = run
        self.rang = True

    def plan(self, run_id: str) -> Plan:
        """Return a run's plan."""
        return self._tx.plan(run_id)

    def plan_of(self, phase: Phase) -> PhasePlan:
        """Return a phase's plan."""
        known = self._own.get(phase.id)
        if known is None:
            known = self._own[phase.id] = self.plan(phase.run).phase(phase.name)
        return known

    def limits(self, attempts: int) -> leases.Limits:
        """Return the bounds of work on tasks whose members have that many attempts."""
        known = self._limits.get(attempts)
        if known is None:
            known = self._limits[attempts] = leases.Limits(
                attempts=attempts,
                max_leases=self.settings.max_leases,
                hourly=self.settings.hourly_attempts,
                retry_first=self.settings.retry_first,
                retry_most=self.settings.retry_most,
            )
        return known

    def halts(self, run: Run) -> tuple[Halt, ...]:
        """Return the halts, ended ones too, that hold for a run."""
        if self._halts is None:
            self._halts = self._tx.halts()
        return tuple(halt for halt in self._halts if halt.holds_for(run.identity))

    def scene(self, phase: Phase, *, ours: bool | None = None) -> gate.Scene:
        """Gather what the gate looks at; whoever asks for no stall says `ours`, and no task is read for it."""
        run, plan = self.run(phase.run), self.plan(phase.run)
        own = plan.phase(phase.name)
        return gate.Scene(
            phase=phase,
            plan=own,
            key=run.key,
            timezone=plan.timezone,
            run_started_at=run.started_at,
            max_age=plan.max_age,
            halts=self.halts(run),
            ours=self._ours(phase, own) if ours is None else ours,
            stall_least=self.settings.stall_least,
            check_again=self.settings.check_again,
        )

    def _ours(self, phase: Phase, own: PhasePlan) -> bool:
        """Say whether tasks of ours are pending, where a stall clock of its own depends on it."""
        if own.items is not None:
            return own.items.run is not None or not phase.sealed
        if own.gate.stall is not None or all(member.external for member in own.members):
            return own.gate.stall is not None
        return any(task.work == "member" and 0 in task.kinds for task in self.tx.tasks(phase.id, pending=True))

    def keep(
        self,
        kind: EntryKind,
        scope: str,
        *,
        phase: str = "",
        member: str = "",
        digest: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an entry beside the state."""
        said = dict(body or {})
        if self.facts is not None:
            self.facts.kept(kind, scope, phase, member, said)
        self._tx.append(
            Entry(kind=kind, scope=scope, phase=phase, member=member, at=self.now, digest=digest, body=said)
        )

    def post(self, key: str, route: str, run: str, body: Mapping[str, Any]) -> None:
        """Put a message in the outbox; one of the same key is never put twice."""
        message = Outgoing(
            key=key,
            route=route,
            run=run,
            body=dict(body),
            created_at=self.now,
            ready_at=self.now,
        )
        new = self._tx.post(message)
        self.rang = new or self.rang
        if new and route == "alert" and self.facts is not None:
            self.facts.tell("alert.raised", run, str(body.get("phase", "")), reason=str(body.get("fact", "")))

    def alert(
        self, phase: Phase, fact: str, text: str, *, turn: object = "", names: tuple[str, ...] = (), command: str = ""
    ) -> None:
        """Tell operators one fact about a phase, once; where it may come again, `turn` tells the times apart."""
        where = f"{phase.run} {phase.name}"
        body = {"fact": fact, "run": phase.run, "phase": phase.name, "text": f"{where}: {text}", "names": list(names)}
        self.post(f"alert:{phase.id}:{fact}:{turn}", "alert", phase.run, body | {"command": command})


def _only_counted(before: Phase, after: Phase) -> bool:
    """Say whether a phase has counted members and nothing else, as after most reports: nobody has to look at that."""
    counted = replace(
        before,
        counts=after.counts,
        changes=after.changes,
        worse=after.worse,
        progress_at=after.progress_at,
    )
    return counted == after
