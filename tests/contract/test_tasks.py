"""Promises about tasks, pages and names, kept by every store."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from shotclock.errors import NotFoundError, StaleError
from shotclock.model import CODE, Batch, Kind, Note, Part, Task
from shotclock.ports import Store, Transaction
from shotclock.stores.rows import ALWAYS
from tests.contract.samples import RAW, RUN, a_page, a_phase, a_task, add_run, add_tasks, at, each

SECOND = 2
"""Another phase of the same run."""


@pytest.fixture(autouse=True)
def _a_run(store: Store) -> None:
    add_run(store, RUN, a_phase(), a_phase(name="sum", index=1))


def kinds(*names: Kind) -> bytes:
    return bytes(CODE[name] for name in names)


def los(tasks: list[Task]) -> list[int]:
    return [task.lo for task in tasks]


def leased(lo: int, until: float, owner: str = "w1", phase: int = RAW) -> Task:
    return a_task(lo, phase=phase, state="leased", token=1, owner=owner, leased_at=at(0), lease_until=at(until))


def test_a_task_comes_back_whole(store: Store) -> None:
    task = a_task(
        10,
        work="chunk",
        hi=13,
        token=3,
        kinds=kinds("succeeded", "pending", "failed"),
        notes={12: Note(reason="é", rows=0, outputs={"file": "a.parquet"}, as_of=at(-5))},
        batches=(Batch(token=2, at=at(1), ranges=((10, 11),), outputs={"n": 1}),),
        tries={12: 3},
        parts={1: Part(kind="succeeded", rows=4)},
        error="boom",
    )
    add_tasks(store, task)
    assert store.read(lambda tx: tx.task(RAW, "chunk", 10)) == task
    assert store.read(lambda tx: tx.task(RAW, "member", 10)) is None
    assert store.read(lambda tx: tx.task(RAW, "chunk", 11)) is None
    assert store.read(lambda tx: tx.task(SECOND, "chunk", 10)) is None


def test_the_task_that_holds_an_ordinal_is_found(store: Store) -> None:
    add_tasks(
        store,
        a_task(0),
        a_task(1, work="chunk", hi=4),
        a_task(6, work="outside", state="outside", hi=8),
        Task(phase=RAW, work="enumerate"),
        Task(phase=RAW, work="then"),
    )

    def starts_at(ordinal: int) -> int | None:
        found = store.read(lambda tx: tx.task_at(RAW, ordinal))
        return None if found is None else found.lo

    assert [starts_at(ordinal) for ordinal in range(9)] == [0, 1, 1, 1, None, None, 6, 6, None]
    assert store.read(lambda tx: tx.task_at(SECOND, 0)) is None


def test_tasks_over_members_are_read_page_by_page(store: Store) -> None:
    add_tasks(store, *(a_task(lo) for lo in (4, 0, 2)), a_task(6, work="outside", state="outside"))
    add_tasks(store, Task(phase=RAW, work="enumerate"), Task(phase=RAW, work="then"), a_task(1, phase=SECOND))
    assert los(store.read(lambda tx: tx.tasks(RAW))) == [0, 2, 4, 6]
    assert los(store.read(lambda tx: tx.tasks(RAW, limit=2))) == [0, 2]
    assert los(store.read(lambda tx: tx.tasks(RAW, after=2, limit=2))) == [4, 6]
    assert los(store.read(lambda tx: tx.tasks(RAW, after=1, limit=1))) == [2]


def test_pending_tasks_hold_a_member_that_is_neither_satisfied_nor_withdrawn(store: Store) -> None:
    unsettled: tuple[Kind, ...] = ("pending", "failed", "timed_out", "abandoned", "suspect")
    settled: tuple[Kind, ...] = ("succeeded", "empty", "skipped", "withdrawn")
    add_tasks(store, *(a_task(lo, kinds=kinds(kind)) for lo, kind in enumerate((*unsettled, *settled))))
    add_tasks(store, a_task(20, hi=22, kinds=kinds("succeeded", "failed")), Task(phase=RAW, work="then"))
    assert los(store.read(lambda tx: tx.tasks(RAW, pending=True))) == [0, 1, 2, 3, 4, 20]
    assert los(store.read(lambda tx: tx.tasks(RAW, after=3, limit=1, pending=True))) == [4]
    store.write(lambda tx: tx.put_tasks([(a_task(20, hi=22, kinds=kinds("succeeded", "empty")), 0)]))
    assert los(store.read(lambda tx: tx.tasks(RAW, after=4, pending=True))) == []


def test_tasks_are_leasable_by_rank_then_from_the_front(store: Store) -> None:
    add_tasks(store, a_task(0, rank=2), a_task(1, rank=1), a_task(2, rank=0), a_task(3, rank=1, ready_at=at(-1)))
    add_tasks(store, leased(4, until=0), a_task(5, rank=0, phase=SECOND))
    assert los(store.read(lambda tx: tx.leasable(RAW, at(0), 10))) == [2, 1, 3, 4, 0]
    assert los(store.read(lambda tx: tx.leasable(RAW, at(0), 3))) == [2, 1, 3]


def test_a_wait_and_a_lease_end_at_their_instant(store: Store) -> None:
    add_tasks(store, a_task(0, ready_at=at(5)), leased(1, until=7), a_task(2, state="ended"))
    add_tasks(store, a_task(3, state="outside", work="outside"))
    found = store.read(lambda tx: [los(tx.leasable(RAW, at(when), 9)) for when in (4.9, 5, 6.999999, 7)])
    assert found == [[], [0], [0], [0, 1]]


def test_leasable_tasks_are_counted(store: Store) -> None:
    add_tasks(store, *(a_task(lo) for lo in range(5)), a_task(5, ready_at=at(3)), leased(6, until=5))
    add_tasks(store, a_task(7, state="ended"), a_task(0, phase=SECOND), Task(phase=RAW, work="then"))
    counted = store.read(lambda tx: [tx.count_leasable(RAW, at(when)) for when in (0, 3, 5)])
    assert counted == [6, 7, 8]
    assert store.read(lambda tx: tx.count_leasable(99, at(0))) == 0


def test_enumeration_and_then_are_leasable_too(store: Store) -> None:
    add_tasks(store, Task(phase=RAW, work="enumerate"), Task(phase=RAW, work="then"))
    assert [task.work for task in store.read(lambda tx: tx.leasable(RAW, at(0), 9))] == ["enumerate", "then"]
    assert store.read(lambda tx: tx.tasks(RAW)) == []


def test_the_next_ready_instant_is_the_earliest_wait_or_lease_end(store: Store) -> None:
    def next_ready() -> object:
        return store.read(lambda tx: tx.next_ready(RAW))

    assert next_ready() is None
    add_tasks(store, a_task(9, state="ended"), leased(1, until=7))
    assert next_ready() == at(7)
    add_tasks(store, a_task(0, ready_at=at(5)))
    assert next_ready() == at(5)
    add_tasks(store, a_task(2))
    assert next_ready() == ALWAYS


def test_leased_tasks_are_found_by_owner_and_by_phase(store: Store) -> None:
    add_tasks(store, leased(0, 9), leased(1, 9, owner="w2"), leased(0, 9, phase=SECOND), a_task(2))
    add_tasks(store, a_task(3, owner="w1", state="ended"))

    def found(owner: str | None = None, phase: int | None = None) -> list[tuple[int, int]]:
        tasks = store.read(lambda tx: tx.leased(owner=owner, phase_id=phase))
        return [(task.phase, task.lo) for task in tasks]

    assert found("w1") == [(RAW, 0), (SECOND, 0)]
    assert found(phase=RAW) == [(RAW, 0), (RAW, 1)]
    assert found("w1", SECOND) == [(SECOND, 0)]
    assert found("w3") == []
    store.write(lambda tx: tx.put_tasks([(a_task(0, token=2), 1)]))
    assert found("w1", RAW) == []


def test_a_task_is_replaced_only_at_its_token(store: Store) -> None:
    add_tasks(store, a_task(0))
    taken = leased(0, until=60)
    store.write(lambda tx: tx.put_tasks([(taken, 0)]))
    assert store.read(lambda tx: tx.task(RAW, "member", 0)) == taken
    before = list(store.dump())

    def put(task: Task, token: int) -> None:
        with pytest.raises(StaleError, match="phase 1"):
            store.write(lambda tx: tx.put_tasks([(task, token)]))

    for task, token in ((taken, 0), (taken, 2), (a_task(1), 0), (a_task(0, work="chunk"), 1)):
        put(task, token)
    assert list(store.dump()) == before


def test_one_stale_task_among_many_leaves_all_as_they_were_though_it_is_caught(store: Store) -> None:
    add_tasks(store, a_task(0), a_task(1), a_task(2))
    before = list(store.dump())

    def work(tx: Transaction) -> None:
        with pytest.raises(StaleError):
            tx.put_tasks([(a_task(0, token=1), 0), (a_task(1, token=1), 5), (a_task(2, token=1), 0)])

    store.write(work)
    assert list(store.dump()) == before


def test_tasks_are_added_together_or_not_at_all(store: Store) -> None:
    add_tasks(store, a_task(1))
    before = list(store.dump())

    def work(tx: Transaction) -> None:
        with pytest.raises(StaleError):
            tx.add_tasks([a_task(0), a_task(1)])
        with pytest.raises(StaleError):
            tx.add_tasks([a_task(5), a_task(5)])

    store.write(work)
    assert list(store.dump()) == before


def test_a_page_comes_with_its_tasks_and_its_number_is_taken_once(store: Store) -> None:
    store.write(lambda tx: tx.add_page(a_page(), [a_task(0, work="chunk", hi=3)]))
    assert store.read(lambda tx: tx.tasks(RAW)) == [a_task(0, work="chunk", hi=3)]
    before = list(store.dump())

    def work(tx: Transaction) -> None:
        with pytest.raises(StaleError, match="page 0"):
            tx.add_page(a_page(lo=3), [a_task(3)])
        with pytest.raises(StaleError):
            tx.add_page(a_page(number=1, lo=3), [a_task(0, work="chunk", hi=3)])

    store.write(work)
    assert list(store.dump()) == before


def test_pages_are_found_by_the_ordinal_they_hold_and_read_in_order(store: Store) -> None:
    pages = [a_page(0), a_page(1, 3, ()), a_page(2, 3, ("d",)), a_page(3, 10, ("e", "f"))]
    each(store, lambda tx, page: tx.add_page(page, []), pages)

    def number(ordinal: int) -> int | None:
        page = store.read(lambda tx: tx.page(RAW, ordinal))
        return None if page is None else page.number

    assert [number(ordinal) for ordinal in (0, 2, 3, 4, 9, 10, 11, 12)] == [0, 0, 2, None, None, 3, 3, None]
    assert store.read(lambda tx: tx.pages(RAW)) == pages
    assert store.read(lambda tx: tx.pages(RAW, after=0, limit=2)) == pages[1:3]
    assert store.read(lambda tx: tx.pages(SECOND)) == []


def test_items_are_found_by_name_accents_and_all(store: Store) -> None:
    names = {"Nikola Jokić": 0, "Nikola Jokic": 1, "Jokic\u0301": 2, "選手": 3, "a'b\"c": 4, "x" * 1_500: 5}
    store.write(lambda tx: tx.add_names(RAW, names))
    assert store.read(lambda tx: tx.ordinals(RAW, names)) == names
    assert store.read(lambda tx: [tx.ordinals(RAW, [name]) for name in names]) == [
        {name: names[name]} for name in names
    ]
    assert store.read(lambda tx: tx.ordinals(RAW, ["nikola jokić"])) == {}
    assert store.read(lambda tx: tx.ordinals(SECOND, ["Nikola Jokić"])) == {}


def test_any_number_of_names_is_looked_up_at_once(store: Store) -> None:
    names = {f"item-{number}": number for number in range(300)}
    store.write(lambda tx: tx.add_names(RAW, names))
    for number in (0, 1, 2, 63, 64, 65, 128, 129, 300):
        wanted = list(names)[:number]
        asked = [*wanted, "nobody", "no-one"]
        assert store.read(lambda tx, asked=asked: tx.ordinals(RAW, asked)) == {name: names[name] for name in wanted}  # type: ignore[misc]  # the default is for the loop


def test_a_name_keeps_the_ordinal_it_was_given_first(store: Store) -> None:
    store.write(lambda tx: tx.add_names(RAW, {"a": 0}))
    store.write(lambda tx: tx.add_names(RAW, {"a": 1, "b": 2}))
    assert store.read(lambda tx: tx.ordinals(RAW, ["a", "b"])) == {"a": 0, "b": 2}


def test_nothing_is_kept_for_a_phase_that_is_not_there(store: Store) -> None:
    before = list(store.dump())
    works: list[Callable[[Transaction], None]] = [
        lambda tx: tx.add_tasks([a_task(phase=9)]),
        lambda tx: tx.add_page(replace(a_page(), phase=9), []),
        lambda tx: tx.add_names(9, {"a": 0}),
    ]
    for work in works:
        with pytest.raises(NotFoundError, match="9"):
            store.write(work)
    assert list(store.dump()) == before
