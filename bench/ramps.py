"""``python -m bench.ramps [HISTORIES] [--show]``: how often ramps err, as tables in docs/ramps.md.

Every synthetic history goes through the product's own test as a ramp of 10 and 50 % does: judged after each run, held
for 10,000 units, left in its stage where the evidence is not enough, and given up as undecided after five times that.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from msgspec import Struct

from bench import histories, report
from bench.histories import Draw
from shotclock.core import evidence
from shotclock.core.evidence import Bad, Design, Good

PAGE: Final = Path(__file__).parent.parent / "docs" / "ramps.md"
BEGIN, END = "<!-- ramps: written by make bench -->\n", "<!-- ramps: end -->\n"
SHARES: Final = (0.1, 0.5)
HOLD: Final = 10_000
"""Units that a stage is held for."""
HOLDS: Final = 5
"""After so many holds of one stage a ramp counts as undecided."""
DESIGN: Final = Design(stages=len(SHARES))
HISTORIES: Final = 2_500
"""Histories of each line, with as many again for failures that doubled."""
SEED: Final = 6


class Line(Struct, frozen=True):
    """A world, in runs of one size."""

    name: str
    draw: Draw
    size: int


LINES: Final = (
    Line("each unit by itself", histories.independent, 100),
    Line("each unit by itself", histories.independent, 300),
    Line("each unit by itself", histories.independent, 1_000),
    Line("each unit by itself", histories.independent, 3_000),
    Line("shocks to whole runs", histories.shocks, 300),
    Line("shocks to whole runs", histories.shocks, 1_000),
    Line("drift and bad days", histories.drift, 300),
    Line("sides that wander", histories.wandering, 300),
    Line("sides that wander", histories.wandering, 1_000),
    Line("either side struck from outside", histories.one_side, 300),
    Line("either side struck from outside", histories.one_side, 1_000),
    Line("the flag's side struck from outside", histories.flags_side, 300),
    Line("whole chunks fail", histories.chunks, 300),
    Line("items that stay broken", histories.lasting, 300),
)
BEYOND: Final = (
    Line("items that stay broken, counted in every run", histories.lasting_recounted, 300),
    Line("items that are frail for ever", histories.frail, 300),
    Line("items that are frail for ever, counted in every run", histories.frail_recounted, 300),
    Line("sides that differ more than any flag makes them", histories.wild, 300),
)


class Ramped(Struct, frozen=True):
    """How one ramp went."""

    end: str
    units: int
    runs: int


def ramp(line: Line, harm: float, rng: np.random.Generator) -> Ramped:
    """Take one history through the stages."""
    seen, hold, runs = evidence.begin(DESIGN), -(-HOLD // line.size), 0
    for stage, share in enumerate(SHARES):
        verdict: evidence.Verdict = evidence.NotEnough()
        for number, arms in enumerate(line.draw(rng, hold * HOLDS, line.size, share, harm), 1):
            seen, runs = evidence.add(seen, stage, arms, DESIGN), runs + 1
            verdict = evidence.verdict(seen, stage, DESIGN)
            if isinstance(verdict, Bad):
                return Ramped("bad", runs * line.size, runs)
            if isinstance(verdict, Good) and number >= hold:
                break
        if not isinstance(verdict, Good):
            return Ramped("undecided", runs * line.size, runs)
    return Ramped("good", runs * line.size, runs)


def ramps(line: Line, harm: float, number: int) -> list[Ramped]:
    """Take a number of histories through the stages; the same each time."""
    rng = np.random.default_rng((SEED, line.size, int(harm * 100), *line.name.encode()))
    return [ramp(line, harm, rng) for _ in range(number)]


class Found(Struct, frozen=True):
    """How the ramps of one line went, without a difference and with failures doubled."""

    line: Line
    same: list[Ramped]
    doubled: list[Ramped]

    def cells(self) -> tuple[str, ...]:
        """Return a row of the table."""
        back = [one for one in self.doubled if one.end == "bad"]
        early = [sum(one.units <= holds * HOLD for one in back) / len(self.doubled) for holds in (1, 2)]
        took = f"{median(one.units for one in back):,.0f} ({median(one.runs for one in back):,.0f})" if back else "–"
        shares = (
            _part(self.same, "bad"),
            _part(self.same, "good"),
            _part(self.same, "undecided"),
            _part(self.doubled, "bad"),
            *early,
            _part(self.doubled, "good"),
        )
        return (self.line.name, f"{self.line.size:,}", *(f"{share:.1%}" for share in shares), took)


def _part(ramped: Sequence[Ramped], end: str) -> float:
    return sum(one.end == end for one in ramped) / len(ramped)


HEAD: Final = (
    "history",
    "units a run",
    "rolled back without a difference",
    "went to 100 %",
    "stayed",
    "rolled back when failures double",
    "within 10,000 units",
    "within 20,000",
    "went to 100 % all the same",
    "median units (runs) to it",
)


def measure(lines: Sequence[Line], number: int) -> list[Found]:
    """Take every line's histories, on all cores."""
    asked = [(line, harm) for line in lines for harm in (1.0, 2.0)]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(ramps, *zip(*((line, harm, number) for line, harm in asked), strict=True)))
    return [Found(line, found[2 * place], found[2 * place + 1]) for place, line in enumerate(lines)]


def text(number: int) -> str:
    """Return both tables, as they stand in the page."""
    within, beyond = (report.table(HEAD, [one.cells() for one in measure(lines, number)]) for lines in (LINES, BEYOND))
    told = f"{number:,} histories without a difference and {number:,} with failures doubled for each line"
    return f"{told}.\n\n{within}\n\nHarder, and beyond what the test assumes:\n\n{beyond}\n"


def write(number: int) -> str:
    """Measure, and put the tables into the page."""
    tables = text(number)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", encoding="utf-8")
    return tables


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    sys.stdout.write((text if "--show" in sys.argv else write)(*numbers or [HISTORIES]))
