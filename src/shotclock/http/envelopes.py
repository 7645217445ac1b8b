"""The envelopes that brokers push: Pub/Sub's, and CloudEvents in either form; what is inside is a report as JSON.

The fields are those of Google's push subscriptions (both spellings of the message's id) and of CloudEvents 1.0's HTTP
binding, in which a Pub/Sub message may travel as the data of an event.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field

STRUCTURED: Final = "application/cloudevents+json"
_MOST: Final = 1_000
"""Characters kept of a name that a sender gives."""


class Message(Struct, frozen=True, kw_only=True):
    """What was inside an envelope."""

    data: bytes
    id: str = ""
    source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class UnreadableError(Exception):
    """An envelope nothing can be made of: why, and what could be told of where it came from."""

    def __init__(self, reason: str, *, id: str = "", source: str = "") -> None:  # noqa: A002 - the field's own name
        super().__init__(reason)
        self.id = id
        self.source = source


def read(headers: Mapping[str, str], body: bytes) -> Message:
    """Return the message in an envelope; raises `UnreadableError`."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "ce-id" in headers or "ce-specversion" in headers:
        return _binary(headers, body)
    document = _object(body)
    if kind == STRUCTURED or "specversion" in document:
        return _structured(document)
    return _pubsub(document)


def _binary(headers: Mapping[str, str], body: bytes) -> Message:
    """Read an event whose attributes are headers and whose data is the body."""
    attributes = {name: headers.get(f"ce-{name}", "") for name in ("id", "source", "type", "specversion")}
    _whole(attributes)
    return _event(attributes, body)


def _structured(document: Mapping[str, Any]) -> Message:
    """Read an event that is one JSON object."""
    attributes = {name: _text(document.get(name)) for name in ("id", "source", "type", "specversion")}
    _whole(attributes)
    if "data_base64" in document:
        return _event(attributes, _base64(document["data_base64"], attributes["id"], attributes["source"]))
    return _event(attributes, msgspec.json.encode(document.get("data")))


def _whole(attributes: Mapping[str, str]) -> None:
    lacking = [name for name, value in attributes.items() if not value]
    if lacking:
        message = f"an event needs id, source, type and specversion; this one has no {', '.join(lacking)}"
        raise UnreadableError(message, id=attributes["id"], source=attributes["source"])


def _event(attributes: Mapping[str, str], data: bytes) -> Message:
    """Return an event's message; a Pub/Sub message that travels as its data is taken out."""
    name, source = attributes["id"], attributes["source"]
    if "pubsub" in attributes["type"]:
        inner = _pubsub(_object(data))
        return msgspec.structs.replace(inner, source=source)
    return Message(id=name, source=source, data=data, attributes=attributes)


def _pubsub(document: Mapping[str, Any]) -> Message:
    """Read the envelope of a push subscription."""
    message = document.get("message")
    source = _text(document.get("subscription"))
    if not isinstance(message, dict):
        reason = "it is neither a Pub/Sub envelope, which has a `message`, nor a CloudEvent, which has a `specversion`"
        raise UnreadableError(reason, source=source)
    name = _text(message.get("messageId") or message.get("message_id"))
    if not name:
        reason = "the message has no messageId"
        raise UnreadableError(reason, source=source)
    given = message.get("attributes")
    attributes = {_text(key): _text(value) for key, value in given.items()} if isinstance(given, dict) else {}
    data = _base64(message.get("data", ""), name, source)
    return Message(id=name, source=source, data=data, attributes=attributes)


def _base64(text: object, name: str, source: str) -> bytes:
    try:
        return b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError) as error:
        reason = f"its data is not base64: {error}"
        raise UnreadableError(reason, id=name, source=source) from error


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = f"it is not JSON: {error}"
        raise UnreadableError(reason) from error
    if not isinstance(document, dict):
        reason = f"it is a JSON {type(document).__name__}, not an object"
        raise UnreadableError(reason)
    return document


def _text(value: object) -> str:
    return value[:_MOST] if isinstance(value, str) else ""
