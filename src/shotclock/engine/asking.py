"""Questions that members' functions put about flags: the unit they are about, the rule that holds, and a note of it."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final

from shotclock.context import Assignment
from shotclock.core import flags
from shotclock.model import Evaluation, Flag, Rule, value_words
from shotclock.outcomes import Permanent

Live = Callable[[Flag], Rule]
"""Gives the rule of a flag that is read at each decision."""
Noted = Callable[[str, Rule], None]
"""Hears which rule a question was answered by, once for each."""

_OWN: Final = frozenset({"run", "member"})
"""Kinds of unit that a task knows by itself."""


class Asking:
    """Answers what one task asks; rules that bind its run come from its plan, without a look anywhere."""

    def __init__(self, assignment: Assignment, live: Live, noted: Noted) -> None:
        self._assignment = assignment
        self._live = live
        self._noted = noted
        self._seen: dict[str, Rule] = {}

    def __call__(self, name: str, key: str | None) -> Evaluation:
        """Return the answer for a unit; raises `Permanent` for a flag that is not declared, or a unit not given."""
        flag = self._assignment.flags.get(name)
        if flag is None:
            raise Permanent(_unknown(self._assignment, name))
        unit = unit_of(self._assignment, flag, key)
        rule = self._live(flag) if flag.binding == "live" else self._assignment.rules[name]
        if self._seen.get(name) != rule:
            self._seen[name] = rule
            self._noted(name, rule)
        return flags.evaluate(flag, rule, unit)


def unit_of(assignment: Assignment, flag: Flag, key: str | None) -> str:
    """Return the unit that a question is about: what was given, or the run or the member that the task is of."""
    if flag.key == "run":
        if key is not None:
            message = f"flag {flag.name} is for whole runs: leave out key, or declare another key: in pipeline.yaml"
            raise Permanent(message)
        return assignment.run.partition("#")[0]
    if key is None and flag.key == "member" and assignment.work == "member":
        return assignment.member
    if key is None:
        message = f"flag {flag.name} is for each {flag.key}: say which, as ctx.flag({flag.name!r}, key=…)"
        raise Permanent(message)
    return key


def words(assignment: Assignment, live: Live) -> str:
    """Say the values of all flags that a task knows the unit of, as ``name=on`` with blanks between, for a command."""
    known = (flag for flag in assignment.flags.values() if flag.key in _OWN)
    asking = Asking(assignment, live, lambda _name, _rule: None)
    return " ".join(f"{flag.name}={value_words(asking(flag.name, None).value)}" for flag in known)


def _unknown(assignment: Assignment, name: str) -> str:
    near = get_close_matches(name, assignment.flags, n=1)
    hint = f"; the nearest is {near[0]}" if near else f"; declare it under flags: in the file of {assignment.pipeline}"
    return f"there is no flag {name!r}{hint}"
