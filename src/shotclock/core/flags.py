"""Flags decided on values alone: the bucket of a unit, what holds for each flag, and what a unit gets.

A bucket is the first eight bytes of the SHA-256 of ``salt:key`` (UTF-8, NFC) as a number, modulo 10,000. The salt is
the flag's name, so that two flags spread the same units independently; raising a share only adds units::

    bucket("new_model", "player-1") == 6609
    10 % of the units are in the 50 %, and those in the 100 %

What holds for a flag, the strongest first::

    kill switch -> environment variable -> what was set in the store -> what the file declares

and then the legal combinations: a flag that requires one that is not on for everybody, or excludes one that is on for
anybody, has its safe value.
"""

import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from shotclock.model import BUCKETS, OFF, Evaluation, Flag, FlagState, Overrides, Plan, Rule, Split, split_of

NOTHING: Final = Overrides()


def bucket(salt: str, key: str) -> int:
    """Return the bucket of a unit, 0 to 9,999: the same in every process, release and language."""
    text = f"{salt}:{unicodedata.normalize('NFC', key)}"
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]) % BUCKETS


def evaluate(flag: Flag, rule: Rule, key: str) -> Evaluation:
    """Return the value that a unit has."""
    split = rule.split
    whole = split.share in {0, BUCKETS}
    has = bool(split.share) if whole else bucket(flag.name, key) < split.share
    return Evaluation(
        name=flag.name,
        value=split.value if has else split.rest,
        reason=rule.origin if whole else "split",
        version=rule.version,
    )


def safe(flag: Flag, version: int = 0) -> Rule:
    """Return what holds for a flag while it cannot be known what was set."""
    return Rule(split=flag.safe, version=version, origin="unreadable")


def resolve(
    flags: Mapping[str, Flag], states: Mapping[str, FlagState], overrides: Overrides = NOTHING
) -> dict[str, Rule]:
    """Return what holds for each flag, given what the store keeps and what is stronger than it."""
    rules = {name: _rule(flag, states.get(name), overrides) for name, flag in flags.items()}
    stands = {name: state.stands for name, state in states.items()}
    while True:
        known = stands | {name: rule.split for name, rule in rules.items()}
        legal = {name: _legal(flags[name], rule, known) for name, rule in rules.items()}
        if legal == rules:
            return rules
        rules = legal


def freeze(plan: Plan, states: Mapping[str, FlagState], overrides: Overrides = NOTHING) -> dict[str, Rule]:
    """Return what a generation freezes: the rules of its flags that bind a run."""
    rules = resolve(plan.flags, states, overrides)
    return {name: rule for name, rule in rules.items() if plan.flags[name].binding == "run"}


def illegal(flag: Flag, split: Split, known: Mapping[str, Split]) -> str | None:
    """Return why a flag may not stand so beside the others, if it may not; one that is safe always may."""
    if split.is_off or split == flag.safe:
        return None
    for name in flag.requires:
        if not known.get(name, OFF).is_whole:
            return f"{flag.name} requires {name}, which is {known.get(name, OFF)}: turn that one on first"
    for name in flag.excludes:
        if not known.get(name, OFF).is_off:
            return f"{flag.name} excludes {name}, which is {known[name]}: turn that one off first"
    return None


def _rule(flag: Flag, state: FlagState | None, overrides: Overrides) -> Rule:
    version = 0 if state is None else state.version
    if overrides.kills(flag.name):
        return Rule(split=flag.safe, version=version, origin="kill_switch")
    text = None if flag.alias is None else overrides.given.get(flag.alias)
    if text is not None:
        return Rule(split=_told(flag, text), version=version, origin="environment")
    if state is None or state.split is None:
        return Rule(split=flag.default, version=version)
    return Rule(split=state.split, version=version, origin="set")


def _told(flag: Flag, text: str) -> Split:
    """Read what an environment variable says; what cannot be read is safe."""
    try:
        return split_of(flag, text)
    except ValueError:
        return flag.safe


def _legal(flag: Flag, rule: Rule, known: Mapping[str, Split]) -> Rule:
    if illegal(flag, rule.split, known) is None:
        return rule
    return Rule(split=flag.safe, version=rule.version, origin="combination")
