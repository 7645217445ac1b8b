"""The tasks in this process's hands: started, cut at their timeout, told to stop, and reported when they end."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf

from msgspec.structs import replace

from shotclock.clock import seconds
from shotclock.context import Context, Settlement
from shotclock.core.clocks import halted
from shotclock.engine.asking import Asking, Live
from shotclock.engine.assign import Assigner
from shotclock.engine.beliefs import Beliefs
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.executors import Executor
from shotclock.engine.executors.command import CommandExecutor
from shotclock.engine.executors.process import ProcessExecutor
from shotclock.engine.executors.thread import Stopped, ThreadExecutor
from shotclock.engine.hands import Hands
from shotclock.engine.inbox import Ending, Inbox
from shotclock.engine.job import Job, Key, failed_again
from shotclock.engine.listing import enumerate_items
from shotclock.engine.members import perform
from shotclock.engine.results import one_line
from shotclock.engine.working import Held, Lease
from shotclock.errors import MemberError, StoreError
from shotclock.model import Again, Rule, RunId, TaskReport
from shotclock.ports import Snapshot, Warehouse
from shotclock.saying import saying

WarehouseOf = Callable[[str], Warehouse]
"""Gives the warehouse of a pipeline, by its name."""
Told = Callable[[Job, TaskReport | None], None]
"""Hears of a job: that it begins, and with its report that it has ended."""


class _Running:
    """A job that has started: who carries it out, and when it is looked at next."""

    def __init__(self, job: Job, executor: Executor) -> None:
        self.job = job
        self.executor = executor
        self.ends_at = seconds() + job.timeout.total_seconds()
        self.cut = False
        self.unwanted = False


class Worker:
    """Carries out leased tasks; every method is called from the loop's thread alone."""

    def __init__(
        self,
        coordinator: Coordinator,
        hands: Hands,
        inbox: Inbox,
        warehouse: WarehouseOf | None,
        told: Told | None = None,
        live: Live | None = None,
    ) -> None:
        self._coordinator = coordinator
        self._settings = coordinator.settings
        self._inbox = inbox
        self._warehouse = warehouse
        self._told = told
        self._live = live or Beliefs(coordinator.store, coordinator.settings).rule
        self._assigner = Assigner(coordinator.store, coordinator.settings)
        self._threads = ThreadExecutor(self._perform, inbox.ended)
        self._processes = ProcessExecutor(inbox.ended, self._live, self._note)
        self._commands = CommandExecutor(inbox.ended, self._live, self._note)
        self._running: dict[Key, _Running] = {}
        self._busy = hands.busy
        self._asked: dict[Key, dict[str, Rule]] = {}
        """What held for the flags that jobs have asked for."""

    def start(self, given: Sequence[Lease]) -> None:
        """Begin the work on leased tasks."""
        for job in self._assigner.jobs(list(given)):
            executor = self._executor(job)
            self._running[job.key] = _Running(job, executor)
            self._busy[job.phase] += 1
            if self._told is not None:
                self._told(job, None)
            executor.start(job)

    def _executor(self, job: Job) -> Executor:
        if job.command:
            return self._commands
        return self._processes if job.in_process and job.work in {"member", "chunk"} else self._threads

    def ended(self, endings: Sequence[Ending]) -> list[TaskReport]:
        """Take jobs that ended out of the books; return what must be reported of them."""
        reports: list[TaskReport] = []
        for job, report in endings:
            asked = self._asked.pop(job.key, None) if self._asked else None
            if self._running.pop(job.key, None) is not None:
                self._set_down(job.phase)
                reports.append(report if asked is None else replace(report, flags=asked))
                if self._told is not None:
                    self._told(job, report)
        return reports

    def _set_down(self, phase: int) -> None:
        self._busy[phase] -= 1
        if not self._busy[phase]:
            del self._busy[phase]

    def holds(self, run_id: str) -> bool:
        """Say whether a task of a run is worked on here."""
        return any(running.job.assignment.run == run_id for running in self._running.values())

    @property
    def wanted(self) -> bool:
        """Whether anything is worked on here that somebody waits for."""
        return not all(running.unwanted for running in self._running.values())

    def held(self) -> list[Held]:
        """Return the leases to renew."""
        return [Held(phase=key[0], work=key[1], lo=key[2], token=key[3]) for key in self._running]

    def stop(self, unwanted: Sequence[Held]) -> None:
        """Tell jobs that nobody waits for them; those that can be ended are, if they do not end by themselves."""
        for held in unwanted:
            running = self._running.get((held.phase, held.work, held.lo, held.token))
            if running is None or running.unwanted:
                continue
            running.unwanted = True
            if running.executor.stop(running.job.key):
                running.ends_at = min(running.ends_at, seconds() + self._settings.kill.total_seconds())

    def cut(self) -> None:
        """Cut what has reached its timeout, and kill what was cut and has not ended since."""
        now = seconds()
        for key, running in list(self._running.items()):
            if running.ends_at > now:
                continue
            if running.cut:
                running.executor.kill(key)
                running.ends_at = inf
            else:
                running.cut, running.ends_at = True, now + self._settings.kill.total_seconds()
                running.executor.cut(key)
        self._check_left_behind()

    def next_cut(self) -> float:
        """Return when `cut` must be called next, on the monotonic clock."""
        return min((running.ends_at for running in self._running.values()), default=inf)

    def _check_left_behind(self) -> None:
        left = self._threads.left_behind()
        if len(left) > self._settings.abandoned_threads:
            names = ", ".join(dict.fromkeys(f"{job.assignment.phase}.{job.assignment.member}" for job in left))
            message = (
                f"{len(left)} functions hang past their timeout: {names}; use mode: process there, then run it again"
            )
            raise MemberError(message)

    def drop(self) -> None:
        """Forget what still runs: it is ended where that is possible, told to stop, and heard no more."""
        for executor in (self._commands, self._processes, self._threads):
            executor.drop()
        self._running.clear()
        self._asked.clear()
        self._busy.clear()

    def close(self) -> None:
        """End everything, free threads and children included."""
        self.drop()
        for executor in (self._commands, self._processes, self._threads):
            executor.close()

    # --- in a job's thread ---

    def _perform(self, job: Job, stopped: Stopped) -> TaskReport:
        try:
            context = self._context(job, stopped)
            with saying(job.about):
                if job.work == "enumerate":
                    return enumerate_items(job, context, self._coordinator, self._page(job))
                return perform(job, context)
        except StoreError as error:
            return failed_again(job, Again(cause="error", reason=one_line(error)))

    def _page(self, job: Job) -> int:
        """Return how many items a page has: whole chunks, so that none crosses its border."""
        chunk = self._coordinator.store.read(
            lambda view: view.plan(job.assignment.run).phase(job.assignment.phase).execution.chunk
        )
        return max(self._settings.page // chunk, 1) * chunk

    def _context(self, job: Job, stopped: Stopped) -> Context:
        warehouse, name = self._warehouse, job.assignment.pipeline
        return Context(
            job.assignment,
            now=self._coordinator.clock.now,
            stopped=(lambda: stopped() or self._unwanted(job)) if job.work == "then" else stopped,
            settled=lambda: self._settled(job),
            flags=Asking(job.assignment, self._live, partial(self._note, job.key)) if job.assignment.flags else None,
            warehouse=None if warehouse is None else lambda: warehouse(name),
        )

    def _note(self, key: Key, name: str, rule: Rule) -> None:
        """Keep what held for a flag that a job asked for; called from any thread."""
        self._asked.setdefault(key, {})[name] = rule

    def _settled(self, job: Job) -> Iterator[Settlement]:
        return self._assigner.settled(self._coordinator.store.read(lambda view: view.phase(job.phase)))

    def _unwanted(self, job: Job) -> bool:
        """Say whether a consolidation may not commit any more: another owner, a newer generation, a halt."""

        def work(view: Snapshot) -> bool:
            task, run = view.task(job.phase, "then", job.lo), view.run(job.assignment.run)
            identity = RunId.parse(job.assignment.run)
            halts = [halt for halt in view.halts() if halt.holds_for(identity)]
            current = task is not None and task.token == job.token and task.state == "leased"
            over = run is None or run.superseded or run.state != "running"
            return not current or over or halted(halts, self._coordinator.clock.now()) is not None

        return self._coordinator.store.read(work)
