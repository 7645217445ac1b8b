"""The sections of the report, each from what is known; where nothing is, each says so and why."""

from collections.abc import Callable, Sequence
from html import escape

from nba.report.facts import Expected, Facts, Gate, PlayerDay, best
from nba.report.plots import calibration, errors, intervals, legend, spoken
from nba.report.svg import tag
from nba.report.tables import Cell, Column, table
from nba.scores import Score
from nba.systems import STATS, Stat

_OPENED = {
    "all": "everybody was in",
    "quorum": "enough were in",
    "deadline": "the deadline",
    "stall": "nothing moved any more",
    "hopeless": "no more could come",
    "empty": "nobody was due",
    "forced": "an operator",
    "absent": "it did not run",
}
_WHERE = {"home": "vs", "away": "at", "neutral": "neutral, vs"}
_TREES = (
    "Most of what it gains over the weighted mean comes from features about who else is on the card. Published logs "
    "list only players who entered the game, so where the card comes from the log, the trees know who played. On a "
    "morning, with a guessed roster, they will do worse; how much has not been measured."
)
_MOST_MISSING = 12
_MOST_MISSES = 10


def today(facts: Facts) -> str:
    """Show today's predictions: the highest of each stat as plots, then every player in a table."""
    if not facts.players:
        return _section("today", "Today's predictions", _nothing(_no_games(facts)))
    has_interval = any(told.low is not None for player in facts.players for told in player.expected.values())
    has_line = any(told.line is not None for player in facts.players for told in player.expected.values())
    bar = (
        "the bar is the interval that should hold four outcomes in five"
        if has_interval
        else "no intervals yet: they are learnt from graded days"
    )
    tick = "; the upright tick is the market's line" if has_line else "; no lines are there for this day"
    words = f"The dot is what the {spoken(facts.headline)} expects; {bar}{tick}."
    plots = _plots(lambda stat: intervals(stat, facts.players))
    return _section("today", "Today's predictions", _said(words), plots, _filter(facts), _everybody(facts))


def _no_games(facts: Facts) -> str:
    if facts.log_ends is None:
        return "No games are played on this day."
    ends = f"{facts.log_ends.day} {facts.log_ends:%B %Y}"
    return f"No games are known on this day: the log ends on {ends}, and no schedule goes on from there."


def season(facts: Facts) -> str:
    """Show how far off each system has been, over the season and in total."""
    title = "Error over the season"
    if not facts.daily or not facts.summary:
        return _section("season", title, _nothing(_ungraded(facts)))
    words = (
        "How far a prediction is from what happened, on average; lower is better. Each point is the mean of the 15 "
        "graded days up to it."
    )
    plots = _plots(lambda stat: errors(stat, [row for row in facts.daily if row.stat == stat], facts.systems))
    scores = _by_stat(lambda stat: _scores(facts, stat))
    caveat = [tag("p", tag("strong", "Read lightgbm with care."), " ", escape(_TREES), class_="claim")]
    told = caveat if "lightgbm" in facts.systems else []
    return _section("season", title, _said(words), legend(facts.systems), plots, scores, *told)


def calibrated(facts: Facts) -> str:
    """Show whether the intervals are as wide as they say."""
    title = "Calibration"
    if not facts.calibration:
        return _section("calibration", title, _nothing(_ungraded(facts)))
    words = (
        "An interval of 80 % should hold 80 % of what happened. At 0 intervals are as wide as they say; below it they "
        "are too narrow, above it too wide. Within the grey band they are off by 2 percentage points at most."
    )
    rows = facts.calibration
    systems = [name for name in facts.systems if any(row.system == name for row in rows)]
    plots = _plots(lambda stat: calibration(stat, [row for row in rows if row.stat == stat], systems))
    return _section("calibration", title, _said(words), legend(systems), plots)


def misses(facts: Facts) -> str:
    """Name the predictions of the graded day that were furthest off."""
    title = "Biggest misses"
    if not facts.misses or facts.graded_day is None:
        return _section("misses", title, _nothing(_ungraded(facts)))
    words = f"Of the games of {_long_day(facts)}, the predictions that were furthest off."
    columns = [
        Column("player"), Column("expected", numeric=True), Column("happened", numeric=True),
        Column("off by", numeric=True), Column("line", numeric=True, wide_only=True),
    ]  # fmt: skip
    rows = [
        [
            Cell(row.player_name, notes=(f"{row.stat}, {row.team} against {row.opponent}",)),
            Cell(f"{row.value:.1f}", notes=_between(Expected(row.value, row.low80, row.high80))),
            Cell(f"{row.outcome:g}"),
            Cell(_signed(row.outcome - row.value, 1)),
            Cell("" if row.line is None else f"{row.line:g}"),
        ]
        for row in facts.misses[:_MOST_MISSES]
    ]
    return _section("misses", title, _said(words), table("Biggest misses of the graded day", columns, rows))


