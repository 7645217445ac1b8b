"""Names by which features are known elsewhere that are no flag here, and where the feature lives."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

ELSEWHERE: Final = {
    "ENABLE_PHASE2_COMPLETION_DEADLINE": "a deadline belongs to a phase: gate: deadline: in pipeline.yaml",
    "PHASE2_COMPLETION_TIMEOUT_MINUTES": "a deadline belongs to a phase: gate: deadline: {after: 30m} in pipeline.yaml",
    "ENABLE_SUBCOLLECTION_COMPLETIONS": "a roll has no limit of size, and there is no other way to keep it",
    "DUAL_WRITE_MODE": "state is written in one place; `shotclock store copy` moves and compares it",
    "USE_SUBCOLLECTION_READS": "state is read where it is written",
    "ENABLE_IDEMPOTENCY_KEYS": "members count once whatever is delivered twice; handlers of your own use idempotent()",
    "ENABLE_QUERY_CACHING": "there is no cache of queries to turn on",
    "ENABLE_STRUCTURED_LOGGING": "logs are a matter of the process, not of a run",
}
"""Where each feature lives."""


def where(name: str, known: Collection[str]) -> str:
    """Say of a name that is no flag here where its feature lives, or which flag is nearest."""
    if name.upper() in ELSEWHERE:
        own = "; to gate steps of your own by that name, give it to a flag as its alias"
        return f"{name} is no flag: {ELSEWHERE[name.upper()]}{own}"
    near = get_close_matches(name, known, n=1)
    hint = f"; the nearest is {near[0]}" if near else ""
    return f"there is no flag {name}{hint}; flags stand in a pipeline file, and are known once it ran (or --pipeline)"
