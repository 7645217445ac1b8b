"""The live screen: a line for each phase of the run that is watched, redrawn in place; only where a terminal is."""

import os
import sys
from collections.abc import Mapping
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shotclock.cli import wording
from shotclock.cli.progress import Event, aged
from shotclock.cli.shell import one_line
from shotclock.engine.views import PhaseView, RunView

STYLES: Mapping[str, str] = {
    "done": "green",
    "carried": "green",
    "partial": "yellow",
    "active": "bold",
    "consolidating": "bold",
    "blocked": "bold yellow",
    "vetoed": "bold yellow",
    "halted": "bold yellow",
    "stalled": "bold yellow",
    "failed": "bold red",
    "skipped": "dim",
    "waiting": "dim",
}


def usable() -> bool:
    """Say whether lines can be redrawn where the output goes."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


class Screen:
    """A table that shows the run as it was last seen, with clocks that count down."""

    def __init__(self) -> None:
        self._live = Live(console=Console(highlight=False), auto_refresh=False)
        self._last: RunView | None = None
        self._live.start()

    def told(self, view: RunView, events: list[Event]) -> None:  # noqa: ARG002 - the table shows what changed
        """Draw what was seen."""
        self._last = view
        self._draw(view)

    def idle(self, now: datetime) -> None:
        """Draw the same later."""
        if self._last is not None:
            self._draw(aged(self._last, now))

    def close(self) -> None:
        """Leave the last picture where it is."""
        self._live.stop()

    def _draw(self, view: RunView) -> None:
        self._live.update(table_of(view), refresh=True)


def table_of(view: RunView) -> Table:
    """Return a run as a table: phase, state, counts, pace, and why it is so or the next clock."""
    table = Table.grid(padding=(0, 2))
    table.title = Text(f"{view.id}  {wording.span(view.at - view.started_at)}")
    table.title_justify = "left"
    for phase in view.phases:
        table.add_row(*_cells(phase, view))
    return table


def _cells(phase: PhaseView, view: RunView) -> list[Text]:
    name, state, counts, pace, why = (one_line(cell) for cell in wording.row(phase, view.at))
    if phase.mark is not None:
        why = f"{one_line(phase.mark.reason)}; {why}" if why else one_line(phase.mark.reason)
    return [Text(name), Text(state, STYLES.get(state, "")), Text(counts), Text(pace), Text(why)]
