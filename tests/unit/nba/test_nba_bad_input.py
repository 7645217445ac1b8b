"""Every bad input of the raw phase gives one line: the place, what is wrong, the next step."""

import gzip
from pathlib import Path

import pytest

from nba.columns import COLUMNS
from shotclock.outcomes import Empty, Permanent, Succeeded
from tests.unit.nba.days import Day, row, rows_of, write_season, write_text

DAY = "2024-12-03"
BEFORE = row(GAME_DATE="2024-12-01")
TODAY = row(GAME_DATE=DAY, GAME_ID="0022400009")
OTHER = row(PLAYER_ID="12")
AFTER = row(GAME_DATE="2024-12-09", GAME_ID="0022400031")


def refusal(tmp_path: Path, key: str = DAY, **params: object) -> str:
    with pytest.raises(Permanent) as raised:
        Day(tmp_path / "home", key, {"data": str(tmp_path / "data"), **params}).raw()
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({**OTHER, "PTS": "x"}, "line 3: PTS is x, due is a whole number from 0"),
        ({**OTHER, "PTS": "20.5"}, "line 3: PTS is 20.5, due is a whole number from 0"),
        ({**OTHER, "PTS": ""}, "line 3: PTS is missing"),
        ({**OTHER, "MIN": "-1"}, "line 3: MIN is -1"),
        ({**OTHER, "FG_PCT": "50%"}, "line 3: FG_PCT is 50%"),
        ({**OTHER, "FANTASY_PTS": "nan"}, "line 3: FANTASY_PTS is nan"),
        ({**OTHER, "WL": ""}, "line 3: WL is missing"),
        (row(GAME_ID="22400002"), "line 3: GAME_ID is 22400002, due is 10 digits, the leading zeros kept"),
        (row(GAME_DATE="12/02/2024"), "line 3: GAME_DATE is 12/02/2024, due is a date"),
        (row(GAME_DATE="2024-02-31"), "line 3: GAME_DATE 2024-02-31 is no day"),
        (row(PLAYER_ID="11.0"), "line 3: PLAYER_ID is 11.0"),
        (row(PLAYER_NAME=""), "line 3: PLAYER_NAME is missing"),
        (row(MATCHUP="AMB - BRK"), "line 3: MATCHUP is AMB - BRK"),
        (row(SEASON_ID="22023"), "line 3: SEASON_ID is 22023, due is the season of the file"),
        (row(), "line 3: player 11 in game 0022400001 is already on line 2"),
        (row(GAME_ID="0022400002"), "line 3: player 11 on 2024-12-01 is already on line 2"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_value(tmp_path: Path, bad: dict[str, str], said: str) -> None:
    write_season(tmp_path / "data", [BEFORE, bad, TODAY])
    message = refusal(tmp_path)
    assert f"player_box_2024-25.csv.gz {said}" in message
    assert "set_aside" in message


def test_a_bad_row_is_left_out_where_the_pipeline_allows_it(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, row(PLAYER_ID="12", PTS="x"), TODAY])
    outcome = Day(tmp_path / "home", DAY, {"data": str(tmp_path / "data"), "set_aside": 1}).raw()
    assert isinstance(outcome, Succeeded)
    assert outcome.outputs["set_aside"] == 1
    with rows_of(tmp_path / "home" / outcome.outputs["rejected"]) as rows:
        assert [(found["line"], found["entity"], found["reason"]) for found in rows] == [
            (3, "Aldo Ashgrove", "PTS is x, due is a whole number from 0")
        ]


def test_more_bad_rows_than_allowed_are_counted(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, row(PLAYER_ID="12", PTS="x"), row(PLAYER_ID="13", AST=""), TODAY])
    assert "(and 1 more such rows)" in refusal(tmp_path, set_aside=1)


def test_a_bad_value_of_the_day_or_later_stops_nobody(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, {**TODAY, "PTS": "x"}, {**AFTER, "MATCHUP": "?"}])
    outcome = Day(tmp_path / "home", DAY, {"data": str(tmp_path / "data")}).raw()
    assert isinstance(outcome, Succeeded)
    assert outcome.outputs["listed"] == 1


