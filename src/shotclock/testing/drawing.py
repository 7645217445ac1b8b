"""Draws what a simulation runs: a small pipeline with rolls and gates of every kind, and how much goes wrong."""

from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from shotclock.model import (
    NONE,
    Amount,
    Anchor,
    Contract,
    Deadline,
    Execution,
    Gate,
    Importance,
    Items,
    Member,
    Need,
    PhasePlan,
    Plan,
    Stall,
    Tier,
)
from shotclock.testing.flags import DECLARED
from shotclock.testing.lots import HOUR, MINUTE, SECOND, Lots

IMPORTANCES: tuple[Importance, ...] = ("required",) * 6 + ("critical",) * 2 + ("optional",) * 3
KEYS = ("2025-01-14", "2025-01-15")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a seed has drawn; two equal ones run alike."""

    seed: int
    plan: Plan
    keys: tuple[str, ...]
    items: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """The pages that each phase's enumeration gives."""
    ahead: tuple[timedelta, ...]
    """How far each coordinator's clock is ahead."""
    workers: int
    sweeps: int
    faults: float
    """The share of calls that meet a fault of the store, or die."""
    bus: float
    """The share of messages that come twice, late, out of order, again, or never."""
    silent: float
    """The share of outside members that never report."""
    operators: int
    """How many things operators do."""
    horizon: timedelta
    """How long things go wrong."""

    def __str__(self) -> str:
        phases = "".join(f"\n  {msgspec.json.encode(phase).decode()}" for phase in self.plan.phases)
        pages = "".join(f"\n  {name}: {[list(page) for page in given]}" for name, given in self.items.items())
        ahead = ", ".join(f"{span.total_seconds()} s" for span in self.ahead)
        return (
            f"seed {self.seed}: keys {', '.join(self.keys)}; {self.workers} worker(s); {self.sweeps} sweep(s);"
            f" clocks ahead {ahead}; faults {self.faults}; trouble of the bus {self.bus}; silent {self.silent};"
            f" {self.operators} operations; {self.horizon} of trouble; max_age {self.plan.max_age}{phases}{pages}"
        )


def draw(seed: int, lots: Lots) -> Options:
    """Draw the options of a seed."""
    keys = KEYS if lots.chance(0.3) else KEYS[1:]
    phases = tuple(_phase(lots, number, previous=len(keys) > 1) for number in range(lots.pick((1, 1, 2, 2, 3, 4))))
    plan = Plan(pipeline="sim", phases=phases, max_age=lots.number(6, 12) * HOUR, flags=DECLARED)
    items = {phase.name: _pages(lots, phase.name) for phase in phases if phase.items is not None}
    skewed = lots.chance(0.5)
    return Options(
        seed=seed,
        plan=plan,
        keys=keys,
        items=items,
        ahead=tuple(lots.span(-SECOND, SECOND) if skewed else 0 * SECOND for _ in range(lots.number(1, 3))),
        workers=lots.number(1, 3),
        sweeps=lots.number(1, 2),
        faults=lots.pick((0.0, 0.03, 0.1, 0.2)),
        bus=lots.pick((0.0, 0.1, 0.3)),
        silent=lots.pick((0.0, 0.15, 0.35)),
        operators=lots.pick((0, 0, 2, 5)),
        horizon=lots.number(2, 4) * HOUR,
    )


def _phase(lots: Lots, number: int, *, previous: bool) -> PhasePlan:
    upstream = [f"p{earlier}" for earlier in range(number)]
    needs = lots.some(upstream, 0.6)
    fan_out = lots.chance(0.4)
    phase = PhasePlan(
        name=f"p{number}",
        needs=needs,
        needs_previous=(f"p{number}",) if previous and lots.chance(0.4) else (),
        members=() if fan_out else tuple(_member(lots, place) for place in range(lots.number(1, 5))),
        items=_items(lots) if fan_out else None,
        execution=_execution(lots),
        then="sim:merge" if lots.chance(0.35) else None,
    )
    return replace(phase, gate=_gate(lots, phase))


