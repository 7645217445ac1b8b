"""Every setting and timeout, once: its type, default, meaning, and where its value comes from.

A value comes from, in rising order: the default here, ``shotclock.toml`` in the working folder (or the file that
``SHOTCLOCK_SETTINGS`` names), an environment variable ``SHOTCLOCK_<NAME>``, the call. Read once, then frozen.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from shotclock.errors import UsageError

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)")
_PREFIX = "SHOTCLOCK_"
_TOLD = {
    f"SHOTCLOCK_{name}" for name in ("RUN", "KEY", "MODE", "PHASE", "MEMBER", "TOKEN", "PARTIAL", "CONTEXT", "FLAGS")
}
"""What a command is told of its task, and may pass on to a command of ours."""
_NOT_SETTINGS = {f"SHOTCLOCK_{name}" for name in ("SETTINGS", "DATA", "REQUIRE", "PROOF")} | _TOLD


_OWN = {"home", "store", "tags"}
"""Settings that differ between processes that work together."""


def duration(text: str) -> timedelta:
    """Read ``1h30m``, ``90s``, ``500ms`` or ``2d``; raises `ValueError` that says what is accepted."""
    compact = text.strip().replace(" ", "")
    found = list(_DURATION.finditer(compact))
    if not found or "".join(part[0] for part in found) != compact:
        message = f"{text!r} is not a duration: write numbers with ms, s, m, h or d, such as 30m or 1h30m"
        raise ValueError(message)
    from shotclock.model.spans import UNITS  # noqa: PLC0415 - commands that look at nothing load no model

    total = sum(float(part["number"]) * UNITS[part["unit"]] for part in found)
    return timedelta(seconds=total)


def words(span: timedelta) -> str:
    """Write a duration as `duration` reads it: the two largest units, or milliseconds below a second."""
    from shotclock.model import spans  # noqa: PLC0415 - commands that look at nothing load no model

    return spans.words(span)


def _setting(default: object, help_: str) -> Any:  # noqa: ANN401 - stands for a field of any type
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a process."""

    home: Path = _setting(Path(".shotclock"), "Folder of the store, the warehouse, staged and published files.")
    store: str = _setting(
        "",
        "Where state lives: sqlite:///PATH, postgresql://USER@HOST/DATABASE?schema=NAME or memory://. "
        "Empty: sqlite in `home`.",
    )

    tags: str = _setting(
        "", "What tasks may ask of a worker and this process has, such as gpu: words with commas between."
    )

    flags_off: str = _setting(
        "", "Flags that have their safe value whatever the store says: names with commas between, or * for all."
    )
    flags_bound: timedelta = _setting(
        timedelta(seconds=5), "How old what a process knows of a flag may be when it decides by it."
    )
    flags_look: timedelta = _setting(
        timedelta(minutes=1), "How often runs that have ended are counted for ramps of flags."
    )

    lease: timedelta = _setting(timedelta(seconds=60), "How long a lease lasts without a heartbeat.")
    heartbeat: timedelta = _setting(
        timedelta(seconds=15), "How often a worker renews its leases and a process its own sign of life."
    )
    sweep: timedelta = _setting(timedelta(seconds=1), "Longest time between two looks at what is due.")
    poll: timedelta = _setting(timedelta(milliseconds=200), "How often a process looks for commits of other processes.")
    purge: timedelta = _setting(timedelta(hours=1), "How often records are dropped that are kept for a time only.")
    outbox_hold: timedelta = _setting(timedelta(seconds=30), "How long a taken message is hidden from other relays.")
    handover: timedelta = _setting(
        timedelta(minutes=5),
        "Time in which a started phase must show a sign of life after its hand-over was delivered.",
    )
    check: timedelta = _setting(timedelta(seconds=30), "Time a gate's `check` has to answer; then it counts as no.")
    check_again: timedelta = _setting(timedelta(minutes=5), "Time after which a `check` that said no is asked again.")
    retry_first: timedelta = _setting(timedelta(seconds=1), "Wait before the second attempt; doubles each time.")
    retry_most: timedelta = _setting(timedelta(minutes=5), "Longest wait between two attempts.")
    ramp: timedelta = _setting(
        timedelta(seconds=1),
        "First pause of a fan-out whose workers refuse, and time until it sends out twice as many.",
    )
    breaker_within: timedelta = _setting(
        timedelta(minutes=5), "Time within which the same error must come so often to hold up who fails with it."
    )
    breaker_wait: timedelta = _setting(
        timedelta(minutes=5), "Time until one attempt tries whether an error that came over and over is over."
    )
    stall_least: timedelta = _setting(
        timedelta(minutes=30), "Least time without progress before a phase counts as stalled."
    )
    catch_up: timedelta = _setting(
        timedelta(days=7), "How old a missed tick of a schedule may be to be caught up; older ones are gaps."
    )
    late_settling: timedelta = _setting(
        timedelta(minutes=10), "Wait for further late reports before they make a new generation."
    )
    store_busy: timedelta = _setting(
        timedelta(seconds=10), "How long to wait for another process's transaction, and for a server that restarts."
    )
    store_connect: timedelta = _setting(timedelta(seconds=5), "How long to wait for one connection to a server.")
    store_statement: timedelta = _setting(timedelta(seconds=30), "Time a server has for one statement.")
    warehouse_busy: timedelta = _setting(
        timedelta(seconds=30), "How long to wait for another process's hold on the warehouse."
    )
    stop: timedelta = _setting(
        timedelta(seconds=5), "Time for running members to end at a clean stop, before their leases are given back."
    )
    kill: timedelta = _setting(timedelta(seconds=2), "Time between asking a child process to end and killing it.")

    max_tasks: int = _setting(1_000, "Most tasks a process holds at once, over all phases.")
    max_leases: int = _setting(10, "Leases of a member that may be lost before it is abandoned.")
    max_reruns: int = _setting(2, "Automatic generations for a key and mode.")
    hourly_attempts: int = _setting(
        60, "Attempts at a member within an hour, those that consume none of its `attempts` included."
    )
    breaker_same: int = _setting(5, "Failures of a member with the same error that hold it up.")
    breaker_items: int = _setting(
        50, "Failures of a fan-out's tasks with the same error, and no success between, that hold up all of them."
    )
    abandoned_threads: int = _setting(4, "Threads cut at their timeout that a worker leaves behind before it restarts.")
    page: int = _setting(1_000, "Items a page of a roll.")
    named: int = _setting(
        500, "Most names an opening, a context or an alert carries; beyond it they are read page by page."
    )
    parked: int = _setting(10_000, "Parked reports a pipeline may have.")
    parked_for: timedelta = _setting(timedelta(days=7), "How long a parked report is kept.")
    staged_for: timedelta = _setting(timedelta(days=7), "How long a staged file that nothing names is kept.")
    idempotent: timedelta = _setting(
        timedelta(days=7), "How long what was done for a key is remembered, and its result given again."
    )
    retention: timedelta = _setting(
        timedelta(days=4), "How long a message may wait where handlers get it from, such as a queue."
    )
    replay: timedelta = _setting(timedelta(days=3), "How long after that somebody may send a message again.")
    gone: timedelta = _setting(timedelta(days=1), "How long a process that has left or died is remembered.")
    conflicts: int = _setting(10, "Conflicting reports kept for a member.")
    payload_bytes: int = _setting(256 * 1024, "Largest outputs of a report, and payload of an item, as JSON.")
    backlog: int = _setting(500, "Most changes that share one commit.")

    def __post_init__(self) -> None:
        """Refuse values that contradict each other."""
        try:
            _ = self.tags and self.tag_set
        except ValueError as error:
            message = f"setting tags: {error}"
            raise UsageError(message) from error
        self._ordered("heartbeat", "lease", "a lease must outlast the heartbeat that renews it")
        self._ordered("retry_first", "retry_most", "the first wait cannot be longer than the longest")
        if self.idempotent < self.retention + self.replay:
            both = f"retention ({words(self.retention)}) and replay ({words(self.replay)}) together"
            message = f"setting idempotent ({words(self.idempotent)}) is shorter than {both}: repeats would count anew"
            raise UsageError(message)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, timedelta) and value <= timedelta(0):
                message = f"setting {item.name} must be longer than zero, it is {words(value)}"
                raise UsageError(message)
            if isinstance(value, int) and value < 1:
                message = f"setting {item.name} must be at least 1, it is {value}"
                raise UsageError(message)

    @property
    def tag_set(self) -> frozenset[str]:
        """What `tags` names."""
        from shotclock.model import slug  # noqa: PLC0415 - commands that look at nothing load no model

        return frozenset(slug(word.strip(), "tag") for word in self.tags.split(",") if word.strip())

    def _ordered(self, low: str, high: str, why: str) -> None:
        if getattr(self, low) > getattr(self, high):
            both = f"{low} ({words(getattr(self, low))}) is longer than {high} ({words(getattr(self, high))})"
            message = f"setting {both}: {why}"
            raise UsageError(message)


