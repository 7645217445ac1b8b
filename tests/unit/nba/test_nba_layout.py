"""The published layout with its traps, and that nothing of the day or later is known before it."""

import csv
import gzip
import io
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from nba.columns import COLUMNS, IDENTITY
from nba.raw import taken_in
from nba.simulated import league, season
from nba.source import Season
from shotclock.outcomes import Succeeded
from tests import game_logs
from tests.unit.nba.days import Day, row, rows_of, write_season

DAY = "2024-12-15"


@pytest.fixture(scope="module")
def simulated() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(season())))


@pytest.fixture
def real() -> str:
    return str(game_logs.folder("player_box_2024-25.csv.gz"))


def card_of(day: Day) -> list[dict[str, object]]:
    day.raw()
    outcome = day.analytics()
    assert isinstance(outcome, Succeeded)
    with rows_of(day.home / outcome.outputs["card"]) as rows:
        return rows


def made(folder: Path, rows: list[dict[str, str]], key: str = DAY) -> list[tuple[object, ...]]:
    """Return the day's predictions by every system, the fitted one too where it can be had."""
    write_season(folder / "data", rows)
    models = "weekly" if find_spec("lightgbm") else "none"
    day = Day(folder / "home", key, {"data": str(folder / "data"), "models": models})
    day.prepare()
    day.predict(day.items())
    with rows_of(day.home / day.consolidate()["predictions"]) as found:
        return [tuple(one.values()) for one in found]


def test_the_simulated_league_is_the_same_each_time_and_keeps_the_published_sums(
    simulated: list[dict[str, str]],
) -> None:
    assert season() == season()
    assert tuple(simulated[0]) == COLUMNS
    assert max(Counter((found["PLAYER_ID"], found["GAME_DATE"]) for found in simulated).values()) == 1
    for found in simulated:
        assert int(found["PTS"]) == 2 * int(found["FGM"]) + int(found["FG3M"]) + int(found["FTM"])
        assert int(found["REB"]) == int(found["OREB"]) + int(found["DREB"])


def test_the_simulated_league_is_written_once(tmp_path: Path) -> None:
    file = league(tmp_path) / "player_box_2024-25.csv.gz"
    written = file.stat().st_mtime_ns
    assert league(tmp_path) == file.parent
    assert file.stat().st_mtime_ns == written


def test_nothing_of_the_day_or_later_changes_a_prediction(tmp_path: Path, simulated: list[dict[str, str]]) -> None:
    changed = [
        {name: value if name in IDENTITY else "" if name.endswith("_PCT") else "9" for name, value in found.items()}
        if found["GAME_DATE"] == DAY
        else found
        for found in simulated
        if found["GAME_DATE"] <= DAY
    ]
    later = [{**found, "PTS": "99", "TEAM_ABBREVIATION": "?"} for found in simulated if found["GAME_DATE"] > DAY]
    expected = made(tmp_path / "as published", simulated)
    assert {row[11] for row in expected} >= {"season_mean", "last_ten", "weighted", "ensemble"}
    assert made(tmp_path / "changed", changed) == expected
    assert made(tmp_path / "later", changed + later[::7]) == expected


def test_a_value_of_an_earlier_day_does_change_one(tmp_path: Path, simulated: list[dict[str, str]]) -> None:
    playing = {found["PLAYER_ID"] for found in simulated if found["GAME_DATE"] == DAY}
    place = max(i for i, found in enumerate(simulated) if found["GAME_DATE"] < DAY and found["PLAYER_ID"] in playing)
    changed = [*simulated[:place], {**simulated[place], "PTS": "99"}, *simulated[place + 1 :]]
    assert made(tmp_path / "changed", changed) != made(tmp_path / "as published", simulated)


