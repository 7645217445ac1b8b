"""Taking secrets out of what is said: by the name they go under, and by what they look like."""

import re
from collections.abc import Mapping
from typing import Final

REDACTED: Final = "[redacted]"
_NAMES: Final = re.compile(
    r"pass(?:word|wd|phrase)|secret|(?:^|_|-)token$|authorization|api[_-]?key|credential|cookie|private[_-]?key|dsn$",
    re.IGNORECASE,
)
_SHAPES: Final = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@"), rf"\1{REDACTED}@"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), REDACTED),
    (re.compile(r"\b(?:xox[a-z]-|gh[a-z]_|sk-|AKIA|AIza|ya29\.)[\w-]{8,}"), REDACTED),
    (re.compile(r"(hooks\.slack\.com/services/)[\w/]+"), rf"\1{REDACTED}"),
    (re.compile(r"\b(shotclock_)[A-Za-z0-9]{4,}_[\w-]{16,}"), rf"\1{REDACTED}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), REDACTED),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password|passwd|secret|api[_-]?key|access_token|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]{4,}"
        ),
        rf"\1{REDACTED}",
    ),
)
_HINTS: Final = re.compile(
    r"(?i)bearer|basic|://|eyJ|xox|gh\w_|sk-|AKIA|AIza|ya29|slack|shotclock_|BEGIN|pass|secret|key|token"
)
"""What a text must have for a look at the shapes to be worth it."""


def redacted(value: object, name: str = "") -> object:
    """Return what JSON has of a value without its secrets; numbers and flags are none."""
    match value:
        case str():
            return REDACTED if value and name and _NAMES.search(name) else clean(value)
        case Mapping():
            return {key: redacted(inner, str(key)) for key, inner in value.items()}
        case list():
            return [redacted(inner, name) for inner in value]
        case _:
            return value


def clean(text: str) -> str:
    """Return a text without what looks like a secret."""
    if _HINTS.search(text):
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
    return text
