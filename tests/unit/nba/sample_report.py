"""Invented facts for a whole report: a day of players, a season of graded days, misses, sources and gates."""

from datetime import date, timedelta
from random import Random

from nba.report.facts import Expected, Facts, Gate, PlayerDay
from nba.scores import BesideLine, Calibration, DayError, Miss, Score, SourceState
from nba.systems import STATS

DAY = date(2025, 1, 15)
FIRST = date(2024, 10, 23)
HEADLINE = "ensemble"
SYSTEMS = {"ensemble": 4.78, "lightgbm": 4.80, "weighted_mean": 4.89, "season_mean": 4.95, "last_ten": 4.96}
SCALE = {"points": 1.0, "rebounds": 0.41, "assists": 0.29}
NAMES = (
    "Aldo Ashgrove",
    "Évrard Stonebeck",
    "Søren Umberleigh",
    "Quade Yarrowby Jr.",
    "Bexley Žinnerfeld",
    "Dashel <b>",
)


def whole() -> Facts:
    """Return a report with everything in it."""
    luck = Random(7)  # noqa: S311 - a sample, not a secret
    return Facts(
        day=DAY,
        mode="default",
        source="simulated league",
        terms="invented players, teams and games; simulated, not real results",
        simulated=True,
        partial=True,
        missing={"raw": ["props"]},
        headline=HEADLINE,
        players=[_player(luck, number) for number in range(180)],
        graded_day=DAY - timedelta(days=1),
        summary=[
            Score(stat, system, 12_345, mae * SCALE[stat], -0.04, 0.797)
            for stat in STATS
            for system, mae in {**SYSTEMS, "line": 4.7}.items()
        ],
        daily=[
            DayError(FIRST + timedelta(days=at), stat, system, 150, (mae + luck.random() - 0.5) * SCALE[stat])
            for stat in STATS
            for system, mae in SYSTEMS.items()
            for at in range((DAY - FIRST).days)
        ],
        calibration=[
            Calibration(stat, system, float(nominal), nominal / 100 + (luck.random() - 0.5) * 0.04, 12_345)
            for stat in STATS
            for system in SYSTEMS
            for nominal in range(10, 100, 10)
        ],
        misses=[_miss(luck, number) for number in range(20)],
        groups=[
            Score(stat, HEADLINE, 4_000, mae * SCALE[stat], 0.1, 0.8, band)
            for stat in STATS
            for band, mae in (("10-20", 3.7), ("20-30", 4.9), ("30+", 6.2))
        ],
        beside_line=[
            BesideLine(stat, system, 3_210, (mae + 0.5) * SCALE[stat], 5.18 * SCALE[stat])
            for stat in STATS
            for system, mae in SYSTEMS.items()
        ],
        sources=[
            SourceState("player_box", "succeeded", 25_681, 2, 5, DAY),
            SourceState("positions", "succeeded", 515, 0, 0, DAY),
            SourceState("props", "empty"),
        ],
        gates=[
            Gate("raw", False, "deadline", True, ("props",), 3, 4),
            Gate("analytics", False, "all", False, (), 2, 2),
            Gate("predictions", False, "all", False, (), 180, 180),
            Gate("grade", False, "empty", False, (), 0, 0),
        ],
    )  # fmt: skip


def _player(luck: Random, number: int) -> PlayerDay:
    points = 4 + 24 * luck.random()
    expected = {}
    for stat in STATS:
        value = points * SCALE[stat]
        low, high = max(0.0, value - 9 * SCALE[stat]), value + 9 * SCALE[stat]
        expected[stat] = Expected(
            round(value, 2), round(low, 2), round(high, 2), round(value) + 0.5 if number % 3 else None
        )
    name = f"{NAMES[number % len(NAMES)]} {number}"
    basis = "no history" if number == 5 else "history"
    return PlayerDay(
        90_000_001 + number, name, f"T{number % 15:02}", f"T{15 + number % 15}", "home", number % 40, basis, expected
    )


def _miss(luck: Random, number: int) -> Miss:
    value = 8 + 12 * luck.random()
    outcome = float(round(value + (25 - number) * (1 if number % 2 else -0.4)))
    day = DAY - timedelta(days=1)
    return Miss(
        day, NAMES[number % 5], "AMB", "BRK", "points", value, outcome, abs(outcome - value), value - 8, value + 9, 12.5
    )
