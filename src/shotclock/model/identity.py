"""Names: how pipelines, runs, phases and members are called, compared and hashed."""

import re
import unicodedata
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct

MEMBER_NAME_BYTES = 1_500
"""Longest member name, in UTF-8 bytes after normalisation; what document databases accept as a key."""

DEFAULT_MODE = "default"

_SLUG = re.compile(r"[a-z0-9_-]{1,100}")
_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")
_RUN_ID = re.compile(r"(?P<pipeline>[^/#]+)/(?P<key>[^/#]+)(?:/(?P<mode>[^/#]+))?(?:#(?P<generation>[1-9][0-9]{0,5}))?")


class RunId(Struct, frozen=True, kw_only=True, order=True):
    """The identity of a run: ``nba/2025-01-15``, ``nba/2025-01-15/same_day``, ``nba/2025-01-15#2``.

    The default mode and the first generation are left out of the text form.
    """

    pipeline: str
    key: str
    mode: str = DEFAULT_MODE
    generation: int = 1

    def __str__(self) -> str:
        mode = "" if self.mode == DEFAULT_MODE else f"/{self.mode}"
        generation = "" if self.generation == 1 else f"#{self.generation}"
        return f"{self.pipeline}/{self.key}{mode}{generation}"

    @classmethod
    def parse(cls, text: str) -> "RunId":
        """Read the text form; raises `ValueError` naming what is wrong with it."""
        return _parsed(text)


@lru_cache(maxsize=1_024)
def _parsed(text: str) -> RunId:
    """Read a run's text form; reports of one run follow each other, so what was read is kept for a while."""
    found = _RUN_ID.fullmatch(text)
    if found is None:
        message = f"{text!r} is not a run: expected PIPELINE/KEY, PIPELINE/KEY/MODE or PIPELINE/KEY#GENERATION"
        raise ValueError(message)
    return RunId(
        pipeline=slug(found["pipeline"], "pipeline"),
        key=run_key(found["key"]),
        mode=slug(found["mode"] or DEFAULT_MODE, "mode"),
        generation=int(found["generation"] or 1),
    )


def names_generation(text: str) -> bool:
    """Say whether a run's text form names its generation, as ``nba/2025-01-15#2`` does."""
    return "#" in text


def slug(text: str, what: str) -> str:
    """Return `text` if it may name a pipeline, phase or mode; raise `ValueError` otherwise."""
    if not _SLUG.fullmatch(text):
        message = f"{text!r} cannot name a {what}: use 1 to 100 of a-z, 0-9, _ and -"
        raise ValueError(message)
    return text


def run_key(text: str) -> str:
    """Return `text` if it may be a run's key; raise `ValueError` otherwise."""
    if not _KEY.fullmatch(text):
        message = f"{text!r} cannot be a key: use 1 to 100 letters, digits, dots, _ and -"
        raise ValueError(message)
    return text


def member_name(text: str) -> str:
    """Return a member's name as members are compared (NFC); raise `ValueError` if it cannot be one."""
    name = text if text.isascii() else unicodedata.normalize("NFC", text)
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        message = f"{text!a} cannot name a member: it is not valid Unicode text"
        raise ValueError(message) from None
    if not name.strip() or size > MEMBER_NAME_BYTES:
        message = f"{text[:80]!r} cannot name a member: it must have 1 to {MEMBER_NAME_BYTES} bytes, it has {size}"
        raise ValueError(message)
    return name


def lookalike(text: str) -> str:
    """Fold a name to what a hurried reader sees, without case, accents and look-alike forms; for suggestions only."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def digest(*parts: bytes) -> str:
    """Return 32 hex digits that stand for the parts, their borders included."""
    whole = blake2b(digest_size=16)
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.hexdigest()
