"""One seed from beginning to end: a time in which things go wrong, then one in which all that is due must be done."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from shotclock.model import PHASE_OVER, Phase, RunId, Task
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings
from shotclock.testing import oracle, reporters
from shotclock.testing.drawing import Options
from shotclock.testing.lots import SECOND, Lots
from shotclock.testing.operators import Operators, Relay, Sweeps, Voters
from shotclock.testing.records import Record, pending
from shotclock.testing.violation import BrokenError, require
from shotclock.testing.workers import Worker
from shotclock.testing.world import World

QUIET_STEPS = 3_000
"""Most steps of the quiet time; more of them mean that something is due again and again."""
SETTLING = 60
"""Most rounds in which everybody does what can be done at one instant."""
FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Play:
    """The actors of one seed, and the world they act in."""

    def __init__(self, options: Options, lots: Lots, store: Store, remember: int) -> None:
        settings = Settings(store="memory://", max_leases=lots.pick((2, 3, 10)), max_reruns=lots.pick((1, 1, 2)))
        self.world = World(options, lots, store, settings, remember)
        self._voters = Voters(self.world)
        self.world.asked = self._voters.asked
        runs = tuple(str(RunId(pipeline="sim", key=key)) for key in options.keys)
        for place, run in enumerate(runs):
            self._begin(run, options.keys[place], place)
        self.world.startled = lambda: reporters.startle(self.world)
        self._workers = [Worker(self.world, number) for number in range(options.workers)]
        self._sweeps = Sweeps(self.world, options.sweeps)
        self._relay = Relay(self.world, lambda: lots.pick(self._workers).wake_up())
        self._operators = Operators(self.world, runs)

    def _begin(self, run: str, key: str, place: int) -> None:
        world = self.world
        world.later(
            place * world.lots.span(0 * SECOND, 600 * SECOND),
            lambda: world.attempt(f"start {run}", lambda coordinator: coordinator.start(world.options.plan, key)),
        )
        reporters.set_going(world, run)

    def run(self) -> None:
        """Let the seed play; raises `BrokenError` for an invariant that does not hold."""
        world = self.world
        end = world.started_at + world.options.horizon
        while world.step(end):
            pass
        world.clock.move_to(max(end, world.now))
        self._calm()
        self._quiet()
        self._last_look()

    def _calm(self) -> None:
        """End the faults: halts are lifted but for some, dead workers are replaced, all runs have begun."""
        world = self.world
        world.history.append("--- nothing goes wrong from here ---")
        world.faulty = False
        for key in world.options.keys:
            world.attempt(f"start {key}", lambda coordinator, key=key: coordinator.start(world.options.plan, key))  # type: ignore[misc]  # bound now
        if world.lots.chance(0.9):
            for scope in dict.fromkeys(halt.scope for halt in world.checks.halts.values()):
                self._operators.resume(scope)

    def _quiet(self) -> None:
        """Do all that is due, from instant to instant, until nothing is."""
        world = self.world
        for _ in range(QUIET_STEPS):
            self._settle()
            self._overdue()
            following = self._following()
            if following is None:
                return
            world.clock.move_to(max(following, world.now + SECOND))
            while world.step(world.now):
                pass
        require(held=False, name="I5", what=f"something is due again and again, at last at {world.now}")

    def _settle(self) -> None:
        """Let everybody do what can be done now."""
        for _ in range(SETTLING):
            before = self.world.store.version()
            self._sweeps.all()
            self._relay.deliver()
            for worker in self._workers:
                worker.poll()
            if self.world.store.version() == before:
                return
        require(held=False, name="I5", what=f"there is always something to do at {self.world.now}")

    def _following(self) -> datetime | None:
        """Return the next instant at which something is due, or may be leased."""
        world = self.world

        def moments(view: Snapshot) -> list[datetime | None]:
            ready = [view.next_ready(phase.id) for phase in view.active()]
            due = None if self._only_resumes_help(view) else view.next_due()
            return [due, *(moment for moment in ready if moment is not None and moment > world.now)]

        found = [*world.store.read(moments), world.next_at()]
        return min((moment for moment in found if moment is not None), default=None)

    def _only_resumes_help(self, view: Snapshot) -> bool:
        """Say whether all that is due are phases whose new generation waits for the end of halts that nobody ends.

        They are looked at from time to time for as long as their halts last, which here is for ever.
        """
        now, records = self.world.now, self.world.checks.records
        waiting = view.due(FOR_EVER, len(records))
        return all(self._waits_for_resume(phase, now) for phase in waiting) and not self._untold()

    def _waits_for_resume(self, phase: Phase, now: datetime) -> bool:
        """Say whether a phase that is over waits with its late reports for the end of a halt that nobody ends."""
        record, halts = self.world.checks.records[phase.id], list(self.world.checks.halts.values())
        asked = phase.state in PHASE_OVER and phase.rerun_at is not None and phase.rerun_at <= now - 2 * SECOND
        held = any(halt.until is None for halt in oracle.halts_of(record, halts))
        return asked and held and phase.run not in self.world.checks.superseded

    def _overdue(self) -> None:
        """Check that nothing that is due waits longer than a sweep."""
        checks = self.world.checks
        checks.lateness.overdue(checks.superseded, list(checks.halts.values()), self.world.now)
        for record in self.world.checks.records.values():
            if record.phase.state in {"active", "closing"} and record.phase.source is None:
                self._waits_by_right(record)
            if record.phase.state in {"active", "opened"} and not record.phase.stale_inputs:
                self._starves(record)

    def _starves(self, record: Record) -> None:
        """Check that work that may be done is not left lying while nobody works on its phase."""
        now, halts = self.world.now - 2 * SECOND, list(self.world.checks.halts.values())
        if oracle.is_halted(record, halts, now) or oracle.is_halted(record, halts, self.world.now):
            return
        wanted = {"then"} if record.phase.state == "opened" else {"member", "chunk", "enumerate"}
        ready, worked = self.world.store.read(lambda view: _work(view, record.phase.id, now))
        waiting = [task for task in ready if task.work in wanted]
        worked = worked or any(worker.works_on(record.phase.id) for worker in self._workers)
        require(not waiting or worked, "I5", f"{record.where}: nobody is given {waiting[:1]} at {self.world.now}")

    def _waits_by_right(self, record: Record) -> None:
        world, phase, deadline = self.world, record.phase, record.own.gate.deadline
        now, halts = world.now - 2 * SECOND, list(world.checks.halts.values())
        if any(oracle.is_halted(record, halts, now + ahead) for ahead in (*world.options.ahead, timedelta(0))):
            return
        require(phase.state != "closing", "I5", f"{record.where} has closed, and is not opened")
        require(not oracle.too_old(record, halts, now), "I5", f"{record.where} is active past its max_age")
        kind = None if phase.mark is None else phase.mark.kind
        asking = phase.asking_until is not None
        require(kind != "halted", "I5", f"{record.where} says it is halted, and no halt is in force")
        require(
            kind != "vetoed" or record.own.gate.check is not None, "I5", f"{record.where} has no check to be vetoed by"
        )
        if kind in {"blocked", "vetoed"} or asking:
            self._blocked_by_right(record)
            return
        due = oracle.deadline_due(record, now)
        late = due is not None and due <= now and deadline is not None and bool(record.kinds or not record.complete)
        require(not late, "I5", f"{record.where} waits at {world.now}, its deadline was due at {due}")
        since, optional = record.held_since, bool(pending(record.optional))
        graced = since is None or (optional and since + record.own.gate.grace > now)
        require(graced, "I5", f"{record.where} waits at {world.now}, its rule holds since {since}")
        later = any(oracle.need_holds(record, tier.need) for tier in record.own.gate.tiers)
        stuck = record.complete and record.kinds and not pending(record.kinds) and not later
        require(not stuck, "I5", f"{record.where} waits at {world.now}, and everybody has settled")

    def _blocked_by_right(self, record: Record) -> None:
        """Check that a phase that says it is blocked has somebody critical missing, or a policy that says so."""
        phase, gate = record.phase, record.own.gate
        if phase.mark is None or phase.mark.kind != "blocked":
            return
        policy = gate.hopeless == "block" or (gate.deadline is not None and gate.deadline.then == "block")
        critical = oracle.critical_missing(record)
        empty = record.complete and not record.phase.counts.expected
        right = policy or critical or empty or phase.stale_inputs
        require(bool(right), "I5", f"{record.where} is blocked for no reason: {phase.mark.reason}")

    def _last_look(self) -> None:
        """Check the end: every run is over, everything was told, nothing that was acknowledged is lost."""
        world = self.world
        for record in world.checks.records.values():
            if record.run.id in world.checks.superseded or record.phase.state in PHASE_OVER:
                continue
            halts = list(world.checks.halts.values())
            held = any(halt.until is None for halt in oracle.halts_of(record, halts))
            require(held, "I5", f"{record.where} is {record.phase.state} for ever, and nothing is due")
        self._told()
        self._plans()
        world.answers.all_kept()

    def _told(self) -> None:
        """Check that each message was delivered, but for hand-overs of generations that were superseded meanwhile."""
        untold = self._untold()
        require(not untold, "I9", f"never delivered: {untold}")

    def _untold(self) -> list[str]:
        """Return the keys of the messages that are still to be delivered."""
        checks = self.world.checks
        over = {phase for phase, record in checks.records.items() if record.run.id in checks.superseded}
        return [key for key in checks.keys if key not in self._relay.told and not _nobody_waits(key, over)]

    def _plans(self) -> None:
        for record in self.world.checks.records.values():
            plan = self.world.store.read(lambda view, run=record.run.id: view.plan(run))  # type: ignore[misc]  # bound now
            require(plan == record.plan, "I10", f"the plan of {record.run.id} has changed")


def _work(view: Snapshot, phase_id: int, now: datetime) -> tuple[list[Task], bool]:
    """Return the tasks of a phase that may be leased, and whether somebody holds one of it."""
    held = any(task.lease_until is not None and task.lease_until > now for task in view.leased(phase_id=phase_id))
    return view.leasable(phase_id, now, SETTLING), held


def play(options: Options, lots: Lots, store: Store, remember: int) -> tuple[World, BrokenError | None]:
    """Play a seed's options; return the world as it was left, with its last events, and what was found."""
    scene = Play(options, lots, store, remember)
    try:
        scene.run()
    except BrokenError as broken:
        return scene.world, broken
    except Exception as error:  # noqa: BLE001 - whatever the product raises unasked is a finding
        found = BrokenError("error", f"{type(error).__name__}: {error}")
        found.__cause__ = error
        return scene.world, found
    return scene.world, None


def _nobody_waits(key: str, over: Collection[int]) -> bool:
    """Say whether a message hands over to a phase that is over with its generation."""
    route, phase, *_ = key.split(":")
    return route == "handover" and int(phase) in over
