"""The intake: reports of many requests share commits, each gets its own answer, and nobody waits for ever."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TypeVar

import pytest

from shotclock.errors import BusyError, StoreUnavailableError, UsageError
from shotclock.model import Answer, Report
from shotclock.ports import Transaction
from shotclock.stores.memory import MemoryStore
from tests.scenarios.world import FlawedStore
from tests.unit.http.house import DAY, RUN, Asking, asking

T = TypeVar("T")
PATIENCE = 30.0


def report(member: str) -> Report:
    return Report(run=RUN, phase="raw", member=member, outcome="succeeded")


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    with asking(tmp_path) as made:
        made("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        yield made


def test_each_of_many_callers_gets_its_own_answer_and_a_bad_one_touches_nobody(ask: Asking) -> None:
    async def all_at_once() -> list[list[Answer] | BaseException]:
        calls = [ask.service.intake.report([report(name)]) for name in ("odds", " ", "props", "odds", "nobody")]
        return await asyncio.gather(*calls, return_exceptions=True)

    first, bad, second, again, unknown = asyncio.run(all_at_once())
    assert isinstance(bad, UsageError)
    kinds = [one[0].kind for one in (first, second, again, unknown) if not isinstance(one, BaseException)]
    assert kinds == ["accepted", "accepted", "duplicate", "parked"]


class HeldStore(MemoryStore):
    """A store that commits only while it is free to."""

    def __init__(self) -> None:
        super().__init__()
        self.free = Event()
        self.free.set()

    def write(self, work: Callable[[Transaction], T]) -> T:
        assert self.free.wait(PATIENCE)
        return super().write(work)


def test_more_than_may_wait_is_asked_to_come_again(tmp_path: Path) -> None:
    store = HeldStore()

    async def too_many(ask: Asking) -> list[list[Answer] | BaseException]:
        store.free.clear()
        calls = [asyncio.ensure_future(ask.service.intake.report([report("odds")] * 3)) for _ in range(8)]
        await asyncio.sleep(0)  # every call has entered, or was refused
        store.free.set()
        return await asyncio.gather(*calls, return_exceptions=True)

    with asking(tmp_path, store, waiting=6) as ask:
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        found = asyncio.run(too_many(ask))
    refused = [one for one in found if isinstance(one, BusyError)]
    assert refused
    assert len(refused) + sum(isinstance(one, list) for one in found) == 8


def test_what_the_store_cannot_take_is_refused_and_taken_when_it_can(tmp_path: Path) -> None:
    store = FlawedStore(MemoryStore())
    with asking(tmp_path, store) as ask:
        ask("POST", "/v1/runs", {"pipeline": "sources", "key": DAY})
        store.down = True
        refused = ask.report("odds")
        assert (refused.status, int(refused.headers["retry-after"])) == (503, 1)
        store.down = False
        assert ask.report("odds").body["answer"] == "accepted"


def test_after_the_end_nothing_is_taken(ask: Asking) -> None:
    ask.service.close()
    with pytest.raises(StoreUnavailableError, match="is stopping"):
        asyncio.run(ask.service.intake.report([report("odds")]))
