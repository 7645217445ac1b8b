"""Workers: they lease, renew, report all or some, fail in every way, hang, die, report what is no longer theirs."""

from collections import Counter

from msgspec.structs import replace

from shotclock.engine.coordinator import Coordinator
from shotclock.engine.working import Held, Lease
from shotclock.model import CODE, Again, Answer, Kind, Note, Rule, Task, TaskReport
from shotclock.testing.lots import MINUTE, SECOND
from shotclock.testing.tap import Change
from shotclock.testing.world import World

GOOD: tuple[Kind, ...] = ("succeeded", "succeeded", "succeeded", "empty", "skipped")
CAUSES = ("error", "error", "timed_out", "died", "retry", "not_yet")


class Worker:
    """One worker process after another under the same number: when one dies, the next takes its place."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._number = number
        self._life = 1
        self._held: dict[tuple[int, str, int], Lease] = {}
        self._asked: dict[tuple[int, int, int], dict[str, Rule]] = {}
        """What held for flags under each lease, by phase, token and first ordinal."""
        world.later(world.lots.span(0 * SECOND, MINUTE), self.wake)

    @property
    def _owner(self) -> str:
        return f"w{self._number}.{self._life}"

    def wake(self) -> None:
        """Look for work, and come back later."""
        self.poll()
        if self._world.faulty:
            self._world.later(self._world.lots.span(5 * SECOND, 3 * MINUTE), self.wake)

    def wake_up(self) -> None:
        """Look for work because somebody rang."""
        if self._world.faulty:
            self.poll()

    def poll(self) -> None:
        """Lease what may run."""
        busy = Counter(lease.task.phase for lease in self._held.values())
        owner = self._owner
        self._world.attempt(
            f"lease {owner}",
            lambda coordinator: coordinator.lease(owner, busy),
            lambda leases, _changes: self._took(leases),
            died=self.die,
        )

    def _took(self, leases: list[Lease]) -> None:
        for lease in leases:
            self._world.count(f"leased {lease.task.work}")
            self._world.answers.leased(lease.task)
            self._world.history[-1] += (
                f" [{lease.task.work} {lease.phase.name} {lease.task.lo}-{lease.task.hi} t{lease.task.token}]"
            )
            self._held[_key(lease.task)] = lease
            self._asked[lease.task.phase, lease.task.token, lease.task.lo] = self._world.flags.asked(lease)
            self._begin(lease)

    def die(self) -> None:
        """Die with all that is held; somebody may notice."""
        world, owner = self._world, self._owner
        world.count("crash worker")
        self._held.clear()
        self._life += 1
        if world.lots.chance(0.4):
            world.later(
                world.lots.span(SECOND, MINUTE),
                lambda: world.attempt(f"bury {owner}", lambda coordinator: coordinator.bury_owner(owner)),
            )

    def _begin(self, lease: Lease) -> None:
        """Choose how the work on a task will go."""
        world, lots = self._world, self._world.lots
        if world.faulty and lots.chance(0.05):
            world.later(lots.span(SECOND, MINUTE), self._dies(lease))
        elif lease.task.work == "enumerate":
            world.later(lots.span(SECOND, 20 * SECOND), lambda: self._list(lease, 0, self._life))
        else:
            wait = lots.span(SECOND, 50 * SECOND)
            if world.faulty and lots.chance(0.2):
                wait = lots.span(MINUTE, 8 * MINUTE)
                if lots.chance(0.6):
                    world.later(30 * SECOND, lambda: self._renew(lease, self._life))
            world.later(wait, lambda: self._finish(lease, self._life))

    def _dies(self, lease: Lease) -> "Death":
        return Death(self, lease)

    def holds(self, lease: Lease) -> bool:
        """Say whether the worker still works under that lease."""
        return self._held.get(_key(lease.task)) == lease

    def works_on(self, phase: int) -> bool:
        """Say whether the worker is busy with a task of a phase."""
        return any(lease.task.phase == phase for lease in self._held.values())

    def _renew(self, lease: Lease, life: int) -> None:
        if life != self._life or not self.holds(lease):
            return
        held = _held(lease.task)

        def done(stop: list[Held], _changes: list[Change]) -> None:
            self._world.count("stopped" if stop else "renewed")
            if stop and self._world.lots.chance(0.5):
                self._held.pop(_key(lease.task), None)
            else:
                self._world.later(30 * SECOND, lambda: self._renew(lease, life))

        self._world.attempt(f"renew {self._owner}", lambda coordinator: coordinator.renew([held]), done, died=self.die)

    def _list(self, lease: Lease, number: int, life: int) -> None:
        """Add the next page of a roll, or end the enumeration."""
        world, lots = self._world, self._world.lots
        pages = world.options.items[lease.phase.name]
        if life != self._life:
            return
        if number == len(pages):
            self._finish(lease, life)
            return
        items = [(name, {"of": name}) for name in pages[number]]
        if world.faulty and lots.chance(0.02):
            items.reverse()
        following = number if world.faulty and lots.chance(0.1) else number + 1

        def work(coordinator: Coordinator) -> None:
            coordinator.add_pages(_held(lease.task), number, [items])

        def done(_nothing: None, _changes: list[Change]) -> None:
            world.later(lots.span(SECOND, 20 * SECOND), lambda: self._list(lease, following, life))

        def refused() -> None:
            self._held.pop(_key(lease.task), None)

        world.attempt(f"page {lease.phase.name} {number}", work, done, died=self.die, refused=refused)

    def _finish(self, lease: Lease, life: int) -> None:
        """Report on a task, mostly once."""
        if life != self._life or not self.holds(lease):
            return
        world, lots = self._world, self._world.lots
        asked = self._asked[lease.task.phase, lease.task.token, lease.task.lo]
        report = replace(self._said(lease.task), flags=asked)
        if report.ended:
            del self._held[_key(lease.task)]
        else:
            world.later(lots.span(SECOND, 20 * SECOND), lambda: self._finish(lease, life))
        self._send(report)
        if world.faulty and lots.chance(0.08):
            world.later(lots.span(SECOND, 5 * MINUTE), lambda: self._send(report))
        if world.faulty and lots.chance(0.05):
            self._send(replace(report, token=report.token - 1))

    def _said(self, task: Task) -> TaskReport:
        if task.work in {"enumerate", "then"}:
            return self._single(task)
        world, lots = self._world, self._world.lots
        report = TaskReport(phase=task.phase, work=task.work, lo=task.lo, token=task.token)
        if world.faulty and lots.chance(0.06):
            return report
        if world.faulty and lots.chance(0.12):
            return replace(report, whole=self._again())
        return self._outcomes(task, report)

    def _single(self, task: Task) -> TaskReport:
        world, lots = self._world, self._world.lots
        report = TaskReport(phase=task.phase, work=task.work, lo=task.lo, token=task.token)
        if world.faulty and lots.chance(0.15):
            return replace(report, whole=self._again())
        return replace(report, permanent="it never will") if world.faulty and lots.chance(0.04) else report

    def _again(self) -> Again:
        lots = self._world.lots
        cause = lots.pick(CAUSES)
        after = lots.span(SECOND, 10 * MINUTE) if cause in {"retry", "not_yet"} else None
        return Again(cause=cause, reason=f"it was {cause}", after=after)  # type: ignore[arg-type]  # one of CAUSES

    def _outcomes(self, task: Task, report: TaskReport) -> TaskReport:
        """Say something of each member that is pending, or of some of them and go on."""
        world, lots = self._world, self._world.lots
        kinds, notes, again = bytearray(len(task.kinds)), {}, {}
        for place, code in enumerate(task.kinds):
            ordinal = task.lo + place
            if code != CODE["pending"]:
                continue
            if world.faulty and lots.chance(0.1):
                again[ordinal] = self._again()
                continue
            kinds[place] = CODE["failed" if world.faulty and lots.chance(0.1) else lots.pick(GOOD)]
            notes[ordinal] = Note(rows=lots.number(0, 3), at=world.now)
        partly = len(kinds) > 1 and world.faulty and lots.chance(0.25)
        if partly:
            kinds[len(kinds) // 2 :] = bytes(len(kinds) - len(kinds) // 2)
            notes = {ordinal: note for ordinal, note in notes.items() if kinds[ordinal - task.lo]}
        return replace(report, kinds=bytes(kinds), notes=notes, again={} if partly else again, ended=not partly)

    def _send(self, report: TaskReport) -> None:
        """Report alone, or together with asking for more."""
        world, owner = self._world, self._owner
        what = f"{report.work} {report.phase}:{report.lo} t{report.token} {report.kinds.hex()} {_words(report)}"
        if world.lots.chance(0.5):

            def alone(answer: Answer, changes: list[Change]) -> None:
                self._answered(answer)
                world.answers.worked(report, answer, changes)

            world.attempt(
                f"say {owner} {what}", lambda coordinator: coordinator.task_report(report), alone, died=self.die
            )
            return
        busy = Counter(lease.task.phase for lease in self._held.values())

        def done(result: tuple[list[Answer], list[Lease]], _changes: list[Change]) -> None:
            self._answered(result[0][0])
            world.answers.taken(report, result[0][0])
            self._took(result[1])

        world.attempt(
            f"done {owner} {what}",
            lambda coordinator: coordinator.work_done(owner, [report], busy),
            done,
            died=self.die,
        )

    def _answered(self, answer: Answer) -> None:
        self._world.count(f"answer {answer.kind}")
        self._world.history[-1] += f": {answer.kind}"

    def give_back(self) -> None:
        """Stop cleanly: give back what is held, and begin anew."""
        owner = self._owner
        self._held.clear()
        self._life += 1
        self._world.attempt(f"give_back {owner}", lambda coordinator: coordinator.give_back(owner))


class Death:
    """The end of a worker in the middle of a task, if it is still at it."""

    def __init__(self, worker: Worker, lease: Lease) -> None:
        self._worker = worker
        self._lease = lease

    def __call__(self) -> None:
        """Let the worker die."""
        if self._worker.holds(self._lease):
            self._worker.die()


def _key(task: Task) -> tuple[int, str, int]:
    return task.phase, task.work, task.lo


def _held(task: Task) -> Held:
    return Held(phase=task.phase, work=task.work, lo=task.lo, token=task.token)


def _words(report: TaskReport) -> str:
    whole = "" if report.whole is None else f" whole={report.whole.cause}"
    again = "" if not report.again else f" again={[(number, one.cause) for number, one in report.again.items()]}"
    return f"{'ended' if report.ended else 'partly'}{whole}{again}"
