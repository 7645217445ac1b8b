"""Flags in the store: declared when a run starts, frozen in its plan; set, rolled back, brought back by operators."""

from collections.abc import Sequence
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from shotclock.core import flags
from shotclock.engine import switches
from shotclock.engine.desk import Desk
from shotclock.errors import NotFoundError, StaleError, UsageError
from shotclock.model import BUCKETS, ON, Flag, FlagState, Plan, RunId, Split
from shotclock.ports import Snapshot

SCOPE = "flags"
"""The scope of their audit records."""


class Turned(Struct, frozen=True, kw_only=True):
    """What a command did to a flag."""

    name: str
    before: Split
    after: Split
    version: int


def freeze(desk: Desk, plan: Plan, run: RunId) -> Plan:
    """Return a plan with what holds now for its flags that bind a run, and have the store know all its flags."""
    if not plan.flags:
        return replace(plan, frozen={}) if plan.frozen else plan
    declare(desk, plan)
    overrides = switches.read(desk.settings, plan.flags.values())
    frozen = replace(plan, frozen=flags.freeze(plan, _states(desk.aside), overrides))
    return flags.planned(frozen, str(replace(run, generation=1)))


def declare(desk: Desk, plan: Plan) -> None:
    """Have the store know the flags of a plan; what was set for one stays."""
    known = _states(desk.aside)
    for name, flag in plan.flags.items():
        state = known.get(name)
        if state is None:
            _put(desk, FlagState(name=name, version=1, declared=flag, at=desk.now))
        elif state.declared != flag:
            _put(desk, replace(state, version=state.version + 1, declared=flag))


def turn(  # noqa: PLR0913 - what is asked, by whom, and on which condition
    desk: Desk,
    name: str,
    split: Split,
    *,
    actor: str,
    reason: str,
    version: int | None = None,
    before: Split | None = None,
) -> Turned:
    """Set a flag; with `version`, only if it is at that one: otherwise raises `StaleError`.

    `before` is what undoing it would bring back.

    Raises `NotFoundError` for a flag that nobody declared, `UsageError` for a combination that is not legal.
    """
    known = _states(desk.aside)
    state = _known(known, name)
    if version is not None and state.version != version:
        message = f"flag {name} is at version {state.version}, not {version}: look at it again"
        raise StaleError(message)
    why = flags.illegal(state.declared, split, {other: one.stands for other, one in known.items()})
    if why is not None:
        raise UsageError(why)
    return _turn(desk, state, split, what="set", actor=actor, reason=reason, before=before)


def roll_back(desk: Desk, names: Sequence[str], *, actor: str, reason: str) -> list[Turned]:
    """Turn flags to their safe values, all of them without names; those that are safe already stay as they are."""
    known = _states(desk.aside)
    wanted = [_known(known, name) for name in names] or list(known.values())
    return [
        _turn(desk, state, state.declared.safe, what="rollback", actor=actor, reason=reason, before=state.stands)
        for state in wanted
        if state.stands != state.declared.safe
    ]


def bring_back(desk: Desk, names: Sequence[str], *, actor: str, reason: str) -> list[Turned]:
    """Set flags, all of them without names, to what their last rollback took away."""
    known = _states(desk.aside)
    wanted = [_known(known, name) for name in names] or list(known.values())
    return [
        _turn(desk, state, state.before, what="undo", actor=actor, reason=reason)
        for state in wanted
        if state.before is not None
    ]


def _turn(  # noqa: PLR0913 - what is written into the audit record
    desk: Desk, state: FlagState, split: Split, *, what: str, actor: str, reason: str, before: Split | None = None
) -> Turned:
    after = replace(
        state, version=state.version + 1, split=split, before=before, at=desk.now, actor=actor, reason=reason
    )
    _put(desk, after)
    said = {"what": what, "actor": actor, "reason": reason, "before": str(state.stands), "after": str(split)}
    desk.keep("audit", SCOPE, member=state.name, body=said | {"version": after.version})
    return Turned(name=state.name, before=state.stands, after=split, version=after.version)


def _put(desk: Desk, state: FlagState) -> None:
    desk.tx.put_flag(state)
    desk.rang = True


def known(view: Snapshot, name: str) -> FlagState:
    """Return what the store keeps of a flag; raises `NotFoundError` with the nearest name."""
    return _known(_states(view), name)


def whole(flag: Flag) -> Split:
    """Return what a flag gives to everybody who has it."""
    return Split(value=flag.variants[-1], share=BUCKETS, rest=flag.variants[0]) if flag.variants else ON


def _states(view: Snapshot) -> dict[str, FlagState]:
    return {state.name: state for state in view.flags()}


def _known(states: dict[str, FlagState], name: str) -> FlagState:
    state = states.get(name)
    if state is None:
        near = get_close_matches(name, states, n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        message = f"there is no flag {name}{hint}; flags stand in a pipeline file, and are known once it ran"
        raise NotFoundError(message)
    return state
