"""What a member's function may answer: values to return, exceptions to raise."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, field


class Succeeded(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The work is done.

    `rows` is checked against the member's contract. `outputs` is kept with the settlement and given to downstream
    phases; it must be JSON. `as_of` is how recent the data is, where the function knows.
    """

    rows: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    as_of: datetime | None = None


class Empty(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """There is nothing to do, which is fine; with `not_before`, the data cannot exist yet: asked for again then."""

    reason: str | None = None
    not_before: datetime | None = None


class Skipped(Struct, frozen=True):
    """The work does not apply to this member, for a reason that is kept; counts as satisfied."""

    reason: str


Outcome = Succeeded | Empty | Skipped


class Retry(Exception):  # noqa: N818 - a request, not an error
    """Raise to be asked again, `after` a time; consumes no attempt."""

    def __init__(self, reason: str = "asked to be tried again", *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Permanent(Exception):  # noqa: N818 - an outcome, not an error of ours
    """Raise when trying again cannot help; the reason is kept and shown."""


class Item(Struct, frozen=True, gc=False):
    """One item of a fan-out: its id, unique in the roll, and the payload its enumeration gave."""

    id: str
    payload: Any = None
