"""A whole day: one prediction for every player of the card, merged once, the same bytes each time."""

import json
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from shotclock.errors import FencedError, StoreUnavailableError
from shotclock.outcomes import Empty, Permanent, Succeeded
from tests.unit.nba.days import Day, row, rows_of, write_season

PIPELINE = Path(__file__).parents[3] / "pipelines" / "nba" / "pipeline.yaml"
DAY = "2024-12-15"


@pytest.fixture
def day(home: Path) -> Day:
    return Day(home, DAY)


def test_every_function_the_pipeline_file_names_is_there() -> None:
    named = [text for text in PIPELINE.read_text(encoding="utf-8").split('"') if text.startswith("nba.")]
    assert len(named) == 14
    for path in named:
        module, name = path.split(":")
        assert callable(getattr(import_module(module), name))


def test_every_gate_of_the_pipeline_opens_by_all() -> None:
    phases = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["phases"]
    assert list(phases) == ["raw", "analytics", "features", "models", "grade", "predictions", "publish"]
    assert all(phase["gate"]["opens"] == "all" for phase in phases.values())


def test_every_player_of_the_card_gets_one_prediction(day: Day) -> None:
    outcome = day.run()
    card = day.inputs["analytics"].members["card"].outputs["card"]
    with rows_of(day.home / card) as rows:
        assert sorted(found["player_id"] for found in rows) == sorted(day.predictions())
    assert outcome.rows == len(day.predictions()) > 100


def test_what_is_simulated_says_so_everywhere(day: Day) -> None:
    outcome = day.run()
    about = json.loads((day.home / outcome.outputs["about"]).read_text(encoding="utf-8"))
    for document in (json.loads(day.published()), about):
        assert document["source"] == "simulated league"
        assert document["simulated"] is True
    assert outcome.outputs["show"].startswith(f"SIMULATED: {outcome.rows} players predicted for 2024-12-15")


def test_the_table_for_the_screen_has_the_highest_fifteen(day: Day) -> None:
    shown = day.run().outputs["show"]
    highest = max(day.predictions().values(), key=lambda found: found["points"])
    assert highest["player"] in shown.splitlines()[2]
    assert len(shown.splitlines()) == 17
    assert len(shown.encode()) < 4096


def test_two_homes_publish_the_same_bytes(tmp_path: Path) -> None:
    first, second = Day(tmp_path / "a", DAY), Day(tmp_path / "b", DAY, token=7, generation=3)
    first.run()
    second.run()
    assert first.published() == second.published()


def test_a_day_run_again_publishes_the_same_bytes(day: Day) -> None:
    day.run()
    before = day.published()
    Day(day.home, DAY, generation=2).run()
    assert day.published() == before


def test_a_day_off_publishes_that_there_are_no_games(home: Path) -> None:
    day = Day(home, "2024-12-24")
    outcome = day.run()
    assert isinstance(day.analytics(), Empty)
    assert day.items() == []
    assert outcome.rows == 0
    assert outcome.outputs["show"] == "SIMULATED: no games on 2024-12-24 (simulated league)"


def test_the_first_day_of_all_predicts_everybody_without_history(home: Path) -> None:
    day = Day(home, "2024-10-22")
    day.run()
    assert len(day.predictions()) > 40
    assert {found["basis"] for found in day.predictions().values()} == {"no history"}


def test_a_player_without_history_gets_what_newcomers_did_and_is_marked(tmp_path: Path) -> None:
    today = row(GAME_DATE="2024-12-03", GAME_ID="0022400009", PLAYER_ID="12", PLAYER_NAME="New Name")
    write_season(tmp_path / "data", [row(PTS="20"), today])
    day = Day(tmp_path, "2024-12-03", {"data": str(tmp_path / "data")})
    assert "no history" in day.run().outputs["show"]
    assert (day.predictions()[12]["points"], day.predictions()[12]["games"]) == (20.0, 0)


