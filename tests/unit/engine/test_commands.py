"""A command's exit code and last line are its outcome, and it is told of its task by its environment."""

import json
import os
import sys
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from shotclock.model import Member, PhasePlan
from tests.unit.engine.shop import Shop


def command(shop: Shop, script: str, **more: object) -> PhasePlan:
    member = Member(name="job", command=("sh", "-c", script), **more)  # type: ignore[arg-type]  # fields of a member
    return shop.phase(members=(member,))


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        ("true", "succeeded", None),
        ("echo done", "succeeded", None),
        ("echo '{broken'", "succeeded", None),
        ("""echo '{"empty": true}'""", "empty", None),
        ("""echo '{"skipped": "no game"}'""", "skipped", "no game"),
        ("""echo '{"rows": -1}'""", "failed", "rows is -1 (int), not a number of rows"),
        ("""echo '{"outputs": 3}'""", "failed", "the last line's outputs are 3, not an object"),
        ("exit 3", "failed", "exit code 3"),
        ("echo first >&2; echo ' the last ' >&2; echo >&2; exit 4", "failed", "exit code 4: the last"),
        ("kill -9 $$", "failed", "its process was killed by SIGKILL, as the system does when memory runs out"),
    ],
)
def test_how_a_command_ends_is_what_its_member_settles_at(
    shop: Shop, script: str, kind: str, reason: str | None
) -> None:
    shop.run(command(shop, script))
    assert shop.kinds() == [kind]
    assert (shop.notes()[0].reason if 0 in shop.notes() else None) == reason


def test_the_last_line_gives_rows_and_outputs(shop: Shop) -> None:
    shop.run(command(shop, """echo chatter; echo '{"rows": 5, "outputs": {"file": "a"}}'; echo"""))
    assert (shop.notes()[0].rows, shop.notes()[0].outputs) == (5, {"file": "a"})


def test_a_command_is_told_of_its_task_and_runs_in_the_pipelines_folder(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("SHOTCLOCK_")]:
        monkeypatch.delenv(name)
    script = f"""import json, os
told = {{name: value for name, value in os.environ.items() if name.startswith("SHOTCLOCK_")}}
told["context"] = json.load(open(told.pop("SHOTCLOCK_CONTEXT")))["params"]
told["folder"] = os.getcwd()
json.dump(told, open({str(shop.settings.home / "told")!r}, "w"))"""
    member = Member(name="job", command=(sys.executable, "-W", "ignore", "-c", script))
    assert shop.run(shop.phase(members=(member,))).state == "complete"
    told = json.loads((shop.settings.home / "told").read_text(encoding="utf-8"))
    assert datetime.fromisoformat(told.pop("SHOTCLOCK_DEADLINE")).tzinfo is not None
    assert told == {
        "SHOTCLOCK_RUN": "shop/2025-01-15",
        "SHOTCLOCK_KEY": "2025-01-15",
        "SHOTCLOCK_MODE": "default",
        "SHOTCLOCK_PHASE": "raw",
        "SHOTCLOCK_MEMBER": "job",
        "SHOTCLOCK_TOKEN": "1",
        "SHOTCLOCK_PARTIAL": "0",
        "context": {"mark": "x"},
        "folder": str(shop.folder),
    }


def test_exit_75_asks_to_be_tried_again_without_consuming_an_attempt(shop: Shop) -> None:
    home = shop.settings.home
    assert shop.run(command(shop, f"[ -e {home}/go ] || {{ touch {home}/go; exit 75; }}")).state == "complete"


def test_a_command_that_is_not_there_fails_at_once_naming_it(shop: Shop) -> None:
    shop.run(shop.phase(members=(Member(name="job", command=("no-such-program",)),), attempts=5))
    assert shop.notes()[0].reason == (
        "no-such-program cannot be started (No such file or directory); correct the command in pipeline.yaml"
    )


def test_at_its_timeout_a_command_is_ended_with_all_it_started(shop: Shop) -> None:
    with closing(shop.ear()) as ear:
        script = f"trap '' TERM; (echo here; sleep 600) > {shop.settings.home}/ear & wait; wait"
        shop.run(command(shop, script, timeout=timedelta(milliseconds=500)))
        assert shop.kinds() == ["timed_out"]
        assert ear.hear() == "here\n"
        assert ear.hear() == ""
