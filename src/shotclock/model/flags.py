"""Flags: how one is declared, who gets which value of it, and what the store and the plan of a run keep of it."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from msgspec import Struct

FlagValue = bool | str
"""On or off, or the name of a variant."""

FlagOrigin = Literal["declared", "set", "environment", "kill_switch", "unreadable", "combination"]
"""Where a rule comes from: the file, a command, an environment variable, the kill switch; the last two say why it is
the safe one: the store could not be read in time, or another flag that it requires or excludes stands in its way."""

BUCKETS = 10_000
"""What units are spread over: one bucket is 0.01 %."""


class Split(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who gets what: units whose bucket is below `share` get `value`, the others `rest`."""

    value: FlagValue = True
    share: int = 0
    rest: FlagValue = False

    @property
    def is_off(self) -> bool:
        """Whether everybody has what stands for off."""
        return not self.share or self.value == self.rest

    @property
    def is_whole(self) -> bool:
        """Whether nobody has what stands for off."""
        return self.share == BUCKETS and self.value != self.rest

    def __str__(self) -> str:
        """Say it as ``on``, ``off``, ``10%``, ``large`` or ``large 10%, else small``."""
        if self.share in {0, BUCKETS}:
            return value_words(self.value if self.share else self.rest)
        number = f"{self.share / 100:g}%"
        if (self.value, self.rest) == (True, False):
            return number
        return f"{value_words(self.value)} {number}, else {value_words(self.rest)}"


OFF = Split()
ON = Split(share=BUCKETS)
_WORDS: Final = {"on": ON, "true": ON, "1": ON, "off": OFF, "false": OFF, "0": OFF}


def value_words(value: FlagValue) -> str:
    """Write a flag's value as commands and files do."""
    return value if isinstance(value, str) else "on" if value else "off"


class Flag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A flag as a pipeline file declares it."""

    name: str
    owner: str
    purpose: str
    binding: Literal["run", "live"] = "run"
    """``run``: frozen in the plan of a generation; ``live``: read at each decision."""
    key: str = "run"
    """What a unit is: ``run``, ``member``, ``item``, or the name of an attribute whose value its reader gives."""
    variants: tuple[str, ...] = ()
    """The values it may have, the one that stands for off first; none: on and off."""
    default: Split = OFF
    """What holds as long as nothing was set."""
    safe: Split = OFF
    """What holds after a rollback, and while it cannot be known what was set."""
    requires: tuple[str, ...] = ()
    """Flags that must be on for everybody while this one is on for anybody."""
    excludes: tuple[str, ...] = ()
    """Flags that must be off while this one is on for anybody."""
    expires: date | None = None
    """By when it should be gone from the file; it goes on working, and is named."""
    alias: str | None = None
    """An environment variable that sets it for a process, stronger than the store."""


class FlagState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the store keeps of a flag; every change raises `version` by one."""

    name: str
    version: int
    declared: Flag
    """As the newest run that knows it declares it."""
    split: Split | None = None
    """What was set; None: as declared."""
    before: Split | None = None
    """What a rollback took away, and undoing it brings back."""
    at: datetime
    actor: str = ""
    reason: str = ""

    @property
    def stands(self) -> Split:
        """What holds by the store alone."""
        return self.declared.default if self.split is None else self.split


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds for a flag, as a plan freezes it or a process believes it."""

    split: Split
    version: int = 0
    """That of the stored flag; 0 where the store knew nothing of it."""
    origin: FlagOrigin = "declared"


class Evaluation(Struct, frozen=True, kw_only=True):
    """The answer to one question: the value for a unit, why, and by which version."""

    name: str
    value: FlagValue
    reason: str
    """The rule's origin, or ``split`` where the unit's bucket decided."""
    version: int


class Overrides(Struct, frozen=True, kw_only=True):
    """What is stronger than the store on one machine: the kill switch, and environment variables by their name."""

    off: frozenset[str] = frozenset()
    """Flags that are killed; ``*`` means all of them."""
    given: dict[str, str] = {}
    """Environment variables that flags name as their alias, with their text."""

    def kills(self, name: str) -> bool:
        """Say whether the kill switch is on for a flag."""
        return name in self.off or "*" in self.off


def split_of(flag: Flag, text: str, share: int = BUCKETS) -> Split:
    """Read ``on``, ``off``, ``10%`` or a variant, given to so many buckets; raises `ValueError` that says what fits."""
    word = text.strip()
    if flag.variants:
        return _variant(flag, word, share)
    if word.endswith("%"):
        return Split(share=share_of(word))
    if word.lower() not in _WORDS:
        message = f"{word!r} is not a value of {flag.name}: expected on, off or a percentage such as 10%"
        raise ValueError(message)
    whole = _WORDS[word.lower()]
    return Split(share=share) if whole.share else whole


def _variant(flag: Flag, word: str, share: int) -> Split:
    first = flag.variants[0]
    if word in {"off", first}:
        return Split(value=first, rest=first)
    if word not in flag.variants:
        message = f"{word!r} is not a value of {flag.name}: expected one of {', '.join(flag.variants)}"
        raise ValueError(message)
    return Split(value=word, share=share, rest=first)


def share_of(text: str) -> int:
    """Read a percentage from 0 to 100 with two decimals at most as a number of buckets; raises `ValueError`."""
    try:
        buckets = Decimal(text.strip().removesuffix("%").strip()) * BUCKETS / 100
    except InvalidOperation:
        buckets = Decimal(-1)
    if not buckets.is_finite() or not 0 <= buckets <= BUCKETS or buckets != int(buckets):
        message = f"{text!r} is not a percentage: expected 0% to 100% with two decimals at most, such as 10% or 0.5%"
        raise ValueError(message)
    return int(buckets)
