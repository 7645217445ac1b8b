"""Handlers count once: whoever comes again is given the result, and effect and record are one where they can be."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from shotclock import Coordinator, Settings, idempotent, open_store
from shotclock.engine.claiming import Claims, figures
from shotclock.errors import BusyError, ConflictError, FencedError, UsageError
from shotclock.ports import Store
from shotclock.stores.memory import MemoryStore
from tests.unit.engine.day import Day, StandingClock

SETTINGS = Settings()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = MemoryStore() if request.param == "memory" else open_store(Settings(home=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Settings(home=tmp_path))
    yield opened
    opened.close()


def counted(store: Store) -> dict[str, int]:
    return {name: number for name, number in store.read(figures).items() if number}


def once(store: Store, key: str = "k", payload: object = None) -> Any:  # noqa: ANN401 - both of what it is
    return idempotent(key, payload, store=store, settings=SETTINGS)


def test_a_handler_runs_once_for_a_key_and_gives_repeats_its_result(store: Store) -> None:
    ran: list[int] = []

    @idempotent(lambda number: f"n{number}", store=store, settings=SETTINGS)
    def handler(number: int) -> dict[str, tuple[int, ...]]:
        """Handle."""
        ran.append(number)
        return {"squares": (number, number**2)}

    said: list[object] = [handler(number) for number in (2, 3, 2, 2)]
    assert said == [{"squares": [2, 4]}, {"squares": [3, 9]}, *[{"squares": [2, 4]}] * 2]
    assert (ran, handler.__doc__) == ([2, 3], "Handle.")
    assert counted(store) == {"kept": 2, "claimed": 2, "repeated": 2}


def test_the_same_key_with_other_arguments_or_another_payload_is_a_conflict(store: Store) -> None:
    handler = once(store)(lambda *, a, b: [a, b])
    assert handler(a=1, b={"x": 1, "y": 2}) == handler(b={"y": 2, "x": 1}, a=1)
    with pytest.raises(ConflictError, match=r"^k: it was used with another payload; take a new key"):
        handler(a=1, b=2)
    with pytest.raises(ConflictError), once(store, payload="other"):
        pass
    assert counted(store)["conflicts"] == 2


def test_a_block_gives_its_result_to_who_comes_again(store: Store) -> None:
    with once(store) as first:
        assert (first.repeated, first.result, first.token) == (False, None, 1)
        assert first.done({"n": (1,)}) == {"n": [1]}
    with once(store) as second:
        assert (second.repeated, second.result) == (True, {"n": [1]})
        with pytest.raises(UsageError, match="ask `repeated` first"):
            second.done()


def test_a_block_that_says_nothing_is_done_and_one_that_raises_is_not(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), once(store):
        _ = 1 / 0
    with once(store) as again:
        assert (again.repeated, again.token) == (False, 2)
    with once(store) as third:
        assert (third.repeated, third.result) == (True, None)
    assert counted(store) == {"kept": 1, "claimed": 2, "released": 1, "repeated": 1}


def test_whoever_comes_meanwhile_is_told_to_come_again(store: Store) -> None:
    with once(store), pytest.raises(BusyError, match="try again in") as told, once(store):
        pass
    assert timedelta(0) < told.value.retry_after <= SETTINGS.lease
    assert (told.value.retry, counted(store)["busy"]) == (True, 1)


def test_who_was_overtaken_keeps_no_result_and_has_no_effect(store: Store) -> None:
    clock = StandingClock()
    claims = Claims(store, SETTINGS, clock)
    claims.begin("k", "p")
    clock.instant += SETTINGS.lease
    claims.begin("k", "p")
    effects: list[object] = []
    for late in (
        lambda: claims.finish("k", 1, "late"),
        lambda: claims.commit("k", 1, effects.append),
        lambda: claims.renew("k", 1),
    ):
        with pytest.raises(FencedError, match="the claim of token 1 has run out and was taken over"):
            late()
    claims.release("k", 1)
    claims.renew("k", 2)
    clock.instant += SETTINGS.lease / 2
    assert claims.finish("k", 2, "second") == "second"
    assert effects == []


@pytest.mark.parametrize(
    ("key", "payload", "result", "said"),
    [
        ("", None, None, "'' cannot be a key: use 1 to 500 characters"),
        ("k" * 501, None, None, "cannot be a key"),
        (lambda: "k", None, None, "a key that is a function is for the decorator"),
        ("k", object(), None, "the payload cannot be compared"),
        ("k", None, object(), "k: the result cannot be kept as JSON"),
        ("k", None, "x" * SETTINGS.payload_bytes, "payload_bytes allows 256KiB; keep it elsewhere"),
    ],
)
def test_what_cannot_be_kept_is_refused(store: Store, key: Any, payload: object, result: object, said: str) -> None:  # noqa: ANN401 - anything
    with pytest.raises(UsageError, match=said), once(store, key, payload) as first:
        first.done(result)
    with once(store) as again:
        assert not again.repeated


def ledger(store: Store) -> list[str]:
    """Return what the ledger holds."""
    claims = Claims(store, SETTINGS, StandingClock())
    rows: list[str] = claims.carry_out(
        f"look {counted(store)['kept']}", "", lambda db: [name for (name,) in db.execute("SELECT name FROM ledger")]
    )
    return rows


def made(store: Store) -> None:
    Claims(store, SETTINGS, StandingClock()).carry_out(
        "make", "", lambda db: db.execute("CREATE TABLE ledger (name TEXT UNIQUE)") and None
    )


def enter(db: sqlite3.Connection, name: str) -> str:
    db.execute("INSERT INTO ledger VALUES (?)", (name,))
    return f"entered {name}"


def test_an_effect_in_the_same_database_is_made_once_with_its_record(disk: Store) -> None:
    made(disk)
    handler = idempotent(lambda name: name, store=disk, settings=SETTINGS, transaction=True)(enter)
    assert [handler("a"), handler("b"), handler("a")] == ["entered a", "entered b", "entered a"]
    with once(disk) as first:
        assert first.commit(lambda db: enter(db, "c")) == "entered c"
    with pytest.raises(BusyError), once(disk, "held", [["d"], {}]):
        idempotent("held", [["d"], {}], store=disk, settings=SETTINGS, transaction=True)(enter)("d")
    assert ledger(disk) == ["a", "b", "c"]


def test_an_effect_that_raises_leaves_nothing_and_its_error_goes_to_the_caller(disk: Store) -> None:
    made(disk)

    def twice(db: sqlite3.Connection) -> None:
        enter(db, "a")
        enter(db, "a")

    handler = idempotent("k", store=disk, settings=SETTINGS, transaction=True)(twice)
    for _ in range(2):
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            handler()
    with pytest.raises(UsageError, match="cannot be kept as JSON"):
        idempotent("k", store=disk, settings=SETTINGS, transaction=True)(lambda db: {enter(db, "b"): object()})()
    assert ledger(disk) == []
    assert counted(disk)["kept"] == 2


@pytest.mark.parametrize(
    "statement",
    ["COMMIT", "ROLLBACK", "SAVEPOINT mine", "ATTACH ':memory:' AS other", "DELETE FROM run", "DROP TABLE run"],
)
def test_an_effect_can_neither_end_the_transaction_nor_change_what_is_not_its_own(disk: Store, statement: str) -> None:
    handler = idempotent("k", store=disk, settings=SETTINGS, transaction=True)(lambda db: db.execute(statement))
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        handler()
    assert counted(disk) == {}


def test_a_store_without_a_database_says_so() -> None:
    store = MemoryStore()
    handler = idempotent("k", store=store, settings=SETTINGS, transaction=True)(enter)
    with pytest.raises(UsageError, match=r"memory:// has no tables of a caller's own"):
        handler("a")
    store.close()


def test_handlers_that_come_at_once_make_the_effect_once(disk: Store) -> None:
    made(disk)
    handler = idempotent("k", store=disk, settings=SETTINGS, transaction=True)(enter)
    meeting, said = Barrier(8), list[str]()

    def come() -> None:
        meeting.wait()
        said.append(handler("a"))

    threads = [Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (said, ledger(disk)) == (["entered a"] * 8, ["a"])


def test_the_sweep_forgets_keys_of_which_nothing_was_heard_for_their_time(day: Day) -> None:
    claims = Claims(day.store, day.settings, day.clock)
    for key in ("old", "new"):
        claims.begin(key, "p")
        claims.finish(key, 1, key)
        day.clock.instant += timedelta(days=4)
    Coordinator(day.store, day.settings, day.clock).sweep()
    assert counted(day.store) == {"kept": 1, "claimed": 2, "expired": 1}


def test_keys_must_be_remembered_as_long_as_messages_may_come_again() -> None:
    week = timedelta(days=7)
    with pytest.raises(UsageError, match=r"^setting retention \(5d, .*\) and replay \(3d, .*must not be longer than"):
        Settings(idempotent=week, retention=timedelta(days=5), replay=timedelta(days=3))
    assert Settings(idempotent=week, retention=timedelta(days=6), replay=timedelta(days=1)).idempotent == week
