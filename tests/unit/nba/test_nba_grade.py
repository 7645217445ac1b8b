"""Grading: what earlier days teach, their own baselines beside them, and nothing of the day itself."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba.scores import Scores
from nba.spread import LEVELS, SHARES, Misses, Spread, level
from nba.systems import STATS, Known, System, ensemble, expected
from shotclock.outcomes import Empty
from tests.unit.nba.days import Day, row, scores_of, write_season

NEWCOMER = {"minutes": 15.0, "points": 6.0, "rebounds": 3.0, "assists": 1.5}
FIRST = date(2024, 11, 1)


def known(**changes: float | None) -> Known:
    values: dict[str, float | None] = {
        "season_points": 20.0, "season_rebounds": 6.0, "season_assists": 4.0, "ten_points": 18.0, "ten_rebounds": 5.0,
        "ten_assists": 3.0, "fast_minutes": 30.0, "points_rate": 0.7, "rebounds_rate": 0.2, "assists_rate": 0.1,
    }  # fmt: skip
    return Known(**{**values, **changes})


def season(days: int = 14) -> list[dict[str, str]]:
    """Return rows of two players who meet every other day."""
    rows = []
    for number in range(days):
        when = {"GAME_DATE": (FIRST + timedelta(days=2 * number)).isoformat(), "GAME_ID": f"00224{number:05}"}
        rows.append(row(**when, PTS=str(20 + number % 3)))
        other = {"PLAYER_ID": "12", "PLAYER_NAME": "Bexley Birchwell", "TEAM_ID": "902", "TEAM_ABBREVIATION": "BRK"}
        rows.append(row(**when, **other, MATCHUP="BRK @ AMB", PTS=str(8 + number % 5)))
    return rows


def played(folder: Path, rows: list[dict[str, str]], days: int) -> tuple[Day, str]:
    """Run days one after the other, each grading the one before; return the last and what its grading showed."""
    write_season(folder / "data", rows)
    before, shown = None, ""
    for number in range(days):
        key = (FIRST + timedelta(days=2 * number)).isoformat()
        day = Day(folder / "home", key, {"data": str(folder / "data")})
        day.run(before)
        shown = day.inputs["grade"].result["show"]
        before = day
    assert before is not None
    return before, shown


@pytest.fixture(scope="module")
def thirteen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Day, str]:
    """Give the last of thirteen days of games, and what its grading showed."""
    return played(tmp_path_factory.mktemp("thirteen"), season(), 13)


def test_without_a_day_before_there_is_nothing_to_grade_and_every_table_is_there(home: Path) -> None:
    day = Day(home, "2024-12-15")
    day.raw()
    result = day.grade()
    assert result["show"] == "nothing to grade: no predictions of an earlier day"
    scores = scores_of(home, result)
    assert [one.source for one in scores.sources] == ["player_box", "positions", "props", "schedule"]
    assert not any(getattr(scores, name) for name in Scores.__struct_fields__ if name != "sources")


def test_each_system_is_graded_beside_the_plain_means_on_players_of_whom_enough_is_known(
    thirteen: tuple[Day, str],
) -> None:
    day, shown = thirteen
    assert shown.splitlines()[0] == "graded 2 players of 2024-11-23"
    graded = {(one.stat, one.system): one for one in scores_of(day.home, day.inputs["grade"].result).summary}
    assert graded["points", "season_mean"].n == 4
    assert set(graded) == {
        (stat, name) for stat in STATS for name in ("season_mean", "last_ten", "weighted", "ensemble")
    }
    assert graded["points", "last_ten"].mae > 0
    assert "no claim of profit" not in shown.lower()


def test_a_graded_error_is_the_difference_to_what_happened(thirteen: tuple[Day, str]) -> None:
    day, _ = thirteen
    misses = scores_of(day.home, day.inputs["grade"].result).misses
    points = next(one for one in misses if one.stat == "points" and one.team == "AMB")
    assert points.outcome == 20 + 11 % 3
    assert points.error == pytest.approx(points.value - points.outcome)


def test_a_day_graded_again_by_a_new_generation_counts_once(thirteen: tuple[Day, str]) -> None:
    day, _ = thirteen
    before = Day(day.home, "2024-11-23", day.params, inputs=dict(day.inputs))
    again = Day(day.home, day.key, day.params, generation=2)
    again.raw()
    before.run()
    result = again.grade(before)
    assert {one.n for one in scores_of(day.home, result).summary if one.system == "season_mean"} == {4}


def test_nothing_graded_on_a_later_day_changes_what_a_day_learns(thirteen: tuple[Day, str]) -> None:
    last, _ = thirteen
    middle = Day(last.home, "2024-11-23", last.params, generation=2)
    middle.raw()
    result = middle.grade()
    assert {one.game_date for one in scores_of(middle.home, result).daily} == {date(2024, 11, 21)}


def test_a_day_off_before_leaves_nothing_to_grade(tmp_path: Path) -> None:
    write_season(tmp_path / "data", season())
    off = Day(tmp_path / "home", "2024-11-02", {"data": str(tmp_path / "data")})
    off.run()
    after = Day(tmp_path / "home", "2024-11-03", {"data": str(tmp_path / "data")})
    after.raw()
    assert after.grade(off)["graded_day"] is None
    assert isinstance(off.analytics(), Empty)


def test_whoever_has_no_game_is_expected_to_do_what_newcomers_did() -> None:
    values = expected(known(fast_minutes=None), "points", NEWCOMER, 9.0)
    assert values == {"season_mean": 6.0, "last_ten": 6.0, "weighted": 6.0}


def test_a_season_without_a_game_yet_leans_on_the_last_ten() -> None:
    assert expected(known(season_points=None), "points", NEWCOMER, None)["season_mean"] == 18.0


def test_no_system_expects_less_than_nothing() -> None:
    assert expected(known(), "points", NEWCOMER, -0.3)["lightgbm"] == 0.0


def test_the_ensemble_leans_on_whoever_erred_less_and_on_all_alike_before_any_error() -> None:
    values: dict[System, float] = {"season_mean": 10.0, "weighted": 20.0}
    assert ensemble(values, {}) == 15.0
    assert ensemble(values, {"season_mean": 5.0, "weighted": 4.5}) > 15.0
    assert ensemble(values, {"season_mean": 4.5, "weighted": 5.0}) < 15.0


@given(value=st.floats(0, 60), stat=st.sampled_from(STATS))
def test_a_wider_interval_holds_the_narrower_and_levels_rise_with_the_value(value: float, stat: str) -> None:
    name = next(one for one in STATS if one == stat)
    quantiles = tuple(-6 + 12 * share for share in SHARES)
    spread = Spread([Misses(stat=name, system="weighted", level=-1, rows=500, quantiles=quantiles)])
    sizes = [spread.interval(name, "weighted", value, nominal) for nominal in range(10, 100, 10)]
    assert all(low >= wide[0] and high <= wide[1] for (low, high), wide in pairwise(sizes))
    assert sizes[0][0] >= 0
    assert level(name, value) <= level(name, value + 1)
    assert level(name, 99) == len(LEVELS[name])


def test_few_misses_of_a_level_are_not_trusted() -> None:
    one = Misses(stat="points", system="weighted", level=-1, rows=99, quantiles=(0.0,) * len(SHARES))
    low, high = Spread([one]).interval("points", "weighted", 10.0)
    assert high - low > 8
