"""What a line is about follows the work into threads and child processes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from shotclock import Engine, Settings, load, open_store
from shotclock.clock import SystemClock
from shotclock.engine.telling import Audience
from shotclock.observe import logs

FILE = """pipeline: p
phases:
  raw: {{members: {{a: 'followed_{mode}.steps:box'}}, execution: {{mode: {mode}, attempts: 2}}}}
"""
STEPS = """
import logging
from shotclock import Succeeded

class Broken:
    def __repr__(self):
        raise RuntimeError("no")

def box(ctx):
    given = {"rows": 7, "broken": Broken(), "password": "x1"}
    logging.getLogger("somebody.else").warning("read %d rows", 7, extra=given)
    if "process" in __name__:
        logging.getLogger("somebody.else").warning("%d", "no number")
    ctx.log.warning("postgresql://ann:hunter22@host/db is slow")
    return Succeeded()
"""


@pytest.mark.parametrize("mode", ["sequential", "process"])
def test_what_a_member_logs_says_which_member_it_is_wherever_it_runs(mode: str, tmp_path: Path) -> None:
    folder = tmp_path / f"followed_{mode}"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(FILE.format(mode=mode), encoding="utf-8")
    (folder / "steps.py").write_text(STEPS, encoding="utf-8")
    stream, settings = io.StringIO(), Settings(home=tmp_path, store="memory://", log_format="json")
    store = open_store(settings)
    with logs.configured(settings, stream=stream) as heard:
        engine = Engine(store, settings, SystemClock(), audience=Audience({"logs": heard}))
        run, _ = engine.coordinator.start(load(folder), "1")
        ended = engine.until_over(run.id)
        engine.close()
    store.close()
    assert ended.state == "complete"
    lines: list[dict[str, Any]] = [json.loads(line) for line in stream.getvalue().splitlines()]
    said = [line for line in lines if "logger" in line]
    where = {"pipeline": "p", "run": "p/1", "phase": "raw", "member": "a", "attempt": "1"}
    assert all(line["logging.googleapis.com/labels"] == where for line in said)
    read, *wrong, slow = said
    assert (read["message"], read["rows"], read["password"]) == ("read 7 rows", 7, "[redacted]")
    assert read["broken"] == "<Broken that cannot be shown: RuntimeError>"
    assert [line["message"] for line in wrong] == (
        ["a line that cannot be written: TypeError: %d"] if mode == "process" else []
    )
    assert slow["message"] == "postgresql://ann:[redacted]@host/db is slow"
    assert {line["logging.googleapis.com/trace"] for line in lines if "run" in line} == {
        said[0]["logging.googleapis.com/trace"]
    }
