"""Where the settings of processes differ, and where each value came from."""

from collections.abc import Sequence

from msgspec import Struct

from shotclock.model import Process
from shotclock.settings import Settings, shown, sources

HERE = "here"
"""What a process that is started now would have."""
UNTOLD = "its release does not tell where from"


class Side(Struct, frozen=True, kw_only=True):
    """Somebody whose settings are compared."""

    name: str
    values: dict[str, str]
    origins: dict[str, str] | None = None
    """Where values came from that are no defaults; None where that is not known."""

    def origin(self, setting: str) -> str:
        """Return where a value came from, in words."""
        return UNTOLD if self.origins is None else self.origins.get(setting, "default")


class Value(Struct, frozen=True, kw_only=True):
    """What one side has."""

    who: str
    value: str
    origin: str


class Difference(Struct, frozen=True, kw_only=True):
    """A setting that is not the same everywhere."""

    setting: str
    values: tuple[Value, ...]


def here(settings: Settings) -> Side:
    """Return what file, environment and command line say here."""
    return Side(name=HERE, values=shown(settings), origins=sources(settings))


def of_process(process: Process) -> Side:
    """Return what a process told with its last sign of life."""
    return Side(name=process.name, values=process.settings, origins=process.origins)


def differences(sides: Sequence[Side]) -> list[Difference]:
    """Return the settings in which sides differ, in their order; what a release does not know is left out."""
    names = dict.fromkeys(name for side in sides for name in side.values)
    found: list[Difference] = []
    for name in names:
        has = [side for side in sides if name in side.values]
        if len({side.values[name] for side in has}) > 1:
            values = tuple(Value(who=side.name, value=side.values[name], origin=side.origin(name)) for side in has)
            found.append(Difference(setting=name, values=values))
    return found
