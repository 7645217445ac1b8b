"""From a path to a plan: read, check everything, then keep what the mode keeps and take the parameters given."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from shotclock.errors import UsageError
from shotclock.model import DEFAULT_MODE, PhasePlan, Plan, digest
from shotclock.spec.graph import check_names, ordered
from shotclock.spec.header import Modes, header, modes_of
from shotclock.spec.nodes import Problems, Table, nearest, shown
from shotclock.spec.phases import phases_of
from shotclock.spec.scalars import loose
from shotclock.spec.schema import TOP
from shotclock.spec.source import find, folder_of, read, tree
from shotclock.spec.validate import check_phase


class Whole(Struct, frozen=True, kw_only=True):
    """A file as read: the plan of all its members, and what each mode keeps."""

    plan: Plan
    modes: Modes


def load(path: Path, *, mode: str = DEFAULT_MODE, params: Mapping[str, object] | None = None) -> Plan:
    """Return the plan of a pipeline file, or of the folder that holds one, for a mode.

    Everything the file says is checked, other modes included. A parameter given as text is read as the type of its
    default. Raises `SpecError` with a line for each problem of the file, `UsageError` for a mode or a parameter that
    the file does not declare.
    """
    whole = _whole(Path(path))
    plan = whole.plan
    return replace(
        plan,
        mode=mode,
        phases=tuple(_kept(phase, _mode(whole, mode)) for phase in plan.phases),
        params={**plan.params, **_given(plan, params or {})},
    )


def modes(path: Path) -> tuple[str, ...]:
    """Return the modes a pipeline file may be run in, the default one first."""
    declared = _whole(Path(path)).modes
    return (DEFAULT_MODE, *(mode for mode in declared if mode != DEFAULT_MODE))


def _whole(path: Path) -> Whole:
    file = find(path)
    content = read(file)
    problems = Problems(file.name)
    top = Table(tree(content, file), "", problems, keys=TOP, line=1)
    plan = header(top, folder=folder_of(file), digest=digest(content.encode()))
    kept, drafts = modes_of(top), phases_of(top)
    check_names(drafts, kept, problems)
    order = ordered(drafts)
    for draft in drafts:
        check_phase(draft, plan, kept)
    problems.raise_any()
    return Whole(plan=replace(plan, phases=tuple(draft.plan for draft in order)), modes=kept)


def _mode(whole: Whole, mode: str) -> Mapping[str, frozenset[str]]:
    known = {DEFAULT_MODE: {}, **whole.modes}
    if mode not in known:
        message = f"pipeline {whole.plan.pipeline} has no mode {shown(mode)}{nearest(mode, known)}"
        raise UsageError(message)
    return {phase: frozenset(kept.members) for phase, kept in known[mode].items()}


def _kept(phase: PhasePlan, mode: Mapping[str, frozenset[str]]) -> PhasePlan:
    if phase.name not in mode:
        return phase
    kept = mode[phase.name]
    return replace(
        phase,
        members=tuple(member for member in phase.members if member.name in kept),
        absent=tuple(
            name for member in phase.members if member.name not in kept for name in (member.name, *member.aliases)
        ),
    )


def _given(plan: Plan, params: Mapping[str, object]) -> dict[str, Any]:
    for name in params:
        if name not in plan.params:
            near = nearest(name, plan.params) or "; it declares none"
            message = f"pipeline {plan.pipeline} has no param {shown(name)}{near}"
            raise UsageError(message)
    return {name: _typed(name, value, plan.params[name]) for name, value in params.items()}


def _typed(name: str, value: object, default: object) -> object:
    """Read a value given as text as the default's type; a whole number also serves where the default has a fraction."""
    if default is None or isinstance(default, str):
        return value if default is None else str(value)
    found = loose(value) if isinstance(value, str) else value
    if isinstance(default, float) and type(found) is int:
        return float(found)
    if type(found) is not type(default):
        kinds = {bool: "true or false", int: "a whole number", float: "a number", list: "a list", dict: "a mapping"}
        message = f"param {name}: expected {kinds[type(default)]} as its default is, got {shown(str(value))}"
        raise UsageError(message)
    return found
