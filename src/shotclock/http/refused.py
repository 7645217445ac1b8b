"""What a request is refused with, wherever it is refused: a status, a reason without secrets, headers."""

from collections.abc import Mapping
from datetime import timedelta

from shotclock.errors import ShotclockError
from shotclock.model import Scope

REALM = 'Bearer realm="shotclock"'


class RefusedError(ShotclockError):
    """A request that is not carried out; `str()` is the reason, and holds nothing that was shown as a proof."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = dict(headers or {})


def unknown(reason: str, *, shown: bool = True) -> RefusedError:
    """Return what says that nobody knows who calls; `shown`, whether something was shown that proves nothing."""
    challenge = f'{REALM}, error="invalid_token"' if shown else REALM
    return RefusedError(401, reason, {"www-authenticate": challenge})


def forbidden(reason: str, scope: Scope | None = None) -> RefusedError:
    """Return what says that the caller may not; `scope`, the one that is lacking."""
    lacking = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    return RefusedError(403, reason, {"www-authenticate": lacking} if scope else None)


def later(status: int, reason: str, wait: timedelta) -> RefusedError:
    """Return what says that the same request may be answered after a while, rounded up to whole seconds."""
    return RefusedError(status, reason, {"retry-after": str(max(1, -(-wait // timedelta(seconds=1))))})
