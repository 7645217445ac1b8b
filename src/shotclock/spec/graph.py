"""The phases as a graph: names that exist, no circles, and an order in which each comes after what it needs."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from shotclock.spec.header import Modes
from shotclock.spec.nodes import Problems, nearest, shown
from shotclock.spec.phases import Draft


def check_names(drafts: Sequence[Draft], modes: Modes, problems: Problems) -> None:
    """Add a problem for each phase or member that is named but not there."""
    known = {draft.plan.name: draft for draft in drafts}
    for draft in drafts:
        for name, line in draft.need_lines.items():
            if name not in known:
                draft.table.wrong("needs", f"there is no phase {shown(name)}{nearest(name, known)}", line=line)
    for mode, phases in modes.items():
        for name, kept in phases.items():
            if name in known:
                _check_kept(known[name], kept.members, f"mode {mode}: {name}", kept.line)
            else:
                problems.add(kept.line, f"mode {mode}", f"there is no phase {shown(name)}{nearest(name, known)}")


def _check_kept(draft: Draft, members: Mapping[str, int], where: str, line: int) -> None:
    problems, names = draft.table.problems, {member.name: None for member in draft.plan.members}
    if draft.plan.items:
        problems.add(line, where, "has items; a mode chooses only among named members")
        return
    for member, at in members.items():
        if member not in names:
            problems.add(at, where, f"there is no member {shown(member)}{nearest(member, names)}")


def ordered(drafts: Sequence[Draft]) -> list[Draft]:
    """Return the phases in an order in which each comes after what it needs, otherwise that of the file.

    A circle is a problem that names it; its phases then come last.
    """
    index = {draft.plan.name: place for place, draft in enumerate(drafts)}
    needs = [{index[name] for name in draft.plan.needs if name in index} for draft in drafts]
    order = _order(needs)
    rest = sorted(set(range(len(drafts))) - set(order))
    for circle in _circles(needs, rest):
        names = [drafts[place].plan.name for place in circle]
        turns = ", ".join(f"{one} needs {other}" for one, other in zip(names, names[1:] + names[:1], strict=True))
        first = drafts[circle[0]].table
        first.wrong("needs", f"the phases need each other in a circle: {turns}")
    return [drafts[place] for place in [*order, *rest]]


def _order(needs: Sequence[Iterable[int]]) -> list[int]:
    waiting = [len(set(need)) for need in needs]
    followers: list[list[int]] = [[] for _ in needs]
    for place, need in enumerate(needs):
        for before in need:
            followers[before].append(place)
    ready = [place for place, count in enumerate(waiting) if not count]
    heapify(ready)
    order = []
    while ready:
        place = heappop(ready)
        order.append(place)
        for follower in followers[place]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heappush(ready, follower)
    return order


def _circles(needs: Sequence[set[int]], rest: Sequence[int]) -> list[list[int]]:
    """Return circles that share no phase; `rest` are those left over by the order, each on or behind a circle."""
    left, circles = set(rest), []
    for start in rest:
        path: list[int] = []
        place: int | None = start if start in left else None
        while place is not None and place not in path:
            path.append(place)
            place = min(needs[place] & left, default=None)
        if place is not None:
            circles.append(_turned(path[path.index(place) :]))
        left.difference_update(path)
    return circles


def _turned(circle: list[int]) -> list[int]:
    """Begin the circle with its first phase of the file."""
    first = circle.index(min(circle))
    return circle[first:] + circle[:first]
