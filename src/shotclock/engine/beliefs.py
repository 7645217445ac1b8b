"""What this process believes of every flag: read again and again, and never older than the bound when it decides."""

import logging
from collections.abc import Iterable
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
        self._states: dict[str, FlagState] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        """When the last try to read them ended."""
        self._off: frozenset[str] = frozenset()
        """What the kill switch turned off then."""
        self._known: dict[str, tuple[Flag, Rule]] = {}
        """What was answered since."""
        self._told: dict[str, Rule] = {}

    def rule(self, flag: Flag) -> Rule:
        """Return what holds for a flag now; its safe value where the store could not be read within the bound.

        Between two reads the answer costs no look anywhere.
        """
        self._ensure()
        if self._age() > self._bound and not Overrides(off=self._off).kills(flag.name):
            return flags.safe(flag)
        known = self._known.get(flag.name)
        if known is None or known[0] is not flag:
            rule = flags.resolve({flag.name: flag}, self._states, self._overrides([flag]))[flag.name]
            known = self._known[flag.name] = (flag, rule)
        return known[1]

    def refresh(self) -> bool:
        """Read again if it is time to; say whether something else is believed since `told` was last asked."""
        if self._may_try():
            self._read()
        return self.all() != self._told

    def told(self) -> dict[str, Rule]:
        """Return what is believed of every flag, for a heartbeat that tells it."""
        self._told = self.all()
        return self._told

    def all(self) -> dict[str, Rule]:
        """Return what is believed of every flag that the store knows."""
        declared = {name: state.declared for name, state in self._states.items()}
        overrides = self._overrides(declared.values())
        if self._age() <= self._bound:
            return flags.resolve(declared, self._states, overrides)
        versions = {name: state.version for name, state in self._states.items()}
        return {name: flags.safe(flag, versions[name]) for name, flag in declared.items()}

    def declared(self, name: str) -> Flag | None:
        """Return how a flag is declared, as the store knew it within the bound."""
        self._ensure()
        state = self._states.get(name)
        return None if state is None else state.declared

    def forget(self) -> None:
        """Have the next question read first, whatever was read before."""
        self._read_at = self._tried_at = None

    def _age(self) -> float:
        return float("inf") if self._read_at is None else seconds() - self._read_at

    def _overrides(self, known: Iterable[Flag]) -> Overrides:
        return Overrides(off=self._off, given=switches.given(known))

    def _ensure(self) -> None:
        """Read again what is too old; whoever asks right after a read that failed is not kept waiting by another."""
        if self._age() <= self._bound:
            return
        with self._lock:
            if self._age() > self._bound and self._may_try():
                self._load()

    def _may_try(self) -> bool:
        return self._tried_at is None or seconds() - self._tried_at >= self._bound / _OFTEN

    def _read(self) -> None:
        with self._lock:
            self._load()

    def _load(self) -> None:
        begun = seconds()
        self._off = switches.off(self._settings)
        try:
            states = self._store.read(lambda view: view.flags())
        except StoreError as error:
            _log.warning("flags cannot be read: %s", error)
        else:
            self._states = {state.name: state for state in states}
            self._read_at = begun
        self._known = {}
        self._tried_at = seconds()
