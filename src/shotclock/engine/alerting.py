"""Alerts as records: facts become them, repeats fold into them, and each channel gets its notice in the same commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shotclock.core import alerts
from shotclock.model import NOTICE, Alert, Budget, Delivery, DeliveryState, Entry, Outgoing, Silence, digest
from shotclock.ports import Outlet, Snapshot, Transaction
from shotclock.settings import Settings

OPEN: Final = "open"
OVER: Final = "over"
"""Scopes of records, by whether what they tell is over."""
_ID: Final = 10
"""Letters of an alert's name: enough to be typed, and too many for two to be the same."""
_UNHEARD: Final = 5
"""Failed attempts in a row after which other channels are told of it."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a notice that was sent to a channel."""

    message: Outgoing
    state: DeliveryState
    error: str | None = None
    ready_at: datetime | None = None
    """When it is sent again."""

    @property
    def channel(self) -> str:
        """The channel's name."""
        return self.message.route.removeprefix(NOTICE)


class Ledger:
    """The records of alerts within one transaction."""

    def __init__(self, tx: Transaction, settings: Settings, now: datetime, outlets: Sequence[Outlet] = ()) -> None:
        self.tx = tx
        self.settings = settings
        self.now = now
        self.limits = alerts.Limits(
            window=settings.alerts_window, most=settings.alerts_most, runs=max(settings.named, 2)
        )
        self._own = outlets

    # --- facts become alerts ---

    def take(self, message: Outgoing) -> None:
        """Make an alert of a fact, or count it in the one that is there; from here on notices carry it."""
        said = message.body
        repeat = alerts.begun(said, _pipeline(said), digest(message.key.encode())[:_ID], self.now)
        before = self._open(repeat)
        alert = repeat if before is None else alerts.again(before, repeat)
        news = before is None or alerts.is_news(alert, self.now, self.limits)
        if news and before is not None:
            alert = alerts.retold(alert, self.now)
        for outlet in self._outlets():
            wanted = outlet.severities >= {alert.severity} and outlet.name != said.get("except")
            if outlet.each and wanted:
                self._post(outlet.name, message.key, {"alert": alert.id, "said": said})
            elif wanted and news:
                alert = self._notify(alert, outlet.name)
        self.put(alert)
        self._remind(alert)
        self.tx.sent([message.key])

    def _notify(self, alert: Alert, channel: str) -> Alert:
        """Post the notice of an alert to a channel, unless that is silenced or has had its most."""
        if any(one.holds_for(alert, channel, self.now) for one in self.silences()):
            return self._stands(alert, channel, "silenced")
        if not self._spend(channel, alert.fact):
            return self._stands(alert, channel, "summed")
        self._post(channel, f"{alert.id}:{alert.told}:{self.now.isoformat()}", {"alert": alert.id})
        return self._stands(alert, channel, "waiting")

    def _stands(self, alert: Alert, channel: str, state: DeliveryState, **more: Any) -> Alert:  # noqa: ANN401 - fields
        delivery = Delivery(state=state, at=self.now, **more)
        return replace(alert, channels={**alert.channels, channel: delivery})

    def _spend(self, channel: str, fact: str) -> bool:
        """Take one notice from what a channel may have; what is beyond that is summed up at the end of the window."""
        kept = self.tx.entries("alert", scope=f"budget {channel}")
        before = msgspec.convert(kept[-1].body, Budget) if kept else None
        budget, free = alerts.spend(before, fact, self.now, self.limits)
        if before is not None and before.since == budget.since:
            self.tx.remove_entries([kept[-1].id])
        else:
            self.tx.remove_entries([entry.id for entry in kept if not entry.body.get("more")])
        since = budget.since.isoformat()
        self._keep(f"budget {channel}", budget, member=since)
        if not free:
            self._post(channel, f"sum:{since}", {"sum": since}, ready_at=budget.since + self.limits.window)
        return free

    def _post(self, channel: str, key: str, body: Mapping[str, Any], ready_at: datetime | None = None) -> None:
        self.tx.post(
            Outgoing(
                key=f"notice:{channel}:{key}",
                route=f"{NOTICE}{channel}",
                body=dict(body),
                created_at=self.now,
                ready_at=ready_at or self.now,
            )
        )

    def _remind(self, alert: Alert) -> None:
        """Have a new alert looked at, until it is over."""
        at, body = self._next_look(alert), {"alert": alert.id}
        self.tx.post(Outgoing(key=f"look:{alert.id}", route="look", body=body, created_at=self.now, ready_at=at))

    def _next_look(self, alert: Alert) -> datetime:
        """Return when there may be something to find: what can end is looked at often, the rest after its window."""
        soon = self.now + self.settings.alerts_look
        return soon if alert.fact in alerts.ENDS else max(alert.window_at + self.limits.window, soon)

    # --- alerts go on, and end ---

    def look(self, alert: Alert, over: str | None) -> datetime | None:
        """Tell what has become of an alert, given why it is over if it is; return when to look again."""
        news = alerts.is_news(alert, self.now, self.limits)
        quiet = self.now >= alert.last_at + self.settings.alerts_kept
        past = not news and not alerts.folds(alert, self.now, self.limits) and alert.fact not in alerts.ENDS
        if over is not None or quiet or past:
            self._end(alert, over or ("it was told" if past else "it has not come again"), told=over is not None)
            return None
        channels = [name for name, one in alert.channels.items() if one.state == "silenced"]
        if news:
            alert = alerts.retold(alert, self.now)
            channels = list(alert.channels)
        if alert.acknowledged is None:
            for channel in channels:
                alert = self._notify(alert, channel)
        self.put(alert)
        return self._next_look(alert)

    def _end(self, alert: Alert, why: str, *, told: bool) -> None:
        alert = alerts.ended(alert, why, self.now)
        for channel, delivery in alert.channels.items():
            if told and delivery.state in {"waiting", "failing", "delivered"}:
                self._post(channel, f"over:{alert.id}", {"alert": alert.id, "over": True})
        self.put(alert)
        old = self.tx.entries("alert", scope=OVER, limit=self.settings.backlog)
        late = [entry for entry in old if entry.at < self.now - self.settings.alerts_kept]
        beyond = max(len(old) - self.settings.named, 0)
        self.tx.remove_entries({entry.id for entry in (*late, *old[:beyond])})

    # --- notices ---

    def payload(self, message: Outgoing) -> Mapping[str, Any] | None:
        """Return what a channel is sent for a notice; None if nothing is to be sent, now or any more."""
        channel, body = message.route.removeprefix(NOTICE), message.body
        if "said" in body:
            said: Mapping[str, Any] = body["said"]
            return said
        if "sum" in body:
            return self._sum(channel, message)
        alert = self.find(body["alert"])
        if alert is None:
            self.tx.sent([message.key])
            return None
        if body.get("over"):
            return self._recovery(alert, channel, message)
        if alert.over_at is None and any(one.holds_for(alert, channel, self.now) for one in self.silences()):
            self.put(self._stands(alert, channel, "silenced"))
            self.tx.sent([message.key])
            return None
        return alerts.notice(alert)

    def _recovery(self, alert: Alert, channel: str, message: Outgoing) -> Mapping[str, Any] | None:
        """Return the end of an alert for who was told of it; it waits for a notice that is still under way."""
        stands = alert.channels[channel].state
        if stands == "delivered":
            return alerts.recovery(alert)
        if stands in {"waiting", "failing"}:
            self.tx.unsent(message.key, self.now + self.settings.alerts_look, "the alert is still under way")
        else:
            self.tx.sent([message.key])
        return None

    def _sum(self, channel: str, message: Outgoing) -> Mapping[str, Any] | None:
        kept = self.tx.entries("alert", scope=f"budget {channel}", member=message.body["sum"])
        if not kept:
            self.tx.sent([message.key])
            return None
        return alerts.sum_of(msgspec.convert(kept[-1].body, Budget))

    def settle(self, outcome: Outcome) -> None:
        """Keep what became of a notice; who cannot be reached is told to others, once."""
        message, channel = outcome.message, outcome.channel
        if outcome.ready_at is not None:
            self.tx.unsent(message.key, outcome.ready_at, outcome.error or "")
        else:
            self.tx.sent([message.key])
        if "sum" in message.body and outcome.ready_at is None:
            kept = self.tx.entries("alert", scope=f"budget {channel}", member=message.body["sum"])
            self.tx.remove_entries([entry.id for entry in kept if kept and entry.body.get("more")])
        alert = self.find(message.body["alert"]) if "alert" in message.body else None
        if alert is not None and not message.body.keys() & {"said", "over"}:
            more = {"attempts": message.attempts + 1, "error": outcome.error}
            self.put(self._stands(alert, channel, outcome.state, **more))
        self._reachable(outcome)

    def _reachable(self, outcome: Outcome) -> None:
        """Note whether a channel takes what it is sent, where that has changed."""
        channel = outcome.channel
        kept = self.tx.entries("alert", scope="unreachable", member=channel)
        if outcome.state == "delivered":
            self.tx.remove_entries([entry.id for entry in kept])
        elif not kept and (outcome.state == "refused" or outcome.message.attempts + 1 >= _UNHEARD):
            self.tx.append(Entry(kind="alert", scope="unreachable", member=channel, at=self.now))
            body = {
                "fact": "undelivered",
                "run": "",
                "phase": channel,
                "text": f"the channel {channel} does not take alerts: {outcome.error}",
                "names": [],
                "command": f"shotclock alerts test {channel}",
                "except": channel,
            }
            key = f"alert:undelivered:{channel}:{self.now.isoformat()}"
            self.tx.post(Outgoing(key=key, route="alert", body=body, created_at=self.now, ready_at=self.now))

    # --- records ---

    def find(self, number: str) -> Alert | None:
        """Return an alert by its whole name."""
        return next((alert for alert, _ in _records(self.tx, number)), None)

    def put(self, alert: Alert) -> None:
        """Replace the record of an alert."""
        self.tx.remove_entries([entry.id for _, entry in _records(self.tx, alert.id)])
        scope = OPEN if alert.over_at is None else OVER
        self._keep(scope, alert, phase=_where(alert), member=alert.id)

    def silences(self) -> list[Silence]:
        """Return what is not to be told now."""
        return [one for one in silences(self.tx) if self.now < one.until]

    def _open(self, repeat: Alert) -> Alert | None:
        """Return the alert that a fact belongs to, if there is one; one that only repeated is over."""
        kept = self.tx.entries("alert", scope=OPEN, phase=_where(repeat))
        known = [msgspec.convert(entry.body, Alert) for entry in kept]
        fitting = [alert for alert in known if alerts.folds(alert, self.now, self.limits)]
        for alert in known:
            if alert not in fitting and alert.fact not in alerts.ENDS:
                self._end(alert, "it was told", told=False)
        return fitting[-1] if fitting else None

    def _outlets(self) -> list[Outlet]:
        """Return the channels of this process and those that others have said to have."""
        known = {outlet.name: outlet for outlet in self._own}
        for entry in self.tx.entries("alert", scope="channel"):
            if entry.at >= self.now - self.settings.gone and entry.member not in known:
                severities = frozenset(entry.body["severities"])
                known[entry.member] = Outlet(name=entry.member, channel=_ELSEWHERE, severities=severities)
        return list(known.values())

    def register(self) -> None:
        """Say which channels this process has, so that others leave their notices in the outbox."""
        for outlet in self._own:
            if not outlet.each:
                kept = self.tx.entries("alert", scope="channel", member=outlet.name)
                self.tx.remove_entries([entry.id for entry in kept])
                body = {"severities": sorted(outlet.severities)}
                self.tx.append(Entry(kind="alert", scope="channel", member=outlet.name, at=self.now, body=body))

    def _keep(self, scope: str, value: Struct, *, phase: str = "", member: str = "") -> None:
        body = msgspec.to_builtins(value)
        self.tx.append(Entry(kind="alert", scope=scope, phase=phase, member=member, at=self.now, body=body))


