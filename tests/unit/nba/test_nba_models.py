"""Fitted models: once a week, on the past only, the same bytes from the same rows, and never a condition of a day."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from nba import models
from nba.systems import STATS
from shotclock.outcomes import Permanent, Skipped, Succeeded
from tests.unit.nba.days import Day, row, rows_of, write_season

fitted = pytest.mark.skipif(find_spec("lightgbm") is None, reason="LightGBM is missing: pip install 'shotclock[nba]'")
MONDAY, SUNDAY, NEXT = "2024-12-09", "2024-12-15", "2024-12-16"


def day_of(home: Path, key: str = SUNDAY, models: str = "weekly") -> Day:
    day = Day(home, key, {"models": models, "set_aside": 200})
    day.raw()
    day.analytics()
    return day


def outputs(day: Day) -> dict[str, Any]:
    given = day.inputs["models"].members["lightgbm"]
    assert given.kind == "succeeded"
    return given.outputs


def written(day: Day) -> dict[str, bytes]:
    folder = day.home / outputs(day)["folder"]
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@fitted
def test_a_week_has_one_model_of_the_games_before_its_monday(home: Path) -> None:
    first, last, after = (outputs(day_of(home, key)) for key in (MONDAY, SUNDAY, NEXT))
    assert first == last
    assert (first["week"], after["week"]) == ("2024-12-09", "2024-12-16")
    assert after["rows"] > first["rows"]


@fitted
def test_equal_rows_make_equal_models_on_another_home(home: Path, tmp_path: Path) -> None:
    assert written(day_of(home)) == written(day_of(tmp_path / "other"))


@fitted
def test_a_model_says_what_it_was_made_from(home: Path) -> None:
    files = written(day_of(home))
    card = json.loads(files["model.json"])
    assert set(files) == {"model.json", *(f"{stat}.txt" for stat in STATS)}
    assert card["rows"] > 3000
    assert card["params"]["deterministic"] is True
    assert "fast_minutes" in card["columns"]
    assert card["digest"] == Path(card["folder"]).name


@fitted
def test_every_player_with_history_is_predicted_by_the_model_too(home: Path) -> None:
    day = day_of(home)
    day.grade()
    day.predict(day.items())
    result = day.consolidate()
    with rows_of(home / result["file"]) as players:
        old = {found["player_id"] for found in players if found["basis"] == "history"}
    with rows_of(home / result["predictions"]) as rows:
        assert {found["player_id"] for found in rows if found["system"] == "lightgbm"} == old
        assert all(found["value"] >= 0 and found["low80"] <= found["value"] <= found["high80"] for found in rows)


@pytest.mark.parametrize(
    ("params", "reason"),
    [({"models": "none"}, "models: none"), ({"models": "weekly"}, "0 games of players before 2024-12-02, too few")],
)
def test_a_day_without_models_says_why_and_goes_on(tmp_path: Path, params: dict[str, str], reason: str) -> None:
    if params["models"] == "weekly" and find_spec("lightgbm") is None:
        reason = "LightGBM is not installed"
    write_season(
        tmp_path / "data",
        [
            row(GAME_DATE="2024-11-30", GAME_ID="0022400003"),
            row(GAME_DATE="2024-12-02", GAME_ID="0022400004"),
            row(GAME_DATE="2024-12-03", GAME_ID="0022400009"),
        ],
    )
    day = Day(tmp_path, "2024-12-03", {"data": str(tmp_path / "data"), **params})
    day.raw()
    day.analytics()
    outcome = models.lightgbm(day.context("models"))
    assert isinstance(outcome, Skipped)
    assert reason in outcome.reason
    day.grade()
    day.predict(day.items())
    assert day.consolidate()["rows"] == 1


def test_a_setting_that_is_not_known_is_refused(home: Path) -> None:
    with pytest.raises(Permanent, match="models 'daily' is not known: choose weekly or none"):
        day_of(home, models="daily")


@fitted
def test_a_corrected_past_is_learned_anew_and_a_later_edition_with_the_same_past_is_not(tmp_path: Path) -> None:
    rows = [
        row(GAME_DATE=f"2024-11-{1 + game:02}", GAME_ID=f"00224{game:05}", PLAYER_ID=str(100 + player), PTS=str(game))
        for player in range(120)
        for game in range(28)
    ]
    days = [row(GAME_DATE=f"2024-12-0{number}", GAME_ID=f"0022499{number:03}") for number in (3, 4)]
    cards = []
    for name, season in (
        ("a", rows + days[:1]),
        ("b", rows + days),
        ("c", [{**rows[0], "PTS": "99"}, *rows[1:], *days]),
    ):
        write_season(tmp_path / name, season)
        day = Day(tmp_path / "home", "2024-12-03", {"data": str(tmp_path / name), "models": "weekly"})
        day.raw()
        assert isinstance(day.analytics(), Succeeded)
        cards.append(outputs(day)["digest"])
    assert cards[0] == cards[1] != cards[2]
