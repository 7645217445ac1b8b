"""A day of the reference pipeline without the engine: its functions in order, each with a context of its own."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from nba import form, predict, publish, raw
from nba.columns import COLUMNS
from shotclock.context import Assignment, Context, Input, MemberInput, Settlement
from shotclock.model import Work
from shotclock.outcomes import Item, Outcome, Succeeded
from shotclock.warehouse.duckdb import DuckDBWarehouse, scratch

CHUNK = 50
ROW = {
    "SEASON_ID": "22024", "PLAYER_ID": "11", "PLAYER_NAME": "Aldo Ashgrove", "TEAM_ID": "901",
    "TEAM_ABBREVIATION": "AMB", "TEAM_NAME": "Amberford Anvils", "GAME_ID": "0022400001", "GAME_DATE": "2024-12-01",
    "MATCHUP": "AMB vs. BRK", "WL": "W", "MIN": "30", "FGM": "8", "FGA": "16", "FG_PCT": "0.5", "FG3M": "2",
    "FG3A": "5", "FG3_PCT": "0.4", "FTM": "2", "FTA": "2", "FT_PCT": "1.0", "OREB": "1", "DREB": "5", "REB": "6",
    "AST": "4", "STL": "1", "BLK": "0", "TOV": "2", "PF": "3", "PTS": "20", "PLUS_MINUS": "-7",
    "FANTASY_PTS": "34.2", "VIDEO_AVAILABLE": "1",
}  # fmt: skip


def row(**changes: str) -> dict[str, str]:
    """Return a published row with some values changed."""
    return {**ROW, **changes}


def write_season(
    folder: Path, rows: Iterable[Mapping[str, str]], *, season: str = "2024-25", columns: Sequence[str] = COLUMNS
) -> Path:
    """Write a season's file in the published layout."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return write_text(folder, text.getvalue(), season=season)


def write_text(folder: Path, text: str, *, season: str = "2024-25") -> Path:
    """Write any text as a season's file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"player_box_{season}.csv.gz"
    file.write_bytes(gzip.compress(text.encode(), mtime=0))
    return file


@contextmanager
def rows_of(file: Path) -> Iterator[list[dict[str, Any]]]:
    """Give a Parquet file's rows, by column."""
    with scratch() as connection:
        found = connection.execute("SELECT * FROM read_parquet($file)", {"file": str(file)})
        names = [column[0] for column in found.description or []]
        yield [dict(zip(names, values, strict=True)) for values in found.fetchall()]


@dataclass
class Day:
    """One run of a day: what it read, where it writes, and what its phases left for the next."""

    home: Path
    key: str
    params: dict[str, Any] = field(default_factory=dict)
    token: int = 1
    generation: int = 1
    inputs: dict[str, Input] = field(default_factory=dict)
    settlements: list[Settlement] = field(default_factory=list)
    stopped: bool = False

    def context(self, phase: str, work: Work = "member", lo: int = 0, **more: Any) -> Context:  # noqa: ANN401 - whatever an assignment takes
        """Make the context of one task of this day."""
        assignment = Assignment(
            run=f"nba/{self.key}",
            pipeline="nba",
            key=self.key,
            mode="default",
            generation=self.generation,
            phase=phase,
            work=work,
            lo=lo,
            member="member",
            token=self.token,
            attempt=1,
            home=str(self.home),
            inputs=self.inputs,
            params=self.params,
            **more,
        )
        warehouse = DuckDBWarehouse(self.home / "warehouse.duckdb", busy=timedelta(seconds=20))
        return Context(
            assignment,
            settled=lambda: iter(self.settlements),
            warehouse=lambda: warehouse,
            stopped=lambda: self.stopped,
        )

    def raw(self) -> Outcome:
        """Run the raw phase."""
        return self._member("raw", "player_box", raw.player_box)

    def analytics(self) -> Outcome:
        """Run the analytics phase."""
        return self._member("analytics", "player_form", form.player_form)

    def items(self) -> list[Item]:
        """List the roll of the predictions phase."""
        return list(predict.players(self.context("predictions", "enumerate")))

    def predict(self, items: Sequence[Item]) -> None:
        """Predict and settle the items in chunks."""
        for lo in range(0, len(items), CHUNK):
            context = self.context("predictions", "chunk", lo)
            outcomes = predict.predict_many(context, items[lo : lo + CHUNK])
            staged = tuple(context.staged())
            self.settlements += [Settlement(name=name, kind="succeeded", staged=staged) for name in outcomes]

    def consolidate(self) -> dict[str, Any]:
        """Run the consolidation and leave its result for the publish phase."""
        result = predict.consolidate(self.context("predictions", "then", empty=not self.settlements))
        self.inputs["predictions"] = Input(phase="predictions", run="", result=json.loads(json.dumps(result)))
        return result

    def publish(self) -> Succeeded:
        """Run the publish phase."""
        return publish.report(self.context("publish"))

    def run(self) -> Succeeded:
        """Run the whole day."""
        self.raw()
        self.analytics()
        self.predict(self.items())
        self.consolidate()
        return self.publish()

    def published(self) -> bytes:
        """Return the published predictions as they lie there."""
        return (self.home / "published" / "nba" / self.key / "predictions.json").read_bytes()

    def predictions(self) -> dict[int, dict[str, Any]]:
        """Return the published predictions by player."""
        return {found["player_id"]: found for found in json.loads(self.published())["predictions"]}

    def _member(self, phase: str, name: str, function: Callable[[Context], Outcome]) -> Outcome:
        outcome = function(self.context(phase))
        succeeded = isinstance(outcome, Succeeded)
        outputs = json.loads(json.dumps(outcome.outputs)) if isinstance(outcome, Succeeded) else {}
        member = MemberInput(kind="succeeded" if succeeded else "empty", outputs=outputs)
        self.inputs[phase] = Input(phase=phase, run="", members={name: member})
        return outcome
