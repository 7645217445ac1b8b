"""The roll of a phase: named members, or items that a function enumerates."""

import shlex
from collections.abc import Iterator

from yaml.nodes import Node, ScalarNode, SequenceNode

from shotclock.model import Contract, Importance, Items, Member, member_name
from shotclock.spec.nodes import Entry, Table, shown
from shotclock.spec.scalars import flag, import_path, name_of, positive, text, whole
from shotclock.spec.schema import CONTRACT, MEMBER, NOT_YET


def members_of(phase: Table) -> tuple[Member, ...]:
    """Read the `members` of a phase, in the order of the file; names and aliases are unique among them."""
    table = phase.inner("members", None)
    if table is None:
        return ()
    if not table.entries:
        table.missing("must have at least one member")
    named = dict(_named(table, phase))
    taken = {name: name for name in named}
    return tuple(_member(name, entry, phase, taken) for name, entry in named.items())


def _named(table: Table, phase: Table) -> Iterator[tuple[str, Entry]]:
    seen: set[str] = set()
    for entry in table.entries.values():
        try:
            name = member_name(entry.key)
        except ValueError as error:
            phase.wrong("members", str(error), line=entry.line)
            continue
        if name in seen:
            text_ = "is there already, written with other characters for the same letters"
            phase.problems.add(entry.line, _where(phase, name), text_)
        else:
            seen.add(name)
            yield name, entry


def _where(phase: Table, member: str) -> str:
    return f"{phase.where}: member {member}"


def _member(name: str, entry: Entry, phase: Table, taken: dict[str, str]) -> Member:
    where = _where(phase, name)
    if isinstance(entry.value, ScalarNode):
        return _short(name, entry, where, phase)
    table = Table(entry.value, where, phase.problems, keys=None, line=entry.line)
    _not_yet(table)
    table.know(MEMBER)
    _one_kind(table)
    return Member(
        name=name,
        importance=_importance(table),
        run=table.take("run", import_path, None),
        command=table.take("command", _command, ()),
        aliases=tuple(_aliases(name, table, taken)),
        contract=contract_of(table),
        timeout=table.take("timeout", positive, None),
        tags=tags_of(table),
    )


def _short(name: str, entry: Entry, where: str, phase: Table) -> Member:
    """Read ``props: nba.raw:props``: a member that is only a function."""
    try:
        return Member(name=name, run=import_path(entry.value))
    except ValueError as error:
        hint = "; or write {run: …}, {command: …} or {external: true}"
        phase.problems.add(entry.line, where, f"{error}{hint}")
        return Member(name=name)


def _not_yet(member: Table) -> None:
    for key, what in NOT_YET.items():
        if key in member:
            member.wrong(key, f"{what} are not in this release; use run, command or external: true")
            member.broken = True
            del member.entries[key]


def _one_kind(member: Table) -> None:
    external = member.take("external", flag, default=False)
    kinds = [key for key in ("run", "command") if key in member] + (["external"] if external else [])
    if not kinds:
        member.missing("run is missing: write run: package.module:function, command: or external: true")
    elif len(kinds) > 1:
        member.wrong(kinds[1], f"stands beside {kinds[0]}; a member has one of run, command and external")
    if external and "needs" in member:
        member.wrong("needs", "an external member has none; no worker takes it")
    if external and "timeout" in member:
        member.wrong("timeout", "an external member has none; its clock is the gate's deadline")


def _importance(member: Table) -> Importance:
    critical = member.take("critical", flag, default=False)
    optional = member.take("optional", flag, default=False)
    if critical and optional:
        member.wrong("optional", "stands beside critical; a member is one of them, or required when neither is said")
    return "critical" if critical else "optional" if optional else "required"


def _command(node: Node) -> tuple[str, ...]:
    parts = [text(part) for part in node.value] if isinstance(node, SequenceNode) else _split(text(node))
    if not parts:
        message = "has no words; write the program and its arguments"
        raise ValueError(message)
    return tuple(parts)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        message = f"{shown(command)} cannot be split into words: {str(error).lower()}"
        raise ValueError(message) from error


def _aliases(name: str, member: Table, taken: dict[str, str]) -> Iterator[str]:
    for alias, line in member.each("aliases", lambda node: member_name(text(node))):
        if alias in taken:
            member.wrong("aliases", f"{shown(alias)} already belongs to member {taken[alias]}", line=line)
        else:
            taken[alias] = name
            yield alias


def tags_of(owner: Table) -> tuple[str, ...]:
    """Read the `needs` of a member or of an execution: what a worker must have."""
    return tuple(dict.fromkeys(tag for tag, _ in owner.each("needs", name_of("tag"))))


def contract_of(owner: Table) -> Contract:
    """Read the `contract` of a member or of a phase's items."""
    table = owner.inner("contract", CONTRACT)
    if table is None:
        return Contract()
    return Contract(min_rows=table.take("min_rows", whole(CONTRACT["min_rows"]), 0))


def items_of(phase: Table) -> Items | None:
    """Read the `items` of a phase, and the `run` or `external` that says who works on them."""
    if "items" not in phase:
        return None
    external = phase.take("external", flag, default=False)
    if external and "run" in phase:
        phase.wrong("external", "stands beside run; items are worked on by one of them")
    if not external and "run" not in phase and "members" not in phase:
        phase.missing("run is missing: write run: package.module:function for the items, or external: true")
    source = phase.take("items", import_path, "")
    return Items(source=source, run=phase.take("run", import_path, None), contract=contract_of(phase))
