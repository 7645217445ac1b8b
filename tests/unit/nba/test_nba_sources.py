"""The published sources beside the logs, each with the traps of its real files."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba.features import known_players
from nba.props import COLUMNS, when
from shotclock.outcomes import Permanent, Succeeded
from tests.unit.nba.days import Day, row, rows_of, write_season

DAY = "2024-12-03"
BEFORE = row(GAME_DATE="2024-12-01")
TODAY = row(GAME_DATE=DAY, GAME_ID="0022400009")
AGAINST = row(
    GAME_DATE=DAY, GAME_ID="0022400009", PLAYER_ID="12", PLAYER_NAME="Zélan Rookhavić Jr.", TEAM_ID="902",
    TEAM_ABBREVIATION="BRK", TEAM_NAME="Brackwater Badgers", MATCHUP="BRK @ AMB",
)  # fmt: skip
OFFER = {
    "player": "Aldo Ashgrove", "market": "player_points", "bookmaker": "One", "side": "Over", "line": "20.5",
    "price": "-137", "home_team": "Amberford Anvils", "away_team": "Brackwater Badgers", "game_id": "aff2",
    "commence_time": "2024-12-04T00:10:00Z",
}  # fmt: skip


def archive(folder: Path, name: str, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / name, "w:xz", preset=0) as packed:
        for part, text in files.items():
            entry = tarfile.TarInfo(part)
            entry.size = len(text.encode())
            packed.addfile(entry, io.BytesIO(text.encode()))


def offers(*rows: Mapping[str, str], columns: tuple[str, ...] = COLUMNS) -> str:
    lines = [",".join({**OFFER, **given}[column] for column in columns) for given in rows]
    return "\n".join([",".join(columns), *lines]) + "\n"


def write_offers(folder: Path, text: str, name: str = "12_03_2024.csv") -> None:
    archive(folder, "props_pts_reb_ast_2024-10-22_to_2025-01-12_daily.tar.xz", {name: text})


def write_schedule(folder: Path, *games: Mapping[str, Any]) -> None:
    document = {"leagueSchedule": {"gameDates": [{"games": list(games)}]}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schedule_leaguev2_2024-25.json.gz").write_bytes(gzip.compress(json.dumps(document).encode(), mtime=0))


def planned(game: str, day: str = DAY, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "gameId": game,
        "gameDateEst": f"{day}T00:00:00Z",
        "gameTimeEst": "1900-01-01T19:30:00Z",
        "gameDateTimeUTC": "2024-12-04T00:30:00Z",
        "homeTeam": {"teamId": 901, "teamTricode": "AMB"},
        "awayTeam": {"teamId": 902, "teamTricode": "BRK"},
        **more,
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_season(tmp_path / "data", [BEFORE, TODAY, AGAINST])
    return tmp_path / "data"


def day_of(data: Path, key: str = DAY) -> Day:
    day = Day(data.parent / "home", key, {"data": str(data)})
    day.raw()
    return day


def outputs(day: Day, member: str) -> dict[str, Any]:
    given = day.inputs["raw"].members[member]
    assert given.kind == "succeeded"
    return given.outputs


def lines_of(data: Path) -> dict[tuple[str, str], float]:
    day = day_of(data)
    with rows_of(day.home / outputs(day, "props")["file"]) as rows:
        return {(found["player"], found["stat"]): found["line"] for found in rows}


def reasons(day: Day, member: str) -> list[str]:
    with rows_of(day.home / outputs(day, member)["rejected"]) as rows:
        return [found["reason"] for found in rows]


def test_sources_that_are_not_there_are_empty(data: Path) -> None:
    day = day_of(data)
    assert {name: day.inputs["raw"].members[name].kind for name in ("positions", "schedule", "props")} == {
        "positions": "empty",
        "schedule": "empty",
        "props": "empty",
    }


def test_positions_are_read_by_season_and_bad_ones_set_aside_one_by_one(data: Path) -> None:
    header = "PLAYER_ID,POSITION,TeamID,POSITION_SIMPLE\n"
    files = {
        "player_positions_2023-24.csv": header + "11,C,901,C\n",
        "player_positions_2024-25.csv": header + "11,G-F,901,G\n12,,902,\n11,F,902,F\n",
    }
    archive(data, "player_positions_2023-24_to_2024-25.tar.xz", files)
    day = day_of(data)
    assert reasons(day, "positions") == ["POSITION_SIMPLE is missing", "player 11 is already listed in this season"]
    card = day.analytics()
    assert isinstance(card, Succeeded)
    with rows_of(day.home / card.outputs["card"]) as rows:
        assert [(found["player_id"], found["position"]) for found in rows] == [(11, "G"), (12, None)]


def test_a_torn_archive_is_named(data: Path) -> None:
    write_offers(data, offers({}))
    file = data / "props_pts_reb_ast_2024-10-22_to_2025-01-12_daily.tar.xz"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(Permanent, match=r"not a whole tar\.xz archive"):
        day_of(data)


def test_a_tip_in_the_evening_is_of_the_eastern_day_before_its_utc_date() -> None:
    assert when("2024-12-04T00:10:00Z", date(2024, 12, 3)) == ("2024-12-03", "true")
    assert when("2024-07-04T03:59:00Z", date(2024, 7, 3)) == ("2024-07-03", "true")
    assert when("2024-12-03T18:00:00Z", date(2024, 12, 3)) == ("2024-12-03", "false")
    assert when("soon", date(2024, 12, 3)) == ("", "")


def test_lines_of_a_game_that_had_begun_are_set_aside(data: Path) -> None:
    write_offers(data, offers({}, {"player": "Zelan Rookhavic", "commence_time": "2024-12-03T20:30:00Z"}))
    day = day_of(data)
    assert reasons(day, "props")[0].startswith("the game began at 2024-12-03T20:30:00Z, before the lines")
    assert outputs(day, "props")["rows"] == 1


def test_alternates_give_one_main_line_the_one_most_books_offer(data: Path) -> None:
    write_offers(
        data,
        offers(
            {"line": "20.5"},
            {"line": "20.5", "side": "Under"},
            {"line": "15.5", "price": "100"},
            {"line": "25.5", "price": "100"},
            {"bookmaker": "Two", "line": "20.5"},
            {"market": "player_rebounds", "line": "5.5"},
            {"market": "player_rebounds", "line": "6.5", "bookmaker": "Two"},
        ),
    )
    assert lines_of(data) == {("Aldo Ashgrove", "points"): 20.5, ("Aldo Ashgrove", "rebounds"): 5.5}


def test_junk_prices_and_repeated_rows_are_set_aside_and_counted(data: Path) -> None:
    write_offers(data, offers({"line": "9.5", "price": "-100000"}, {}, {}))
    day = day_of(data)
    assert reasons(day, "props") == ["price is -100000, which is no price", "a repeat of line 2"]
    assert outputs(day, "props")["set_aside"] == 2
    assert lines_of(data) == {("Aldo Ashgrove", "points"): 20.5}


def test_columns_of_lines_are_found_by_name(data: Path) -> None:
    write_offers(data, offers({}, columns=(*COLUMNS[5:], *COLUMNS[:5])))
    assert lines_of(data) == {("Aldo Ashgrove", "points"): 20.5}


def test_a_line_finds_its_player_whatever_the_spelling(data: Path) -> None:
    write_offers(data, offers({"player": "Zelan Rookhavic", "line": "12.5"}, {"player": "ALDO ASHGROVE III"}))
    day = day_of(data)
    day.analytics()
    players = known_players(day.context("predictions"))
    assert {one.player_id: one.points_line for one in players} == {11: 20.5, 12: 12.5}


def test_a_line_finds_its_player_under_a_name_that_only_bookmakers_use(data: Path) -> None:
    season = {"PLAYER_ID": "11", "PLAYER_NAME": "Moritz Wagner"}
    write_season(data, [{**BEFORE, **season}, {**TODAY, **season}, AGAINST])
    write_offers(data, offers({"player": "Moe Wagner", "line": "9.5"}, {"player": "Moritz Wagner", "line": "9.5"}))
    day = day_of(data)
    assert len(lines_of(data)) == 1
    day.analytics()
    assert {one.player: one.points_line for one in known_players(day.context("predictions"))}["Moritz Wagner"] == 9.5


def card_of(data: Path, key: str = DAY) -> dict[str, Any]:
    outcome = day_of(data, key).analytics()
    assert isinstance(outcome, Succeeded)
    return outcome.outputs


def test_a_card_says_where_it_comes_from(data: Path) -> None:
    assert card_of(data)["basis"] == "log"
    write_schedule(data, planned("0022400009"))
    assert card_of(data)["basis"] == "log and schedule"


def test_a_moved_game_is_off_the_card_of_its_first_date_and_on_that_of_its_new_one(data: Path) -> None:
    write_schedule(data, planned("0022400009", day="2024-12-01"), planned("0022400008", day=DAY))
    moved = card_of(data)
    assert (moved["basis"], moved["moved"], moved["unscheduled"]) == ("log", ["0022400008"], ["0022400009"])
    assert card_of(data, "2024-12-01")["moved"] == ["0022400009"]


def test_a_cup_game_that_no_schedule_knows_comes_from_the_log(data: Path) -> None:
    write_schedule(data, planned("0022400700", day="2024-12-20"))
    assert card_of(data)["unscheduled"] == ["0022400009"]


def test_a_day_the_log_does_not_list_takes_games_and_players_from_the_schedule(tmp_path: Path) -> None:
    later = row(GAME_DATE="2024-12-09", GAME_ID="0022400031", PLAYER_ID="13")
    other = {**AGAINST, "GAME_DATE": "2024-12-01", "GAME_ID": "0022400001", "MATCHUP": "BRK @ AMB"}
    write_season(tmp_path / "data", [BEFORE, other, later])
    write_schedule(tmp_path / "data", planned("0022400009"), planned("0012400009"))
    day = day_of(tmp_path / "data")
    assert reasons(day, "schedule") == ["gameId is 001, due is a game of the season or after it"]
    outcome = day.analytics()
    assert isinstance(outcome, Succeeded)
    assert outcome.outputs["basis"] == "schedule"
    with rows_of(day.home / outcome.outputs["card"]) as rows:
        assert [(found["player_id"], found["venue"], found["opponent"]) for found in rows] == [
            (11, "home", "BRK"),
            (12, "away", "AMB"),
        ]
    day.grade()
    day.predict(day.items())
    assert day.consolidate()["rows"] == 2


def test_a_schedule_of_another_shape_is_named(data: Path) -> None:
    write_schedule(data, {"gameId": "0022400009"})
    with pytest.raises(Permanent, match="not a schedule as scheduleleaguev2 publishes it"):
        day_of(data)
