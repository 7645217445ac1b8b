"""Messages that nothing can be made of: kept once with what they held and why, so that they need not come again."""

from base64 import b64encode
from collections.abc import Mapping

from msgspec import Struct, field

from shotclock.engine.desk import Desk
from shotclock.errors import BusyError
from shotclock.model import Entry, digest
from shotclock.ports import Snapshot

SCOPE = "push"


class Malformed(Struct, frozen=True, kw_only=True):
    """A message that nothing can be made of."""

    id: str
    """What its sender calls it, and calls it again when it comes again; empty where it has no name."""
    source: str
    """Where it came from: a subscription, or what sent the event."""
    payload: bytes
    reason: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def quarantine(desk: Desk, message: Malformed) -> bool:
    """Keep a message, with at most `payload_bytes` of what it held, and alert once; say whether it was new.

    Raises `BusyError` where as many are kept as may be: then it is not stored and has to come again.
    """
    mark = digest(message.id.encode(), message.source.encode(), message.payload)
    kept = desk.tx.entries("quarantine", scope=SCOPE, member=mark, limit=1)
    if kept:
        desk.tx.tally(SCOPE, "quarantined again")
        return False
    most = desk.settings.parked
    if desk.tx.count_entries("quarantine", scope_prefix=SCOPE) >= most:
        full = f"{most} messages are in quarantine, as many as setting parked allows; old ones go by themselves"
        raise BusyError(full, desk.settings.purge)
    desk.keep("quarantine", SCOPE, member=mark, digest=mark, body=_body(message, desk.settings.payload_bytes))
    text = f"a message from {message.source or 'an unnamed source'} is in quarantine: {message.reason}"
    names = [message.id] if message.id else []
    body = {"fact": "quarantined", "run": "", "phase": "", "text": text, "names": names, "command": ""}
    desk.post(f"alert:quarantine:{mark}", "alert", "", body)
    return True


def _body(message: Malformed, most: int) -> dict[str, object]:
    return {
        "id": message.id,
        "source": message.source,
        "reason": message.reason,
        "attributes": dict(message.attributes),
        "bytes": len(message.payload),
        "payload": b64encode(message.payload[:most]).decode(),
    }


def quarantined(view: Snapshot, limit: int) -> list[Entry]:
    """Return messages in quarantine, the oldest first."""
    return view.entries("quarantine", scope=SCOPE, limit=limit)
