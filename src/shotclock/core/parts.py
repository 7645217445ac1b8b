"""Members that report in numbered parts, such as files or pages: when they are whole, and what the parts add up to.

The total comes from any part that states it (`of`, or `last`); two totals conflict. A member settles when parts 1 to
N are in; a failed part fails it then, and a good one for the same number replaces a failed one before the close.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from shotclock.core.settling import broken, judged
from shotclock.model import Contract, Kind, Note, Part, PartOf, Report, Task, standing_of


class Whole(Struct, frozen=True, kw_only=True):
    """What a complete set of parts settles its member at."""

    kind: Kind
    note: Note


def contradiction(task: Task, report: Report) -> str | None:
    """Say why a part cannot be taken: it contradicts the total, or a good part of the same number."""
    assert report.part is not None
    part, total = report.part, task.parts_total
    if task.hi - task.lo > 1:
        return "items do not report in parts"
    nonsense = _contradicts_itself(part)
    if nonsense is not None:
        return nonsense
    stated = _stated(part)
    highest = max((*task.parts, part.number))
    if stated is not None and total is not None and stated != total:
        return f"it says there are {stated} parts, {total} were stated before"
    if (stated or total or highest) < highest:
        return f"part {highest} is beyond the {stated or total} that were stated"
    known = task.parts.get(part.number)
    if known is not None and (standing_of(known.kind) == "satisfied" or report.outcome == "failed"):
        return f"part {part.number} is {known.kind} already"
    return None


def _contradicts_itself(part: PartOf) -> str | None:
    if part.number < 1 or (part.of is not None and part.of < 1):
        return f"parts are numbered from 1, not {part.number} of {part.of}"
    if part.last and part.of not in {None, part.number}:
        return f"it says that part {part.number} is the last, and that there are {part.of}"
    return None


def add_part(task: Task, report: Report) -> Task:
    """Return the task with a part that contradicts nothing; a failure that will be tried again is no part yet."""
    assert report.part is not None
    total = task.parts_total or _stated(report.part)
    if report.outcome == "failed" and report.retry:
        return replace(task, parts_total=total)
    part = Part(kind=report.outcome, reason=report.reason, rows=report.rows, outputs=report.outputs)
    return replace(task, parts={**task.parts, report.part.number: part}, parts_total=total)


def whole(task: Task, contract: Contract, now: datetime) -> Whole | None:
    """Return what the parts settle their member at, or None while some are missing; the contract judges their sum."""
    if task.parts_total is None or len(task.parts) < task.parts_total:
        return None
    parts = [task.parts[number] for number in sorted(task.parts)]
    rows = [part.rows for part in parts if part.rows is not None]
    total = sum(rows) if rows else None
    kind = judged(_together({part.kind for part in parts}), total, contract)
    reason = broken(total, contract) if kind == "suspect" else _reasons(task.parts)
    outputs = {str(number): task.parts[number].outputs for number in sorted(task.parts) if task.parts[number].outputs}
    return Whole(kind=kind, note=Note(reason=reason, rows=total, outputs=outputs, at=now))


def _stated(part: PartOf) -> int | None:
    return part.number if part.last else part.of


def _together(kinds: set[Kind]) -> Kind:
    """Fold the parts' kinds: one failure fails, one success succeeds, else all were empty or skipped."""
    order: tuple[Kind, ...] = ("failed", "succeeded", "empty", "skipped")
    return next(kind for kind in order if kind in kinds)


def _reasons(parts: dict[int, Part]) -> str | None:
    said = [f"part {number}: {parts[number].reason}" for number in sorted(parts) if parts[number].reason]
    return "; ".join(said) or None
