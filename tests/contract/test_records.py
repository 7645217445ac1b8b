"""Promises about entries, tallies, the outbox, halts and heartbeats, kept by every store."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shotclock.errors import StaleError, UsageError
from shotclock.model import ON, Entry, Outgoing
from shotclock.ports import Store, Transaction
from shotclock.stores.memory import MemoryStore
from tests.contract.samples import RUN, a_flag, a_halt, a_message, a_process, an_entry, at, each

HOLD = timedelta(seconds=30)


def append(store: Store, *entries: Entry) -> None:
    each(store, lambda tx, entry: tx.append(entry), entries)


def post(store: Store, *messages: Outgoing) -> list[bool]:
    return store.write(lambda tx: [tx.post(message) for message in messages])


def take(store: Store, seconds: float, limit: int = 10, routes: tuple[str, ...] | None = None) -> list[str]:
    return [message.key for message in store.write(lambda tx: tx.take_outbox(at(seconds), limit, HOLD, routes))]


def test_the_oldest_entries_of_a_kind_are_purged_a_bounded_number_at_a_time(store: Store) -> None:
    def work(tx: Transaction) -> None:
        for minute in range(5):
            tx.append(an_entry(kind="parked", at=at(minute)))
        tx.append(an_entry(kind="late", at=at(0)))

    store.write(work)
    assert store.write(lambda tx: tx.purge_entries("parked", at(4), 3)) == 3
    assert store.write(lambda tx: tx.purge_entries("parked", at(4), 3)) == 1
    assert store.write(lambda tx: tx.purge_entries("parked", at(4), 3)) == 0
    assert store.read(lambda view: view.count_entries("parked", scope_prefix="")) == 1
    assert store.read(lambda view: view.count_entries("late", scope_prefix="")) == 1


def test_entries_come_back_whole_with_a_number_the_oldest_first(store: Store) -> None:
    newer, older = an_entry(at=at(9), body={"é": [1, None, {"x": 2.5}]}), an_entry(at=at(1), digest="")
    append(store, newer, older, an_entry(at=at(9), member="Jokić"))
    found = store.read(lambda tx: tx.entries("late", scope=RUN))
    assert [replace(entry, id=0) for entry in found] == [older, newer, an_entry(at=at(9), member="Jokić")]
    assert len({entry.id for entry in found} - {0}) == 3
    assert store.read(lambda tx: tx.entries("late", scope=RUN, limit=1)) == found[:1]


def test_entries_are_found_by_kind_scope_phase_and_member(store: Store) -> None:
    append(store, an_entry(), an_entry(phase="sum"), an_entry(member="x"), an_entry(phase="", member=""))
    append(store, an_entry(kind="audit"), an_entry(scope="nba/2025-01-16"))

    def count(phase: str | None = None, member: str | None = None) -> int:
        return len(store.read(lambda tx: tx.entries("late", scope=RUN, phase=phase, member=member)))

    assert (count(), count("raw"), count("raw", "props"), count(member="props"), count("", "")) == (4, 2, 1, 2, 1)
    assert store.read(lambda tx: tx.entries("parked", scope=RUN)) == []


def test_entries_are_counted_by_the_start_of_their_scope(store: Store) -> None:
    for scope in ("nba/2025-01-15", "nba/2025-01-16", "nba_b/2025-01-15", "NBA/2025-01-15", "nba"):
        append(store, an_entry(kind="parked", scope=scope))
    append(store, an_entry(kind="late", scope="nba/2025-01-15"))
    prefixes = ("nba/", "nba", "nba/2025-01-16", "nba_", "nba%", "")
    counted = store.read(lambda tx: {prefix: tx.count_entries("parked", scope_prefix=prefix) for prefix in prefixes})
    assert counted == {"nba/": 2, "nba": 4, "nba/2025-01-16": 1, "nba_": 1, "nba%": 0, "": 5}


def test_removed_entries_are_gone_and_their_numbers_are_not_given_again(store: Store) -> None:
    append(store, an_entry(), an_entry())
    ids = [entry.id for entry in store.read(lambda tx: tx.entries("late", scope=RUN))]
    store.write(lambda tx: tx.remove_entries(ids))
    append(store, an_entry())
    store.write(lambda tx: tx.remove_entries(ids))
    left = store.read(lambda tx: tx.entries("late", scope=RUN))
    assert len(left) == 1
    assert left[0].id not in ids


def test_tallies_add_up_by_scope_and_name(store: Store) -> None:
    each(store, lambda tx, name: tx.tally(RUN, name), ["duplicate", "conflict", "duplicate"])
    store.write(lambda tx: tx.tally(RUN, "duplicate", 2))
    store.write(lambda tx: tx.tally("x", "y"))
    assert store.read(lambda tx: tx.tallies(RUN)) == {"duplicate": 4, "conflict": 1}
    assert store.read(lambda tx: tx.tallies("nobody")) == {}


def test_a_message_of_a_key_is_posted_once_even_after_it_was_sent(store: Store) -> None:
    assert post(store, a_message(), a_message(body={})) == [True, False]
    store.write(lambda tx: tx.sent(["k"]))
    before = list(store.dump())
    assert post(store, a_message()) == [False]
    assert list(store.dump()) == before


def test_messages_are_taken_when_they_are_ready_the_oldest_first(store: Store) -> None:
    post(store, a_message("b", created_at=at(2)), a_message("a", created_at=at(1)), a_message("c", ready_at=at(9)))
    assert take(store, -1) == []
    assert take(store, 8, limit=1) == ["a"]
    assert take(store, 8) == ["b"]
    assert take(store, 9) == ["c"]


def test_many_messages_of_one_route_keep_none_of_another_waiting(store: Store) -> None:
    post(store, *(a_message(f"n{number}", route="notice") for number in range(5)))
    post(store, a_message("h", route="handover", created_at=at(1)), a_message("a", created_at=at(2)))
    assert take(store, 8, limit=3, routes=("handover", "amended")) == ["h"]
    assert take(store, 8, limit=3, routes=("notice",)) == ["n0", "n1", "n2"]
    assert take(store, 8, routes=()) == []
    assert store.read(lambda view: view.ready_routes(at(8))) == {"notice", "alert"}
    assert take(store, 8) == ["n3", "n4", "a"]


def test_a_taken_message_is_hidden_for_a_while_then_given_again(store: Store) -> None:
    post(store, a_message())
    message = store.write(lambda tx: tx.take_outbox(at(0), 10, HOLD))
    assert message == [a_message()]
    assert (take(store, 29.9), take(store, 30)) == ([], ["k"])


def test_a_sent_message_is_never_given_again_and_a_repeat_does_nothing(store: Store) -> None:
    post(store, a_message("a"), a_message("b"))
    store.write(lambda tx: tx.sent(["a", "nobody"]))
    before = list(store.dump())
    store.write(lambda tx: tx.sent(["a"]))
    store.write(lambda tx: tx.unsent("a", at(1), "too late"))
    assert list(store.dump()) == before
    assert take(store, 999) == ["b"]


def test_a_failed_delivery_is_noted_and_tried_again_at_its_time(store: Store) -> None:
    post(store, a_message())
    take(store, 0)
    store.write(lambda tx: tx.unsent("k", at(7), "503"))
    store.write(lambda tx: tx.unsent("nobody", at(7), "503"))
    assert take(store, 6) == []
    message = store.write(lambda tx: tx.take_outbox(at(7), 10, HOLD))
    assert message == [a_message(attempts=1, error="503", ready_at=at(7))]


def test_halts_are_kept_by_scope_and_start_the_oldest_first(store: Store) -> None:
    halts = [a_halt("nba", 5), a_halt("*", 1), a_halt("nba", 0)]
    each(store, lambda tx, halt: tx.put_halt(halt), halts)
    ended = replace(halts[1], until=at(3), reason="over")
    store.write(lambda tx: tx.put_halt(ended))
    assert store.read(lambda tx: tx.halts()) == [halts[2], ended, halts[0]]


def test_a_flag_is_changed_only_from_the_version_it_was_read_at(store: Store) -> None:
    first, second = a_flag(), a_flag(version=2, split=ON, actor="ann", reason="a try")
    each(store, lambda tx, flag: tx.put_flag(flag), [a_flag("z"), first, second])
    for stale in (a_flag(version=1), second, a_flag(version=4), a_flag("unknown", version=2)):
        with pytest.raises(StaleError, match=f"flag {stale.name} is not at version {stale.version - 1}"):
            store.write(lambda tx, stale=stale: tx.put_flag(stale))  # type: ignore[misc]  # bound now
    assert store.read(lambda tx: tx.flags()) == [second, a_flag("z")]


def test_a_heartbeat_replaces_the_last_of_its_process(store: Store) -> None:
    beats = [a_process("b"), a_process("a"), a_process("b", seconds=15)]
    each(store, lambda tx, process: tx.beat(process), beats)
    assert store.read(lambda tx: tx.processes()) == [a_process("a"), a_process("b", seconds=15)]


def test_heartbeats_are_forgotten_by_name(store: Store) -> None:
    each(store, lambda tx, process: tx.beat(process), [a_process("b"), a_process("a"), a_process("c")])
    store.write(lambda tx: tx.forget(["a", "nobody", "c"]))
    assert store.read(lambda tx: tx.processes()) == [a_process("b")]


def test_a_callers_own_tables_commit_with_the_store_or_not_at_all(store: Store) -> None:
    if isinstance(store, MemoryStore):
        with pytest.raises(UsageError, match="has no tables"):
            store.write(lambda tx: _own(tx, 1))
        return
    store.write(lambda tx: _own(tx, 1))
    with pytest.raises(ZeroDivisionError):
        store.write(lambda tx: 1 // _own(tx, 2))
    assert store.write(lambda tx: _own(tx, 3)) == 0
    assert store.write(_rows) == [1, 3]
    assert store.read(lambda view: view.tallies("own")) == {"n": 2}


def _own(tx: Transaction, number: int) -> int:
    tx.tally("own", "n")
    with tx.lend() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS own (n INTEGER)")
        connection.execute(f"INSERT INTO own VALUES ({number:d})")  # noqa: S608 - a number, as every database reads it
    return 0


def _rows(tx: Transaction) -> list[int]:
    with tx.lend() as connection:
        return [number for (number,) in connection.execute("SELECT n FROM own ORDER BY n")]
