"""What stands above the phases: the pipeline's name, its key, when it starts, its modes, age and parameters."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct
from yaml.nodes import MappingNode, Node, SequenceNode

from shotclock.model import Plan, Schedule, slug
from shotclock.spec.flags import flags_of
from shotclock.spec.nodes import Table, close_to, shown
from shotclock.spec.scalars import anything, choice, flag, import_path, name_of, positive, text, whole
from shotclock.spec.schema import EXPECT, KEY, PARAM, STARTS

_KEY_TYPES: Final[tuple[Literal["date", "text"], ...]] = ("date", "text")
_CRON_FIELDS: Final = 5
_ANY_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""Where the search for a schedule's first tick begins: any instant serves."""


class Kept(Struct, frozen=True, kw_only=True):
    """The members a mode keeps of one phase, with the line each is named on."""

    line: int
    members: dict[str, int]


Modes = dict[str, dict[str, Kept]]


def header(top: Table, *, folder: str, digest: str) -> Plan:
    """Read all but modes and phases into a plan that has none yet."""
    key = top.inner("key", KEY)
    plan = Plan(
        pipeline=top.need("pipeline", name_of("pipeline"), "", example="pipeline: NAME"),
        folder=folder,
        digest=digest,
        key_name=key.take("name", name_of("key"), "key") if key else "key",
        key_type=key.take("type", choice(_KEY_TYPES), "date") if key else "date",
        timezone=key.take("timezone", _zone, "UTC") if key else "UTC",
        starts=_starts(top),
        max_age=top.take("max_age", positive, Plan(pipeline="").max_age),
        success_within=_expected(top),
        params=_params(top),
        flags=flags_of(top),
    )
    _dated(top, plan)
    return plan


def _zone(node: Node) -> str:
    name = text(node)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # the last for a name that is a folder of zones
        near = close_to(name, sorted(available_timezones()))
        message = f"{shown(name)} is not a time zone such as America/New_York{near}"
        raise ValueError(message) from error
    return name


def _starts(top: Table) -> Schedule:
    table = top.inner("starts", STARTS)
    if table is None:
        return Schedule()
    if "schedule" not in table:
        for key in ("day", "calendar"):
            if key in table:
                table.missing(f'{key} says nothing without schedule: write schedule: "0 6 * * *"')
    return Schedule(
        cron=table.take("schedule", _cron, None),
        day=table.take("day", whole(STARTS["day"]), 0),
        calendar=table.take("calendar", import_path, None),
        on_report=table.take("on_report", flag, default=False),
    )


def _expected(top: Table) -> timedelta | None:
    table = top.inner("expect", EXPECT)
    return table.need("success_within", positive, None, example="success_within: 26h") if table else None


def _cron(node: Node) -> str:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only pipelines with a schedule pay for it

    expression = " ".join(text(node).split())
    if len(expression.split()) != _CRON_FIELDS:
        message = f"{shown(expression)} is not a schedule: write minute, hour, day, month, weekday, such as 0 6 * * *"
        raise ValueError(message)
    try:
        next(CronSim(expression, _ANY_MONDAY))
    except CronSimError as error:
        message = f"{shown(expression)} is not a schedule: {str(error).lower()}"
        raise ValueError(message) from error
    except StopIteration:
        message = f"{shown(expression)} never comes"
        raise ValueError(message) from None
    return expression


def _dated(top: Table, plan: Plan) -> None:
    if plan.key_type == "text" and plan.starts.cron:
        table = top.inner("starts", STARTS)
        if table:
            table.wrong("schedule", "names its runs by date, but key: type: is text; write type: date or leave it out")


def modes_of(top: Table) -> Modes:
    """Read what each mode keeps; names are checked against the phases elsewhere."""
    table = top.inner("modes", None)
    found: Modes = {}
    for entry in table.entries.values() if table else ():
        mode = Table(entry.value, f"mode {entry.key}", top.problems, keys=None, line=entry.line)
        try:
            found[slug(entry.key, "mode")] = {phase: _kept(mode, phase) for phase in mode.entries}
        except ValueError as error:
            top.problems.add(entry.line, str(error))
    return found


def _kept(mode: Table, phase: str) -> Kept:
    node = mode.node(phase)
    if isinstance(node, SequenceNode):
        members = dict(mode.each(phase, text))
        return Kept(line=mode.line_at(phase), members=members)
    mode.wrong(phase, "expected the list of members it keeps, such as [schedule, props]")
    return Kept(line=mode.line_at(phase), members={})


def _params(top: Table) -> dict[str, Any]:
    table = top.inner("params", None)
    return {name: _param(table, name) for name in table.entries} if table else {}


def _param(params: Table, name: str) -> object:
    try:
        slug(name, "param")
    except ValueError as error:
        params.wrong(name, str(error))
    if not isinstance(params.node(name), MappingNode):
        return params.take(name, anything, None)
    table = params.inner(name, PARAM)
    if table is None:
        return None
    table.take("help", text, "")
    return table.take("default", anything, None)
