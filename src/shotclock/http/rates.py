"""How often each caller may come: an even pace, with bursts of up to a second's worth, in a bounded table."""

from typing import Final

MOST: Final = 10_000
"""Callers of which it is remembered how often they came."""


class Rates:
    """The pace of every caller; for one thread.

    Of each caller one number is kept: until when what it has sent would take at an even pace. It may be a second ahead.
    """

    def __init__(self, rate: int) -> None:
        self._step = 1 / rate
        self._busy_until: dict[str, float] = {}

    def wait(self, caller: str, now: float) -> float:
        """Count a request of a caller; return 0.0, or after how many seconds it may come again where it is too many."""
        until = self._busy_until.get(caller, now)
        ahead = until - now
        if ahead > 1 - self._step / 2:
            return ahead - 1 + self._step
        self._busy_until[caller] = (until if ahead > 0 else now) + self._step
        if len(self._busy_until) > MOST:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Forget who came long ago; where that is not enough, everybody, so that it is not done again at once."""
        ahead = {caller: until for caller, until in self._busy_until.items() if until > now}
        self._busy_until = ahead if len(ahead) <= MOST // 2 else {}
