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

import msgspec

from nba import card, features, grade, history, models, positions, predict, props, publish, raw, schedule
from nba.columns import COLUMNS
from nba.scores import Scores
from shotclock.context import Assignment, Context, Input, MemberInput, Settlement
from shotclock.model import Kind, Work
from shotclock.outcomes import Empty, Item, Outcome, Succeeded
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


def scores_of(home: Path, result: Mapping[str, Any]) -> Scores:
    """Return what a day's grading tells the report."""
    return msgspec.json.decode((home / result["scores"]).read_bytes(), type=Scores)


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
    member: str = "member"

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
            member=self.member,
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
        """Run the raw phase; return what its critical member answered."""
        outcome = self._member("raw", "player_box", raw.player_box)
        for name, function in (
            ("positions", positions.positions),
            ("schedule", schedule.schedule),
            ("props", props.props),
        ):
            self._member("raw", name, function)
        return outcome

    def analytics(self) -> Outcome:
        """Run the analytics, features and models phases; return what the card's member answered."""
        outcome = self._member("analytics", "card", card.card)
        self._member("analytics", "history", history.history)
        self._member("features", "players", features.players)
        self._member("models", "lightgbm", models.lightgbm)
        return outcome

    def grade(self, before: "Day | None" = None) -> dict[str, Any]:
        """Grade the predictions of a day before, and leave what they teach."""
        given = self.inputs.pop("predictions", None)
        earlier = before.inputs["predictions"] if before else Input(phase="predictions", run="", absent=True)
        self.inputs["predictions"] = earlier
        context = self.context("grade")
        outcome = grade.yesterday(context)
        outputs = json.loads(json.dumps(outcome.outputs)) if isinstance(outcome, Succeeded) else {}
        settled = Settlement(name="yesterday", kind=_kind(outcome), outputs=outputs)
        kept, self.settlements = self.settlements, [settled]
        result = grade.consolidate(self.context("grade", "then"))
        self.settlements = kept
        self.inputs["grade"] = Input(phase="grade", run="", result=json.loads(json.dumps(result)))
        if given is None:
            del self.inputs["predictions"]
        else:
            self.inputs["predictions"] = given
        return result

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

    def run(self, before: "Day | None" = None) -> Succeeded:
        """Run the whole day, after the day before where that is given."""
        self.prepare(before)
        self.predict(self.items())
        self.consolidate()
        return self.publish()

    def prepare(self, before: "Day | None" = None) -> None:
        """Run all that comes before the predictions."""
        self.raw()
        self.analytics()
        self.grade(before)

    def published(self) -> bytes:
        """Return the published predictions as they lie there."""
        return (self.home / "published" / "nba" / self.key / "predictions.json").read_bytes()

    def predictions(self) -> dict[int, dict[str, Any]]:
        """Return the published predictions by player."""
        return {found["player_id"]: found for found in json.loads(self.published())["predictions"]}

    def _member(self, phase: str, name: str, function: Callable[[Context], Outcome]) -> Outcome:
        self.member = name
        outcome = function(self.context(phase, lo=len(self.inputs.get(phase, Input(phase=phase, run="")).members)))
        outputs = json.loads(json.dumps(outcome.outputs)) if isinstance(outcome, Succeeded) else {}
        rows = outcome.rows if isinstance(outcome, Succeeded) else None
        member = MemberInput(kind=_kind(outcome), rows=rows, outputs=outputs)
        known = self.inputs.get(phase, Input(phase=phase, run="")).members
        self.inputs[phase] = Input(phase=phase, run="", members={**known, name: member})
        return outcome


def _kind(outcome: Outcome) -> Kind:
    if isinstance(outcome, Succeeded):
        return "succeeded"
    return "empty" if isinstance(outcome, Empty) else "skipped"
