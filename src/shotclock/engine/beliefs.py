"""What this process believes of every flag: read again and again, and never older than the bound when it decides."""

import logging
from collections.abc import Iterable
from math import inf
from threading import Lock

from shotclock.clock import seconds
from shotclock.core import flags
from shotclock.engine import switches
from shotclock.errors import StoreError
from shotclock.model import Flag, FlagState, Overrides, Rule
from shotclock.ports import Store
from shotclock.settings import Settings

_log = logging.getLogger("shotclock.flags")
_OFTEN = 5
"""How often within the bound they are read again while nobody asks."""


class _Reading:
    """What was read together: no answer is made of an older one and a newer one."""

    def __init__(self, states: dict[str, FlagState], off: frozenset[str], at: float) -> None:
        self.states = states
        self.off = off
        """What the kill switch turned off."""
        self.at = at
        """When the read of the states began, on the monotonic clock."""
        self.answers: dict[str, tuple[Flag, Rule]] = {}
        """What was answered by it."""

    def overrides(self, known: Iterable[Flag]) -> Overrides:
        """Return what is stronger than the states for these flags."""
        return Overrides(off=self.off, given=switches.given(known))


class Beliefs:
    """The flags of a store as this process has read them; every method may be called from any thread.

    The monotonic clock goes on while a process is stopped: whoever wakes up finds what was read before too old, and
    reads again before anything is decided by it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._bound = settings.flags_bound.total_seconds()
        self._lock = Lock()
        self._reading = _Reading({}, frozenset(), -inf)
        self._tried_at = -inf
        """When the last try to read ended."""
        self._told: dict[str, Rule] = {}

    def rule(self, flag: Flag) -> Rule:
        """Return what holds for a flag now; its safe value where the store could not be read within the bound.

        Between two reads the answer costs no look anywhere.
        """
        reading = self._recent()
        if self._is_old(reading) and not Overrides(off=reading.off).kills(flag.name):
            return flags.safe(flag)
        known = reading.answers.get(flag.name)
        if known is None or known[0] is not flag:
            rule = flags.resolve({flag.name: flag}, reading.states, reading.overrides([flag]))[flag.name]
            known = reading.answers[flag.name] = (flag, rule)
        return known[1]

    def refresh(self) -> bool:
        """Read again if it is time to; say whether something else is believed since `told` was last asked."""
        if self._may_try():
            with self._lock:
                self._load()
        return self.all() != self._told

    def told(self) -> dict[str, Rule]:
        """Return what is believed of every flag, for a heartbeat that tells it."""
        self._told = self.all()
        return self._told

    def all(self) -> dict[str, Rule]:
        """Return what is believed of every flag that the store knows."""
        reading = self._reading
        declared = {name: state.declared for name, state in reading.states.items()}
        if self._is_old(reading):
            return {name: flags.safe(flag, reading.states[name].version) for name, flag in declared.items()}
        return flags.resolve(declared, reading.states, reading.overrides(declared.values()))

    def declared(self, name: str) -> Flag | None:
        """Return how a flag is declared, as the store knew it within the bound."""
        state = self._recent().states.get(name)
        return None if state is None else state.declared

    def forget(self) -> None:
        """Have the next question read first, whatever was read before."""
        with self._lock:
            self._reading = _Reading(self._reading.states, self._reading.off, -inf)
            self._tried_at = -inf

    def _is_old(self, reading: _Reading) -> bool:
        return seconds() - reading.at > self._bound

    def _recent(self) -> _Reading:
        """Return what was read last; what is too old is read again first.

        Whoever asks right after a read that failed is not kept waiting by another.
        """
        if self._is_old(self._reading):
            with self._lock:
                if self._is_old(self._reading) and self._may_try():
                    self._load()
        return self._reading

    def _may_try(self) -> bool:
        return seconds() - self._tried_at >= self._bound / _OFTEN

    def _load(self) -> None:
        begun, before = seconds(), self._reading
        off = switches.off(self._settings)
        try:
            states = self._store.read(lambda view: view.flags())
        except StoreError as error:
            _log.warning("flags cannot be read: %s", error)
            self._reading = _Reading(before.states, off, before.at)
        else:
            self._reading = _Reading({state.name: state for state in states}, off, begun)
        self._tried_at = seconds()