def _member(lots: Lots, place: int) -> Member:
    return Member(
        name=f"m{place}",
        importance=lots.pick(IMPORTANCES),
        run="sim:work" if lots.chance(0.45) else None,
        aliases=(f"alias_{place}",) if lots.chance(0.2) else (),
        contract=_contract(lots),
    )


def _contract(lots: Lots) -> Contract:
    return Contract(min_rows=1) if lots.chance(0.2) else Contract()


def _items(lots: Lots) -> Items:
    return Items(source="sim:list", run="sim:chunk" if lots.chance(0.75) else None, contract=_contract(lots))


def _pages(lots: Lots, phase: str) -> tuple[tuple[str, ...], ...]:
    """Draw the pages of an enumeration; some list nobody."""
    names = [f"{phase}-{number}" for number in range(0 if lots.chance(0.1) else lots.number(1, 10))]
    size = lots.number(1, 4)
    return tuple(tuple(names[start : start + size]) for start in range(0, len(names), size))


def _execution(lots: Lots) -> Execution:
    return Execution(
        max_workers=lots.number(1, 3),
        max_in_flight=lots.pick((0, 0, 1, 2)),
        attempts=lots.number(1, 3),
        chunk=lots.number(1, 4),
        budget=lots.span(5 * MINUTE, HOUR) if lots.chance(0.15) else None,
    )


def _gate(lots: Lots, phase: PhasePlan) -> Gate:
    named = any(member.importance == "optional" for member in phase.members)
    need = _need(lots, optional=named) if lots.chance(0.5 if named else 0.3) else None
    return Gate(
        need=need,
        tiers=_tiers(lots, need) if need is not None and lots.chance(0.5) else (),
        tolerate=lots.pick((NONE, NONE, Amount(count=1), Amount(percent=Decimal(lots.pick((10, 34, 50)))))),
        grace=lots.number(2, 15) * MINUTE if named and lots.chance(0.6) else 0 * MINUTE,
        deadline=_deadline(lots) if lots.chance(0.6) else None,
        expected_by=lots.number(10, 60) * MINUTE if lots.chance(0.2) else None,
        stall=_stall(lots) if lots.chance(0.25) else None,
        hopeless=lots.pick(("fail", "fail", "open", "block")),
        empty=lots.pick(("open", "open", "refuse")),
        check="sim:check" if lots.chance(0.3) else None,
        late=lots.pick(("record", "amend", "rerun", "rerun")),
    )


def _need(lots: Lots, *, optional: bool) -> Need:
    amount = Amount(count=lots.number(1, 3)) if lots.chance(0.4) else Amount(percent=Decimal(lots.pick((50, 67, 90))))
    if optional and lots.chance(0.5):
        return Need(amount=lots.pick((Amount(count=1), Amount(percent=Decimal(34)))), of="optional")
    return Need(amount=amount)


def _tiers(lots: Lots, need: Need) -> tuple[Tier, ...]:
    """Draw needs that fall with time."""
    lower = Amount(count=1) if need.amount.percent is None else Amount(percent=Decimal(34))
    return (Tier(after=lots.number(5, 40) * MINUTE, need=replace(need, amount=lower)),)


def _deadline(lots: Lots) -> Deadline:
    anchors = (
        Anchor(),
        Anchor(),
        Anchor(kind="run_start"),
        Anchor(kind="clock", at=time(11, lots.number(1, 59))),
        Anchor(kind="signal", signal="go"),
    )
    deadline = Deadline(after=lots.number(5, 60) * MINUTE, anchor=lots.pick(anchors))
    if lots.chance(0.4):
        return replace(deadline, then="block" if lots.chance(0.5) else "fail")
    return deadline


def _stall(lots: Lots) -> Stall:
    need = Need(amount=Amount(percent=Decimal(lots.pick((34, 50))))) if lots.chance(0.7) else None
    return Stall(after=lots.number(15, 60) * MINUTE, need=need)
