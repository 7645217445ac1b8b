"""Enumerations: a user's generator of items becomes pages of a roll, each id once, in a fixed order."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from msgspec.structs import replace

from shotclock.clock import seconds
from shotclock.context import Context
from shotclock.engine import results
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.job import Job, settled
from shotclock.engine.members import raised, resolve
from shotclock.engine.working import Held, ItemPair
from shotclock.errors import MemberError, StoreError, UsageError
from shotclock.model import TaskReport, member_name
from shotclock.outcomes import Item

_TOGETHER: Final = 8
"""Most pages that share a commit."""
_REPEATED_MOST = 100
"""Repeated ids that are named."""


def enumerate_items(job: Job, context: Context, coordinator: Coordinator, page: int) -> TaskReport:
    """Store what the function lists in pages of `page` items; the report that seals the roll follows all of them.

    An enumeration that is taken up again gives the same pages again, which the store compares and keeps once.
    """
    held = Held(phase=job.phase, work=job.work, lo=job.lo, token=job.token)
    repeated: list[str] = []
    try:
        function = resolve(job.function, job.folder)
        number = 0
        for pages in _together(
            _once(_pairs(function(context), job.payload_bytes), repeated),
            page,
            coordinator.settings.poll.total_seconds(),
        ):
            coordinator.add_pages(held, number, pages)
            number += len(pages)
        if repeated:
            coordinator.repeated(job.phase, repeated)
    except StoreError:
        raise
    except UsageError as error:
        return raised(job, context, MemberError(str(error)))
    except BaseException as error:  # noqa: BLE001 - even SystemExit is an error of this enumeration alone
        return raised(job, context, error)
    return replace(settled(job, b"", {}), pages=number)


def _together(items: Iterator[ItemPair], size: int, hold: float) -> Iterator[list[list[ItemPair]]]:
    """Yield the pages that share a commit: the first alone, then twice as many each time, while they come quickly.

    Whoever waits for work has it with the first page. One that is there after `hold` seconds of listing is not held
    back for another; before that it may wait for the next one to be listed.
    """
    most, pages, since = 1, list[list[ItemPair]](), seconds()
    while page := list(islice(items, size)):
        pages.append(page)
        if len(pages) == most or seconds() > since + hold:
            yield pages
            most, pages, since = min(most * 2, _TOGETHER), [], seconds()
    if pages:
        yield pages


def _pairs(listed: object, limit: int) -> Iterator[ItemPair]:
    """Yield id and payload of everything listed; raise `MemberError` naming the item that cannot be used."""
    try:
        items = iter(listed)  # type: ignore[call-overload]  # what cannot be iterated raises, and is named
    except TypeError as error:
        message = f"returned {type(listed).__name__}; yield items: Item(id, payload), (id, payload) or an id"
        raise MemberError(message) from error
    for place, item in enumerate(items):
        yield _pair(item, place, limit)


def _pair(item: object, place: int, limit: int) -> ItemPair:
    if isinstance(item, str):
        return _name(item, place), None
    given: tuple[object, object] = (item, None)
    if isinstance(item, Item):
        given = (item.id, item.payload)
    elif isinstance(item, tuple) and len(item) == 2:  # noqa: PLR2004 - id and payload
        given = item
    name, payload = _name(given[0], place), given[1]
    if payload is not None:
        payload = results.json_copy(payload, limit, f"item {place} ({name}): the payload")
    return name, payload


def _name(given: object, place: int) -> str:
    if not isinstance(given, str):
        message = f"item {place}: the id is {given!r}, not text; yield Item(id, payload), (id, payload) or an id"
        raise MemberError(message)
    try:
        return member_name(given)
    except ValueError as error:
        message = f"item {place}: {error}"
        raise MemberError(message) from error


def _once(pairs: Iterator[ItemPair], repeated: list[str]) -> Iterator[ItemPair]:
    """Yield the first item of each id; note the first few that come again."""
    seen: set[str] = set()
    for pair in pairs:
        before = len(seen)
        seen.add(pair[0])
        if len(seen) > before:
            yield pair
        elif len(repeated) < _REPEATED_MOST:
            repeated.append(pair[0])
