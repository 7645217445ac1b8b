"""What a stranger does first: a pipeline of their own, a run, a look at it."""

from tests.acceptance.house import DAY, House


def test_a_pipeline_made_by_init_runs_at_once_and_is_short(house: House) -> None:
    assert house("init", "scores").code == 0
    lines = [line for path in house.file("scores").iterdir() for line in path.read_text().splitlines()]
    assert len(lines) < 40
    done = house("run", "scores", DAY)
    assert (done.code, done.err) == (0, "")
    assert done.lines[-1].startswith(f"scores/{DAY}: complete")
    assert "Grace" in done.out


def test_init_overwrites_nothing(house: House) -> None:
    house("init", "scores")
    mine = house.file("scores", "steps.py")
    mine.write_text("# mine")
    done = house("init", "scores")
    assert (done.code, len(done.err.splitlines()), mine.read_text()) == (2, 1, "# mine")


def test_a_name_that_could_not_be_imported_is_refused(house: House) -> None:
    for name in ("json", "click", "Scores", "my-scores", "2scores"):
        done = house("init", name)
        assert (done.code, len(done.err.splitlines())) == (2, 1), done
        assert not house.file(name).exists()


def test_a_run_that_is_over_tells_how_it_ended_and_how_to_run_it_again(house: House) -> None:
    house("init", "scores")
    house("run", "scores", DAY)
    before = house.rows()
    again = house("run", "scores", DAY)
    assert again.code == 0
    assert "complete" in again.out
    assert f"shotclock rerun scores/{DAY} raw" in again.err
    assert house.rows() == before
    assert house("rerun", f"scores/{DAY}", "raw").code == 0
    assert f"scores/{DAY}#2" in house("status").out


def test_status_names_the_slowest_phase_of_the_runs_it_lists(house: House) -> None:
    house("init", "scores")
    house("backfill", "scores", "--from", "2025-01-10", "--to", "2025-01-14")
    assert "slowest phase of scores over these 5 runs: " in house("status").out
    assert "slowest" not in house("status", "--limit", "4").out


def test_a_rerun_needs_a_phase_where_nothing_went_wrong(house: House) -> None:
    house("init", "scores")
    house("run", "scores", DAY)
    done = house("rerun", f"scores/{DAY}")
    assert done.code == 2
    assert "name one to do again: raw, scores" in done.err


def test_only_the_consolidation_is_done_again(house: House) -> None:
    house("init", "scores")
    house("run", "scores", DAY)
    done = house("rerun", f"scores/{DAY}", "scores", "--then", "--json")
    assert done.code == 0
    events = [(event["event"], event.get("phase")) for event in done.documents]
    assert ("phase.started", "scores") not in events
    assert ("phase.carried", "raw") in events


def test_validate_shows_the_plan(house: House) -> None:
    house("init", "scores")
    done = house("validate", "scores")
    assert done.code == 0
    assert "1 critical" in done.out
    assert "deadline 30m from first report, then open" in done.out


def test_home_and_json_mean_the_same_before_and_after_the_command(house: House) -> None:
    house("init", "scores")
    assert house("run", "scores", DAY, "--home", "elsewhere").code == 0
    before = house("--home", "elsewhere", "--json", "status")
    after = house("status", "--json", "--home", "elsewhere")
    assert before.out == after.out
    assert [run["id"] for run in after.document] == [f"scores/{DAY}"]
    assert not house.file(".shotclock").exists()


def test_a_key_alone_is_enough_while_one_run_has_it(house: House) -> None:
    house("init", "scores")
    house("run", "scores", DAY)
    assert house("status", DAY).code == 0
    house("init", "other")
    house("run", "other", DAY)
    done = house("status", DAY)
    assert done.code == 2
    assert f"other/{DAY}, scores/{DAY}" in done.err


def test_an_unknown_run_phase_or_command_names_the_nearest(house: House) -> None:
    house("init", "scores")
    house("run", "scores", DAY)
    asked = {
        ("status", "scores/2025-01-14"): f"scores/{DAY}",
        ("missing", f"scores/{DAY}", "rav"): "the nearest is raw",
        ("explain", f"scores/{DAY}", "score"): "the nearest is scores",
        ("statsu",): "the nearest is status",
    }
    for words, hint in asked.items():
        done = house(*words)
        assert (done.code, len(done.err.splitlines())) == (2, 1), done
        assert hint in done.err


def test_looking_at_nothing_makes_nothing(house: House) -> None:
    done = house("status")
    assert (done.code, done.err) == (0, "")
    assert "no runs yet" in done.out
    assert house("missing", f"scores/{DAY}").code == 2
    assert not house.file(".shotclock").exists()


def test_a_run_keeps_the_parameters_it_was_started_with(house: House) -> None:
    steps = "def show(ctx):\n    return Succeeded(outputs={'show': f'limit {ctx.params[\"limit\"]}'})\n"
    house.pipeline("given", 'params: {limit: 1}\nphases: {one: {members: {show: {run: "given.steps:show"}}}}\n', steps)
    assert "limit 7" in house("run", "given", DAY, "--param", "limit=7").out
    again = house("run", "given", DAY, "--param", "limit=8")
    assert again.code == 0
    assert "keeps the parameters it was started with (limit=7)" in again.err
    assert "limit 7" in house("rerun", f"given/{DAY}", "one").out
    assert "limit 9" in house("rerun", f"given/{DAY}", "one", "show", "--param", "limit=9").out
