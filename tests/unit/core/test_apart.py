"""A member can be cut out of its range, and nothing of the others is lost."""

import pytest

from shotclock.core.leases import apart
from shotclock.model import CODE, Note, Task

KINDS = bytes((CODE["succeeded"], CODE["pending"], CODE["failed"]))
RANGE = Task(
    phase=1, work="outside", lo=4, hi=7, state="outside", token=2, kinds=KINDS, notes={6: Note(reason="broken")}
)


@pytest.mark.parametrize(
    ("ordinal", "ranges"), [(4, [(4, 5), (5, 7)]), (5, [(4, 5), (5, 6), (6, 7)]), (6, [(4, 6), (6, 7)])]
)
def test_a_member_gets_a_task_of_its_own_and_all_stand_as_before(ordinal: int, ranges: list[tuple[int, int]]) -> None:
    pieces = apart(RANGE, ordinal)
    assert [(piece.lo, piece.hi) for piece in pieces] == ranges
    assert b"".join(piece.kinds for piece in pieces) == KINDS
    assert pieces[-1].notes == RANGE.notes
    assert {(piece.token, piece.state) for piece in pieces} == {(2, "outside")}


def test_a_range_of_one_stays_as_it_is() -> None:
    alone = Task(phase=1, work="outside", lo=4, hi=5, state="outside", kinds=b"\0")
    assert apart(alone, 4) == (alone,)
