"""The error tree.

::

    ShotclockError
    ├── SpecError            the pipeline file is wrong: file, line, what, nearest valid word
    ├── UsageError           a command or call is wrong: what, and what to do instead
    │   ├── NotFoundError    a run, phase or member that is not there
    │   └── ConflictError    a key that was used with another payload
    ├── MemberError          a member's function or command could not be used
    ├── StoreError
    │   ├── StaleError       somebody else was first; the caller reads again and decides anew
    │   ├── StoreUnavailableError   the commit did not happen: read-only, full, locked, gone
    │   ├── StoreUnsureError        the connection broke at the commit and did not come back
    │   └── StoreVersionError       the store was written by another release
    ├── FencedError          a newer owner has taken over
    ├── BusyError            somebody else carries it out just now
    └── BusError             a message was not taken
        ├── LaterError       it may be taken later
        └── RefusedError     it will never be taken as it is

Each class says by `retry` whether the same call may succeed later.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


class ShotclockError(Exception):
    """The root of all errors raised on purpose; `str()` is one line that names the place and the next step."""

    retry: ClassVar[bool] = False


@dataclass
class SpecError(ShotclockError):
    """A pipeline file that cannot be used; `problems` has one line for each thing wrong with it."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.problems)


class UsageError(ShotclockError):
    """A call that cannot be carried out as given."""


class NotFoundError(UsageError):
    """Something named that is not there."""


class ConflictError(UsageError):
    """A key that stands for another payload."""


class MemberError(ShotclockError):
    """A member's function or command that cannot be used."""


class StoreError(ShotclockError):
    """A store that could not do what it was asked."""


class StaleError(StoreError):
    """A write that lost to another one."""

    retry: ClassVar[bool] = True


class StoreUnavailableError(StoreError):
    """A store that could not commit; nothing of the call was stored."""

    retry: ClassVar[bool] = True


class StoreUnsureError(StoreError):
    """A commit of which nobody can tell whether it happened; repeat the call, which finds what is there."""

    retry: ClassVar[bool] = True


class StoreVersionError(StoreError):
    """A store whose schema this release cannot work with: it is newer, or was not upgraded."""


class FencedError(ShotclockError):
    """An effect refused because a newer owner has taken over."""


class BusyError(ShotclockError):
    """Something that somebody else carries out just now; `retry_after` says for how long they may."""

    retry: ClassVar[bool] = True

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BusError(ShotclockError):
    """A message that was not taken."""

    retry: ClassVar[bool] = True


class LaterError(BusError):
    """A message that may be taken later; `after` says when, where the other side has said so."""

    def __init__(self, message: str, after: timedelta | None = None) -> None:
        super().__init__(message)
        self.after = after


class RefusedError(BusError):
    """A message that will never be taken as it is."""

    retry: ClassVar[bool] = False
