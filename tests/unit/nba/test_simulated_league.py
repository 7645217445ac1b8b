"""The simulated league is a whole one: a season as long, as full and as untidy as a published one."""

import csv
import gzip
import io
import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from nba.columns import COLUMNS
from nba.simulated import FIRST_DAY, LAST_DAY, early, espn, league
from nba.simulated.espn import ESPN_COLUMNS

Row = dict[str, str]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def rows_in(file: Path) -> list[Row]:
    with gzip.open(file, "rt", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def files_in(archive: Path) -> Iterator[tuple[str, list[Row]]]:
    with tarfile.open(archive) as content:
        for entry in content:
            file = content.extractfile(entry)
            assert file is not None
            yield entry.name, list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")))


@pytest.fixture(scope="module")
def box(cache: Path) -> list[Row]:
    return rows_in(league(cache) / "player_box_2024-25.csv.gz")


@pytest.fixture(scope="module")
def announced(cache: Path) -> dict[str, str]:
    file = league(cache) / "schedule_leaguev2_2024-25.json.gz"
    days: list[dict[str, Any]] = json.loads(gzip.decompress(file.read_bytes()))["leagueSchedule"]["gameDates"]
    return {game["gameId"]: game["gameDateEst"][:10] for day in days for game in day["games"]}


def days_of_teams(box: list[Row]) -> dict[str, list[date]]:
    days = defaultdict(set)
    for row in box:
        days[row["TEAM_ABBREVIATION"]].add(date.fromisoformat(row["GAME_DATE"]))
    return {team: sorted(found) for team, found in days.items()}


def test_thirty_teams_play_82_games_each(box: list[Row]) -> None:
    games = {(row["TEAM_ABBREVIATION"], row["GAME_ID"]) for row in box}
    assert set(Counter(team for team, _ in games).values()) == {82}
    assert len({team for team, _ in games}) == 30
    assert len({game for _, game in games}) == 1230
    assert (box[0]["GAME_DATE"], box[-1]["GAME_DATE"]) == (str(FIRST_DAY), str(LAST_DAY))


def test_about_530_players_are_told_apart_by_name(box: list[Row]) -> None:
    names = {(row["PLAYER_ID"], row["PLAYER_NAME"]) for row in box}
    assert 500 <= len(names) <= 540
    assert len(names) == len({player for player, _ in names}) == len({name for _, name in names})


def test_teams_have_days_off_and_back_to_backs_and_never_play_twice_a_day(box: list[Row]) -> None:
    for days in days_of_teams(box).values():
        rests = Counter((later - sooner).days for sooner, later in pairwise(days))
        assert len(days) == 82
        assert rests[1] >= 3
        assert max(rests) >= 5
    playing = {row["GAME_DATE"] for row in box}
    assert playing.isdisjoint({"2024-11-28", "2024-12-24", "2025-02-16"})


def test_half_of_a_teams_games_are_at_home_and_home_is_worth_something(box: list[Row]) -> None:
    at_home = Counter(team for team, _ in {(r["TEAM_ID"], r["GAME_ID"]) for r in box if " vs. " in r["MATCHUP"]})
    assert all(39 <= found <= 41 for found in at_home.values())
    won = mean(row["WL"] == "W" for row in box if " vs. " in row["MATCHUP"])
    assert 0.52 < won < 0.60


def test_five_games_are_on_neutral_ground(box: list[Row]) -> None:
    hosted = {row["GAME_ID"] for row in box if " vs. " in row["MATCHUP"]}
    assert len({row["GAME_ID"] for row in box} - hosted) == 5


def test_players_are_traded_hurt_and_new_during_the_season(box: list[Row]) -> None:
    teams, days = defaultdict(set), defaultdict(list)
    for row in box:
        teams[row["PLAYER_ID"]].add(row["TEAM_ID"])
        days[row["PLAYER_ID"]].append(row["GAME_DATE"])
    assert sum(len(found) > 1 for found in teams.values()) >= 20
    assert sum(30 <= len(found) < 75 for found in days.values()) >= 150
    assert sum(found[0] > "2024-12-01" for found in days.values()) >= 15


def test_some_enter_a_game_for_seconds(box: list[Row]) -> None:
    assert sum(row["MIN"] == "0" for row in box) >= 50


def test_the_figures_of_a_game_agree_with_one_another(box: list[Row]) -> None:
    points: Counter[tuple[str, str]] = Counter()
    for row in box:
        points[row["GAME_ID"], row["TEAM_ID"]] += int(row["PTS"])
        assert int(row["FG3M"]) <= int(row["FG3A"]) <= int(row["FGA"])
        assert int(row["FGM"]) <= int(row["FGA"])
        assert (row["FG_PCT"] == "") == (row["FGA"] == "0")
    best: dict[str, int] = defaultdict(int)
    for (game, _), scored in points.items():
        best[game] = max(best[game], scored)
    assert all((row["WL"] == "W") == (points[row["GAME_ID"], row["TEAM_ID"]] == best[row["GAME_ID"]]) for row in box)
    assert 105 < mean(points.values()) < 122


def test_the_schedule_lacks_the_cup_week_and_has_games_that_were_moved(
    box: list[Row], announced: dict[str, str]
) -> None:
    played = {row["GAME_ID"]: row["GAME_DATE"] for row in box}
    absent = {day for game, day in played.items() if game not in announced}
    moved = [game for game, day in announced.items() if played[game] != day]
    assert absent == {f"2024-12-{day}" for day in range(10, 15)}
    assert len(moved) == 3
    assert all(played[game] > announced[game] for game in moved)


def test_every_player_has_a_listed_position(cache: Path, box: list[Row]) -> None:
    ((name, listed),) = files_in(league(cache) / "player_positions_2024-25.tar.xz")
    assert name == "player_positions_2024-25.csv"
    assert {row["PLAYER_ID"] for row in listed} == {row["PLAYER_ID"] for row in box}
    assert {row["POSITION_SIMPLE"] for row in listed} == {"G", "F", "C"}


def test_lines_are_there_for_some_days_with_what_such_files_have_wrong(cache: Path, box: list[Row]) -> None:
    (archive,) = league(cache).glob("props_*_daily.tar.xz")
    days = dict(files_in(archive))
    rows = [row for found in days.values() for row in found]
    names = {row["PLAYER_NAME"] for row in box}
    assert 90 <= len(days) <= 110
    assert len(set(map(str, rows))) < len(rows)
    assert any(row["player"] not in names for row in rows)
    assert any(int(row["price"]) < -1000 for row in rows)
    first, second = list(days.values())[:2]
    assert list(first[0]) == list(second[0])[::-1]


def test_the_lines_are_better_than_a_players_mean(cache: Path, box: list[Row]) -> None:
    (archive,) = league(cache).glob("props_*_daily.tar.xz")
    scored = {(row["PLAYER_NAME"], row["GAME_DATE"]): int(row["PTS"]) for row in box}
    points = defaultdict(list)
    for (name, _), found in scored.items():
        points[name].append(found)
    errors = []
    for file, rows in files_in(archive):
        day = f"{file[6:10]}-{file[:2]}-{file[3:5]}"
        for row in rows:
            if row["market"] == "player_points" and row["side"] == "Over" and (row["player"], day) in scored:
                actual = scored[row["player"], day]
                errors.append((abs(actual - float(row["line"])), abs(actual - mean(points[row["player"]]))))
    line, plain = (mean(error[place] for error in errors) for place in (0, 1))
    assert 0.9 < line / plain < 1.02


def test_the_espn_layout_holds_the_same_season(cache: Path, box: list[Row]) -> None:
    rows = rows_in(espn(cache) / "player_box_2025.csv.gz")
    played = [row for row in rows if row["did_not_play"] == "FALSE"]
    assert tuple(rows[0]) == ESPN_COLUMNS
    assert len(ESPN_COLUMNS) == 57
    assert {row["opponent_team_score"].isdigit() for row in rows} == {True}
    assert {row["did_not_play"] for row in rows} == {"TRUE", "FALSE"}
    assert sum(int(row["points"]) for row in played) == sum(int(row["PTS"]) for row in box)
    assert all(row["minutes"] == row["points"] == "" for row in rows if row["did_not_play"] == "TRUE")
    assert any(row["game_date"] != row["game_date_time"][:10] for row in rows)
    assert len(played) == len(box) < len(rows)


@pytest.mark.parametrize("layout", ["player_box_2024-25.csv.gz", "player_box_2025.csv.gz"])
def test_the_first_edition_ends_sooner_and_was_corrected(cache: Path, layout: str) -> None:
    name, game, assists, day = COLUMNS[1], COLUMNS[6], "AST", "GAME_DATE"
    if layout == "player_box_2025.csv.gz":
        name, game, assists, day = "athlete_id", "game_id", "assists", "game_date"
    folder = league(cache) if layout == "player_box_2024-25.csv.gz" else espn(cache)
    corrected = {(row[name], row[game]): row for row in rows_in(folder / layout)}
    first = rows_in(early(cache) / layout)
    changed = [row for row in first if row != corrected[row[name], row[game]]]
    assert max(row[day] for row in first) == "2025-02-03"
    assert {row[day] for row in changed} == {"2025-01-26", "2025-02-03"}
    assert all(int(row[assists]) + 1 == int(corrected[row[name], row[game]][assists]) for row in changed)


def test_the_files_are_the_same_bytes_in_every_home(tmp_path: Path, cache: Path) -> None:
    for made in (league, espn, early):
        one, other = made(cache), made(tmp_path)
        assert one.name == other.name
        assert {file.name: file.read_bytes() for file in one.iterdir()} == {
            file.name: file.read_bytes() for file in other.iterdir()
        }
