"""Names by which features are known elsewhere that are no flag here, and where the feature lives."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from shotclock.aliases import BY_NAME

ELSEWHERE: Final = {
    "ENABLE_PHASE2_COMPLETION_DEADLINE": "declare one with this alias, and write it under gate: deadline: flag:",
    "ENABLE_SUBCOLLECTION_COMPLETIONS": "a roll has no limit of size, and there is no other way to keep it",
    "DUAL_WRITE_MODE": "state is written in one place; `shotclock store copy` moves and compares it",
    "USE_SUBCOLLECTION_READS": "state is read where it is written",
}
"""Where each feature lives; names of settings stand in `aliases`."""


def where(name: str, known: Collection[str]) -> str:
    """Say of a name that is no flag here where its feature lives, or which flag is nearest."""
    if name.upper() in BY_NAME:
        return f"{name} is no flag: {BY_NAME[name.upper()].meaning}"
    if name.upper() in ELSEWHERE:
        own = "; to gate steps of your own by that name, give it to a flag as its alias"
        return f"{name} is no flag: {ELSEWHERE[name.upper()]}{own}"
    near = get_close_matches(name, known, n=1)
    hint = f"; the nearest is {near[0]}" if near else ""
    return f"there is no flag {name}{hint}; flags stand in a pipeline file, and are known once it ran (or --pipeline)"
