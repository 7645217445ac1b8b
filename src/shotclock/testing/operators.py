"""Everybody else: operators, users' checks, sweeps and the relay."""

from collections.abc import Callable
from datetime import timedelta

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Question
from shotclock.model import Outgoing, Phase, PhasePlan, Report
from shotclock.testing.lots import HOUR, MINUTE, SECOND
from shotclock.testing.reporters import send
from shotclock.testing.world import Process, World

Deed = Callable[[Coordinator], object]


class Operators:
    """People who meddle: they force, withdraw, readmit, override, repeat, halt, resume and signal."""

    def __init__(self, world: World, runs: tuple[str, ...]) -> None:
        self._world = world
        self._runs = runs
        for _ in range(world.options.operators):
            world.later(world.lots.span(timedelta(0), world.options.horizon), self._act)
        for phase in world.options.plan.phases:
            deadline = phase.gate.deadline
            if deadline is not None and deadline.anchor.kind == "signal" and world.lots.chance(0.7):
                world.later(world.lots.span(timedelta(0), HOUR), lambda name=phase.name: self._signal(name))  # type: ignore[misc]  # bound now

    def _act(self) -> None:
        lots = self._world.lots
        run, phase = lots.pick(self._runs), lots.pick(self._world.options.plan.phases)
        kind = lots.pick(("roll", "roll", "roll", "override", "override", "again", "again", "force", "halt", "start"))
        if kind == "override":
            self._override(run, phase)
        elif kind == "halt":
            self._halt(run)
        else:
            deeds = {"roll": self._roll, "again": self._again, "force": self._force, "start": self._start}
            what, deed = deeds[kind](run, phase)
            self._do(what, deed)

    def _do(self, what: str, deed: Deed) -> None:
        self._world.attempt(what, deed)

    def _signal(self, phase: str) -> None:
        run = self._world.lots.pick(self._runs)
        self._do(f"signal {run} {phase}", lambda coordinator: coordinator.signal(run, phase, "go"))

    def _roll(self, run: str, phase: PhasePlan) -> tuple[str, Deed]:
        """Take a member out of a roll, and mostly back in again."""
        name = self._member(phase)
        if self._world.lots.chance(0.7):
            self._world.later(
                self._world.lots.span(SECOND, HOUR),
                lambda: self._do(
                    f"readmit {run} {phase.name} {name}",
                    lambda coordinator: coordinator.readmit(run, phase.name, name, actor="ann"),
                ),
            )
        if self._world.lots.chance(0.5):
            said = Report(run=run, phase=phase.name, member=name, outcome="succeeded", rows=1)
            self._world.later(self._world.lots.span(SECOND, HOUR), lambda: send(self._world, [said]))
        what = f"withdraw {run} {phase.name} {name}"
        return what, lambda coordinator: coordinator.withdraw(run, phase.name, name, actor="ann", reason="gone")

    def _member(self, phase: PhasePlan) -> str:
        lots = self._world.lots
        if phase.items is None:
            return lots.pick(phase.members).name
        pages = self._world.options.items[phase.name]
        return lots.pick(lots.pick(pages)) if pages else "nobody"

    def _override(self, run: str, phase: PhasePlan) -> None:
        lots = self._world.lots
        outcome = lots.pick(("succeeded", "failed", "skipped"))
        report = Report(
            run=run,
            phase=phase.name,
            member=self._member(phase),
            outcome=outcome,  # type: ignore[arg-type]  # one of the outcomes above
            reason="by hand",
            rows=1,
            override=True,
            actor="ann",
        )
        send(self._world, [report])

    def _again(self, run: str, phase: PhasePlan) -> tuple[str, Deed]:
        """Repeat what is not satisfied, or a phase and all below it, or a consolidation."""
        lots, plan = self._world.lots, self._world.options.plan
        names = (self._member(phase),) if lots.chance(0.4) else ()
        if lots.chance(0.5):
            return f"retry {run} {phase.name} {names}", lambda coordinator: coordinator.retry(run, phase.name, names)
        if lots.chance(0.3):
            what = f"rerun_then {run} {phase.name}"
            return what, lambda coordinator: coordinator.rerun_then(run, plan, phase.name)
        return f"rerun {run} {phase.name} {names}", lambda coordinator: coordinator.rerun(run, plan, phase.name, names)

    def _force(self, run: str, phase: PhasePlan) -> tuple[str, Deed]:
        what = f"force {run} {phase.name}"
        return what, lambda coordinator: coordinator.force(run, phase.name, actor="ann", reason="enough")

    def _start(self, run: str, _phase: PhasePlan) -> tuple[str, Deed]:
        plan, key = self._world.options.plan, run.split("/")[1]
        return f"start {run}", lambda coordinator: coordinator.start(plan, key)

    def _halt(self, run: str) -> None:
        scope = self._world.lots.pick(("*", "sim", run))
        self._do(f"halt {scope}", lambda coordinator: coordinator.halt(scope, actor="ann", reason="stop"))
        if self._world.lots.chance(0.9):
            wait = self._world.lots.span(MINUTE, 2 * HOUR)
            self._world.later(wait, lambda: self.resume(scope))

    def resume(self, scope: str) -> None:
        """End a halt."""
        self._do(f"resume {scope}", lambda coordinator: coordinator.resume(scope, actor="ann"))


