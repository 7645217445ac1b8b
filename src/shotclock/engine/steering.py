"""What operators do to alerts: take them on, silence them, and hear of them again."""

from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from shotclock.core import alerts
from shotclock.engine.alerting import Ledger, records, silences
from shotclock.errors import NotFoundError, UsageError
from shotclock.model import Acknowledged, Alert, Entry, Silence, digest
from shotclock.ports import Store, Transaction
from shotclock.settings import Settings


def acknowledge(store: Store, settings: Settings, now: datetime, number: str, by: Acknowledged) -> Alert:
    """Take on the alert that a number, or its beginning, names: it is told no more until it is over.

    Who did so first stays. Raises `NotFoundError` for no such alert, `UsageError` for several or one that is over.
    """

    def work(tx: Transaction) -> Alert:
        alert = alerts.taken_on(_open(tx, number), replace(by, at=now))
        Ledger(tx, settings, now).put(alert)
        audit = {"what": "acknowledge", "actor": by.actor, "reason": by.reason}
        tx.append(Entry(kind="audit", scope=alert.pipeline or "*", member=alert.id, at=now, body=audit))
        return alert

    return store.write(work)


def _open(tx: Transaction, number: str) -> Alert:
    found = [alert for alert in records(tx) if alert.id.startswith(number)]
    if len(found) != 1:
        message = f"{number!r} names {len(found) or 'none'} of the alerts: shotclock alerts list shows them"
        raise NotFoundError(message) if not found else UsageError(message)
    if found[0].over_at is not None:
        message = f"{found[0].id} is over: {found[0].over}"
        raise UsageError(message)
    return found[0]


def silence(store: Store, now: datetime, what: Silence, span: timedelta) -> Silence:
    """Keep what is not to be told for a while; records are made nevertheless, and what still holds then is told."""
    made = replace(what, at=now, until=now + span)
    made = replace(made, id=digest(msgspec.json.encode(made))[:10])
    store.write(lambda tx: _keep(tx, made, now))
    return made


def _keep(tx: Transaction, made: Silence, now: datetime) -> None:
    old = [one for one in tx.entries("silence", scope="silence") if msgspec.convert(one.body, Silence).until <= now]
    tx.remove_entries([entry.id for entry in old])
    body = msgspec.to_builtins(made)
    tx.append(Entry(kind="silence", scope="silence", member=made.id, at=now, body=body))
    audit = {"what": "silence", "actor": made.actor, "reason": made.reason, "silence": body}
    tx.append(Entry(kind="audit", scope=made.run or made.pipeline or "*", member=made.id, at=now, body=audit))


def unsilence(store: Store, now: datetime, number: str, actor: str) -> Silence:
    """End a silence before its time; raises `NotFoundError` if there is none of that number, or its beginning."""

    def work(tx: Transaction) -> Silence:
        held = [one for one in silences(tx) if one.id.startswith(number) and now < one.until]
        if len(held) != 1:
            message = f"{number!r} names {len(held) or 'none'} of the silences: shotclock alerts list shows them"
            raise NotFoundError(message)
        kept = tx.entries("silence", scope="silence", member=held[0].id)
        tx.remove_entries([entry.id for entry in kept])
        audit = {"what": "unsilence", "actor": actor}
        scope = held[0].run or held[0].pipeline or "*"
        tx.append(Entry(kind="audit", scope=scope, member=held[0].id, at=now, body=audit))
        return held[0]

    return store.write(work)
