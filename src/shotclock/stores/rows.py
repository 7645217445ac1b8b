"""How values become rows and back: one shape for every store, so that two stores can be compared row by row."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec.structs import force_setattr, replace

from shotclock.model import (
    CODE,
    SATISFIED,
    Entry,
    FlagState,
    Halt,
    Opening,
    Outgoing,
    Page,
    Phase,
    Plan,
    Process,
    Run,
    Task,
    TaskState,
    Work,
)

Row = tuple[Any, ...]

ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""The beginning of time: since when a queued task without `ready_at` may be leased."""

WORK_CODE: Final[dict[Work, int]] = {"member": 0, "chunk": 1, "outside": 2, "enumerate": 3, "then": 4}
"""The number that stands for a kind of work; those up to `LAST_RANGE` cover members of the roll."""
LAST_RANGE: Final = 2

STATE_CODE: Final[dict[TaskState, int]] = {"queued": 0, "leased": 1, "ended": 2, "outside": 3}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SETTLED = bytes(sorted(CODE[kind] for kind in (*SATISFIED, "withdrawn")))
_encode = msgspec.json.Encoder().encode
_run = msgspec.json.Decoder(Run)
_plan = msgspec.json.Decoder(Plan)
_phase = msgspec.json.Decoder(Phase)
_page = msgspec.json.Decoder(Page)
_task = msgspec.json.Decoder(Task)
_opening = msgspec.json.Decoder(Opening)
_process = msgspec.json.Decoder(Process)
_flag = msgspec.json.Decoder(FlagState)
_object = msgspec.json.Decoder(dict[str, Any])

run_of = _run.decode
plan_of = _plan.decode
phase_of = _phase.decode
page_of = _page.decode
opening_of = _opening.decode
process_of = _process.decode
flag_of = _flag.decode


def micros(at: datetime) -> int:
    """Return an instant as microseconds since 1970 in UTC; raises `TypeError` for one without a zone."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant(number: int) -> datetime:
    """Return the instant that `micros` gave this number for."""
    return _EPOCH + timedelta(microseconds=number)


_ALWAYS: Final = micros(ALWAYS)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _text(value: object) -> str:
    return _encode(value).decode()


def run_row(number: int, run: Run) -> Row:
    """Return number, id, pipeline, mode, key, generation, state, superseded, started_at, body."""
    who = (number, run.id, run.pipeline, run.mode, run.key, run.generation)
    return (*who, run.state, int(run.superseded), micros(run.started_at), _text(run))


def plan_row(run_id: str, plan: Plan) -> Row:
    """Return run, body."""
    return (run_id, _text(plan))


def phase_row(phase: Phase) -> Row:
    """Return id, run, name, idx, state, version, due_at, body."""
    where = (phase.id, phase.run, phase.name, phase.index)
    return (*where, phase.state, phase.version, _micros(phase.due_at), _text(phase))


def page_row(page: Page) -> Row:
    """Return phase, number, lo, n, body."""
    return (page.phase, page.number, page.lo, len(page.ids), _text(page))


def task_row(task: Task) -> Row:
    """Return phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body."""
    work, state, since = WORK_CODE[task.work], task.state, available(task)
    return (
        task.phase,
        task.lo,
        work,
        task.hi,
        task.rank,
        STATE_CODE[state],
        task.token,
        None if since is None else _ALWAYS if since is ALWAYS else micros(since),
        task.owner if state == "leased" else None,
        unsettled(task),
        bytearray(task.kinds),  # which SQLite takes as it is; bytes it would look up an adapter for
        _encode(replace(task, kinds=b"")).decode(),
    )


def task_of(row: Row) -> Task:
    """Return the task of a row's kinds and body."""
    task = _task.decode(row[1])
    force_setattr(task, "kinds", row[0])
    return task


def available(task: Task) -> datetime | None:
    """Return since when the task may be leased: None for one that never may."""
    if task.state == "queued":
        return task.ready_at or ALWAYS
    return task.lease_until or ALWAYS if task.state == "leased" else None


def unsettled(task: Task) -> int:
    """Return how many members of a range are neither satisfied nor withdrawn; 0 for `enumerate` and `then`."""
    return len(task.kinds.translate(None, _SETTLED)) if WORK_CODE[task.work] <= LAST_RANGE else 0


def name_key(name: str) -> bytes:
    """Return the 16 bytes under which an item's name is found."""
    return blake2b(name.encode(), digest_size=16).digest()


def opening_row(opening: Opening) -> Row:
    """Return phase, body."""
    return (opening.phase, _text(opening))


def entry_row(entry: Entry, number: int | None) -> Row:
    """Return id, kind, scope, phase, member, at, digest, body."""
    where = (number, entry.kind, entry.scope, entry.phase, entry.member)
    return (*where, micros(entry.at), entry.digest, _text(entry.body))


def entry_of(row: Row) -> Entry:
    """Return the entry of a whole row."""
    number, kind, scope, phase, member, at, digest, body = row
    return Entry(
        id=number,
        kind=kind,
        scope=scope,
        phase=phase,
        member=member,
        at=instant(at),
        digest=digest,
        body=_object.decode(body),
    )


def outbox_row(number: int | None, message: Outgoing, *, sent: bool) -> Row:
    """Return number, key, route, run, sent, created_at, ready_at, attempts, error, body."""
    where = (number, message.key, message.route, message.run, int(sent))
    times = (micros(message.created_at), micros(message.ready_at))
    return (*where, *times, message.attempts, message.error, _text(message.body))


def outgoing_of(row: Row) -> Outgoing:
    """Return the message of a whole row."""
    _, key, route, run, _, created_at, ready_at, attempts, error, body = row
    return Outgoing(
        key=key,
        route=route,
        run=run,
        created_at=instant(created_at),
        ready_at=instant(ready_at),
        attempts=attempts,
        error=error,
        body=_object.decode(body),
    )


def halt_row(halt: Halt) -> Row:
    """Return scope, since, until, actor, reason."""
    return (halt.scope, micros(halt.since), _micros(halt.until), halt.actor, halt.reason)


def halt_of(row: Row) -> Halt:
    """Return the halt of a whole row."""
    scope, since, until, actor, reason = row
    return Halt(
        scope=scope, since=instant(since), until=None if until is None else instant(until), actor=actor, reason=reason
    )


def process_row(process: Process) -> Row:
    """Return name, body."""
    return (process.name, _text(process))


def flag_row(flag: FlagState) -> Row:
    """Return name, version, body."""
    return (flag.name, flag.version, _text(flag))


def stale_flag(flag: FlagState) -> str:
    """Say that a flag is not at the version that a change was made from."""
    return f"flag {flag.name} is not at version {flag.version - 1}: read it again"


def named(names: Sequence[str], limit: int = 3) -> str:
    """Return the first names and how many more there are, for a message."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