class _Elsewhere:
    """Stands for a channel that another process has."""

    def send(self, alert: Mapping[str, Any]) -> None:
        raise AssertionError(alert)


_ELSEWHERE: Final = _Elsewhere()


def records(view: Snapshot, *, over: bool = True) -> list[Alert]:
    """Return the alerts that are kept, the one that came last at the end."""
    kept = view.entries("alert", scope=OPEN) + (view.entries("alert", scope=OVER) if over else [])
    found = (msgspec.convert(entry.body, Alert) for entry in kept)
    return sorted(found, key=lambda alert: (alert.last_at, alert.id))


def silences(view: Snapshot) -> list[Silence]:
    """Return every silence that is kept."""
    return [msgspec.convert(entry.body, Silence) for entry in view.entries("silence", scope="silence")]


def _records(view: Snapshot, number: str) -> list[tuple[Alert, Entry]]:
    kept = view.entries("alert", scope=OPEN, member=number) + view.entries("alert", scope=OVER, member=number)
    return [(msgspec.convert(entry.body, Alert), entry) for entry in kept]


def _where(alert: Alert) -> str:
    return f"{alert.fact} {alert.pipeline} {alert.phase}"


def _pipeline(said: Mapping[str, Any]) -> str:
    return str(said.get("run", "")).partition("/")[0]
