"""The gate of a phase: its rule, its tiers and its clocks."""

from datetime import timedelta
from typing import Final, Literal, get_args

from yaml.nodes import MappingNode, Node, SequenceNode

from shotclock.model import NONE, Amount, Anchor, Deadline, Gate, Hopeless, Late, Need, Stall, Tier
from shotclock.spec.nodes import Table, close_to, described
from shotclock.spec.scalars import (
    amount,
    choice,
    import_path,
    is_time,
    name_of,
    positive,
    span,
    text,
    time_of_day,
    whole,
)
from shotclock.spec.schema import (
    ANCHORS,
    CLOCK,
    DEADLINE,
    DEADLINE_THEN,
    GATE,
    NEED,
    OF,
    OPENS,
    SIGNAL,
    STALL,
    TIER,
    TOLERATE,
)

_HOPELESS: Final[tuple[Hopeless, ...]] = get_args(Hopeless)
_EMPTY: Final[tuple[Literal["open", "refuse"], ...]] = ("open", "refuse")
_LATE: Final[tuple[Late, ...]] = get_args(Late)


def gate_of(phase: Table) -> Gate:
    """Read the `gate` of a phase; without one it opens when all are in."""
    table = phase.inner("gate", GATE)
    if table is None:
        return Gate()
    return Gate(
        need=_rule(table),
        tiers=_tiers(table),
        tolerate=_tolerate(table),
        grace=table.take("grace", span, timedelta(0)),
        deadline=_deadline(table),
        expected_by=table.take("expected_by", positive, None),
        stall=_stall(table),
        hopeless=table.take("hopeless", choice(_HOPELESS), "fail"),
        empty=table.take("empty", choice(_EMPTY), "open"),
        check=table.take("check", import_path, None),
        late=table.take("late", choice(_LATE), "record"),
    )


def _rule(gate: Table) -> Need | None:
    node = gate.node("opens")
    if node is None:
        return _need(gate)
    if "need" in gate:
        gate.wrong("need", "stands beside opens; say it once, as need: 80% or opens: {need: 80%}")
    if isinstance(node, MappingNode):
        table = gate.inner("opens", NEED)
        return _required_need(table) if table else None
    gate.take("opens", _all, None)
    return None


def _all(node: Node) -> None:
    word = text(node)
    if word not in OPENS:
        message = f"expected all or {{need: 80%}}, got {described(node)}{close_to(word, OPENS)}"
        raise ValueError(message)


def _need(table: Table) -> Need | None:
    """Read `need` and the `of` beside it."""
    if "of" in table and "need" not in table:
        table.wrong("of", "says nothing without need: write need: 80% beside it")
    many = table.take("need", _some, None)
    of = table.take("of", choice(OF), OF[0])
    if many is None:
        return None
    return Need(amount=many, of=of)


def _required_need(table: Table) -> Need | None:
    if "need" in table:
        return _need(table)
    table.missing("need is missing: write need: 80%")
    return None


def _some(node: Node) -> Amount:
    many = amount(node)
    if not (many.count or many.percent):
        message = "must be more than nothing: a need of 0 would open at once"
        raise ValueError(message)
    return many


def _tolerate(gate: Table) -> Amount:
    if not isinstance(gate.node("tolerate"), MappingNode):
        return gate.take("tolerate", amount, NONE)
    table = gate.inner("tolerate", TOLERATE)
    return table.need("failed", amount, NONE, example="failed: 2%") if table else NONE


def _tiers(gate: Table) -> tuple[Tier, ...]:
    node = gate.node("tiers")
    if node is None:
        return ()
    if not isinstance(node, SequenceNode):
        gate.wrong("tiers", f"expected a list such as [{{after: 20m, need: 90%}}], got {described(node)}")
        return ()
    tiers = [
        _tier(Table(part, f"{gate.where}: tiers: number {number}", gate.problems, keys=TIER))
        for number, part in enumerate(node.value, 1)
    ]
    return tuple(tier for tier in tiers if tier)


def _tier(table: Table) -> Tier | None:
    after = table.need("after", positive, None, example="after: 20m")
    need = _required_need(table)
    return Tier(after=after, need=need) if after and need else None


def _deadline(gate: Table) -> Deadline | None:
    node = gate.node("deadline")
    if is_time(node):
        at = gate.take("deadline", time_of_day, None)
        return Deadline(after=timedelta(0), anchor=Anchor(kind="clock", at=at))
    if not isinstance(node, MappingNode):
        after = gate.take("deadline", positive, None)
        return Deadline(after=after) if after else None
    table = gate.inner("deadline", DEADLINE)
    return _long_deadline(table) if table else None


def _long_deadline(table: Table) -> Deadline | None:
    anchor = _anchor(table)
    if anchor is None or anchor.kind == "clock":
        after = table.take("after", span, timedelta(0))
    else:
        after = table.need("after", positive, timedelta(0), example="after: 30m")
    then = table.take("then", choice(DEADLINE_THEN), DEADLINE_THEN[0])
    if anchor is None or not (after or anchor.kind == "clock"):
        return None
    return Deadline(after=after, anchor=anchor, then=then, flag=table.take("flag", name_of("flag"), None))


def _anchor(deadline: Table) -> Anchor | None:
    node = deadline.node("from")
    if node is None:
        return Anchor()
    if isinstance(node, MappingNode):
        table = deadline.inner("from", {**CLOCK, **SIGNAL})
        return _long_anchor(table) if table else None
    return deadline.take("from", _short_anchor, None)


def _short_anchor(node: Node) -> Anchor:
    if is_time(node):
        return Anchor(kind="clock", at=time_of_day(node))
    word = text(node)
    if word == "run_start":
        return Anchor(kind="run_start")
    if word != "first_report":
        accepted = f'{", ".join(ANCHORS)}, a time of day, {{at: "06:00", day: 1}} or {{signal: NAME}}'
        message = f"expected {accepted}, got {described(node)}{close_to(word, ANCHORS)}"
        raise ValueError(message)
    return Anchor()


def _long_anchor(table: Table) -> Anchor | None:
    if ("at" in table) == ("signal" in table):
        table.missing("expected either at: with a time of day or signal: with a name")
        return None
    if "signal" in table:
        if "day" in table:
            table.wrong("day", "says nothing beside signal; it belongs to at:")
        name = table.take("signal", name_of("signal"), None)
        return Anchor(kind="signal", signal=name) if name else None
    at = table.take("at", time_of_day, None)
    day = table.take("day", whole(CLOCK["day"]), 0)
    return Anchor(kind="clock", at=at, day=day) if at else None


def _stall(gate: Table) -> Stall | None:
    if not isinstance(gate.node("stall"), MappingNode):
        after = gate.take("stall", positive, None)
        return Stall(after=after) if after else None
    table = gate.inner("stall", STALL)
    if table is None:
        return None
    after = table.need("after", positive, None, example="after: 10m")
    table.take("then", choice(("open",)), "open")
    if "then" in table and "need" not in table:
        table.wrong("then", "open says nothing without need: write need: 95% beside it")
    need = _need(table)
    return Stall(after=after, need=need) if after else None
