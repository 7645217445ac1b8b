"""The plots of the report: predictions with their intervals, error over the season, calibration."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

from nba.report.facts import PlayerDay
from nba.report.svg import WIDTH, Scale, drawing, label, line, mark, path, tag, ticks
from nba.scores import Calibration, DayError
from nba.systems import Stat

SHOWN = 12
"""Players in a plot."""
SMOOTHED = 15
"""A point of the error's line is the mean of so many graded days, so that one evening does not hide the season."""

_ROW = 23
_NAMES = 136
_RIGHT = WIDTH - 14
_ABBREVIATED = 3
"""Letters by which a name with its first name cut may be longer: full stop and hyphen are narrow."""
_TOP = 26.0
"""Below the words at the top of a plot, so that its highest tick does not lie on them."""
_EDGE = 50
_FINE, _LEAST_OFF = 2.0, 5.0
"""Percentage points: what counts as calibrated, and the least that the axis reaches to."""
_DAYS_APART = 45
"""From so many days on the axis of days is marked by months."""


def intervals(stat: Stat, players: Sequence[PlayerDay]) -> str:
    """Draw those of whom most is expected: a dot for the prediction, a bar for the interval, a tick for the line."""
    shown = sorted(players, key=lambda player: (-player.expected[stat].value, player.player_id))[:SHOWN]
    highest = max(max(told.value, told.high or 0, told.line or 0) for told in (one.expected[stat] for one in shown))
    scale = Scale(0.0, highest * 1.04, _NAMES, _RIGHT)
    bottom = 10 + _ROW * len(shown)
    rows = "".join(_interval(player, stat, scale, 10 + _ROW * (place + 0.5)) for place, player in enumerate(shown))
    axis = _values(scale, 6, bottom, 4) + label(
        (_NAMES + _RIGHT) / 2, bottom + 34, f"expected {stat} in the game", "axis", "middle"
    )
    first = shown[0]
    told = f"{len(shown)} players; the most {stat} are expected of {first.name}: {first.expected[stat].value:.1f}."
    return drawing(f"day-{stat}", f"Today's highest predictions of {stat}", told, bottom + 42, axis + rows)


def _interval(player: PlayerDay, stat: Stat, scale: Scale, y: float) -> str:
    told = player.expected[stat]
    drawn = label(_NAMES - 8, y + 4, _short(player.name, 18), "name", "end")
    words = f"{player.name} ({player.team}): {told.value:.1f} {stat}"
    if told.low is not None and told.high is not None:
        left, right = scale.at(told.low), scale.at(told.high)
        drawn += tag("rect", x=left, y=float(y - 3.5), width=float(right - left), height=7.0, rx=3.5, class_="interval")
        words += f", 80 % interval {told.low:.1f} to {told.high:.1f}"
    if told.line is not None:
        drawn += line(scale.at(told.line), y - 8, scale.at(told.line), y + 8, "market")
        words += f", line {told.line:g}"
    return tag("g", tag("title", escape(words)), drawn, mark(0, scale.at(told.value), y, "dot", 4.5))


def errors(stat: str, rows: Sequence[DayError], systems: Sequence[str]) -> str:
    """Draw the mean absolute error of each system over the season, each point the mean of the graded days before it."""
    lines = {system: settled(smoothed([row for row in rows if row.system == system])) for system in systems}
    values = [value for points in lines.values() for _, value in points]
    days = sorted({day for points in lines.values() for day, _ in points})
    low, high = _padded(min(values), max(values))
    down = Scale(low, high, 190.0, _TOP)
    across = Scale(float(days[0].toordinal()), float(max(days[-1].toordinal(), days[0].toordinal() + 1)), 40.0, _RIGHT)
    drawn = "".join(
        _series(place, [(across.at(day.toordinal()), down.at(value)) for day, value in lines[system]])
        for place, system in reversed(list(enumerate(systems)))
    )
    last = {system: points[-1][1] for system, points in lines.items() if points}
    told = "At the end: " + ", ".join(f"{spoken(name)} {value:.2f}" for name, value in last.items()) + "."
    axes = _levels(down, 40, _RIGHT) + _days(across, days) + label(4, 8, f"mean absolute error, {stat}", "axis")
    return drawing(f"error-{stat}", f"Error of {stat} over the season", told, 232, axes + drawn)


def smoothed(rows: Sequence[DayError]) -> list[tuple[date, float]]:
    """Return for each graded day the mean error over it and the days before, weighted by how many were graded."""
    found = []
    ordered = sorted(rows, key=lambda row: row.game_date)
    for end in range(1, len(ordered) + 1):
        window = ordered[max(0, end - SMOOTHED) : end]
        graded = sum(row.n for row in window)
        found.append((ordered[end - 1].game_date, sum(row.mae * row.n for row in window) / graded))
    return found


def settled(points: Sequence[tuple[date, float]]) -> Sequence[tuple[date, float]]:
    """Leave out the first points, which rest on a few games and would set the scale, once enough others follow."""
    return points[SMOOTHED - 1 :] if len(points) >= 2 * SMOOTHED else points


