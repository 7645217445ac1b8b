"""Every setting and timeout, once: its type, default, meaning, and which others it must fit.

A value comes from, in rising order: the default here, ``shotclock.toml`` in the working folder (or the file that
``SHOTCLOCK_SETTINGS`` names), an environment variable ``SHOTCLOCK_<NAME>``, the call. Read once, then frozen.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from shotclock.amounts import Secret, Size, bare, duration, exactly, size
from shotclock.errors import UsageError
from shotclock.layers import CALL, DEFAULT, Found, Origin, Reader, gather

_OWN = {"home", "store", "tags", "log_level", "log_format", "listen"}
"""Settings that differ between processes that work together."""


def _setting(default: object, help_: str) -> Any:  # noqa: ANN401 - stands for a field of any type
    return field(default=default, repr=not isinstance(default, Secret), metadata={"help": help_})


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

    alerts: Secret = _setting(
        Secret(), "Channels that alerts go to: NAME=ADDRESS SEVERITY,… with ; between, or log. Empty: the log."
    )
    alerts_window: timedelta = _setting(timedelta(minutes=15), "Time in which the same alert is told once, counted.")
    alerts_most: int = _setting(20, "Most notices to a channel within `alerts_window`; the rest is summed up in one.")
    alerts_look: timedelta = _setting(timedelta(seconds=10), "How often it is looked whether what was told is over.")
    alerts_send: timedelta = _setting(timedelta(seconds=10), "How long a channel may take for one notice.")
    alerts_kept: timedelta = _setting(timedelta(days=7), "How long an alert is remembered that has not come again.")
    watched_by: Secret = _setting(Secret(), "Address that is called after sweeps, to be missed when it is not.")
    watched_every: timedelta = _setting(timedelta(minutes=1), "Least time between two such calls.")

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
    listen: str = _setting(
        "127.0.0.1:8420",
        "Where the service listens: HOST:PORT, or a port alone, on this machine only; 0 is a free one.",
    )
    waiting: int = _setting(
        10_000, "Reports that may wait for their commit in the service; more are asked to come again."
    )
    streams: int = _setting(100, "Streams of progress that the service keeps open at once.")
    named: int = _setting(
        500, "Most names an opening, a context or an alert carries; beyond it they are read page by page."
    )
    parked: int = _setting(10_000, "Parked reports a pipeline, and messages the quarantine, may have.")
    parked_for: timedelta = _setting(
        timedelta(days=7), "How long a parked report, or a message in quarantine, is kept."
    )
    staged_for: timedelta = _setting(timedelta(days=7), "How long a staged file that nothing names is kept.")
    idempotent: timedelta = _setting(
        timedelta(days=7), "How long what was done for a key is remembered, and its result given again."
    )
    retention: timedelta = _setting(
        timedelta(days=4),
        "How long a message may wait in the queue of a handler; `idempotent` must outlast it and `replay`.",
    )
    replay: timedelta = _setting(timedelta(days=3), "How long after that somebody may send a message again.")
    gone: timedelta = _setting(timedelta(days=1), "How long a process that has left or died is remembered.")
    conflicts: int = _setting(10, "Conflicting reports kept for a member.")
    payload_bytes: Size = _setting(Size(256 << 10), "Largest outputs of a report, and payload of an item, as JSON.")
    backlog: int = _setting(500, "Most changes that share one commit.")

    access_bound: timedelta = _setting(timedelta(seconds=5), "How old what a process knows of tokens may be.")
    token_life: timedelta = _setting(timedelta(days=90), "How long a token counts, unless it is said when it is made.")
    token_overlap: timedelta = _setting(timedelta(days=1), "How long a secret counts beside the one that replaces it.")
    oidc_audience: str = _setting("", "Audience of OIDC tokens for this service; empty: none are taken.")
    oidc_identities: str = _setting("", "Who may call by OIDC: addresses or subjects, with commas between.")
    oidc_scopes: str = _setting("report", "What they may: report, read or operate, with commas between.")
    oidc_issuer: str = _setting("https://accounts.google.com", "Who must have issued OIDC tokens.")
    oidc_certs: str = _setting("https://www.googleapis.com/oauth2/v1/certs", "Where the issuer's certificates are.")
    oidc_wait: timedelta = _setting(timedelta(seconds=5), "How long to wait for the issuer's certificates.")
    oidc_skew: timedelta = _setting(timedelta(seconds=10), "How far the issuer's clock may be from ours.")
    request_bytes: Size = _setting(Size(16 << 20), "Largest body of a request.")
    request_wait: timedelta = _setting(timedelta(seconds=30), "Time a request's body has to arrive.")
    request_rate: int = _setting(10_000, "Most requests a second of one caller.")
    requests: int = _setting(1_000, "Most requests that are carried out at once.")
    hsts: str = _setting("", "Value of Strict-Transport-Security, such as max-age=31536000; empty: not sent.")

    log_level: str = _setting("info", "What is logged: debug, info, warning or error, and whatever is graver.")
    log_format: str = _setting("auto", "How: json, text, or auto, which is text on a terminal and json elsewhere.")
    log_repeats: int = _setting(20, "Lines of one kind that are logged a minute; of more, their number is.")
    health_cache: timedelta = _setting(
        timedelta(milliseconds=500), "How long an answer about readiness is given again."
    )
    health_check: timedelta = _setting(timedelta(seconds=1), "Time that each check of health has.")
    health_success: timedelta = _setting(timedelta(days=7), "How long ago the last run may have ended well.")
    health_waiting: timedelta = _setting(
        timedelta(minutes=15), "How long tasks may wait, and what is due may be overdue."
    )
    health_disk: Size = _setting(Size(256 << 20), "Least free space where `home` is.")
    traces: str = _setting(
        "", "Where OTLP traces go, such as http://HOST:4318; empty: as OpenTelemetry's variables say."
    )

    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)
    """Where each value that was read came from; see `origin`."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be, or contradict each other."""
        problems = list(contradictions(vars(self), self.origins))
        if problems:
            more = f" (and {len(problems) - 1} more: shotclock config check names all)" if len(problems) > 1 else ""
            raise UsageError(problems[0] + more)

    @property
    def tag_set(self) -> frozenset[str]:
        """What `tags` names."""
        return _tags(self.tags)

    def origin(self, name: str) -> Origin:
        """Return where the value of a setting came from."""
        return _origin(name, getattr(self, name), self.origins)

    def text(self, name: str) -> str:
        """Return the value of a setting as it is written."""
        return written(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Two settings that must fit each other; where either side names several, they count together."""

    low: tuple[str, ...]
    high: tuple[str, ...]
    why: str
    equal: bool = True
    """Whether both may be the same."""
    served: bool = False
    """Whether it is about a store on a server."""


RELATIONS: Final = (
    Relation(low=("heartbeat",), high=("lease",), why="a lease must outlast the heartbeat that renews it", equal=False),
    Relation(
        low=("heartbeat", "store_busy"),
        high=("lease",),
        why="a renewal may wait that long for its turn at the store, and must still come in time",
    ),
    Relation(
        low=("alerts_send",),
        high=("outbox_hold",),
        why="a notice that another relay takes while it is under way comes twice",
        equal=False,
    ),
    Relation(low=("stop",), high=("lease",), why="leases are not renewed while members end at a clean stop"),
    Relation(low=("lease",), high=("handover",), why="who died with the work is known to be dead only after a lease"),
    Relation(low=("lease",), high=("gone",), why="a process must be remembered for as long as it may hold tasks"),
    Relation(
        low=("store_connect",),
        high=("store_statement",),
        why="a server that cannot be reached must be told from one that is slow",
        equal=False,
        served=True,
    ),
    Relation(
        low=("store_busy",),
        high=("store_statement",),
        why="a statement that waits for its turn would be cut as one that takes too long",
        equal=False,
        served=True,
    ),
    Relation(low=("store_statement",), high=("lease",), why="a renewal is a statement", equal=False, served=True),
    Relation(low=("retry_first",), high=("retry_most",), why="the first wait cannot be longer than the longest"),
    Relation(low=("retention", "replay"), high=("idempotent",), why="repeats would count anew"),
)
"""What must fit, in the order of the reference."""


def contradictions(values: Mapping[str, Any], origins: Mapping[str, Origin]) -> Iterator[str]:
    """Yield what cannot be: values out of range, and pairs that contradict each other, each with where it came from."""
    try:
        _tags(values["tags"])
    except ValueError as error:
        yield f"setting {_said('tags', values, origins)}: {error}"
    bad = [name for name, value in values.items() if _below(value)]
    yield from (f"setting {_said(name, values, origins)} must be {_least(values[name])}" for name in bad)
    served = values["store"].startswith(("postgresql://", "postgres://"))
    for relation in RELATIONS:
        low, high = (sum((values[name] for name in side), timedelta(0)) for side in (relation.low, relation.high))
        fits = low < high or (low == high and relation.equal)
        if not fits and (served or not relation.served) and not {*relation.low, *relation.high} & set(bad):
            sides = [
                " and ".join(_said(name, values, origins) for name in side) for side in (relation.low, relation.high)
            ]
            must = "must not be longer than" if relation.equal else "must be shorter than"
            together = " together" if len(relation.low) > 1 else ""
            yield f"setting {sides[0]}{together} {must} {sides[1]}: {relation.why}"


def _below(value: object) -> bool:
    return (isinstance(value, timedelta) and value <= timedelta(0)) or (isinstance(value, int) and value < 1)


def _least(value: object) -> str:
    return "longer than zero" if isinstance(value, timedelta) else "at least 1"


def _said(name: str, values: Mapping[str, Any], origins: Mapping[str, Origin]) -> str:
    """Name a setting with its value and where that came from."""
    return f"{name} ({written(name, values[name])}, {_origin(name, values[name], origins)})"


def _origin(name: str, value: object, origins: Mapping[str, Origin]) -> Origin:
    return origins.get(name) or (DEFAULT if value == _DEFAULTS[name] else CALL)


def _tags(text: str) -> frozenset[str]:
    if not text:
        return frozenset()
    from shotclock.model import slug  # noqa: PLC0415 - commands that look at nothing load no model

    return frozenset(slug(word.strip(), "tag") for word in text.split(",") if word.strip())


# --- reading -------------------------------------------------------------------------------------------------------


def examine(call: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None) -> Found:
    """Read all layers and return every value with its origin, and everything that is wrong with them."""
    found = gather(_READERS, os.environ if environment is None else environment, call or {})
    for item in definitions():
        found.values.setdefault(item.name, item.default)
        found.origins.setdefault(item.name, DEFAULT)
    found.problems += contradictions(found.values, found.origins)
    return found


def load(overrides: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from all layers; raises `UsageError` that names the source of a bad or unknown one."""
    found = examine(overrides, environment)
    if found.problems:
        more = len(found.problems) - 1
        hint = f" (and {more} more: shotclock config check names all)" if more else ""
        raise UsageError(found.problems[0] + hint)
    return Settings(**found.values, origins=found.origins)  # type: ignore[arg-type]  # each was read as its field's type


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        message = f"{value!r} is not a whole number"
        raise ValueError(message) from None


_KINDS: Final[Mapping[type, tuple[str, Reader]]] = {
    timedelta: ("duration", lambda value: duration(str(value))),
    Size: ("size", lambda value: size(str(value))),
    int: ("number", _number),
    str: ("text", str),
    Secret: ("text", Secret),
}
"""What a default of each type is called, and what reads such a value."""


def definitions() -> tuple["Field[Any]", ...]:
    """Return the settings as they are defined, in the order of the reference."""
    return tuple(item for item in fields(Settings) if item.metadata)


def _kind(default: object) -> tuple[str, Reader]:
    return _KINDS.get(type(default), ("path", lambda value: Path(str(value))))


_READERS: Final = {item.name: _kind(item.default)[1] for item in definitions()}


def written(name: str, value: object) -> str:
    """Write a value of a setting as it is read, with its unit and nothing rounded but what is below a millisecond."""
    if isinstance(value, timedelta):
        return exactly(value)
    if isinstance(_DEFAULTS[name], Secret):
        return bare(str(value))
    return str(Size(value)) if isinstance(value, int) and isinstance(_DEFAULTS[name], Size) else str(value)


_DEFAULTS: Final = {item.name: item.default for item in definitions()}


def shown(settings: Settings) -> dict[str, str]:
    """Return all values as text, but those that may differ between processes: where things are, and `tags`."""
    return {item.name: settings.text(item.name) for item in definitions() if item.name not in _OWN}


def sources(settings: Settings) -> dict[str, str]:
    """Return where each shown value came from, as text; defaults are left out."""
    origins = {name: settings.origin(name) for name in shown(settings)}
    return {name: str(origin) for name, origin in origins.items() if origin != DEFAULT}


def fingerprint(values: Mapping[str, str]) -> str:
    """Return what shown values hash to: the same for processes that agree."""
    from shotclock.model import digest  # noqa: PLC0415 - commands that look at nothing load no model

    return digest("\n".join(f"{name}={value}" for name, value in sorted(values.items())).encode())[:12]


def described() -> list[tuple[str, str, str, str]]:
    """Return name, type, default and meaning of every setting, in the order of the reference."""
    return [
        (item.name, _kind(item.default)[0], written(item.name, item.default), item.metadata["help"])
        for item in definitions()
    ]