def groups(facts: Facts) -> str:
    """Tell how good the headline system is by the minutes players get."""
    title = "By minutes played"
    rows = [row for row in facts.groups if row.system == facts.headline]
    if not rows:
        return _section("groups", title, _nothing(_ungraded(facts)))
    words = f"How far off the {spoken(facts.headline)} is for players of few and of many minutes a game."
    columns = [Column("minutes"), Column("graded", numeric=True), *_MEASURES]

    def of(stat: Stat) -> str:
        own = [row for row in rows if row.stat == stat]
        return table(stat, columns, [[Cell(row.minutes_band), Cell(f"{row.n:,}"), *_measures(row)] for row in own])

    return _section("groups", title, _said(words), _by_stat(of))


def lines(facts: Facts) -> str:
    """Compare the systems with the market's line, where there is one; no claim of profit."""
    title = "Beside the market's line"
    claim = tag("p", tag("strong", "This report makes no claim of profit."), " ", _verdict(facts), class_="claim")
    if not facts.beside_line:
        return _section("lines", title, claim, _nothing("No graded prediction has had a line beside it yet."))
    columns = [Column("system"), Column("error", numeric=True), Column("the line's", numeric=True)]

    def of(stat: Stat) -> str:
        own = sorted((row for row in facts.beside_line if row.stat == stat), key=lambda row: (row.mae, row.system))
        cells = [[Cell(spoken(row.system)), Cell(f"{row.mae:.2f}"), Cell(f"{row.line_mae:.2f}")] for row in own]
        return table(f"{stat}, {max((row.n for row in own), default=0):,} with a line", columns, cells)

    return _section("lines", title, claim, _by_stat(of))


def sources(facts: Facts) -> str:
    """Tell what each source gave."""
    title = "Sources"
    words = f"{facts.source}: {facts.terms}."
    if not facts.sources:
        return _section(
            "sources", title, _said(words), _nothing("What each source gave has not been counted for this day.")
        )
    columns = [
        Column("source"), Column("state"), Column("rows", numeric=True), Column("set aside", numeric=True),
        Column("new or changed with this edition", numeric=True, wide_only=True), Column("data up to", wide_only=True),
    ]  # fmt: skip
    rows = [
        [
            Cell(spoken(row.source)),
            Cell(row.state),
            *(_count(value) for value in (row.rows, row.set_aside, row.changed)),
            Cell("" if row.as_of is None else str(row.as_of)[:10]),
        ]
        for row in facts.sources
    ]
    return _section("sources", title, _said(words), table("What each source gave", columns, rows))


def gates(facts: Facts) -> str:
    """Tell how each phase was let through."""
    words = (
        "A phase is over when its gate opens: because everybody was in, or because a clock ran out. When that was, and "
        "how late, stands in about.html, which differs from run to run; this page does not."
    )
    columns = [
        Column("phase"),
        Column("opened because"),
        Column("in", numeric=True),
        Column("of", numeric=True),
        Column("missing"),
    ]
    rows = [
        [Cell(_phase(gate)), Cell(_OPENED[gate.reason], notes=("partial",) if gate.partial else ()), *_members(gate)]
        for gate in facts.gates
    ]
    return _section("gates", "Gates", _said(words), table("How each gate opened", columns, rows))


_MEASURES = (Column("error", numeric=True), Column("bias", numeric=True), Column("80 % held", numeric=True))


def _measures(row: Score) -> list[Cell]:
    held = "" if row.coverage is None else f"{100 * row.coverage:.1f} %"
    return [Cell(f"{row.mae:.2f}"), Cell("" if row.bias is None else _signed(row.bias, 2)), Cell(held)]


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _scores(facts: Facts, stat: Stat) -> str:
    own = sorted((row for row in facts.summary if row.stat == stat), key=lambda row: (row.mae, row.system))
    graded = max((row.n for row in own if row.system != "line"), default=0)
    rows = [[_named(row), *_measures(row)] for row in own]
    return table(f"{stat}, {graded:,} graded", [Column("system"), *_MEASURES], rows)


def _named(row: Score) -> Cell:
    return Cell("the line", notes=(f"on its {row.n:,}",)) if row.system == "line" else Cell(spoken(row.system))


