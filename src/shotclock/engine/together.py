"""Reports of many callers at once: one unit of work and one commit for all who wait, as if each had come alone."""

from collections.abc import Callable, Sequence
from itertools import islice

from shotclock.errors import StoreError
from shotclock.groups import Call, Queue
from shotclock.model import Answer, Report

Record = Callable[[Sequence[Report]], list[Answer]]
"""Takes reports in one unit of work: all of them, or, where it raises, none."""


class Together:
    """Hands what its callers report to `record`, the calls that wait at the same time in one go; `most` bounds that."""

    def __init__(self, record: Record, most: int) -> None:
        self._record = record
        self._most = most
        self._queue = Queue()

    def report(self, reports: Sequence[Report]) -> list[Answer]:
        """Return the answers, once they are durable; what another call is refused for touches nobody else."""
        call = Call(reports)
        self._queue.submit(call, self._lead)
        answers: list[Answer] = call.outcome()
        return answers

    def each(self, calls: Sequence[Sequence[Report]]) -> list[list[Answer] | BaseException]:
        """Take several callers' reports in one go; return the answers to each, or what it is refused for."""
        group = [Call(reports) for reports in calls]
        self._carry_out(group)
        return [call.result if call.error is None else call.error for call in group]

    def _lead(self, own: Call) -> None:
        group: list[Call] = []
        number = 0
        while number < self._most and self._queue.take(group):
            number += len(group[-1].work)
        try:
            self._carry_out(group)
        except BaseException:
            self._give_up(own, group)
            raise
        for call in group:
            call.settle()

    def _carry_out(self, group: Sequence[Call]) -> None:
        """Take all calls at once; if that is refused, each by itself, so that only those to blame are."""
        try:
            answers = iter(self._record([report for call in group for report in call.work]))
        except Exception as error:  # noqa: BLE001 - raised again in the thread whose call it was
            if len(group) == 1:
                group[0].error = error
                return
            for call in group:
                if isinstance(error, StoreError):
                    call.error = type(error)(str(error))
                else:
                    self._carry_out([call])
        else:
            for call in group:
                call.result = list(islice(answers, len(call.work)))

    def _give_up(self, own: Call, group: Sequence[Call]) -> None:
        """After an interrupt, leave the others to the next leader; what was stored is answered as a repeat then."""
        own.settle()
        self._queue.put_back([call for call in group if call is not own])
