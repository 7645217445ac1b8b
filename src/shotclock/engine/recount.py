"""Counting a phase's members anew where it decides something: counts that disagree with the rows give way to them."""

from collections import Counter
from typing import Final

from shotclock.engine import rolls
from shotclock.engine.desk import Desk
from shotclock.model import IMPORTANCES, KINDS, UNSATISFIED, Counts, Importance, Kind, Phase

NEAR: Final = 10
"""Pending members at which a phase is close to a decision, so that its counts are checked with every event."""
MOST: Final = 10_000
"""Members that have not settled well beyond which nobody counts: the phase is far from any rule."""
_OPEN: Final[tuple[Kind, ...]] = ("pending", *sorted(UNSATISFIED))


def near(phase: Phase) -> bool:
    """Say whether one member more or less may decide the phase."""
    return phase.sealed and phase.counts.pending <= NEAR


def checked(desk: Desk, phase: Phase) -> Phase:
    """Return the phase with counts that equal its rows; says so to operators where they did not.

    Only rows with members that are pending or unsatisfied are read, unless something is wrong.
    """
    counts = phase.counts
    if counts.pending + counts.unsatisfied > MOST or _agree(phase, _unsettled(desk, phase)):
        return phase
    rows = _all(desk, phase)
    if rows == counts:
        return phase
    text = f"its counts disagreed with its members and were corrected: {_words(counts)}, now {_words(rows)}"
    desk.alert(phase, "recounted", text, turn=phase.version, command=f"shotclock status {phase.run}")
    return desk.change(phase, counts=rows, changes=phase.changes + 1, worse=phase.worse + 1)


def _agree(phase: Phase, rows: Counter[tuple[Importance, Kind]]) -> bool:
    counts = phase.counts
    same = all(counts.of(importance).of(kind) == rows[importance, kind] for importance in IMPORTANCES for kind in _OPEN)
    return same and counts.expected + counts.withdrawn == phase.size


def _unsettled(desk: Desk, phase: Phase) -> Counter[tuple[Importance, Kind]]:
    found: Counter[tuple[Importance, Kind]] = Counter()
    for task in rolls.tasks(desk.tx, phase, pending=True):
        for code in set(task.kinds):
            found[rolls.importance_of(task), KINDS[code]] += task.kinds.count(code)
    return found


def _all(desk: Desk, phase: Phase) -> Counts:
    counts = Counts()
    for task in rolls.tasks(desk.tx, phase):
        for code in set(task.kinds):
            counts = counts.add(rolls.importance_of(task), KINDS[code], task.kinds.count(code))
    return counts


def _words(counts: Counts) -> str:
    return f"{counts.pending} pending, {counts.unsatisfied} unsatisfied of {counts.expected}"
