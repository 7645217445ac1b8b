"""Alerts in any service that apprise knows: mail, chats, pagers, by an address such as mailto:// or pagerduty://."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from warnings import catch_warnings, simplefilter

import apprise

from shotclock.errors import LaterError

_KINDS: Final = {
    "critical": apprise.NotifyType.FAILURE,
    "warning": apprise.NotifyType.WARNING,
    "info": apprise.NotifyType.INFO,
}


class OtherChannel:
    """One service; its address is a secret, and stands in no error."""

    def __init__(self, name: str, address: str, within: timedelta) -> None:
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would write addresses into the log
        with catch_warnings():
            simplefilter(
                "ignore", DeprecationWarning
            )  # of modules that apprise imports, about which nobody here can act
            service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if not isinstance(service, apprise.NotifyBase):
            message = f"{name}: its address is none that apprise knows"
            raise ValueError(message)  # noqa: TRY004 - a bad value of a setting
        service.socket_connect_timeout = service.socket_read_timeout = within.total_seconds() / 2
        self._service = service

    def send(self, alert: Mapping[str, Any]) -> None:
        """Send one alert; why a service did not take it is known to apprise alone, so any may be tried again."""
        over = alert.get("state") == "over"
        kind = apprise.NotifyType.SUCCESS if over else _KINDS.get(str(alert.get("severity")), apprise.NotifyType.INFO)
        names = ", ".join(str(name) for name in alert.get("names", ()))
        lines = [str(alert.get("text", "")), f"missing: {names}" if names else "", _run(alert)]
        body = "\n".join(line for line in lines if line)
        if not self._service.notify(body=body, title=f"shotclock: {alert.get('fact', 'alert')}", notify_type=kind):
            message = "the service did not take it"
            raise LaterError(message)


def _run(alert: Mapping[str, Any]) -> str:
    return f"run: {alert['command']}" if alert.get("command") else ""
