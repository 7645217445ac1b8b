"""Errors as answers: which status each has, whether to come again and when; nothing secret, nothing swallowed."""

import logging
from datetime import timedelta
from typing import Final

import msgspec

from shotclock.errors import (
    BusError,
    BusyError,
    FencedError,
    MemberError,
    NotFoundError,
    SpecError,
    StaleError,
    StoreError,
    UsageError,
)
from shotclock.http.access import RefusedError
from shotclock.http.bodies import Problem

_log = logging.getLogger("shotclock.http")

TITLES: Final = {
    400: "Malformed",
    401: "Not known",
    403: "Not allowed",
    404: "Not there",
    405: "Not a method of this",
    408: "Too slow",
    409: "Cannot be carried out",
    413: "Too large",
    415: "Not a kind of body that is taken",
    422: "A pipeline cannot be used",
    429: "Too often",
    500: "Unexpected",
    503: "Not now",
}
_STATUSES: Final[tuple[tuple[tuple[type[BaseException], ...], int], ...]] = (
    ((msgspec.MsgspecError, UnicodeDecodeError, RecursionError), 400),
    ((NotFoundError,), 404),
    ((UsageError, StaleError, FencedError), 409),
    ((SpecError, MemberError), 422),
    ((StoreError, BusyError, BusError), 503),
)
"""What each kind of error is answered with, the first that fits; any other is a 500."""
_LATER: Final = timedelta(seconds=1)
"""After which to come again where nothing better is known."""


def problem_of(error: BaseException) -> Problem:
    """Return an error as it is answered; one that nobody expected is logged whole and answered without details."""
    status = status_of(error)
    if status == 500:  # noqa: PLR2004 - the status of what nobody expected
        _log.error("unexpected %s", type(error).__name__, exc_info=error)
        return Problem(title=TITLES[500], status=500, detail=f"unexpected {type(error).__name__}; the log has more")
    title = TITLES.get(status, "Refused")
    if isinstance(error, SpecError):
        detail = "the pipeline's file cannot be used"
        return Problem(title=title, status=status, detail=detail, problems=error.problems)
    return Problem(title=title, status=status, detail=str(error))


def status_of(error: BaseException) -> int:
    """Return the status an error is answered with."""
    if isinstance(error, RefusedError):
        return error.status
    return next((status for kinds, status in _STATUSES if isinstance(error, kinds)), 500)


def headers_of(error: BaseException, status: int) -> dict[str, str]:
    """Return the headers that go with an error: when to come again, how to say who one is."""
    headers = {"content-type": "application/problem+json"}
    if isinstance(error, RefusedError):
        headers |= error.headers
    if status == 503 and "retry-after" not in headers:  # noqa: PLR2004 - the status of what may succeed later
        after = error.retry_after if isinstance(error, BusyError) else _LATER
        headers["retry-after"] = str(max(1, round(after.total_seconds())))
    return headers
