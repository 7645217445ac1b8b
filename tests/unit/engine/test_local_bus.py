"""A bell rings in every process that shares the folder, and losing one costs nothing but time."""

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from shotclock.buses.local import LocalBus
from shotclock.errors import BusError

WAIT = 60.0


def test_a_bell_without_a_folder_rings_here_once_however_often_it_was_pulled() -> None:
    with closing(LocalBus()) as bus:
        bus.ring("doorbell", {})
        bus.ring("doorbell", {})
        assert bus.wait(WAIT)
        assert not bus.wait(0)


def test_a_bell_wakes_whoever_waits_in_another_thread() -> None:
    with closing(LocalBus()) as bus:
        heard: list[bool] = []
        listener = Thread(target=lambda: heard.append(bus.wait(WAIT)))
        listener.start()
        bus.ring("doorbell", {})
        listener.join(WAIT)
        assert heard == [True]


@pytest.mark.parametrize("depth", [0, 120])
def test_a_bell_rings_in_other_processes_however_long_the_folders_path_is(tmp_path: Path, depth: int) -> None:
    home = tmp_path / ("d" * depth) if depth else tmp_path
    program = f"""
from pathlib import Path
from shotclock.buses.local import LocalBus
bus = LocalBus(Path({str(home)!r}))
print("listening", flush=True)
print(bus.wait(60), flush=True)
bus.close()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        closing(LocalBus(home)) as bus,
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as other,  # noqa: S603 - this interpreter
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == b"listening\n"
        bus.ring("handover", {"id": 1})
        assert other.stdout.readline() == b"True\n"


def test_the_bell_of_a_dead_process_is_taken_down(tmp_path: Path) -> None:
    with closing(LocalBus(tmp_path)) as bus:
        bells = tmp_path / "bells"
        dead = bells / "1-1"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            handle = os.open(bells, os.O_RDONLY)
            ear.bind(f"/proc/self/fd/{handle}/1-1")
            os.close(handle)
        bus.ring("doorbell", {})
        assert not dead.exists()


def test_a_listener_that_does_not_hear_is_no_reason_to_wait(tmp_path: Path) -> None:
    with closing(LocalBus(tmp_path)) as deaf, closing(LocalBus(tmp_path)) as bus:
        for _ in range(10_000):
            bus.ring("doorbell", {})
        assert deaf.wait(WAIT)


def test_a_folder_that_allows_no_sockets_leaves_the_bell_ringing_here(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with closing(LocalBus(tmp_path / "home")) as bus:
        bus.ring("doorbell", {})
        assert bus.wait(WAIT)


def test_a_closed_bus_takes_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    bus = LocalBus(tmp_path)
    bus.close()
    bus.close()
    assert list((tmp_path / "bells").iterdir()) == []
    with pytest.raises(BusError, match="closed"):
        bus.ring("doorbell", {})
