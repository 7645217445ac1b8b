"""Staged files are looked through while others write: what is moved or gone meanwhile harms nobody."""

import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event, Thread

from shotclock.engine import staging
from shotclock.stores.memory import MemoryStore

LATER = datetime(2100, 1, 1, tzinfo=UTC)
LOOKS = 300


def test_files_that_others_move_into_place_meanwhile_are_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / staging.FOLDER / "day" / "2025-01-15" / "g1"
    folder.mkdir(parents=True)
    done = Event()

    def write() -> None:
        for number in count():
            if done.is_set():
                return
            part = folder / f".part{number}"
            part.touch()
            os.replace(part, folder / "table")  # noqa: PTH105 - as quick as it goes

    writer = Thread(target=write)
    writer.start()
    try:
        store = MemoryStore()
        for _ in range(LOOKS):
            assert not store.read(lambda view: list(staging.orphans(view, tmp_path, LATER)))
    finally:
        done.set()
        writer.join()
