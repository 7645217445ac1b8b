"""Channels that alerts go to, as the setting `alerts` names them; an address never stands in an error or a log.

``slack=$SLACK_WEBHOOK critical,warning; ops=mailto://…; log`` are three: a webhook of Slack that hears of two
severities and whose address is in an environment variable, another service that hears of all, and the log.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from shotclock.errors import UsageError
from shotclock.model import SEVERITIES, Severity, slug
from shotclock.ports import Channel, Outlet
from shotclock.settings import Settings

LOG: Final = "log"


class Named(Struct, frozen=True, kw_only=True):
    """A channel as the setting has it."""

    name: str
    address: str
    severities: frozenset[Severity]


def named(text: str, environment: Mapping[str, str]) -> list[Named]:
    """Read the setting, addresses from the environment included; raises `ValueError` that says what is wrong."""
    found = [_named(part.split(), environment) for part in text.split(";") if part.strip()]
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"there are two channels {twice[0]}: give each a name of its own"
        raise ValueError(message)
    return found


def _named(words: list[str], environment: Mapping[str, str]) -> Named:
    name, _, address = words[0].partition("=")
    slug(name, "channel")
    if len(words) > 2:  # noqa: PLR2004 - the channel, and what it hears of
        message = f"{name}: expected NAME=ADDRESS SEVERITY,SEVERITY and ; before the next channel"
        raise ValueError(message)
    severities = frozenset(_severities(name, words[1] if len(words) > 1 else ",".join(SEVERITIES)))
    if name == LOG and not address:
        return Named(name=name, address="", severities=severities)
    return Named(name=name, address=_address(name, address, environment), severities=severities)


def _severities(name: str, text: str) -> Iterator[Severity]:
    for word in text.split(","):
        severity = next((one for one in SEVERITIES if one == word), None)
        if severity is None:
            message = f"{name}: {word!r} is no severity; there are {', '.join(SEVERITIES)}"
            raise ValueError(message)
        yield severity


def _address(name: str, text: str, environment: Mapping[str, str]) -> str:
    if not text:
        message = f"{name}: has no address: write {name}=ADDRESS, or {name}=$VARIABLE for one in the environment"
        raise ValueError(message)
    if not text.startswith("$"):
        return text
    address = environment.get(text[1:], "").strip()
    if not address:
        message = f"{name}: the environment variable {text[1:]} is not set, or empty"
        raise ValueError(message)
    return address


def open_channels(settings: Settings, log: Channel, environment: Mapping[str, str] | None = None) -> tuple[Outlet, ...]:
    """Open the channels of a process; `log` is that of the log, which is alone where none is configured.

    Raises `UsageError` that names the setting for one that cannot be used, before anything begins.
    """
    try:
        known = named(settings.alerts, os.environ if environment is None else environment)
        outlets = [Outlet(name=one.name, channel=_open(one, settings, log), severities=one.severities) for one in known]
    except ValueError as error:
        message = f"setting alerts ({settings.origin('alerts')}): {error}"
        raise UsageError(message) from None
    return tuple(outlets) or (Outlet(name=LOG, channel=log, each=True),)


def _open(one: Named, settings: Settings, log: Channel) -> Channel:
    if not one.address:
        return log
    try:
        if one.address.startswith(("https://", "http://")):
            from shotclock.channels.slack import SlackChannel  # noqa: PLC0415 - only the channels in use are loaded

            return SlackChannel(one.name, one.address, settings.alerts_send)
        from shotclock.channels.other import OtherChannel  # noqa: PLC0415 - likewise

        return OtherChannel(one.name, one.address, settings.alerts_send)
    except ModuleNotFoundError as error:
        message = f"{one.name}: needs {error.name}, which is not installed: pip install 'shotclock[alerts]'"
        raise ValueError(message) from error
