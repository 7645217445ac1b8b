"""Keys of runs: whether a text may be one for a pipeline."""

import re
from datetime import date
from typing import Final

from shotclock.errors import UsageError
from shotclock.model import Plan, run_key

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check_key(plan: Plan, key: str) -> str:
    """Return `key` if runs of the pipeline may have it; raise `UsageError` that says what is accepted."""
    return _date(plan, key) if plan.key_type == "date" else _text(plan, key)


def _text(plan: Plan, key: str) -> str:
    try:
        return run_key(key)
    except ValueError as error:
        message = f"{plan.key_name} of pipeline {plan.pipeline}: {error}"
        raise UsageError(message) from error


def _date(plan: Plan, key: str) -> str:
    accepted = f"{plan.key_name} of pipeline {plan.pipeline} is a calendar date YYYY-MM-DD, such as 2025-01-15"
    if not _DATE.fullmatch(key):
        message = f"{key[:40]!r} is not a date: {accepted}"
        raise UsageError(message)
    try:
        date.fromisoformat(key)
    except ValueError as error:
        message = f"{key!r} is not in the calendar ({error}): {accepted}"
        raise UsageError(message) from error
    return key