def test_leading_zeros_neutral_ground_and_null_shares_are_kept(tmp_path: Path) -> None:
    rows = [
        row(MATCHUP="AMB @ BRK", FG3A="0", FG3_PCT="", FT_PCT=""),
        row(PLAYER_ID="12", TEAM_ID="902", TEAM_ABBREVIATION="BRK", MATCHUP="BRK @ AMB"),
        row(PLAYER_ID="13", GAME_ID="0022400002", MATCHUP="AMB vs. BRK"),
        row(PLAYER_ID="14", GAME_ID="0022400002", TEAM_ID="902", TEAM_ABBREVIATION="BRK", MATCHUP="BRK @ AMB"),
    ]
    write_season(tmp_path / "data", rows)
    card = card_of(Day(tmp_path, "2024-12-01", {"data": str(tmp_path / "data")}))
    assert [found["venue"] for found in card] == ["neutral", "neutral", "home", "away"]
    assert [found["game_id"] for found in card] == ["0022400001"] * 2 + ["0022400002"] * 2
    assert [found["opponent"] for found in card] == ["BRK", "AMB", "BRK", "AMB"]


def test_columns_are_found_by_name_and_new_ones_are_ignored(tmp_path: Path) -> None:
    columns = ["NEW", *reversed(COLUMNS)]
    write_season(tmp_path / "data", [{**row(), "NEW": "a, b"}], columns=columns)
    assert card_of(Day(tmp_path, "2024-12-01", {"data": str(tmp_path / "data")}))[0]["player"] == "Aldo Ashgrove"


def test_a_traded_player_keeps_his_history_and_plays_for_the_new_team(tmp_path: Path) -> None:
    moved = row(
        GAME_DATE="2024-12-03", GAME_ID="0022400009", TEAM_ID="902", TEAM_ABBREVIATION="BRK", MATCHUP="BRK @ AMB"
    )
    write_season(tmp_path / "data", [row(), moved])
    day = Day(tmp_path, "2024-12-03", {"data": str(tmp_path / "data")})
    day.run()
    assert day.predictions()[11]["team"] == "BRK"
    assert day.predictions()[11]["games"] == 1


def test_the_season_before_counts_as_history_where_it_is_there(tmp_path: Path) -> None:
    before = row(SEASON_ID="22023", GAME_ID="0022300001", GAME_DATE="2024-04-01")
    write_season(tmp_path / "data", [before], season="2023-24")
    write_season(tmp_path / "data", [row()])
    day = Day(tmp_path, "2024-12-01", {"data": str(tmp_path / "data")})
    day.run()
    found = day.predictions()[11]
    assert (found["games"], found["season_games"], found["points"]) == (1, 0, 20.0)
    assert "player_box_2023-24.csv.gz, player_box_2024-25.csv.gz" in day.published().decode()


def test_a_file_taken_in_by_many_at_once_is_whole_and_the_same(tmp_path: Path) -> None:
    published = Season(2025, league(tmp_path) / "player_box_2024-25.csv.gz")
    with ThreadPoolExecutor(4) as pool:
        files = set(pool.map(lambda _: taken_in(published, tmp_path), range(4)))
    (file,) = files
    assert file.read_bytes() == taken_in(published, tmp_path / "other").read_bytes()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_corrected_edition_of_a_file_is_taken_in_beside_the_first(tmp_path: Path) -> None:
    first = taken_in(Season(2025, write_season(tmp_path / "data", [row()])), tmp_path)
    second = taken_in(Season(2025, write_season(tmp_path / "data", [row(AST="5")])), tmp_path)
    assert first != second
    assert first.exists()


def test_published_files_give_a_prediction_for_every_player_of_the_day(tmp_path: Path, real: str) -> None:
    with gzip.open(Path(real) / "player_box_2024-25.csv.gz", "rt", encoding="utf-8") as file:
        playing = {int(found["PLAYER_ID"]) for found in csv.DictReader(file) if found["GAME_DATE"] == DAY}
    day = Day(tmp_path, DAY, {"data": real})
    outcome = day.run()
    assert set(day.predictions()) == playing
    assert outcome.rows == 154
    assert not outcome.outputs["show"].startswith("SIMULATED")


def test_published_games_on_neutral_ground_are_neutral(tmp_path: Path, real: str) -> None:
    card = card_of(Day(tmp_path, "2024-12-14", {"data": real}))
    assert {found["venue"] for found in card} == {"neutral"}
