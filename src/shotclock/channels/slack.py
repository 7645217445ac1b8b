"""Alerts in Slack, or what takes the same webhooks: what, since when, who is missing, the command to run."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from math import ceil
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk.webhook import WebhookClient

from shotclock.errors import LaterError, RefusedError

_HEADER, _SECTION, _FALLBACK, _NAMES = 150, 3_000, 4_000, 20
"""What Slack takes at most: of a heading, of a section, of the text; and names a screen shows well."""
_SIGNS: Final = {"critical": ":rotating_light:", "warning": ":warning:", "info": ":information_source:"}
_OVER: Final = ":white_check_mark:"
_OK: Final = range(200, 300)
_WRONG: Final = range(300, 500)
_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class SlackChannel:
    """One incoming webhook; its address is a secret, and stands in no error."""

    def __init__(self, name: str, address: str, within: timedelta) -> None:
        if not urlsplit(address).hostname:
            message = f"{name}: its address is no https://HOST/PATH"
            raise ValueError(message)
        quiet = logging.getLogger("shotclock.quiet")
        quiet.setLevel(logging.CRITICAL + 1)  # what it would log holds the address
        self._client = WebhookClient(address, timeout=ceil(within.total_seconds()), logger=quiet, retry_handlers=[])

    def send(self, alert: Mapping[str, Any]) -> None:
        """Post one alert, once; raises `LaterError` or `RefusedError` by what Slack says, `LaterError` for silence."""
        try:
            response = self._client.send(text=_cut(str(alert.get("text", "")), _FALLBACK), blocks=blocks(alert))
        except (OSError, HTTPException) as error:
            message = f"no answer: {_why(error)}"
            raise LaterError(message) from None  # the cause may name the address
        status = response.status_code
        if status in _OK:
            return
        message = f"HTTP {status}: {_cut(' '.join(response.body.split()), _HEADER)}"
        if status in _WRONG and status not in _PASSING:
            raise RefusedError(message)
        raise LaterError(message, _after(response.headers))


def _why(error: Exception) -> str:
    """Return why there was no answer, in words that hold no address."""
    cause = error.reason if isinstance(error, URLError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__


def _after(headers: Mapping[str, str]) -> timedelta | None:
    """Return the wait that is asked for, in seconds; a date, or anything else, asks for none in particular."""
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return timedelta(seconds=int(asked)) if asked.isdecimal() else None


def blocks(alert: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an alert as Slack shows it, nothing longer than Slack takes."""
    sign = _OVER if alert.get("state") == "over" else _SIGNS.get(str(alert.get("severity", "")), "")
    where = " ".join(str(alert[key]) for key in ("run", "phase") if alert.get(key))
    title = _cut(f"{alert.get('fact', 'alert')}: {where}" if where else str(alert.get("fact", "alert")), _HEADER - 1)
    found = [
        {"type": "header", "text": {"type": "plain_text", "text": title}},
        _section(f"{sign} {_plain(str(alert.get('text', '')))}".strip()),
    ]
    names = [_plain(str(name)) for name in alert.get("names", ())]
    if names:
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        found.append(_section(f"*Missing:* {', '.join(names[:_NAMES])}{more}"))
    if alert.get("command"):
        found.append(_section(f"*Run:* `{_plain(str(alert['command']))}`"))
    context = [f"{key} {alert[key]}" for key in ("severity", "since", "id") if alert.get(key)]
    if context:
        said = {"type": "mrkdwn", "text": _cut(_plain(" · ".join(context)), _SECTION)}
        found.append({"type": "context", "elements": [said]})
    return found


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _SECTION)}}


def _plain(text: str) -> str:
    """Return text as Slack shows it letter by letter: names of members are no links and mention nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
