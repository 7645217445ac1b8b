"""The ESPN layout runs through the same pipeline: its traps, and two editions of one season."""

import csv
import gzip
import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nba.columns import ESPN_COLUMNS
from shotclock.outcomes import Empty, Succeeded
from tests import game_logs
from tests.unit.nba.days import Day, rows_of

FIRST, SECOND = (
    "wnba_player_box_2024_snapshot_2024-09-19.csv.gz",
    "wnba_player_box_2024_final_2024-10-20.csv.gz",
)
DAY = "2024-12-03"
ROW = {
    "game_id": "401700001", "season": "2025", "season_type": "2", "game_date": "2024-12-01",
    "game_date_time": "2024-12-02T00:30:00Z", "athlete_id": "4000001", "athlete_display_name": "Aldo Ashgrove",
    "team_id": "1", "team_display_name": "Amberford Anvils", "team_abbreviation": "AMB", "home_away": "home",
    "opponent_team_abbreviation": "BRK", "athlete_position_abbreviation": "PG", "did_not_play": "FALSE",
    "team_winner": "TRUE", "minutes": "30.0", "field_goals_made": "8.0", "field_goals_attempted": "16",
    "three_point_field_goals_made": "2", "three_point_field_goals_attempted": "5", "free_throws_made": "2",
    "free_throws_attempted": "2", "offensive_rebounds": "1", "defensive_rebounds": "5", "rebounds": "6", "assists": "4",
    "steals": "1", "blocks": "0", "turnovers": "2", "fouls": "3", "plus_minus": "+7", "points": "20",
}  # fmt: skip
FIGURES = ESPN_COLUMNS[15:]
TODAY = {**ROW, "game_id": "401700009", "game_date": DAY, "game_date_time": "2024-12-04T00:30:00Z"}


def out(**changes: str) -> dict[str, str]:
    """Return a row of a player who did not play."""
    return {**ROW, **dict.fromkeys(FIGURES, ""), "did_not_play": "TRUE", **changes}


def write(folder: Path, *rows: Mapping[str, str], name: str = "player_box_2025.csv.gz") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*reversed(ESPN_COLUMNS), "reason"], restval="COACH'S DECISION")
    writer.writeheader()
    writer.writerows(rows)
    (folder / name).write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def day_of(folder: Path, key: str = DAY, **params: object) -> Day:
    return Day(folder / "home", key, {"data": str(folder / "data"), "set_aside": 200, **params})


def box(day: Day) -> dict[str, Any]:
    outcome = day.raw()
    assert isinstance(outcome, Succeeded)
    return outcome.outputs


def test_the_layout_is_told_by_the_file_and_its_season_by_the_year_of_its_end(tmp_path: Path) -> None:
    write(tmp_path / "data", ROW, TODAY)
    assert box(day_of(tmp_path))["layout"] == "espn"


def test_numbers_with_a_fraction_of_nothing_and_a_plus_are_whole_numbers(tmp_path: Path) -> None:
    write(tmp_path / "data", ROW, TODAY)
    day = day_of(tmp_path)
    with rows_of(day.home / box(day)["boxes"][0]) as rows:
        assert [(found["minutes"], found["field_goals"], found["plus_minus"]) for found in rows] == [(30, 8, 7)] * 2
        assert {found["reason"] for found in rows} == {None}


def test_the_day_is_the_eastern_one_not_that_of_the_tip_in_utc(tmp_path: Path) -> None:
    write(tmp_path / "data", ROW, TODAY)
    day = day_of(tmp_path, "2024-12-02")
    day.raw()
    assert isinstance(day.analytics(), Empty)


def test_who_did_not_play_is_listed_gets_predictions_and_counts_for_nobodys_form(tmp_path: Path) -> None:
    listed = {"game_id": "401700009", "game_date": DAY, "athlete_id": "4000002"}
    rows = [ROW, out(athlete_id="4000002"), TODAY, out(**listed)]
    write(tmp_path / "data", *rows, {**ROW, "game_id": "401700011", "game_date": "2024-12-05"})
    day = day_of(tmp_path)
    day.run()
    assert day.predictions()[4000002]["basis"] == "no history"
    after = day_of(tmp_path, "2024-12-04")
    after.raw()
    assert "graded 2 players of 2024-12-03, 1 of them did not play" in after.grade(day)["show"]


def test_a_row_without_a_player_and_a_game_of_stars_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    stars = {**ROW, "game_id": "401700002", "athlete_id": "4000003", "team_abbreviation": "WNBASTARS"}
    write(tmp_path / "data", ROW, {**ROW, "athlete_id": ""}, stars, TODAY)
    day = day_of(tmp_path)
    outputs = box(day)
    assert outputs["set_aside"] == 2
    with rows_of(day.home / outputs["rejected"]) as rows:
        assert [found["reason"] for found in rows] == [
            "athlete_id is missing",
            "team_abbreviation is WNBASTARS, a selection of stars",
        ]


def test_a_corrected_edition_says_how_many_rows_are_new_changed_and_gone(tmp_path: Path) -> None:
    gone = {**ROW, "athlete_id": "4000004"}
    write(tmp_path / "data", ROW, gone, TODAY)
    assert [box(day_of(tmp_path))[name] for name in ("new", "changed", "removed")] == [3, 0, 0]
    later = {**TODAY, "game_id": "401700010", "game_date": "2024-12-05"}
    write(tmp_path / "data", {**ROW, "assists": "5"}, TODAY, later)
    for _ in range(2):
        assert [box(day_of(tmp_path))[name] for name in ("new", "changed", "removed")] == [1, 1, 1]


def test_a_setting_chooses_between_layouts_that_lie_side_by_side(home: Path) -> None:
    assert box(Day(home, "2024-12-15", {"layout": "espn", "set_aside": 200}))["layout"] == "espn"
    assert box(Day(home, "2024-12-15", {"layout": "nba", "set_aside": 200}))["layout"] == "nba"


@pytest.fixture
def real() -> Path:
    return game_logs.folder(f"espn_format/{SECOND}") / "espn_format"


def test_two_editions_one_after_the_other_equal_the_second_alone(tmp_path: Path, real: Path) -> None:
    both, alone = tmp_path / "both", tmp_path / "alone"
    for folder, names in ((both, (FIRST, SECOND)), (alone, (SECOND,))):
        (folder / "data").mkdir(parents=True)
        for name in names:
            shutil.copyfile(real / name, folder / "data" / name)
    days = [day_of(folder, "2024-09-15") for folder in (both, alone)]
    first, second = (box(day) for day in days)
    assert [first[name] for name in ("changed", "removed")] == [0, 0]
    assert 0 < first["new"] < second["new"]
    assert (both / "home" / first["boxes"][0]).read_bytes() == (alone / "home" / second["boxes"][0]).read_bytes()
    for day in days:
        day.run()
    assert days[0].predictions() == days[1].predictions()


def test_the_published_season_of_the_layout_gives_a_card_and_predictions(tmp_path: Path, real: Path) -> None:
    day = Day(tmp_path, "2024-08-18", {"data": str(real), "set_aside": 200})
    day.run()
    assert len(day.predictions()) > 60
    assert day.inputs["raw"].members["player_box"].outputs["set_aside"] > 0
