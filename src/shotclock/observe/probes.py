"""Asking what may hang: each question in a thread of its own, never a second one while the first has no answer."""

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from shotclock.clock import seconds

T = TypeVar("T")


class Question(Generic[T]):
    """What was asked, and the answer once there is one."""

    def __init__(self) -> None:
        self.since = seconds()
        self.error: Exception | None = None
        self._answered = Event()
        self._answer: T | None = None

    def settle(self, work: Callable[[], T]) -> None:
        """Find the answer, or what keeps from it."""
        try:
            self._answer = work()
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            self.error = error
        finally:
            self._answered.set()

    @property
    def is_open(self) -> bool:
        """Whether there is no answer yet."""
        return not self._answered.is_set()

    def answer(self, until: float) -> T | None:
        """Wait for the answer until then, on the monotonic clock; None where there is none, or an error instead."""
        self._answered.wait(max(until - seconds(), 0))
        return self._answer


class Probe(Generic[T]):
    """Asks one thing again and again; a question that hangs is waited for, no other thread is begun beside it."""

    def __init__(self, name: str, work: Callable[[], T]) -> None:
        self.name = name
        self._work = work
        self._asked: Question[T] | None = None
        self._lock = Lock()

    def ask(self) -> Question[T]:
        """Ask, unless the question before has no answer yet: then that is what is waited for."""
        with self._lock:
            if self._asked is not None and self._asked.is_open:
                return self._asked
            question = self._asked = Question[T]()
        Thread(target=question.settle, args=(self._work,), name=f"shotclock probe {self.name}", daemon=True).start()
        return question