def test_a_bad_identity_on_the_day_stops_the_day(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, {**TODAY, "TEAM_ABBREVIATION": ""}])
    assert "line 3: TEAM_ABBREVIATION is missing" in refusal(tmp_path)


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [row(SEASON_ID="22021")], season="2021-22")
    message = refusal(tmp_path)
    assert "player_box_2024-25.csv.gz is missing for 2024-12-03" in message
    assert "player_box_2021-22.csv.gz" in message


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'data'} is not a folder" in refusal(tmp_path)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    file = write_season(tmp_path / "data", [BEFORE, TODAY])
    file.write_bytes(file.read_bytes()[:-20])
    assert "player_box_2024-25.csv.gz: not a whole gzip file" in refusal(tmp_path)


def test_a_file_that_is_no_gzip_is_named(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, TODAY]).write_bytes(b"SEASON_ID,PLAYER_ID")
    assert "not a whole gzip file" in refusal(tmp_path)


def test_text_that_is_not_utf_8_is_named_by_line(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE]).write_bytes(gzip.compress(b"SEASON_ID\nfirst\nZolt\xe1n\n"))
    assert "player_box_2024-25.csv.gz line 3: not UTF-8" in refusal(tmp_path)


def test_a_renamed_column_is_named_with_what_is_there_instead(tmp_path: Path) -> None:
    renamed = ["POINTS" if name == "PTS" else name for name in COLUMNS]
    write_text(tmp_path / "data", ",".join(renamed) + "\n")
    assert "player_box_2024-25.csv.gz line 1: there is no column PTS, POINTS is there instead" in refusal(tmp_path)


def test_a_column_named_twice_is_refused(tmp_path: Path) -> None:
    write_text(tmp_path / "data", ",".join([*COLUMNS, "PTS"]) + "\n")
    assert "line 1: column PTS is named twice" in refusal(tmp_path)


def test_a_line_cut_short_is_named(tmp_path: Path) -> None:
    write_text(tmp_path / "data", ",".join(COLUMNS) + "\n" + ",".join(BEFORE.values()) + "\n22024,11\n")
    assert "player_box_2024-25.csv.gz line 3: 2 values where the header names 32" in refusal(tmp_path)


def test_an_open_quote_is_named(tmp_path: Path) -> None:
    write_text(tmp_path / "data", ",".join(COLUMNS) + '\n22024,"11\n')
    assert "player_box_2024-25.csv.gz line" in refusal(tmp_path)


def test_a_day_before_the_files_begin_is_not_a_day_off(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, TODAY, AFTER])
    assert "has days from 2024-12-01 to 2024-12-09, none for 2024-11-30" in refusal(tmp_path, "2024-11-30")


def test_the_day_after_the_log_ends_is_empty_and_grades_the_last_day(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, TODAY])
    before = Day(tmp_path / "home", DAY, {"data": str(tmp_path / "data")})
    before.run()
    day = Day(tmp_path / "home", "2024-12-04", {"data": str(tmp_path / "data")})
    outcome = day.run(before)
    assert day.inputs["grade"].result["graded_day"] == DAY
    assert outcome.outputs["show"].startswith("no games known on 2024-12-04: the log ends on 2024-12-03 (")


def test_a_day_long_after_the_log_ends_is_not_a_day_off(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, TODAY])
    day = Day(tmp_path / "home", "2024-12-11", {"data": str(tmp_path / "data")})
    day.raw()
    with pytest.raises(Permanent, match="the log ends on 2024-12-03, and no schedule knows 2024-12-11"):
        day.analytics()


def test_a_file_without_rows_is_named(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [])
    assert "has no usable rows" in refusal(tmp_path)


def test_a_day_off_is_empty_and_says_so(tmp_path: Path) -> None:
    write_season(tmp_path / "data", [BEFORE, TODAY])
    day = Day(tmp_path / "home", "2024-12-02", {"data": str(tmp_path / "data")})
    assert isinstance(day.raw(), Succeeded)
    outcome = day.analytics()
    assert isinstance(outcome, Empty)
    assert outcome.reason == "no games on 2024-12-02"


@pytest.mark.parametrize("key", ["2024-10-21", "2025-04-14", "1999-01-01"])
def test_a_day_outside_the_simulated_season_names_the_season(tmp_path: Path, key: str) -> None:
    with pytest.raises(Permanent, match="plays from 2024-10-22 to 2025-04-13, not on"):
        Day(tmp_path, key).raw()


def test_a_key_that_is_no_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="'2024-13-01' is not a day"):
        Day(tmp_path, "2024-13-01").raw()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data" / "player_box_2024-25.csv.gz").mkdir(parents=True)
    assert "player_box_2024-25.csv.gz cannot be read" in refusal(tmp_path)
