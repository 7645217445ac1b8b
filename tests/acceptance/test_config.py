"""The settings of real processes: what each has, where every value came from, and where they differ."""

import signal
from collections.abc import Iterator
from contextlib import closing

import pytest
from msgspec.structs import replace

from shotclock.clock import SystemClock
from shotclock.engine.process import this_process
from shotclock.settings import Settings
from tests.acceptance.house import DAY, House, Started
from tests.servers import PostgresServer

FILE = """
max_age: 4m
phases:
  raw: {members: {games: {run: "small.steps:games"}}, gate: {check: "small.steps:fine"}}
  items:
    needs: [raw]
    items: "small.steps:names"
    run: "small.steps:work"
    execution: {timeout: 20s}
    then: "small.steps:total"
"""
STEPS = """
def games(ctx): return Succeeded()
def fine(ctx, ruling): return True
def names(ctx): return [Item("one")]
def work(ctx, items): return {item.id: Succeeded() for item in items}
def total(ctx): return {}
"""


@pytest.fixture(params=["sqlite", "postgres"])
def more(request: pytest.FixtureRequest, house: House) -> Iterator[dict[str, str]]:
    """Give the environment of a store that is there."""
    if request.param == "sqlite":
        yield {"SHOTCLOCK_STORE": f"sqlite:///{house.folder}/state.db"}
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    address = server.fresh()
    yield {"SHOTCLOCK_STORE": address}
    server.give_back(address)


def worker(house: House, more: dict[str, str], *words: str) -> Started:
    started = house.start("worker", *words, more=more)
    started.says("waits for work")
    return started


def test_a_process_that_was_started_with_another_value_is_found_and_where_it_came_from(
    house: House, more: dict[str, str]
) -> None:
    odd = {**more, "SHOTCLOCK_RETRY_MOST": "7m", "DEDUP_TTL_DAYS": "9"}
    one, other = worker(house, more), worker(house, odd, "--max", "5")
    told = house("config", "diff", "--json", more=more)
    assert told.code == 1, told.err
    names = {process.process.pid: f":{process.process.pid}:" for process in (one, other)}
    found = {one["setting"]: one["values"] for one in told.document["differences"]}
    assert list(found) == ["retry_most", "max_tasks", "idempotent"]
    values = {name: {value["who"]: (value["value"], value["origin"]) for value in found[name]} for name in found}
    (name,) = (who for who in values["retry_most"] if names[other.process.pid] in who)
    assert values["retry_most"][name] == ("7m", "SHOTCLOCK_RETRY_MOST")
    assert values["retry_most"]["here"] == ("5m", "default")
    (plain,) = (who for who in values["retry_most"] if names[one.process.pid] in who)
    assert values["retry_most"][plain] == ("5m", "default")
    assert (values["idempotent"][name], values["max_tasks"][name]) == (("9d", "DEDUP_TTL_DAYS"), ("5", "the call"))
    lines = house("config", "diff", str(one.process.pid), str(other.process.pid), more=more).lines
    assert [line.split()[0] for line in lines] == [setting for setting in found for _ in range(2)]
    assert lines[1].endswith(f"worker {name}  7m    SHOTCLOCK_RETRY_MOST")
    assert house("config", "diff", str(one.process.pid), more=more).code == 0
    assert "none of those that live" in house("config", "diff", "1", more=more).err
    told = house("doctor", more=more)
    assert "runs with retry_most = 7m (SHOTCLOCK_RETRY_MOST); elsewhere it is 5m" in told.out
    for process in (one, other):
        assert process.send(signal.SIGTERM).finish().code == 0
    assert house("config", "diff", more=more).lines == ["no difference between here"]


def test_what_an_older_release_does_not_tell_is_said_to_be_unknown(house: House) -> None:
    own = this_process(SystemClock().now(), Settings(page=5), kind="worker", tags=())
    values = {name: text for name, text in own.settings.items() if name != "sweep"}
    house.file(".shotclock").mkdir()
    with closing(house.store()) as store:
        store.write(lambda tx: tx.beat(replace(own, settings=values, origins=None)))
    told = house("config", "diff", "--json")
    assert [one["setting"] for one in told.document["differences"]] == ["page"]
    assert told.document["differences"][0]["values"][0] == {
        "who": own.name,
        "value": "5",
        "origin": "its release does not tell where from",
    }


