"""Names that other systems give to what is a setting here, or stands elsewhere: each acts, or is answered.

They are read from the environment without our prefix, and from our own layers in any case.
"""

from dataclasses import dataclass
from typing import Final

_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, kw_only=True)
class Alias:
    """A name that means something of ours."""

    name: str
    setting: str = ""
    """The setting that takes its value; empty where no setting does."""
    unit: str = ""
    """The unit of its value, where that is a bare number."""
    agrees: bool | None = None
    """The answer, yes or no, that asks for what is so anyway."""
    instead: str = ""
    """Where what it asks for stands here, where no setting takes its value."""

    @property
    def meaning(self) -> str:
        """Where what it asks for stands here, in words."""
        return self.instead or f"it is the setting {self.setting}"

    def asks_for_more(self, value: object) -> bool:
        """Say whether a value asks for something that is not so here."""
        return self.agrees is None or answer(value) is not self.agrees


def answer(value: object) -> bool | None:
    """Read yes or no as people write it in variables; None for anything else."""
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else None


ALIASES: Final = (
    Alias(name="DEDUP_TTL_DAYS", setting="idempotent", unit="d"),
    Alias(
        name="ENABLE_IDEMPOTENCY_KEYS",
        agrees=True,
        instead="a handler that uses `idempotent` always gives a repeat the first result; others leave it out",
    ),
    Alias(
        name="WORKFLOW_MAX_WORKERS",
        instead="each phase says how many work at once: execution: max_workers in pipeline.yaml; "
        "max_tasks bounds what one process holds",
    ),
    Alias(
        name="PARALLEL_WORKFLOWS",
        instead="each phase says how its tasks run: execution: mode in pipeline.yaml",
    ),
    Alias(
        name="PHASE2_COMPLETION_TIMEOUT_MINUTES",
        instead="each phase says how long it waits: gate: deadline: after in pipeline.yaml, such as 30m",
    ),
    Alias(
        name="ENABLE_QUERY_CACHING",
        agrees=False,
        instead="no query is answered from a cache of ours; the warehouse's own is left as it is",
    ),
    Alias(
        name="ENABLE_STRUCTURED_LOGGING",
        agrees=False,
        instead="--json makes a command write its events as JSON lines",
    ),
)
"""Every alias, in the order of the reference."""

BY_NAME: Final = {alias.name: alias for alias in ALIASES}
