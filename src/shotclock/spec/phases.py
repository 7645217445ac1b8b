"""The phases of the file: what each needs, its roll, how it is worked on, its gate."""

from typing import Final, Literal

from msgspec import Struct
from yaml.nodes import MappingNode, Node

from shotclock.model import Execution, Fresh, PhasePlan, slug
from shotclock.spec.gates import gate_of
from shotclock.spec.members import items_of, members_of, tags_of
from shotclock.spec.nodes import Entry, Table, shown
from shotclock.spec.scalars import choice, import_path, name_of, positive, size, text, whole
from shotclock.spec.schema import EXECUTION, FRESH, NEEDS, PHASE

_MODES: Final[tuple[Literal["sequential", "parallel", "process"], ...]] = ("sequential", "parallel", "process")
_OTHERWISE: Final[tuple[Literal["flag", "block"], ...]] = ("flag", "block")
_DEFAULTS: Final = Execution()
_ONLY_ITEMS: Final = ("run", "external", "contract")


class Draft(Struct, frozen=True, kw_only=True):
    """A phase as read, with the mapping it was read from for problems that show only in the whole."""

    plan: PhasePlan
    table: Table
    need_lines: dict[str, int]
    """Where each phase it needs is named, those of the previous run included."""


def phases_of(top: Table) -> list[Draft]:
    """Read all phases, in the order of the file."""
    if "phases" not in top:
        top.missing("phases is missing: write phases: with at least one phase")
    table = top.inner("phases", None)
    if table is None:
        return []
    if not table.entries:
        table.missing("must have at least one phase")
    return [_draft(entry, table) for entry in table.entries.values()]


def _draft(entry: Entry, phases: Table) -> Draft:
    try:
        slug(entry.key, "phase")
    except ValueError as error:
        phases.problems.add(entry.line, str(error))
    table = Table(entry.value, f"phase {entry.key}", phases.problems, keys=PHASE, line=entry.line)
    current, previous = _needs(table)
    items = items_of(table)
    plan = PhasePlan(
        name=entry.key,
        needs=tuple(current),
        needs_previous=tuple(previous),
        members=members_of(table),
        items=items,
        execution=_execution(table, with_items=items is not None),
        gate=gate_of(table),
        then=table.take("then", import_path, None),
        fresh=_fresh(table),
    )
    _one_roll(table)
    return Draft(plan=plan, table=table, need_lines={**previous, **current})


def _one_roll(phase: Table) -> None:
    if "members" in phase and "items" in phase:
        phase.wrong("items", "stands beside members; a phase has either, so split it into two phases")
    elif "members" not in phase and "items" not in phase:
        phase.missing("has nobody to wait for: write members: or items:")
    for key in _ONLY_ITEMS:
        if key in phase and "items" not in phase:
            phase.wrong(key, "belongs to a phase with items; here each member has its own")


def _needs(phase: Table) -> tuple[dict[str, int], dict[str, int]]:
    current: dict[str, int] = {}
    previous: dict[str, int] = {}
    for node, line in phase.each("needs", lambda node: node):
        names = previous if isinstance(node, MappingNode) else current
        name = _previous(node, phase) if isinstance(node, MappingNode) else _name(node, phase, line)
        if name in names:
            phase.wrong("needs", f"{shown(name)} is named twice", line=line)
        elif name:
            names[name] = line
    return current, previous


def _name(node: Node, phase: Table, line: int) -> str | None:
    try:
        return text(node)
    except ValueError as error:
        phase.wrong("needs", str(error), line=line)
        return None


def _previous(node: MappingNode, phase: Table) -> str | None:
    table = Table(node, f"{phase.where}: needs", phase.problems, keys=NEEDS)
    name = table.need("phase", name_of("phase"), None, example="phase: NAME")
    table.need("run", choice(("previous",)), "previous", example="run: previous, or only the phase's name")
    return name


def _execution(phase: Table, *, with_items: bool) -> Execution:
    table = phase.inner("execution", EXECUTION)
    if table is None:
        return _DEFAULTS
    mode = table.take("mode", choice(_MODES), None) if "mode" in table else _DEFAULTS.mode
    numbers = {
        key: table.take(key, whole(EXECUTION[key]), EXECUTION[key]["default"])
        for key in ("max_workers", "max_in_flight", "attempts", "chunk")
    }
    _bounds(table, mode, numbers["max_workers"], with_items=with_items)
    return Execution(
        mode=mode or _DEFAULTS.mode,
        timeout=table.take("timeout", positive, _DEFAULTS.timeout),
        budget=table.take("budget", positive, None),
        tags=tags_of(table),
        memory=table.take("memory", size, None),
        **numbers,
    )


def _bounds(execution: Table, mode: str | None, workers: int, *, with_items: bool) -> None:
    if mode == "sequential" and workers > 1:
        default = "" if "mode" in execution else ", which is the default mode"
        text_ = f"{workers} at once are not sequential{default}; write mode: parallel or mode: process"
        execution.wrong("max_workers", text_)
    if mode == "parallel" and "max_workers" not in execution:
        execution.missing("max_workers is missing: mode parallel must say how many at once, such as max_workers: 4")
    if "memory" in execution and mode not in {None, "process"}:
        execution.wrong("memory", "is for child processes; write mode: process")
    if "chunk" in execution and not with_items:
        execution.wrong("chunk", "is for phases with items; each member is a task of its own")


def _fresh(phase: Table) -> Fresh | None:
    table = phase.inner("inputs", FRESH)
    if table is None:
        return None
    within = table.need("fresh", positive, None, example="fresh: 24h")
    otherwise = table.take("else", choice(_OTHERWISE), _OTHERWISE[0])
    return Fresh(within=within, otherwise=otherwise) if within else None
