"""The coordinator: every way to change the state, each one transaction, each safe to call twice and from anywhere."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from shotclock import clock as clocks
from shotclock.core.clocks import halted
from shotclock.engine import (
    expecting,
    first_words,
    flagging,
    flow,
    halting,
    judging,
    quarantine,
    ramping,
    recording,
    roll_changes,
    scheduling,
    starting,
    sweeping,
    working,
)
from shotclock.engine.desk import Desk, Question
from shotclock.engine.flagging import Turned
from shotclock.engine.hands import Grasp, Hands
from shotclock.engine.reach import EVERYTHING, Reach
from shotclock.engine.scheduling import Ticked
from shotclock.engine.telling import NOBODY, Audience, Facts, timed
from shotclock.engine.together import Together
from shotclock.engine.working import Held, ItemPair, Lease
from shotclock.errors import NotFoundError, StaleError, UsageError
from shotclock.model import (
    PHASE_OVER,
    Answer,
    FlagRamp,
    Force,
    Phase,
    Plan,
    Process,
    Report,
    Rule,
    Run,
    RunId,
    Split,
    TaskReport,
    digest,
)
from shotclock.ports import Snapshot, Store, Transaction
from shotclock.settings import Settings

T = TypeVar("T")
NOTHING_ASKED: Mapping[str, Rule] = MappingProxyType({})


class Coordinator:
    """The door to a store's runs.

    `asked` is called, outside any transaction, for every user's check that must be put; `vote` takes its answer.
    `rang` is called after a commit that others may want to look at. `hands` are those of a worker of this process: a
    commit that starts a phase leases it the first tasks. `audience` hears what each commit has made true.
    """

    def __init__(  # noqa: PLR0913 - the parts it is put together from
        self,
        store: Store,
        settings: Settings,
        clock: clocks.Clock,
        *,
        asked: Callable[[Question], None] = lambda _question: None,
        rang: Callable[[], None] = lambda: None,
        hands: Hands | None = None,
        audience: Audience = NOBODY,
    ) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self._asked = asked
        self._rang = rang
        self._hands = hands or Hands()
        self.audience = audience
        self._together = Together(self._record_all, settings.backlog)
        self._purged_at: datetime | None = None
        self._sweep = sweeping.Sweep(store, settings.backlog, self._look)
        self._ramped_at: datetime | None = None
        self._plans: dict[tuple[str, str], Plan] = {}

    def _do(self, work: Callable[[Desk], T]) -> T:
        """Run a unit of work in one commit, deciding every phase it touched, then see to what follows outside it."""

        def unit(tx: Transaction) -> tuple[T, Desk]:
            desk = Desk(tx, self.clock.now(), self.settings, self.clock.jitter)
            desk.facts = Facts(desk.now) if self.audience else None
            result = work(desk)
            judging.decide_touched(desk)
            grasp.lease(desk)
            judging.settle_desk(desk)
            return result, desk

        with Grasp(self._hands) as grasp:
            result, desk = self.store.write(unit)
            grasp.keep()
        if desk.rang:
            self._rang()
        if desk.facts is not None:
            self.audience.tell(desk.facts.all())
        for phase_id in desk.closing:
            self._open(phase_id)
        for question in desk.questions:
            self._asked(question)
        return result

    def _open(self, phase_id: int) -> None:
        """Open a phase that was closed by the commit before; the sweep does it if this process dies here."""

        def work(desk: Desk) -> None:
            phase = desk.phase(phase_id)
            if phase.state == "closing":
                judging.judge(desk, phase)

        self._do(work)

    # --- runs ---

    def start(self, plan: Plan, key: str) -> tuple[Run, bool]:
        """Start the run of a key; a repeat returns the newest generation. The flag says whether it is new."""
        return self._do(lambda desk: starting.start(desk, plan, key))

    def register(self, plan: Plan) -> None:
        """Know a pipeline's plan: the first report of one of its members starts a run where it says so.

        From here on operators are told where no run of it succeeds as often as it says.
        """
        self._plans[plan.pipeline, plan.mode] = plan
        now = self.clock.now()
        self.store.write(lambda tx: expecting.expect(tx, plan, now))

    def tick(self, plan: Plan) -> Ticked:
        """Start the run that the plan's schedule has due, the oldest first, and name those it is too late for.

        - What was missed is caught up within `catch_up`, one run at a time; a key is never started twice.
        - The first call for a pipeline and mode only notes from when on its ticks count.
        - Under a halt nothing is started; what comes due meanwhile counts as missed.
        """
        now = self.clock.now()
        last = self.store.read(lambda view: scheduling.handled(view, plan))
        due = None if last is None else scheduling.due(plan, last, now, self.settings.catch_up)
        return self._do(lambda desk: scheduling.tick(desk, plan, last, due))

    def rerun(self, run_id: str, plan: Plan, phase: str, members: Sequence[str] = (), *, cause: str = "rerun") -> Run:
        """Make a new generation from `phase`, in which `members` are done again although they are satisfied."""
        return self._do(lambda desk: starting.new_generation(desk, run_id, plan, phase, members, cause=cause))

    def rerun_then(self, run_id: str, plan: Plan, phase: str) -> Run:
        """Make a new generation that carries the opening of `phase` and does its consolidation anew."""
        return self._do(lambda desk: starting.consolidate_again(desk, run_id, plan, phase))

    def rerun_without(self, run_id: str, plan: Plan, flags: Sequence[str]) -> Run:
        """Make a new generation with the flags of now that carries only phases that did not ask for these ones."""
        return self._do(lambda desk: starting.without_flags(desk, run_id, plan, flags))

    def retry(self, run_id: str, phase: str, members: Sequence[str] = ()) -> list[str]:
        """Put unsatisfied members of a phase that has not closed back to pending; return their names."""

        def work(desk: Desk) -> list[str]:
            return starting.again_before_opening(desk, self._active(desk, run_id, phase), members)

        return self._do(work)

    def force(self, run_id: str, phase: str, *, actor: str, reason: str) -> None:
        """Open a phase whatever is missing; refused under a halt."""

        def work(desk: Desk) -> None:
            found = self._active(desk, run_id, phase)
            scene = desk.scene(found)
            if halted(scene.halts, desk.now) is not None:
                message = f"{run_id} {phase}: halted; resume it before forcing an opening"
                raise UsageError(message)
            order = Force(actor=actor, reason=reason, at=desk.now)
            body = {"what": "force", "actor": actor, "reason": reason}
            desk.keep("audit", found.run, phase=phase, body=body)
            desk.touch(desk.change(found, force=order))

        self._do(work)

    def withdraw(self, run_id: str, phase: str, member: str, *, actor: str, reason: str) -> Answer:
        """Take a member that is not satisfied out of the roll of a phase that has not closed."""
        return self._do(
            lambda desk: roll_changes.withdraw(
                desk, self._active(desk, run_id, phase), member, actor=actor, reason=reason
            )
        )

    def readmit(self, run_id: str, phase: str, member: str, *, actor: str) -> Answer:
        """Take a withdrawn member back into the roll; its last report, if one came meanwhile, counts."""
        return self._do(lambda desk: roll_changes.readmit(desk, self._active(desk, run_id, phase), member, actor=actor))

    def alias(self, run_id: str, phase: str, name: str, member: str, *, actor: str) -> list[str]:
        """Make another name of a member known to a phase, and take the reports parked under it."""
        return self._do(
            lambda desk: roll_changes.alias(desk, self._phase(desk, run_id, phase), name, member, actor=actor)
        )

    def _active(self, desk: Desk, run_id: str, name: str) -> Phase:
        phase = self._phase(desk, run_id, name)
        if phase.state != "active":
            message = f"{phase.run} {name} is {phase.state}, not active"
            hint = f"; `shotclock rerun {phase.run} {name}` makes a new generation" if phase.state in PHASE_OVER else ""
            raise UsageError(message + hint)
        return phase

    def _phase(self, desk: Desk, run_id: str, name: str) -> Phase:
        try:
            identity = RunId.parse(run_id)
        except ValueError as error:
            raise UsageError(str(error)) from error
        run = desk.tx.run(run_id) if "#" in run_id else desk.tx.newest(identity)
        phase = None if run is None else desk.phase_of(run.id, name)
        if phase is None:
            missing = f"run {run_id}" if run is None else f"phase {name} in {run.id}"
            message = f"there is no {missing}; `shotclock status` lists what there is"
            raise NotFoundError(message)
        return phase

    # --- reports ---

    def report(self, reports: Sequence[Report]) -> list[Answer]:
        """Take reports from outside, in order; what is accepted, late, conflicting or parked is durable on return.

        Raises `UsageError` for one that nothing can be made of; then none of this call is stored. Calls that come at
        the same time share a commit, and their phases' gates are decided once.
        """
        return self._together.report(reports)

    def report_each(self, calls: Sequence[Sequence[Report]]) -> list[list[Answer] | BaseException]:
        """Take what several callers report in one commit; return for each its answers, or the error `report` raises."""
        return self._together.each(calls)

    def quarantine(self, message: quarantine.Malformed) -> bool:
        """Keep a message that nothing can be made of; say whether it was new. Raises `BusyError` where no more fits."""
        return self._do(lambda desk: quarantine.quarantine(desk, message))

    def _record_all(self, reports: Sequence[Report]) -> list[Answer]:
        def work(desk: Desk) -> list[Answer]:
            answers = first_words.take_all(desk, reports, self._record)
            if desk.facts is not None:
                desk.facts.answered(reports, answers)
            return answers

        taken = ("reports", "taken")
        return timed(self.audience, self.clock, taken, len(reports), lambda: self._do(work))

    def _record(self, desk: Desk, report: Report) -> Answer:
        scheduling.start_for(desk, self._plans, report)
        return recording.record(desk, report)

    def signal(self, run_id: str, phase: str, name: str) -> None:
        """Give the signal a phase's deadline counts from; the first one counts."""
        self._do(lambda desk: recording.signal(desk, self._phase(desk, run_id, phase), name))

    def announce(self, about: str, fact: str, text: str) -> None:
        """Tell operators once something that belongs to no phase."""
        body = {"fact": fact, "run": "", "phase": "", "text": text, "names": [about], "command": ""}
        self._do(lambda desk: desk.post(f"alert:{fact}:{about}:{digest(text.encode())}", "alert", "", body))

    # --- tasks ---

    def lease(self, owner: str, busy: Mapping[int, int], reach: Reach = EVERYTHING) -> list[Lease]:
        """Lease what may run now, given how many tasks of each phase the worker holds already."""
        return self._do(lambda desk: working.lease(desk, owner, busy, reach))

    def work_done(
        self, owner: str, reports: Sequence[TaskReport], busy: Mapping[int, int], reach: Reach = EVERYTHING
    ) -> tuple[list[Answer], list[Lease]]:
        """Take a worker's reports and lease it what may run next, in one commit that leaves it nothing more to do."""

        def work(desk: Desk) -> tuple[list[Answer], list[Lease]]:
            answers = working.take_reports(desk, owner, reports, busy)
            held, given = Counter(busy), []
            while True:
                judging.decide_touched(desk)
                more = working.lease(desk, owner, held, reach)
                held.update(lease.phase.id for lease in more)
                given += more
                if not desk.undecided:  # leasing gives up on what was lost too often, which may open a phase
                    return answers, given

        return self._do(work)

    def task_report(self, report: TaskReport) -> Answer:
        """Take what a worker says of one task."""
        return self._do(lambda desk: working.take_report(desk, report))

    def renew(self, held: Sequence[Held]) -> list[Held]:
        """Extend leases; return those whose holders should stop."""
        return self._do(lambda desk: working.renew(desk, held))

    def give_back(self, owner: str) -> int:
        """Queue every task an owner holds again, nothing counted; return how many there were."""

        def work(desk: Desk) -> int:
            held = desk.tx.leased(owner=owner)
            working.give_back(desk, held)
            return len(held)

        return self._do(work)

    def bury_owner(self, owner: str) -> int:
        """Free every task of an owner that is known to be dead; return how many there were."""

        def work(desk: Desk) -> int:
            held = desk.tx.leased(owner=owner)
            working.lose(desk, held)
            return len(held)

        return self._do(work)

    def add_pages(self, held: Held, first: int, pages: Sequence[Sequence[ItemPair]]) -> None:
        """Add pages of a roll under the enumeration's token, all or none; a repeat does nothing."""

        def work(desk: Desk) -> None:
            for number, items in enumerate(pages, first):
                working.add_page(desk, held, number, items)

        self._do(work)

    def repeated(self, phase_id: int, names: Sequence[str]) -> None:
        """Note item ids an enumeration gave more than once."""
        self._do(lambda desk: working.repeated(desk, phase_id, names))

    def vote(
        self,
        question: Question,
        *,
        yes: bool,
        reason: str,
        asked: Phase,
        flags: Mapping[str, Rule] = NOTHING_ASKED,
    ) -> None:
        """Take the answer of a user's check about the state it was asked on, and the flags it has asked for."""

        def work(desk: Desk) -> None:
            judging.vote(desk, question.phase, yes=yes, reason=reason, asked=asked)
            phase = desk.phase(question.phase)
            if flags and phase.state not in PHASE_OVER:
                desk.change(phase, flags={**phase.flags, **flags})

        self._do(work)

    # --- flags ---

    def declare_flags(self, plan: Plan) -> None:
        """Have the store know the flags of a plan, before a run has started with it."""
        self._do(lambda desk: flagging.declare(desk, plan))

    def turn_flag(self, name: str, split: Split, *, actor: str, reason: str, version: int | None = None) -> Turned:
        """Set a flag, for runs that start from now on and whoever reads it live; `version`: only if it is at that one.

        Raises `NotFoundError`, `StaleError`, and `UsageError` for a combination that is not legal.
        """
        return self._do(lambda desk: flagging.turn(desk, name, split, actor=actor, reason=reason, version=version))

    def roll_back(self, flags: Sequence[str], *, actor: str, reason: str) -> list[Turned]:
        """Turn flags, all of them without names, to their safe values in one commit; return those that were not."""
        return self._do(lambda desk: flagging.roll_back(desk, flags, actor=actor, reason=reason))

    def bring_back(self, flags: Sequence[str], *, actor: str, reason: str) -> list[Turned]:
        """Set flags, all of them without names, to what their last rollback took away."""
        return self._do(lambda desk: flagging.bring_back(desk, flags, actor=actor, reason=reason))

    def ramp_flag(self, name: str, order: ramping.Order) -> FlagRamp:
        """Begin a ramp of a flag, which the sweep carries on; raises `UsageError` for one that cannot be ramped."""
        return self._do(lambda desk: ramping.begin(desk, name, order))

    def steer_ramp(self, name: str, what: ramping.Steer, *, actor: str, reason: str) -> FlagRamp:
        """Pause, freeze or resume a ramp; a frozen one is not even rolled back."""
        return self._do(lambda desk: ramping.steer(desk, name, what, actor=actor, reason=reason))

    def look_at_ramps(self) -> None:
        """Count the runs that have ended for flags that are ramped, and do what follows; the sweep does it too."""
        ramping.look(self.store, self._do, self.settings, self.clock.now())

    # --- time, halts, processes ---

    def sweep(self) -> int:
        """Look at everything that is due, a commit for each phase; return how many were looked at.

        One that cannot be looked at keeps nobody else waiting: its error is raised after the others. Where another
        process was first, it goes on at another place, so that several do not go through one list behind each other.
        """
        now = self.clock.now()
        if self._purged_at is None or now >= self._purged_at + self.settings.purge:
            sweeping.purge(self.store, self.settings, now)
            self._purged_at = now
        if self._ramped_at is None or now >= self._ramped_at + self.settings.flags_look:
            self._ramped_at = now
            self.look_at_ramps()
        return self._sweep.run(now)

    def _look(self, phase_id: int, now: datetime) -> bool:
        """See to a phase that was due; say whether it still was."""

        def work(desk: Desk) -> bool:
            phase = desk.phase(phase_id)
            judging.look(desk, phase)
            return phase.due_at is not None and phase.due_at <= now

        try:
            return self._do(work)
        except StaleError:
            return False

    def next_due(self) -> datetime | None:
        """Return when the sweep or the relay must look next."""
        return self.store.read(lambda view: view.next_due())

    def halt(self, scope: str, *, actor: str, reason: str) -> None:
        """Stop dispatch, openings, consolidations and deliveries for everything (``*``), a pipeline or a run."""
        self._do(lambda desk: halting.halt(desk, scope, actor=actor, reason=reason))

    def resume(self, scope: str, *, actor: str) -> None:
        """End the halt of a scope; what is overdue is decided in the same commit, several phases told in one alert."""
        self._do(lambda desk: halting.resume(desk, scope, actor=actor))

    def beat(self, process: Process) -> None:
        """Keep this process's sign of life."""
        written = ("heartbeat", "written")
        timed(self.audience, self.clock, written, 1, lambda: self.store.write(lambda tx: tx.beat(process)))

    def free_dead(self, alive: Callable[[str], bool]) -> int:
        """Free the tasks of owners that are known to be dead; return how many there were."""

        def owners(view: Snapshot) -> set[str]:
            held = (task for phase in view.active() for task in view.leased(phase_id=phase.id))
            return {task.owner for task in held if task.owner is not None}

        return sum(self.bury_owner(owner) for owner in self.store.read(owners) if not alive(owner))

    def delivered(self, keys: Sequence[str], phase_ids: Sequence[int]) -> None:
        """Note that the bus took these messages, and with them the hand-overs of these phases."""

        def work(desk: Desk) -> None:
            desk.tx.sent(keys)
            for phase_id in phase_ids:
                flow.delivered(desk, desk.phase(phase_id))

        self._do(work)