def calibration(stat: str, rows: Sequence[Calibration], systems: Sequence[str]) -> str:
    """Draw by how much intervals of each width held more or less than they should; at 0 they are as they should be."""
    off = {system: _offsets(rows, system) for system in systems}
    far = max(_LEAST_OFF, *(abs(value) for points in off.values() for _, value in points)) * 1.1
    across, down = Scale(0.0, 100.0, 40.0, _RIGHT), Scale(-far, far, 190.0, _TOP)
    band = tag(
        "rect",
        x=40.0,
        y=down.at(_FINE),
        width=float(_RIGHT - 40),
        height=down.at(-_FINE) - down.at(_FINE),
        class_="fine",
    )
    drawn = "".join(
        _series(place, [(across.at(nominal), down.at(value)) for nominal, value in off[system]], marks=True)
        for place, system in reversed(list(enumerate(systems)))
    )
    axes = _levels(down, 40, _RIGHT) + line(40, down.at(0), _RIGHT, down.at(0), "ideal")
    axes += "".join(label(across.at(value), 206, f"{value} %", "tick", "middle") for value in range(20, 100, 20))
    axes += label((40 + _RIGHT) / 2, 226, "share the interval should hold", "axis", "middle")
    axes += label(4, 8, "held more (+) or less than it should, % points", "axis")
    told = _off(rows, systems[0]) if systems else ""
    return drawing(f"calibration-{stat}", f"Calibration of the intervals of {stat}", told, 232, band + axes + drawn)


def _offsets(rows: Sequence[Calibration], system: str) -> list[tuple[float, float]]:
    own = sorted((row for row in rows if row.system == system), key=lambda row: row.nominal)
    return [(row.nominal, 100 * row.covered - row.nominal) for row in own]


def legend(systems: Sequence[str]) -> str:
    """Write which line is which system's."""
    keys = "".join(tag("li", _swatch(place), escape(spoken(system))) for place, system in enumerate(systems))
    return tag("ul", keys, class_="legend")


def spoken(system: str) -> str:
    """Write a system's name as people say it."""
    return system.replace("_", " ")


def _swatch(place: int) -> str:
    inside = line(1, 8, 33, 8, f"series s{place}") + mark(place, 17, 8, f"point s{place}")
    return tag("svg", inside, viewBox="0 0 34 16", width=34, height=16, aria_hidden="true")


def _series(place: int, points: Sequence[tuple[float, float]], *, marks: bool = False) -> str:
    if not points:
        return ""
    every = points if marks else [points[-1]]
    return path(points, f"series s{place}") + "".join(mark(place, x, y, f"point s{place}") for x, y in every)


def _off(rows: Sequence[Calibration], system: str) -> str:
    own = [row for row in rows if row.system == system]
    if not own:
        return "Nothing has been graded yet."
    worst = max(own, key=lambda row: abs(100 * row.covered - row.nominal))
    return (
        f"Of the intervals of {spoken(system)} the one that should hold {worst.nominal:g} % is furthest off: "
        f"it held {100 * worst.covered:.1f} % of {worst.n:,} outcomes."
    )


def _padded(low: float, high: float) -> tuple[float, float]:
    room = max(0.1, (high - low) * 0.08)
    return max(0.0, low - room), high + room


def _values(scale: Scale, top: float, bottom: float, most: int) -> str:
    """Draw the values along the bottom, each with a line up to the top."""
    return "".join(
        line(scale.at(value), top, scale.at(value), bottom, "grid")
        + label(scale.at(value), bottom + 16, f"{value:g}", "tick", "middle")
        for value in ticks(scale.low, scale.high, most)
    )


def _levels(scale: Scale, left: float, right: float) -> str:
    """Draw the values along the left, each with a line to the right."""
    return "".join(
        line(left, scale.at(value), right, scale.at(value), "grid")
        + label(left - 5, scale.at(value) + 4, f"{value:g}".replace("-", "\N{MINUS SIGN}"), "tick", "end")
        for value in ticks(scale.low, scale.high, 5)
    )


def _days(scale: Scale, days: Sequence[date]) -> str:
    """Draw the axis of days: the months of a season, or first and last day of a short stretch."""
    first, last = days[0], days[-1]
    marked: Mapping[date, str] = {first: f"{first.day} {first:%b}", last: f"{last.day} {last:%b}"}
    if (last - first).days > _DAYS_APART:
        ordinals = range(first.toordinal(), last.toordinal() + 1)
        marked = {day: f"{day:%b}" for day in map(date.fromordinal, ordinals) if day.day == 1}
    drawn = "".join(_day(scale.at(day.toordinal()), words) for day, words in marked.items())
    return drawn + label((40 + _RIGHT) / 2, 226, "day of the games", "axis", "middle")


def _day(x: float, words: str) -> str:
    anchor = "start" if x < _EDGE else "end" if x > WIDTH - _EDGE else "middle"
    return line(x, 190, x, 194, "stroke") + label(x, 207, words, "tick", anchor)


def _short(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    first, _, rest = name.partition(" ")
    short = f"{first[0]}. {rest}" if rest else name
    return short if len(short) <= most + _ABBREVIATED else short[: most + _ABBREVIATED - 1] + "\N{HORIZONTAL ELLIPSIS}"
