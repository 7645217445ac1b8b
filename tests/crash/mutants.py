"""Bugs to plant in the product that nobody notices but who is killed at the wrong moment."""
# ruff: noqa: SLF001 - a bug is planted where the product keeps its promises, in private places too

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from shotclock import files
from shotclock.engine import starting, working
from shotclock.engine.coordinator import Coordinator
from shotclock.engine.desk import Desk
from shotclock.engine.relay import Relay
from shotclock.engine.working import Held, ItemPair
from shotclock.model import Answer, Opening, Outgoing, Report, Run
from shotclock.ports import Store
from shotclock.stores import postgres_session
from shotclock.stores.postgres import PostgresStore
from shotclock.stores.postgres_change import PostgresTransaction
from shotclock.stores.sqlite import SqliteStore
from shotclock.warehouse import duckdb
from shotclock.warehouse.duckdb import DuckDBWarehouse


@contextmanager
def acknowledge_before_the_commit() -> Iterator[None]:
    """Answer a report first, and store it when there is time."""
    waiting: list[tuple[Coordinator, Sequence[Report]]] = []
    report = Coordinator.report

    def later(self: Coordinator, reports: Sequence[Report]) -> list[Answer]:
        _store_now()
        waiting.append((self, reports))
        return [Answer(kind="accepted") for _ in reports]

    def reading(read: Callable[..., Any]) -> Callable[..., Any]:
        def mutated(self: Store, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - passed on
            _store_now()
            return read(self, work)

        return mutated

    def _store_now() -> None:
        while waiting:
            report(*waiting.pop(0))

    with ExitStack() as stack:
        stack.enter_context(patch.object(Coordinator, "report", later))
        for store in (SqliteStore, PostgresStore):
            stack.enter_context(patch.object(store, "read", reading(store.read)))
        yield


@contextmanager
def post_outside_the_commit() -> Iterator[None]:
    """Write what the world must be told in a commit after the one that made it true."""
    waiting: list[Outgoing] = []
    do = Coordinator._do

    def later(self: Desk, key: str, route: str, run: str, body: Mapping[str, Any]) -> None:
        waiting.append(Outgoing(key=key, route=route, run=run, body=dict(body), created_at=self.now, ready_at=self.now))

    def mutated(self: Coordinator, work: Callable[[Desk], Any]) -> Any:  # noqa: ANN401 - passed on
        result = do(self, work)
        messages = [waiting.pop() for _ in range(len(waiting))]
        if messages:
            self.store.write(lambda tx: [tx.post(message) for message in messages])
        return result

    with patch.object(Desk, "post", later), patch.object(Coordinator, "_do", mutated):
        yield


@contextmanager
def mark_before_ringing() -> Iterator[None]:
    """Note that the bus took a message, then give it to the bus."""
    ring = Relay._ring

    def mutated(self: Relay, messages: Sequence[Outgoing]) -> None:
        if messages:
            phases = [int(message.body["id"]) for message in messages if message.route == "handover"]
            self._coordinator.delivered([message.key for message in messages], phases)
        ring(self, messages)

    with patch.object(Relay, "_ring", mutated):
        yield


@contextmanager
def place_in_two_steps() -> Iterator[None]:
    """Write a file where readers look for it, a part at a time."""

    @contextmanager
    def mutated(path: Path) -> Iterator[Path]:
        draft = path.with_name(f".{path.name}.draft")
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        data = draft.read_bytes()
        draft.unlink()
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            os.fsync(file.fileno())
            file.write(data[len(data) // 2 :])

    with patch.object(files, "placing", mutated):
        yield


@contextmanager
def remember_the_token_later() -> Iterator[None]:
    """Commit an effect to the warehouse, then, in a transaction of its own, by whose right."""

    def mutated(self: DuckDBWarehouse, key: str, token: tuple[int, int], effect: Callable[[Any], None]) -> bool:
        with self._writing(), self.reading() as connection:
            if not duckdb._newer(connection, key, token):
                return False
            for work in (effect, lambda own: duckdb._remember(own, key, token)):
                connection.begin()
                work(connection)
                connection.commit()
        return True

    with patch.object(DuckDBWarehouse, "commit_once", mutated):
        yield


@contextmanager
def add_pages_again() -> Iterator[None]:
    """Take the pages of an enumeration that is taken up again for new ones."""
    original = working.add_page

    def mutated(desk: Desk, held: Held, number: int, items: Sequence[ItemPair]) -> None:
        original(desk, held, max(number, desk.phase(held.phase).pages), items)

    with patch.object(working, "add_page", mutated):
        yield


@contextmanager
def supersede_in_a_later_commit() -> Iterator[None]:
    """Make a new generation, and fence the old one off in a commit after it."""
    waiting: list[Run] = []
    do, supersede = Coordinator._do, starting._supersede

    def mutated(self: Coordinator, work: Callable[[Desk], Any]) -> Any:  # noqa: ANN401 - passed on
        result = do(self, work)
        while waiting:
            old = waiting.pop()
            do(self, lambda desk, old=old: supersede(desk, old))  # type: ignore[misc]  # bound to this run
        return result

    def later(_desk: Desk, old: Run) -> None:
        waiting.append(replace(old))

    with patch.object(starting, "_supersede", later), patch.object(Coordinator, "_do", mutated):
        yield


@contextmanager
def commit_halfway() -> Iterator[None]:
    """Commit an opening on a server as soon as it is written, and what goes with it after that."""
    add = PostgresTransaction.add_opening

    def mutated(self: PostgresTransaction, opening: Opening) -> tuple[Opening, bool]:
        added = add(self, opening)
        self._db.defer("halfway")
        return added

    with (
        patch.dict(postgres_session.SQL, {"halfway": b"COMMIT; BEGIN ISOLATION LEVEL READ COMMITTED"}),
        patch.object(PostgresTransaction, "add_opening", mutated),
    ):
        yield


MUTANTS: dict[str, str] = {
    "acknowledge_before_the_commit": "answered",
    "post_outside_the_commit": "after {store} commit < start",
    "mark_before_ringing": "before ring < _ring",
    "place_in_two_steps": "fsync < perform",
    "remember_the_token_later": "duckdb commit",
    "add_pages_again": "after {store} commit < add_pages",
    "supersede_in_a_later_commit": "after {store} commit < rerun",
}
"""The bugs, each with the points to be killed at."""

ELSEWHERE = {"place_in_two_steps", "remember_the_token_later"}
"""Bugs of files and of the warehouse, which are the same wherever the store is."""

SERVED = {name: near for name, near in MUTANTS.items() if name not in ELSEWHERE} | {
    "commit_halfway": "before postgresql commit"
}
"""Those to be found where the store is on a server."""