def test_a_player_of_seconds_only_counts_as_one_without_history(tmp_path: Path) -> None:
    today = row(GAME_DATE="2024-12-03", GAME_ID="0022400009")
    write_season(tmp_path / "data", [row(MIN="0", PTS="0"), today])
    day = Day(tmp_path, "2024-12-03", {"data": str(tmp_path / "data")})
    day.run()
    assert day.predictions()[11]["basis"] == "no history"
    assert day.predictions()[11]["games"] == 1


def test_recent_games_weigh_more(tmp_path: Path) -> None:
    games = [("2024-12-01", "10"), ("2024-12-02", "30"), ("2024-12-03", "0")]
    rows = [row(GAME_DATE=date, GAME_ID=f"002240000{date[-1]}", PTS=points) for date, points in games]
    write_season(tmp_path / "data", rows)
    day = Day(tmp_path, "2024-12-03", {"data": str(tmp_path / "data")})
    day.run()
    assert 20.0 < day.predictions()[11]["points"] < 21.0


def test_only_settled_players_are_merged_from_exactly_their_files(day: Day) -> None:
    day.prepare()
    items = day.items()
    day.predict(items)
    left_out = day.settlements.pop()
    result = day.consolidate()
    day.publish()
    assert result["rows"] == len(items) - 1
    assert int(left_out.name) not in day.predictions()


def test_a_staged_file_that_is_gone_names_the_player_and_the_command(day: Day) -> None:
    day.prepare()
    day.predict(day.items())
    (day.home / day.settlements[0].staged[0]).unlink()
    with pytest.raises(
        Permanent, match=f"player {day.settlements[0].name} are gone .*: shotclock rerun nba/{DAY} predictions"
    ):
        day.consolidate()


def test_a_settled_player_whose_row_was_not_staged_commits_nothing(day: Day) -> None:
    day.run()
    again = Day(day.home, DAY, generation=2, inputs=day.inputs, settlements=list(day.settlements))
    stranger = day.settlements[-1].staged
    again.settlements[0] = type(again.settlements[0])(name=again.settlements[0].name, kind="succeeded", staged=stranger)
    due = len(day.predictions())
    with pytest.raises(Permanent, match=f"{due} players settled, {due - 1} rows were staged"):
        again.consolidate()
    assert day.consolidate()["rows"] == due


def test_a_consolidation_that_lost_its_task_commits_nothing(day: Day) -> None:
    day.run()
    before = day.published()
    old = Day(day.home, DAY, generation=0, inputs=day.inputs)
    with pytest.raises(FencedError):
        old.consolidate()
    halted = Day(day.home, DAY, generation=2, inputs=day.inputs, stopped=True)
    with pytest.raises(FencedError):
        halted.consolidate()
    with pytest.raises(FencedError):
        halted.publish()
    assert day.published() == before


def test_a_consolidation_repeated_after_a_crash_gives_the_same_snapshot(day: Day) -> None:
    day.run()
    first = (day.home / day.inputs["predictions"].result["file"]).read_bytes()
    day.token = 2
    assert (day.home / day.consolidate()["file"]).read_bytes() == first


def test_volatile_facts_are_kept_out_of_the_predictions(day: Day) -> None:
    outcome = day.run()
    assert b"generation" not in day.published()
    assert json.loads((day.home / outcome.outputs["about"]).read_bytes())["generation"] == 1


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder is due", encoding="utf-8")
    with pytest.raises(StoreUnavailableError, match=f"cannot write {tmp_path}/cache/simulated-"):
        Day(tmp_path, DAY).raw()


def test_partial_input_is_said_in_what_is_published(day: Day) -> None:
    day.run()
    context = day.context("publish", partial=True, missing={"predictions": ("90000002", "90000001")})
    publish = import_module("nba.publish")
    outcome = publish.report(context)
    assert isinstance(outcome, Succeeded)
    assert outcome.outputs["show"].splitlines()[0].endswith("PARTIAL")
    assert json.loads(day.published())["missing"] == {"predictions": ["90000001", "90000002"]}
