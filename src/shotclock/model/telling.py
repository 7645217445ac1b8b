"""What is told of what has happened, once the commit that made it true is durable: to logs, metrics and traces."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something that has happened; nobody decides by it, and it may be told twice or, after a crash, never.

    Names are ``SUBJECT.WHAT``: ``run.started``, ``phase.failed``, ``gate.opened``, ``task.leased``.
    """

    name: str
    at: datetime
    run: str = ""
    """The text form of the run; for what is about more, a pipeline or ``*``."""
    phase: str = ""
    member: str = ""
    number: int = 1
    """How often it happened in that commit: reports, leases and retries are told as one fact of a phase."""
    reason: str = ""
    """Which kind of it: an opening's reason, a run's cause or outcome, what was retried for."""
    took: timedelta | None = None
    """A span that belongs to it: how late an opening was, how long a run, a phase or a commit took."""
    more: dict[str, Any] = field(default_factory=dict)
    """What else is known, small and ready to be shown."""

    @property
    def pipeline(self) -> str:
        """The pipeline it is about, where it is about one."""
        return self.run.partition("/")[0].removeprefix("*")