class Voters:
    """The users' checks: they say yes or no, raise, or never answer."""

    def __init__(self, world: World) -> None:
        self._world = world

    def asked(self, question: Question) -> None:
        """Answer a question after a while, about the phase as it stands now."""
        world, lots = self._world, self._world.lots
        world.count("asked")
        asked = world.store.read(lambda view: view.phase(question.phase))
        if world.faulty and lots.chance(0.15):
            world.count("check never answered")
            return
        yes = lots.chance(0.65)
        world.later(
            lots.span(timedelta(0), lots.pick((SECOND, MINUTE, 10 * MINUTE))),
            lambda: self._vote(question, asked, yes=yes),
        )

    def _vote(self, question: Question, asked: Phase, *, yes: bool) -> None:
        def work(coordinator: Coordinator) -> None:
            coordinator.vote(question, yes=yes, reason="" if yes else "not like this", asked=asked)

        self._world.attempt(f"vote {asked.run} {asked.name} {yes}", work)


class Sweeps:
    """The sweeps of all processes; two may look at once, and then act one after the other."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        for _ in range(number):
            world.later(world.lots.span(0 * SECOND, MINUTE), self._wake)

    def _wake(self) -> None:
        self._world.attempt("sweep", self._sweep)
        if self._world.faulty:
            self._world.later(self._world.lots.span(SECOND, 6 * MINUTE), self._wake)

    def _sweep(self, coordinator: Coordinator) -> None:
        """Sweep; now and then another process sweeps between this one's look and its deeds."""
        world = self._world
        if world.faulty and world.lots.chance(0.2):
            own = next(process for process in world.processes if process.coordinator is coordinator)
            others = [process for process in world.processes if process is not own]
            own.tap.meanwhile = self._race(world.lots.pick(others)) if others else None
        coordinator.sweep()

    def _race(self, other: Process) -> Callable[[], None]:
        def sweep() -> None:
            self._world.count("sweeps raced")
            other.tap.arm(None)
            other.coordinator.sweep()

        return sweep

    def all(self) -> None:
        """Let every process sweep."""
        for process in self._world.processes:
            process.tap.arm(None)
            process.coordinator.sweep()


class Relay:
    """Takes what is in the outbox and tells it: sometimes in vain, or twice, or dying before it says so.

    The bus may still lose a hand-over that it took; `ring` is what happens where one arrives.
    """

    def __init__(self, world: World, ring: Callable[[], None]) -> None:
        self._world = world
        self._ring = ring
        self.told: dict[str, int] = {}
        world.later(SECOND, self._wake)

    def _wake(self) -> None:
        self.deliver()
        if self._world.faulty:
            self._world.later(self._world.lots.span(SECOND, 4 * MINUTE), self._wake)

    def deliver(self) -> None:
        """Take what is ready."""
        settings = self._world.settings

        def work(coordinator: Coordinator) -> list[Outgoing]:
            now = coordinator.clock.now()
            return coordinator.store.write(lambda tx: tx.take_outbox(now, settings.backlog, settings.outbox_hold))

        self._world.attempt("take outbox", work, lambda taken, _changes: self._tell(taken))

    def _tell(self, taken: list[Outgoing]) -> None:
        world, lots = self._world, self._world.lots
        told: list[Outgoing] = []
        for message in taken:
            if world.faulty and lots.chance(0.1):
                world.count("delivery failed")
                self._in_vain(message)
                continue
            self.told[message.key] = self.told.get(message.key, 0) + 1
            told.append(message)
            if message.route == "handover" and world.faulty:
                world.bus.carry(self._ring)
        if world.faulty and told and lots.chance(0.05):
            world.count("relay died before marking")
        elif told:
            self._mark(told)

    def _mark(self, told: list[Outgoing]) -> None:
        keys = [message.key for message in told]
        phases = [int(message.body["id"]) for message in told if message.route == "handover"]
        self._world.attempt(f"sent {' '.join(keys)}", lambda coordinator: coordinator.delivered(keys, phases))

    def _in_vain(self, message: Outgoing) -> None:
        def work(coordinator: Coordinator) -> None:
            ready_at = coordinator.clock.now() + MINUTE
            coordinator.store.write(lambda tx: tx.unsent(message.key, ready_at, "nobody there"))

        self._world.attempt(f"unsent {message.key}", work)
