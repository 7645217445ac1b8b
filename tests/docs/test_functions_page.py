"""The examples of the page on functions run as they stand there, as one pipeline."""

import re
from pathlib import Path

from tests.acceptance.house import DAY, House
from tests.docs.repository import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = """
key: {type: date}
phases:
  raw:
    members: {temperatures: {run: "weather.steps:temperatures", contract: {min_rows: 24}}}
    gate: {check: "weather.steps:plausible"}
  forecasts:
    needs: [raw]
    items: "weather.steps:stations"
    run: "weather.steps:forecast"
    execution: {mode: process, chunk: 2}
    then: "weather.steps:collect"
"""


def test_the_examples_make_a_pipeline_that_runs(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.pipeline("weather", FILE)
    blocks = BLOCK.findall((ROOT / "docs" / "functions.md").read_text(encoding="utf-8"))
    house.file("weather", "steps.py").write_text("\n".join(blocks), encoding="utf-8")
    done = house("run", "weather", DAY)
    assert done.code == 0, done.err
    status = house("status", f"weather/{DAY}", "--json").document
    assert [phase["state"] for phase in status["phases"]] == ["done", "done"]
    assert house.clear() == []