def load(overrides: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from all layers; raises `UsageError` that names the source of a bad or unknown one."""
    variables = os.environ if environment is None else environment
    file = Path(variables.get(f"{_PREFIX}SETTINGS", "shotclock.toml"))
    values: dict[str, object] = {}
    for name, (raw, source) in {**_from_file(file), **_from_environment(variables)}.items():
        values[name] = _typed(name, raw, source)
    values.update({name: value for name, value in (overrides or {}).items() if value is not None})
    return Settings(**values)  # type: ignore[arg-type]  # each value was typed by its field above


def _from_file(file: Path) -> dict[str, tuple[object, str]]:
    if not file.is_file():
        return {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{file}: not valid TOML: {error}"
        raise UsageError(message) from error
    return {name: (value, f"{file}") for name, value in content.items()}


def _from_environment(variables: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    return {
        name.removeprefix(_PREFIX).lower(): (value, name)
        for name, value in variables.items()
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS
    }


def _typed(name: str, raw: object, source: str) -> object:
    known = {item.name: item for item in fields(Settings)}
    if name not in known:
        from difflib import get_close_matches  # noqa: PLC0415 - only where a name is wrong

        near = get_close_matches(name, known, n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        message = f"{source}: there is no setting {name}{hint}"
        raise UsageError(message)
    kind = type(known[name].default)
    try:
        if issubclass(kind, timedelta):
            return duration(str(raw))
        return int(str(raw)) if kind is int else Path(str(raw)) if issubclass(kind, Path) else str(raw)
    except ValueError as error:
        message = f"{source}: setting {name}: {error}"
        raise UsageError(message) from error


def shown(settings: Settings) -> dict[str, str]:
    """Return all values as text, but those that may differ between processes: where things are, and `tags`."""
    given = {item.name: getattr(settings, item.name) for item in fields(settings) if item.name not in _OWN}
    return {name: words(value) if isinstance(value, timedelta) else str(value) for name, value in given.items()}


def fingerprint(values: Mapping[str, str]) -> str:
    """Return what shown values hash to: the same for processes that agree."""
    from shotclock.model import digest  # noqa: PLC0415 - commands that look at nothing load no model

    return digest("\n".join(f"{name}={value}" for name, value in sorted(values.items())).encode())[:12]


def described() -> list[tuple[str, str, str, str]]:
    """Return name, type, default and meaning of every setting, in the order of the reference."""
    rows = []
    for item in fields(Settings):
        assert item.default is not MISSING
        shown = words(item.default) if isinstance(item.default, timedelta) else str(item.default)
        kind = {timedelta: "duration", int: "number", str: "text"}.get(type(item.default), "path")
        rows.append((item.name, kind, shown, item.metadata["help"]))
    return rows
