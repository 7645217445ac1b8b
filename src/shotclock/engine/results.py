"""From what a function returned or raised to what is reported: every answer a member can give, checked."""

import math
import operator
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from shotclock.errors import FencedError, MemberError
from shotclock.model import Again, Kind, Note
from shotclock.outcomes import Empty, Permanent, Retry, Skipped, Succeeded

_PACKAGE = os.fspath(Path(__file__).parent.parent) + os.sep
_REASON_LENGTH = 500
"""Most characters of a reason; the log has the rest."""


class Said(Struct, frozen=True, kw_only=True, gc=False):
    """What one member said: how it settled, or why it must be tried again."""

    kind: Kind = "pending"
    note: Note | None = None
    again: Again | None = None


_SIMPLE = frozenset({str, int, bool, type(None)})
_PLAIN = Succeeded()
_SUCCEEDED = Said(kind="succeeded")


def read(outcome: object, limit: int) -> Said:
    """Read what was returned for a member, or given for an item of a chunk; `limit` bounds its outputs, in bytes."""
    if type(outcome) is Succeeded and outcome == _PLAIN:  # what nearly every item of a large roll says
        return _SUCCEEDED
    try:
        return _read(outcome, limit)
    except MemberError as error:
        return _failed(str(error))


def _read(outcome: object, limit: int) -> Said:
    match outcome:
        case Succeeded():
            note = Note(rows=_rows(outcome.rows), outputs=plain(outcome.outputs, limit), as_of=_aware(outcome.as_of))
            return Said(kind="succeeded", note=None if note == Note() else note)
        case Empty():
            return _read_empty(outcome)
        case Skipped():
            return Said(kind="skipped", note=Note(reason=_text(outcome.reason)))
        case Retry():
            return Said(again=Again(cause="retry", reason=one_line(outcome), after=_span(outcome.after)))
        case BaseException():
            return read_error(outcome, "", limit)
        case _:
            message = f"returned {_described(outcome)}; return Succeeded(), Empty() or Skipped(reason)"
            raise MemberError(message)


def _read_empty(outcome: Empty) -> Said:
    if outcome.not_before is None:
        return Said(kind="empty", note=None if outcome.reason is None else Note(reason=_text(outcome.reason)))
    reason = "not yet" if outcome.reason is None else _text(outcome.reason)
    return Said(again=Again(cause="not_yet", reason=reason, not_before=_aware(outcome.not_before)))


def _failed(reason: str) -> Said:
    return Said(kind="failed", note=Note(reason=reason))


def read_error(error: BaseException, folder: str, limit: int) -> Said:
    """Read what a function raised; what is no request of ours is an error, named with its place in the user's code."""
    match error:
        case Retry():
            return read(error, limit)
        case Permanent() | MemberError():
            return _failed(one_line(error) or "no reason given")
        case FencedError():
            return Said(again=Again(cause="retry", reason=one_line(error)))
        case _:
            return Said(again=Again(cause="error", reason=told(error, folder)))


def read_result(result: object, limit: int) -> Mapping[str, Any]:
    """Read what a consolidation returned: a mapping, `Succeeded` with outputs, or nothing; raises `MemberError`."""
    match result:
        case None | Empty(not_before=None) | Skipped():
            return {}
        case Succeeded():
            return plain(result.outputs, limit)
        case Mapping():
            return plain(result, limit)
        case _:
            message = f"returned {_described(result)}; return a mapping, Succeeded(outputs=…) or nothing"
            raise MemberError(message)


def told(error: BaseException, folder: str) -> str:
    """Say in one line what was raised, and where in the user's code: the deepest frame below the pipeline's parent."""
    if isinstance(error, SyntaxError):
        where = f" ({_short(error.filename or '', folder)}:{error.lineno})"
        return f"SyntaxError: {error.msg}{where}"
    text = one_line(error)
    return f"{type(error).__name__}{': ' if text else ''}{text}{_place(error, folder)}"


def _place(error: BaseException, folder: str) -> str:
    below = os.fspath(Path(folder).absolute().parent) + os.sep
    mine, any_ = "", ""
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if file.startswith(below) and not file.startswith(_PACKAGE):
            mine = f" ({_short(file, folder)}:{step.tb_lineno})"
        elif not file.startswith((_PACKAGE, "<frozen")):
            any_ = f" ({file}:{step.tb_lineno})"
        step = step.tb_next
    return mine or any_


def _short(file: str, folder: str) -> str:
    below = os.fspath(Path(folder).absolute().parent) + os.sep
    return file.removeprefix(below)


def one_line(thing: object) -> str:
    """Return the text of a thing on one line of bounded length."""
    line = " ".join(str(thing).split())
    return line if len(line) <= _REASON_LENGTH else line[: _REASON_LENGTH - 1] + "…"


def plain(value: object, limit: int, what: str = "outputs") -> dict[str, Any]:
    """Return a copy of a mapping as JSON reads it back; raises `MemberError` naming what is not JSON or too large."""
    if not isinstance(value, Mapping):
        message = f"{what}: {_described(value)}, not a mapping"
        raise MemberError(message)
    found = json_copy(dict(value), limit, what) if value else {}
    assert isinstance(found, dict)
    return found


def json_copy(value: object, limit: int, what: str) -> object:
    """Return a copy of a value as JSON reads it back; raises `MemberError` naming what is not JSON or too large."""
    try:
        copy = _copy(value, what)
        size = len(msgspec.json.encode(copy))
    except (OverflowError, RecursionError, UnicodeEncodeError) as error:
        message = f"{what}: not JSON: {one_line(error)}"
        raise MemberError(message) from error
    if size > limit:
        message = f"{what}: {size} bytes as JSON, at most {limit}; write a file and name it"
        raise MemberError(message)
    return copy


def _copy(value: object, where: str) -> object:
    """Copy what JSON has words for, subclasses as what they are; `where` names the part that is something else."""
    if type(value) in _SIMPLE:
        return value
    match value:
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case float():
            message = f"{where} is {value}, which JSON has no word for; use None"
        case dict():
            return {
                _key(key, where): inner if type(inner) in _SIMPLE else _copy(inner, f"{where}[{key!r}]")
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_copy(inner, f"{where}[{place}]") for place, inner in enumerate(value)]
        case _:
            message = f"{where} is {_described(value)}, which is not JSON"
    raise MemberError(message)


def _key(key: object, where: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    message = f"{where} has the key {_described(key)}; JSON keys are text"
    raise MemberError(message)


def _described(value: object) -> str:
    return "None" if value is None else f"{one_line(repr(value))[:80]} ({type(value).__qualname__})"


def _rows(rows: object) -> int | None:
    if rows is None:
        return None
    try:
        number = operator.index(rows)  # type: ignore[arg-type]  # what is no number raises, and is named
    except TypeError:
        number = -1
    if not 0 <= number < 1 << 63:
        message = f"rows is {_described(rows)}, not a number of rows"
        raise MemberError(message)
    return number


def _aware(at: object) -> datetime | None:
    if at is None or (isinstance(at, datetime) and at.tzinfo is not None):
        return at
    message = f"{_described(at)} is not an instant: give a datetime with a time zone"
    raise MemberError(message)


def _span(after: object) -> timedelta | None:
    if after is None or (isinstance(after, timedelta) and after >= timedelta(0)):
        return after
    message = f"Retry(after={_described(after)}): give a timedelta that is not negative"
    raise MemberError(message)


def _text(reason: object) -> str:
    if isinstance(reason, str):
        return one_line(reason)
    message = f"the reason is {_described(reason)}, not text"
    raise MemberError(message)
