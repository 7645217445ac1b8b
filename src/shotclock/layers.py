"""Where values of settings come from: the file, the environment, the call; and everything wrong with what is there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from shotclock.aliases import ALIASES, BY_NAME, Alias

PREFIX: Final = "SHOTCLOCK_"
TOLD: Final = frozenset(
    f"{PREFIX}{name}"
    for name in ("RUN", "KEY", "MODE", "PHASE", "MEMBER", "TOKEN", "PARTIAL", "DEADLINE", "CONTEXT", "FLAGS")
)
"""What a command is told of its task, and may pass on to a command of ours."""
NOT_SETTINGS: Final = frozenset(f"{PREFIX}{name}" for name in ("SETTINGS", "DATA", "REQUIRE", "PROOF")) | TOLD
"""Variables with our prefix that are no settings."""
FILE: Final = "shotclock.toml"

Reader = Callable[[Any], object]
"""Reads what stands in a layer; raises `ValueError` that says what is accepted."""


@dataclass(frozen=True)
class Origin:
    """Where a value came from: the layer, and the place in it."""

    layer: Literal["default", "file", "environment", "call"]
    place: str = ""
    """The path of the file with the key, or the name of the variable."""

    def __str__(self) -> str:
        return self.place or ("the call" if self.layer == "call" else self.layer)


DEFAULT: Final = Origin("default")
CALL: Final = Origin("call")


@dataclass(frozen=True, kw_only=True)
class Remark:
    """An alias that was found, and that gives no setting a value."""

    name: str
    value: str
    text: str
    differs: bool
    """Whether it asks for something that is not so here."""


@dataclass
class Found:
    """What all layers say: values with their origins, what is wrong, and aliases that have no effect."""

    values: dict[str, object] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Said:
    """One thing that a layer says."""

    name: str
    value: object
    origin: Origin
    source: str
    """The layer's place as problems name it."""


def gather(readers: Mapping[str, Reader], variables: Mapping[str, str], call: Mapping[str, object]) -> Found:
    """Read every layer, the file first; `readers` has every setting by its name."""
    found = Found()
    for layer in (_from_file(variables, found), _from_environment(variables)):
        own: dict[str, _Said] = {}
        for said in layer:
            _take(found, readers, own, said)
    for name, value in call.items():
        if value is not None and name not in readers:
            found.problems.append(f"the call: there is no setting {name}{_nearest(name, readers)}")
        elif value is not None:
            found.values[name], found.origins[name] = value, CALL
    return found


def remarks(variables: Mapping[str, str]) -> list[Remark]:
    """Return the aliases in the environment that give no setting a value."""
    there = [alias for alias in ALIASES if not alias.setting and alias.name in variables]
    return [
        Remark(
            name=alias.name,
            value=variables[alias.name],
            text=alias.instead,
            differs=alias.asks_for_more(variables[alias.name]),
        )
        for alias in there
    ]


def _take(found: Found, readers: Mapping[str, Reader], own: dict[str, _Said], said: _Said) -> None:
    """Take one thing that a layer says; `own` is what the same layer has said before, by setting."""
    alias = BY_NAME.get(said.name.upper())
    name = alias.setting if alias else said.name
    if name not in readers:
        found.problems.append(f"{said.source}: {_unknown(said.name, alias, readers)}")
        return
    try:
        value = readers[name](_with_unit(said.value, alias))
    except ValueError as error:
        found.problems.append(f"{said.source}: setting {name}: {error}")
        return
    before = own.setdefault(name, said)
    if before is not said and found.values[name] != value:
        found.problems.append(f"{before.origin} and {said.origin} say different things of setting {name}: keep one")
    found.values[name], found.origins[name] = value, said.origin


def _with_unit(value: object, alias: Alias | None) -> object:
    return f"{value}{alias.unit}" if alias and str(value).strip().isdecimal() else value


def _unknown(name: str, alias: Alias | None, readers: Mapping[str, Reader]) -> str:
    known = f": {alias.instead}" if alias else _nearest(name, readers)
    return f"there is no setting {name}{known}"


def _nearest(name: str, readers: Mapping[str, Reader]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only where a name is wrong

    near = get_close_matches(name, readers, n=1)
    return f"; the nearest is {near[0]}" if near else ""


def _from_file(variables: Mapping[str, str], found: Found) -> Iterator[_Said]:
    named = variables.get(f"{PREFIX}SETTINGS")
    file = Path(named or FILE)
    if not file.is_file():
        if named:
            found.problems.append(f"{PREFIX}SETTINGS: there is no file {file}")
        return
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found.problems.append(f"{file}: not valid TOML: {error}")
        return
    for name, value in content.items():
        yield _Said(name=name, value=value, origin=Origin("file", f"{file.absolute()}: {name}"), source=f"{file}")


def _from_environment(variables: Mapping[str, str]) -> Iterator[_Said]:
    for name, value in variables.items():
        alias = BY_NAME.get(name)
        if alias is not None and alias.setting:
            yield _Said(name=name, value=value, origin=Origin("environment", name), source=name)
        elif name.startswith(PREFIX) and name not in NOT_SETTINGS:
            own = name.removeprefix(PREFIX).lower()
            yield _Said(name=own, value=value, origin=Origin("environment", name), source=name)
