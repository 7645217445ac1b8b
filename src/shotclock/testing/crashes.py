"""The crash rig: real processes killed at every write point, one kill a history, started again until all is over.

A drill is what happens: the processes ("lives") of a story, and what must be true of a home folder after a kill and at
the end. The rig plays it undisturbed to learn its points, then once for each point. It forks, so it wants a process of
its own without threads: `python -m` something that makes a `Rig` and prints its `Tally`.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Final

from msgspec import Struct

from shotclock.testing.points import Point, Points, counted

Life = Callable[[Path, Points], None]
Check = Callable[[Path], None]


class Drill(Struct, frozen=True, kw_only=True):
    """A story for the rig: every life is a process of its own and can be started again at any moment.

    `killed` and `over` look at a home folder, in a process of their own, and raise where a promise is broken.
    """

    lives: Mapping[str, Life]
    killed: Check
    over: Check


_GOES: Final = 8
"""How often a story is played for a point that it does not come by: who is first at something is decided anew."""


class Tally(Struct, frozen=True, kw_only=True):
    """What a round of kills came to."""

    points: int
    """How many write points the undisturbed story has."""
    places: int
    """How many different places in the code they are at."""
    killed: tuple[Point, ...] = ()
    """Where somebody died, and all was well."""
    missed: tuple[Point, ...] = ()
    """Where nobody died: the story did not come by there a second time."""
    broken: tuple[str, ...] = ()
    """Which promises were broken, and at which point somebody had died."""

    def __str__(self) -> str:
        names = ", ".join(map(str, self.missed))
        missed = f", {len(self.missed)} were not passed again ({names})" if self.missed else ""
        points = f"{len(self.killed)} of {self.points} write points"
        return f"killed at {points}, {places(self.killed)} of {self.places} places in the code{missed}"


def places(points: Iterable[Point]) -> int:
    """Count the different places in the code that points are at."""
    return len({(point.role, point.place) for point in points})


class _FailedError(Exception):
    """A process of the story ended with an error, or not at all."""


class Rig:
    """Plays a drill in home folders below `folder`; a life that takes longer than `patience` hangs."""

    def __init__(self, folder: Path, drill: Drill, *, patience: timedelta) -> None:
        self._folder = folder
        self._drill = drill
        self._patience = patience.total_seconds()
        self._homes = 0

    def undisturbed(self) -> list[Point]:
        """Play the story without a kill; return its points in the order they were passed."""
        home = self._home()
        self._play(home, None)
        return _passed(home)

    def kill(self, points: Iterable[Point], known: Sequence[Point], *, most: int = 1) -> Tally:
        """Play the story for each point, again while it does not come by; stop after `most` broken promises."""
        killed: list[Point] = []
        missed: list[Point] = []
        broken: list[str] = []
        for point in points:
            try:
                died = any(self._dies(point) for _ in range(_GOES))
            except _FailedError as error:
                broken.append(f"killed at {point}:\n{error}")
            else:
                (killed if died else missed).append(point)
            if len(broken) >= most:
                break
        return Tally(
            points=len(known), places=places(known), killed=tuple(killed), missed=tuple(missed), broken=tuple(broken)
        )

    def _dies(self, point: Point) -> bool:
        """Play the story once, in a folder that is gone afterwards; say whether somebody died at the point."""
        home = self._home()
        try:
            return self._play(home, point)
        finally:
            rmtree(home)

    def _home(self) -> Path:
        self._homes += 1
        home = self._folder / f"home{self._homes}"
        home.mkdir(parents=True)
        return home

    def _play(self, home: Path, target: Point | None) -> bool:
        """Play the story in a folder until every life has ended by itself; say whether somebody was killed."""
        running = {self._start(name, home, target): name for name in self._drill.lives}
        with _Guard(running, self._patience) as guard:
            while running:
                pid, status = os.wait()
                name, code = running.pop(pid), os.waitstatus_to_exitcode(status)
                if code == -signal.SIGKILL and not guard.rang:
                    self._check(home, self._drill.killed)
                    running[self._start(name, home, None)] = name
                elif code:
                    why = f"hangs at {_last(home)}" if guard.rang else f"ended with {code}"
                    message = f"{name} {why}\n{_said(home)}"
                    raise _FailedError(message)
        self._check(home, self._drill.over)
        return _trail(home).with_suffix(".killed").exists()

    def _start(self, name: str, home: Path, target: Point | None) -> int:
        life = self._drill.lives[name]

        def work() -> None:
            with counted(name, _trail(home), target) as points:
                life(home, points)

        return _fork(work, home)

    def _check(self, home: Path, check: Check) -> None:
        _, status = os.waitpid(_fork(lambda: check(home), home), 0)
        if status:
            raise _FailedError(_said(home))


class _Guard(ExitStack):
    """Ends the processes of a story at the end of the context, and of one that hangs."""

    def __init__(self, running: Mapping[int, str], patience: float) -> None:
        super().__init__()
        self.rang = False
        self._running = running
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, patience)
        self.callback(self._end)

    def _ring(self, *_: object) -> None:
        self.rang = True
        self._kill()

    def _kill(self) -> None:
        for pid in list(self._running):
            os.kill(pid, signal.SIGKILL)

    def _end(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._kill()
        for pid in list(self._running):
            os.waitpid(pid, 0)


def _fork(work: Callable[[], None], home: Path) -> int:
    """Do something in a process of its own, which ends with it; what it raises is written down."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - written down, and told by the exit code
        with (home / "errors").open("a", encoding="utf-8") as errors:
            traceback.print_exc(file=errors)
    finally:
        os._exit(code)


def _trail(home: Path) -> Path:
    return home / "trail"


def _passed(home: Path) -> list[Point]:
    lines = _trail(home).read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(map(Point.parse, lines)))


def _last(home: Path) -> Point | None:
    return next(reversed(_passed(home)), None)


def _said(home: Path) -> str:
    errors = home / "errors"
    return errors.read_text(encoding="utf-8") if errors.exists() else "it said nothing"


def sample(points: Sequence[Point], number: int, lots: Random) -> tuple[list[Point], list[Point]]:
    """Choose points to kill at: one of each kind of write, the same every time, and so many more by lot."""
    kinds = {(point.role, " ".join(point.place.split()[:3])): point for point in reversed(points)}
    fixed = list(kinds.values())
    others = [point for point in points if point not in kinds.values()]
    return fixed, lots.sample(others, min(number, len(others)))
