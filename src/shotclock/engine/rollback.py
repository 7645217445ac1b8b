"""What is known of flags, for people: what holds, which runs carry something else, and what each process believes."""

import socket
from collections.abc import Mapping
from datetime import date, datetime
from threading import Event

from msgspec import Struct

from shotclock.clock import Clock, stopwatch
from shotclock.core import flags
from shotclock.engine import switches
from shotclock.engine.process import alive
from shotclock.model import Flag, FlagState, Process, Rule, Run, Split
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings

Targets = Mapping[str, tuple[Split, int]]
"""What must be believed of flags: the value, and the version from which on it was set."""


class FlagView(Struct, frozen=True, kw_only=True):
    """A flag as it stands."""

    name: str
    value: str
    """What holds for new runs and whoever reads it live, in this process."""
    split: Split
    origin: str
    version: int
    declared: Flag
    expired: bool
    before: str | None
    """What undoing its rollback would bring back."""
    at: datetime
    actor: str
    reason: str
    runs: tuple[str, ...]
    """Runs at work that carry something else."""


class Witness(Struct, frozen=True, kw_only=True):
    """What a process believes, by its own heartbeat."""

    process: str
    kind: str
    beat_at: datetime
    believes: dict[str, Rule]
    confirmed: bool
    """Whether it believes what it should of every flag that it was asked about."""


def views(view: Snapshot, settings: Settings, today: date) -> list[FlagView]:
    """Return every flag that the store knows, by name."""
    states = {state.name: state for state in view.flags()}
    declared = {name: state.declared for name, state in states.items()}
    rules = flags.resolve(declared, states, switches.read(settings, declared.values()))
    other = _carried(view, rules)
    return [_view(state, rules[name], other.get(name, ()), today) for name, state in states.items()]


def _view(state: FlagState, rule: Rule, runs: tuple[str, ...], today: date) -> FlagView:
    expires = state.declared.expires
    return FlagView(
        name=state.name,
        value=str(rule.split),
        split=rule.split,
        origin=rule.origin,
        version=state.version,
        declared=state.declared,
        expired=expires is not None and expires < today,
        before=None if state.before is None else str(state.before),
        at=state.at,
        actor=state.actor,
        reason=state.reason,
        runs=runs,
    )


def _carried(view: Snapshot, rules: Mapping[str, Rule]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for run_id in dict.fromkeys(phase.run for phase in view.unfinished()):
        for name, frozen in view.plan(run_id).frozen.items():
            if name in rules and frozen.split != rules[name].split:
                found[name] = (*found.get(name, ()), run_id)
    return found


def carrying(view: Snapshot, targets: Targets) -> list[tuple[Run, tuple[str, ...]]]:
    """Return the runs at work that carry something else than they should, with those flags; the oldest first."""
    found: list[tuple[Run, tuple[str, ...]]] = []
    for run_id in dict.fromkeys(phase.run for phase in view.unfinished()):
        frozen = view.plan(run_id).frozen
        other = tuple(name for name, (split, _) in targets.items() if name in frozen and frozen[name].split != split)
        run = view.run(run_id) if other else None
        if run is not None:
            found.append((run, other))
    return found


def witnesses(view: Snapshot, settings: Settings, now: datetime, targets: Targets) -> list[Witness]:
    """Return every process that may be at work, and whether it believes what it should."""
    return [
        Witness(
            process=process.name,
            kind=process.kind,
            beat_at=process.beat_at,
            believes={name: rule for name, rule in process.flags.items() if name in targets},
            confirmed=all(_believes(process, name, target) for name, target in targets.items()),
        )
        for process in view.processes()
        if _may_act(process, settings, now)
    ]


def wait_for(store: Store, settings: Settings, clock: Clock, targets: Targets) -> list[Witness]:
    """Ask until all processes believe what they should, for as long as the bound; return what they believe then."""
    passed, pause = stopwatch(), Event()
    while True:
        found = store.read(lambda view: witnesses(view, settings, clock.now(), targets))
        if all(one.confirmed for one in found) or passed() >= settings.flags_bound:
            return found
        pause.wait(settings.poll.total_seconds())


def _believes(process: Process, name: str, target: tuple[Split, int]) -> bool:
    rule = process.flags.get(name)
    return rule is not None and rule.split == target[0] and rule.version >= target[1]


def _may_act(process: Process, settings: Settings, now: datetime) -> bool:
    """Say whether a process may wake up and act, one of this machine that is silent but not dead included."""
    heard = process.beat_at + settings.lease >= now
    here = process.host == socket.gethostname()
    return process.ended_at is None and alive(process.name) and (heard or here)
