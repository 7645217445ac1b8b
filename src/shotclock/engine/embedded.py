"""The engine in one process: coordinator, worker, sweep and relay, moved by the caller's thread."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from math import inf
from threading import Event, Lock, Thread, get_ident
from typing import Final

from shotclock.clock import Clock, seconds
from shotclock.engine import staging
from shotclock.engine.beliefs import Beliefs
from shotclock.engine.checks import Checks
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Question
from shotclock.engine.hands import Hands
from shotclock.engine.inbox import Ending, Inbox
from shotclock.engine.process import alive, beaten, this_process
from shotclock.engine.reach import NOTHING, Reach, reach_of
from shotclock.engine.relay import LogChannel, Relay, only
from shotclock.engine.worker import Told, WarehouseOf, Worker
from shotclock.errors import BusError, NotFoundError, StoreError, StoreUnavailableError
from shotclock.model import Run, TaskReport
from shotclock.ports import Bus, Channel, Outlet, Snapshot, Store
from shotclock.settings import Settings

_log = logging.getLogger("shotclock.engine")

_WARY: Final = 5
"""How many times as long as a look in vain took, no other is taken on a bell alone."""


class Engine:
    """Everything that moves runs, for one process; any number of processes may share a store.

    Attributes: `coordinator`, the door for commands and reports; `owner`, the name under which tasks are leased.
    `reach` bounds the work, not the sweep; without it the settings do. `told` hears of every task that begins and ends
    here. `bus` rings other processes and is rung by them; without one their commits are found every `settings.poll`.
    `channel` takes alerts, or `outlets` do; without any they are logged. `swept` is called after each sweep that came
    to its end. `warehouse` gives the warehouse of a pipeline by name; without
    one no function has a warehouse.
    """

    def __init__(  # noqa: PLR0913 - the parts it is put together from
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        *,
        reach: Reach | None = None,
        kind: str = "run",
        told: Told | None = None,
        bus: Bus | None = None,
        channel: Channel | None = None,
        outlets: Sequence[Outlet] = (),
        swept: Callable[[], None] = lambda: None,
        warehouse: WarehouseOf | None = None,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        reach = reach or reach_of(settings)
        self._bus = bus
        self._inbox = Inbox()
        self._process = this_process(clock.now(), settings, kind=kind, tags=reach.tags)
        self.owner = self._process.name
        self._telling = Lock()
        self._hands = Hands(self.owner, reach)
        self.coordinator = Coordinator(store, settings, clock, asked=self._ask, rang=self._rang, hands=self._hands)
        self._beliefs = Beliefs(store, settings)
        self._checks = Checks(self.coordinator, warehouse, self._beliefs.rule)
        self._worker = Worker(self.coordinator, self._hands, self._inbox, warehouse, told, self._beliefs.rule)
        self._relay = Relay(self.coordinator, bus, outlets or only(channel or LogChannel()))
        self._swept = swept
        self._thread = 0
        """The loop's thread, while it runs."""
        self._own_ring = False
        """Whether the next ring is that of a commit whose effects the loop has seen to already."""
        self._stopping = False
        self._closed = Event()
        self._ended = False
        """Whether it has told that it leaves."""
        self._looked_at = self._swept_at = clock.now()
        self._beat_at = self._asked_at = self._due_at = self._collect_at = self._wary_until = -inf
        self._unsent: list[TaskReport] = []
        self._listener: Thread | None = None

    def until_over(self, run_id: str, tick: Callable[[], None] | None = None, every: timedelta | None = None) -> Run:
        """Work until that run is over, through blocks and halts, or until `stop`; return it as it stands then.

        `tick` is called every so often (`settings.sweep` unless said), from this thread: for progress on a screen.
        Raises `NotFoundError` if there is no such run, `MemberError` when too many functions hang past their timeout.
        A keyboard interrupt gives everything back like `stop`, and goes on to the caller.
        """
        self._drive(lambda: self._over(run_id), tick, every or self._settings.sweep, enduring=False)
        return self._run(run_id)

    def serve(self, tick: Callable[[], None] | None = None, every: timedelta | None = None) -> None:
        """Work on whatever comes, until `stop`; while the store cannot be used, try again every `settings.sweep`."""
        self._drive(lambda: False, tick, every or self._settings.sweep, enduring=True)

    def stop(self) -> None:
        """Have the loop give everything back and return; may be called from a signal handler and any thread."""
        self._stopping = True
        self._inbox.ring()

    def sweep(self) -> int:
        """Decide what is due and deliver what is ready, now and from any thread; return how many phases were due."""
        number = self.coordinator.sweep()
        self._relay.deliver()
        return number

    def sweep_once(self) -> int:
        """Do what `sweep` does, and tell what is to be told before the process ends."""
        self._relay.register()
        number = self.sweep()
        self._relay.finish()
        return number

    def close(self) -> None:
        """End threads and children; a repeat does nothing. The store and the bus stay open, they are the caller's."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._worker.close()
        self._relay.close()
        if self._bus is not None:
            with suppress(BusError):  # whoever closed it first has waked the listener
                self._bus.ring("doorbell", {})
        if self._listener is not None:
            self._listener.join()

    # --- the loop ---

    def _drive(
        self, over: Callable[[], bool], tick: Callable[[], None] | None, every: timedelta, *, enduring: bool
    ) -> None:
        told, turn = tick or (lambda: None), self._endure if enduring else self._turn
        patient = False
        try:
            self._begin()
            next_tick = seconds()
            while not self._stopping and not over():
                if seconds() >= next_tick:
                    next_tick = seconds() + every.total_seconds()
                    told()
                turn(next_tick)
            patient = True
        except KeyboardInterrupt:
            patient = True
            raise
        finally:
            self._end(patient=patient)
        told()

    def _begin(self) -> None:
        """Listen to others, and look for the first time."""
        self._thread = get_ident()
        if self._listener is None:
            listener = Thread(target=self._listen, name="shotclock bell", daemon=True)
            listener.start()
            self._listener = listener
        self._relay.register()
        self._beat()
        self._hands.open()
        self._look([])
        self._sweep()

    def _turn(self, until: float) -> None:
        """Wait for something to do, and do all there is."""
        endings, rung = self._inbox.take(0)
        if not endings and not rung:
            endings, rung = self._inbox.take(self._wait(until))
        due = seconds() >= self._due_at
        if endings or (self._hands.reach != NOTHING and (due or (rung and self._calls()))):
            self._look(endings)
        if due:
            self._sweep()
        if seconds() >= self._beat_at:
            self._beat()
        self._worker.cut()

    def _endure(self, until: float) -> None:
        """Take a turn; a store that cannot be used now is waited for, what ended meanwhile is reported then."""
        try:
            self._turn(until)
        except* StoreUnavailableError as errors:
            _log.warning("the store cannot be used: %s", errors.exceptions[0])
            self._closed.wait(self._settings.sweep.total_seconds())

    def _calls(self) -> bool:
        """Say whether to look after a bell: soon after one was followed in vain, only if a reading shows something.

        A look takes a turn at writing, which those who have something to do wait for.
        """
        if seconds() >= self._wary_until or self._hands.given or self._unsent:
            return True
        ready = self._store.read(lambda view: view.ready())
        now = self._clock.now()
        return any(at <= now and self._hands.reach.includes(run) for run, at in ready)

    def _look(self, endings: Sequence[Ending]) -> None:
        """Begin what commits have leased; then report what ended and lease what may run, in one commit."""
        with self._hands.lock:
            self._begin_given()
            self._unsent += self._worker.ended(endings)
            self._looked_at = self._clock.now()
            self._own_ring = True
            began, vain = seconds(), not self._unsent
            _, given = self.coordinator.work_done(self.owner, self._unsent, self._hands.busy, self._hands.reach)
            if vain and not given:
                self._wary_until = seconds() + _WARY * (seconds() - began)
            self._own_ring = False
            self._unsent = []
            self._hands.given += given
            self._begin_given()

    def _begin_given(self) -> None:
        """Begin what was leased; where the store cannot be read now, it stays to be begun at the next look."""
        self._worker.start(self._hands.given)
        self._hands.given.clear()

    def _sweep(self) -> None:
        """Decide what is due and deliver what is ready."""
        self._due_at = seconds() + self._settings.sweep.total_seconds()
        self._swept_at = self._clock.now()
        due = self.coordinator.next_due()
        if due is not None and due <= self._swept_at:
            self.sweep()
        self._swept()
        if seconds() >= self._collect_at:
            self._collect_at = seconds() + self._settings.purge.total_seconds()
            staging.collect(self._store, self._settings, self._swept_at)

    def _beat(self) -> None:
        """Tell that this process lives, renew its leases, and free those of dead processes of this machine."""
        self._beat_at = seconds() + self._settings.heartbeat.total_seconds()
        self._tell()
        self.coordinator.free_dead(alive)
        held = self._worker.held()
        if held:
            self._worker.stop(self.coordinator.renew(held))

    def _tell(self) -> None:
        """Tell that this process lives, and what it believes of flags: never an older belief after a newer one."""
        with self._telling:
            self.coordinator.beat(beaten(self._process, self._clock.now(), self._beliefs.told()))

    # --- waiting ---

    def _wait(self, until: float) -> float:
        """Return how many seconds there are until something must be done, if nothing comes."""
        now = seconds()
        self._due_at = min(self._due_at, now + self._until_due())
        return max(min(until, self._due_at, self._beat_at, self._worker.next_cut()) - now, 0)

    def _until_due(self) -> float:
        """Return the seconds until an instant the store holds; what did nothing when it was due waits for a sweep."""
        due, ready = self._store.read(self._instants)
        instants = [at for at in ready if at > self._looked_at]
        if due is not None and due > self._swept_at:
            instants.append(due)
        return (min(instants) - self._clock.now()).total_seconds() if instants else inf

    def _instants(self, view: Snapshot) -> tuple[datetime | None, list[datetime]]:
        """Return when something is due, and when tasks may be leased."""
        ready = [at for run, at in view.ready() if self._hands.reach.includes(run)]
        return view.next_due(), ready

    def _listen(self) -> None:
        """Ring the loop when another process rang or committed."""
        seen, poll = self._store.version(), self._settings.poll.total_seconds()
        while not self._closed.is_set():
            rung = self._closed.wait(poll) if self._bus is None else self._bus.wait(poll)
            try:
                version = seen if rung else self._store.version()
            except StoreError as error:
                _log.warning("the store cannot be looked at: %s", error)
                continue
            if rung or version != seen:
                seen = version
                self._inbox.ring()
            self._believe()

    def _believe(self) -> None:
        """Read flags again where it is time to, and tell at once what is believed now."""
        try:
            if self._beliefs.refresh() and not self._ended:
                self._tell()
        except StoreError as error:
            _log.warning("what is believed of flags was not told: %s", error)

    def _rang(self) -> None:
        if get_ident() == self._thread and self._own_ring:
            self._own_ring = False
            return
        self._inbox.ring()

    def _ask(self, question: Question) -> None:
        self._checks.ask(question)

    # --- the end ---

    def _over(self, run_id: str) -> bool:
        """Say whether a run is over; one whose tasks are worked on here is asked about once a sweep."""
        if self._worker.holds(run_id) and seconds() < self._asked_at + self._settings.sweep.total_seconds():
            return False
        self._asked_at = seconds()
        return self._run(run_id).state != "running"

    def _end(self, *, patient: bool) -> None:
        """Let members end that can, then give every lease back."""
        try:
            self._hands.close()
            if patient:
                self._let_end()
        finally:
            self._thread = 0
            self._worker.drop()
            self._give_back()

    def _let_end(self) -> None:
        """Wait for members whose answer still counts, `settings.stop` at most, and report what they say."""
        self._worker.stop(self.coordinator.renew(self._worker.held()))
        limit = seconds() + self._settings.stop.total_seconds()
        while self._worker.wanted and seconds() < limit:
            endings, _ = self._inbox.take(max(limit - seconds(), 0))
            self._unsent += self._worker.ended(endings)
        self._report()
        self._sweep()
        self._relay.finish()

    def _report(self) -> None:
        while self._unsent:
            self.coordinator.task_report(self._unsent[-1])
            self._unsent.pop()

    def _give_back(self) -> None:
        try:
            self._report()
            self.coordinator.give_back(self.owner)
            with self._telling:
                self._ended = True
                self.coordinator.beat(beaten(self._process, self._clock.now(), ended=True))
        except StoreError as error:
            # Whoever looks next frees them: this process is dead then, or its leases have run out.
            _log.warning("leases of %s were not given back: %s", self.owner, error)

    def _run(self, run_id: str) -> Run:
        run = self._store.read(lambda view: view.run(run_id))
        if run is None:
            message = f"there is no run {run_id}; `shotclock status` lists what there is"
            raise NotFoundError(message)
        return run
