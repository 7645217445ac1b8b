"""What happens to a run while somebody watches: the changes from one look to the next, as lines, JSON or a screen."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from shotclock.cli import wording
from shotclock.cli.shell import Shell, one_line
from shotclock.clock import Clock
from shotclock.engine import views
from shotclock.engine.views import PhaseView, RunView
from shotclock.ports import Snapshot, Store
from shotclock.settings import Settings

STEPS: Final = 10
"""Lines about the progress of a fan-out, from none to all."""


class Event(Struct, frozen=True, kw_only=True):
    """One change that was seen."""

    event: str
    run: str
    at: datetime
    phase: str | None = None
    text: str
    data: dict[str, Any] = field(default_factory=dict)


def changes(before: RunView | None, after: RunView) -> Iterator[Event]:
    """Yield what changed between two looks at a run; the first look tells all that has happened."""
    known = {} if before is None else {phase.name: phase for phase in before.phases}
    for phase in after.phases:
        old = known.get(phase.name) or PhaseView(name=phase.name, state="waiting")
        for event, text, data in _of_phase(old, phase, after):
            yield Event(event=f"phase.{event}", run=after.id, at=after.at, phase=phase.name, text=text, data=data)


Change = tuple[str, str, dict[str, Any]]


def _of_phase(old: PhaseView, phase: PhaseView, run: RunView) -> Iterator[Change]:
    if phase.carried_from is not None and old.state == "waiting":
        yield "carried", f"carried from {phase.carried_from}", {"from": phase.carried_from}
        return
    if phase.started_at is not None and old.started_at is None:
        roll = wording.members(phase.expected) if phase.sealed else "its items are being listed"
        yield "started", f"started: {roll}", {"expected": phase.expected, "sealed": phase.sealed}
    if phase.fan_out:
        yield from _of_items(old, phase)
    yield from _of_mark(old, phase, run)
    yield from _of_end(old, phase)


def _of_items(old: PhaseView, phase: PhaseView) -> Iterator[Change]:
    """Yield how far a fan-out has come: its roll, then every tenth of it."""
    if phase.sealed and not old.sealed and old.started_at is not None:
        yield "sealed", f"has {wording.members(phase.expected)}", {"expected": phase.expected}
    if phase.state == "active" and _step(phase) > _step(old) and phase.pending:
        yield "progress", f"{wording.count_words(phase)} {wording.pace_words(phase)}".strip(), _counts(phase)


def _step(phase: PhaseView) -> int:
    settled = phase.satisfied + phase.unsatisfied
    return STEPS * settled // phase.expected if phase.sealed and phase.expected else 0


def _of_mark(old: PhaseView, phase: PhaseView, run: RunView) -> Iterator[Change]:
    was, now = old.mark, phase.mark
    if now is not None and (was is None or was.kind != now.kind):
        data = {"reason": now.reason, "next_at": now.next_at, "fails_at": run.fails_at, "missing": phase.missing}
        command = f"shotclock explain {run.id} {phase.name}"
        yield now.kind, f"{wording.mark_words(phase, run)}; see `{command}`", {**data, "command": command}
    elif was is not None and now is None and phase.state == "active":
        yield "freed", f"no longer {was.kind}", {"was": was.kind}


def _of_end(old: PhaseView, phase: PhaseView) -> Iterator[Change]:
    if phase.opened_at is not None and old.opened_at is None:
        without = f"; without {wording.names(phase)}" if phase.missing_count else ""
        text = f"opened{' partial' if phase.partial else ''}: {phase.rule}{without}"
        yield (
            "opened",
            text,
            {**_counts(phase), "reason": phase.opened, "partial": phase.partial, "missing": phase.missing},
        )
    if phase.state == "done" and phase.then and old.state != "done":
        yield "consolidated", "consolidated", {}
    if phase.state in {"failed", "skipped"} and old.state != phase.state:
        yield phase.state, f"{phase.state}: {phase.failure}", {"reason": phase.failure, "missing": phase.missing}


def _counts(phase: PhaseView) -> dict[str, Any]:
    names = ("expected", "satisfied", "unsatisfied", "pending", "rate")
    return {name: getattr(phase, name) for name in names}


class Audience(Protocol):
    """Who is told."""

    def told(self, view: RunView, events: list[Event]) -> None:
        """Take a new look at the run and what has changed since the last one."""

    def idle(self, now: datetime) -> None:
        """Take that nothing has changed, but time."""

    def close(self) -> None:
        """Stop showing; what was shown last stays."""


class Lines:
    """Plain lines, one for each change, or JSON lines where those were asked for."""

    def __init__(self, shell: Shell, *, quiet: bool = False) -> None:
        self._shell = shell
        self._quiet = quiet

    def told(self, view: RunView, events: list[Event]) -> None:
        """Write the changes."""
        for event in events:
            self._shell.document(event)
            if not self._quiet:
                time = wording.local(event.at, view.timezone).split(" ")[1]
                self._shell.say(f"{time} {event.phase}: {one_line(event.text)}")

    def idle(self, now: datetime) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Do nothing: what was written stands."""


class Watch:
    """Looks at a run whenever the store has changed, and tells an audience."""

    def __init__(self, store: Store, run_id: str, settings: Settings, clock: Clock, audience: Audience) -> None:
        self._store = store
        self._run = run_id
        self._settings = settings
        self._clock = clock
        self._audience = audience
        self._version: int | None = None
        self._last: RunView | None = None

    def tick(self) -> None:
        """Look, if there is anything new."""
        version = self._store.version()
        if version == self._version and self._last is not None:
            self._audience.idle(self._clock.now())
            return
        self._version = version
        self.look()

    def look(self) -> RunView:
        """Look now, and return what was seen."""

        def read(view: Snapshot) -> RunView:
            run = view.run(self._run)
            assert run is not None, self._run
            return views.run_view(view, run, self._settings, self._clock.now())

        seen = self._store.read(read)
        self._audience.told(seen, list(changes(self._last, seen)))
        self._last = seen
        return seen


def aged(view: RunView, now: datetime) -> RunView:
    """Return a view as of a later instant, where nothing but time has passed."""
    phases = [
        replace(phase, took=now - phase.started_at)
        if phase.ended_at is None and phase.started_at is not None and phase.carried_from is None
        else phase
        for phase in view.phases
    ]
    return replace(view, at=now, phases=tuple(phases))