def test_each_setting_is_shown_with_its_value_and_its_source(house: House) -> None:
    house.file("shotclock.toml").write_text('lease = "90s"\npayload_bytes = "1 MiB"\n', encoding="utf-8")
    more = {"SHOTCLOCK_STOP": "2s", "WORKFLOW_MAX_WORKERS": "8", "ENABLE_IDEMPOTENCY_KEYS": "true"}
    more["SHOTCLOCK_STORE"] = "postgresql://me:secret@db/p"
    told = house("config", "show", "--json", "--home", "elsewhere", more=more)
    found = {one["name"]: one for one in told.document["settings"]}
    path = house.file("shotclock.toml")
    assert [(found[name]["value"], found[name]["layer"], found[name]["origin"]) for name in list(found)[:2]] == [
        (f"{house.folder}/elsewhere", "call", "the call"),
        ("postgresql://me@db/p", "environment", "SHOTCLOCK_STORE"),
    ]
    assert (found["lease"]["value"], found["lease"]["origin"]) == ("1m30s", f"{path}: lease")
    assert found["payload_bytes"]["value"] == "1MiB"
    assert (found["sweep"]["layer"], found["stop"]["origin"]) == ("default", "SHOTCLOCK_STOP")
    assert {one["name"]: one["differs"] for one in told.document["ignored"]} == {
        "ENABLE_IDEMPOTENCY_KEYS": False,
        "WORKFLOW_MAX_WORKERS": True,
    }
    changed = house("config", "show", "--changed").lines
    assert changed == [f"lease          1m30s  {path}: lease", f"payload_bytes  1MiB   {path}: payload_bytes"]
    house.file("shotclock.toml").unlink()
    assert house("config", "show", "--changed").lines == ["every setting has its default"]


def test_everything_wrong_is_named_at_once(house: House) -> None:
    house.file("shotclock.toml").write_text('leese = "90s"\npage = true\n', encoding="utf-8")
    more = {"SHOTCLOCK_STOP": "2m", "PARALLEL_WORKFLOWS": "true"}
    told = house("config", "check", more=more)
    assert told.code == 1
    assert [line.partition(":")[0] for line in told.lines] == [
        "shotclock.toml",
        "shotclock.toml",
        "setting stop (2m, SHOTCLOCK_STOP) must not be longer than lease (1m, default)",
        "PARALLEL_WORKFLOWS=true has no effect",
    ]
    assert house("config", "check", "--json", more=more).document["problems"] == told.lines
    assert house("status", more=more).err.count("\n") == 1
    house.file("shotclock.toml").unlink()
    assert house("config", "check").lines == ["the settings are fine"]


def test_a_pipeline_whose_times_do_not_fit_the_settings_is_refused_with_both_and_their_sources(house: House) -> None:
    folder = house.pipeline("small", FILE, STEPS)
    told = house("config", "check", "small")
    source = f"{folder}/pipeline.yaml"
    said = [
        (
            "phase raw: setting check_again (5m, default) must be shorter than max_age (4m, "
            f"{source}): a check that said no would never be asked again"
        ),
        (
            f"phase items: execution: timeout (20s, {source}) must be longer than setting warehouse_busy (30s, "
            "default): a consolidation may wait that long for the warehouse alone"
        ),
        (
            f"setting handover (5m, default) must be shorter than max_age (4m, {source}): a start that nobody takes up "
            "must be known before the run fails"
        ),
    ]
    assert (told.code, told.lines) == (1, [f"small: {line}" for line in said])
    for words in (["validate", "small"], ["run", "small", DAY], ["worker", "small"]):
        refused = house(*words)
        assert (refused.code, refused.err.splitlines()) == (2, [f"error: {line}" for line in said])
    fitting = {f"SHOTCLOCK_{name}": "1m" for name in ("CHECK_AGAIN", "HANDOVER")} | {"SHOTCLOCK_WAREHOUSE_BUSY": "9s"}
    assert house("config", "check", "small", more=fitting).lines == ["the settings and 1 pipelines are fine"]
    house.file("small", "steps.py").write_text("")
    assert house("config", "check", "small", more=fitting).code == 1


def test_a_process_says_which_names_ask_it_for_what_it_does_not_do(house: House) -> None:
    house.pipeline("small", "phases: {raw: {members: {games: {run: 'small.steps:games'}}}}\n", STEPS)
    more = {"WORKFLOW_MAX_WORKERS": "8", "ENABLE_IDEMPOTENCY_KEYS": "true"}
    done = house("run", "small", DAY, more=more)
    assert done.code == 0
    (line,) = (line for line in done.err.splitlines() if "WORKFLOW" in line)
    assert line.startswith("note: WORKFLOW_MAX_WORKERS=8 has no effect: each phase says how many work at once")
    assert "ENABLE_IDEMPOTENCY_KEYS" not in done.err