def _everybody(facts: Facts) -> str:
    columns = [Column("player"), Column("games before", numeric=True, wide_only=True)]
    columns += [Column(stat, numeric=True) for stat in STATS]
    ordered = sorted(facts.players, key=lambda player: (-player.expected["points"].value, player.player_id))
    rows = [
        [_who(player), Cell(str(player.games), player.games), *(_expected(player, stat) for stat in STATS)]
        for player in ordered
    ]
    return table("Every player of the day", columns, rows, sortable=True)


def _who(player: PlayerDay) -> Cell:
    game = f"{player.team} {_WHERE[player.venue]} {player.opponent}"
    return Cell(player.name, notes=(game,) if player.basis == "history" else (game, "no history"))


def _expected(player: PlayerDay, stat: Stat) -> Cell:
    told = player.expected[stat]
    line = () if told.line is None else (f"line {told.line:g}",)
    return Cell(f"{told.value:.1f}", told.value, notes=(*_between(told), *line))


def _between(told: Expected) -> tuple[str, ...]:
    return () if told.low is None or told.high is None else (f"{told.low:.1f}\N{EN DASH}{told.high:.1f}",)


def _filter(facts: Facts) -> str:
    teams = "".join(tag("option", escape(team), value=team) for team in sorted({one.team for one in facts.players}))
    words = tag("label", "Player ", '<input type="search" id="find" autocomplete="off">')
    team = tag("label", "Team ", tag("select", tag("option", "all", value=""), teams, id="team"))
    return tag("form", words, team, tag("output", id="found"), class_="filter", hidden="hidden")


def _verdict(facts: Facts) -> str:
    rows = [row for row in facts.beside_line if row.stat == "points"]
    if not rows:
        return "Where a market's line is known it stands beside the prediction, to be compared with it."
    nearest = min(rows, key=lambda row: (row.mae, row.system))
    beaten = "is better than" if nearest.line_mae < nearest.mae else "is no better than"
    return (
        f"On the {nearest.n:,} graded predictions of points with a line, the line ({nearest.line_mae:.2f}) {beaten} "
        f"the best system, {escape(spoken(nearest.system))} ({nearest.mae:.2f})."
    )


def headline_figures(facts: Facts) -> list[tuple[str, str]]:
    """Return the figures at the top of the page, each with what it is."""
    figures = []
    if facts.players:
        figures += [(f"{facts.games}", "games today"), (f"{len(facts.players):,}", "players predicted")]
    own, found = facts.of(facts.headline, "points"), best([row for row in facts.summary if row.stat == "points"])
    if own is not None:
        figures.append((f"{own.mae:.2f}", f"points off on average, {own.n:,} graded"))
        if own.coverage is not None:
            figures.append((f"{100 * own.coverage:.0f} %", "of points within the 80 % interval"))
    elif found is not None:
        figures.append((f"{found.mae:.2f}", f"points off on average, {spoken(found.system)}"))
    return figures


def _members(gate: Gate) -> list[Cell]:
    named = ", ".join(gate.missing[:_MOST_MISSING])
    more = len(gate.missing) - _MOST_MISSING
    return [
        Cell(f"{gate.satisfied:,}"),
        Cell(f"{gate.members:,}"),
        Cell(named + (f" and {more} more" if more > 0 else "") or "nobody"),
    ]


def _phase(gate: Gate) -> str:
    return f"{gate.phase}, the day before" if gate.previous else gate.phase


def _count(value: int | None) -> Cell:
    return Cell("" if value is None else f"{value:,}")


def _ungraded(facts: Facts) -> str:
    return f"Nothing has been graded before {facts.day:%d %B %Y}: a day is graded in the run of the day after it."


def _long_day(facts: Facts) -> str:
    day = facts.graded_day or facts.day
    return f"{day:%A} {day.day} {day:%B %Y}"


def _plots(drawn: Callable[[Stat], str]) -> str:
    figures = (tag("figure", tag("figcaption", stat), drawn(stat)) for stat in STATS)
    return tag("div", *figures, class_="plots")


def _by_stat(written: Callable[[Stat], str]) -> str:
    return tag("div", *(written(stat) for stat in STATS), class_="plots tables")


def _section(name: str, title: str, *inside: str) -> str:
    return tag("section", tag("h2", escape(title), id=name), *inside, aria_labelledby=name)


def _said(words: str) -> str:
    return tag("p", escape(words), class_="said")


def _nothing(words: str) -> str:
    return tag("p", escape(words), class_="nothing")


SECTIONS: Sequence[Callable[[Facts], str]] = (today, season, calibrated, misses, groups, lines, sources, gates)
"""The sections in the order of the page."""
