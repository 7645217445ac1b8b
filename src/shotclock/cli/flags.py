"""`flags`: what each flag is set to and why, setting one, and who did what."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shotclock.cli.operating import actor
from shotclock.cli.ramping import ramp
from shotclock.cli.shell import Shell, common, examples, table
from shotclock.errors import UsageError

if TYPE_CHECKING:
    from shotclock.engine.rollback import FlagView, Witness
    from shotclock.model import Entry, Split
    from shotclock.ports import Store
    from shotclock.settings import Settings

_LAST = 1_000
"""Most records of an audit that are shown."""


@click.group(
    epilog=examples(
        "shotclock flags list",
        "shotclock flags show new_model",
        'shotclock flags set new_model 10% --reason "a first look"',
        "shotclock flags audit new_model",
    ),
)
@common
def flags() -> None:
    """Show and set flags, which pipeline files declare; `shotclock rollback` turns them off everywhere.

    A flag that binds a run is fixed for a generation when that starts; a live one is read at each decision.
    """


flags.add_command(ramp)

_file = click.option(
    "--pipeline",
    type=click.Path(path_type=Path),
    metavar="PIPELINE",
    help="Take up the flags of this file first, before anything has run with them.",
)


@flags.command("list", epilog=examples("shotclock flags list", "shotclock flags list --pipeline scores --json"))
@_file
@common
@click.pass_obj
def list_(shell: Shell, pipeline: Path | None) -> None:
    """Show every flag: what holds now, since which version, for whom, and who answers for it."""
    settings = shell.settings()
    with closing(shell.store(settings, make=pipeline is not None)) as store:
        _declare(shell, store, settings, pipeline)
        found = _views(store, settings)
    shell.document(found)
    for text in table(_line(one) for one in found):
        shell.say(text)
    if not found:
        shell.say("there are no flags; declare one under flags: in a pipeline file")


@flags.command(epilog=examples("shotclock flags show new_model", "shotclock flags show DUAL_WRITE_MODE"))
@click.argument("name")
@common
@click.pass_obj
def show(shell: Shell, name: str) -> None:
    """Show one flag: how it is declared, what holds and why, which runs carry something else, who believes what."""
    from shotclock.flags.described import where  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    with closing(shell.store(settings)) as store:
        known = {one.name: one for one in _views(store, settings)}
        name = next((one.name for one in known.values() if name in {one.name, one.declared.alias}), name)
        if name not in known:
            raise UsageError(where(name, known))
        witnesses = _witnesses(store, settings, known[name])
    shell.document({"flag": known[name], "processes": witnesses})
    for text in _details(known[name], witnesses):
        shell.say(text)


@flags.command(
    "set",
    epilog=examples(
        "shotclock flags set new_model on --reason 'all went well'",
        "shotclock flags set new_model 10%",
        "shotclock flags set page_size large --percent 25",
    ),
)
@click.argument("name")
@click.argument("value")
@click.option(
    "--percent", metavar="N", help="Give VALUE to this share of the units; the others have what stands for off."
)
@click.option("--version", type=int, help="Only if the flag is at this version, as it was looked at.")
@click.option("--reason", default="", help="Why; kept with it and shown.")
@actor
@_file
@common
@click.pass_obj
def set_(  # noqa: PLR0913, PLR0917 - the arguments and options of the command
    shell: Shell,
    name: str,
    value: str,
    percent: str | None,
    version: int | None,
    reason: str,
    actor: str,
    pipeline: Path | None,
) -> None:
    """Set flag NAME to VALUE: on, off, a percentage such as 10%, or a variant; for runs that start from now on."""
    settings = shell.settings()
    with closing(shell.store(settings, make=pipeline is not None)) as store:
        _declare(shell, store, settings, pipeline)
        split = _split(store, name, value, percent)
        with shell.coordinator(store, settings) as coordinator:
            turned = coordinator.turn_flag(name, split, actor=actor, reason=reason, version=version)
        (after,) = (one for one in _views(store, settings) if one.name == name)
    shell.document(turned)
    shell.say(f"{name}: {turned.before} -> {turned.after} (version {turned.version})")
    for text in _warnings(after):
        shell.say(text)


@flags.command(epilog=examples("shotclock flags audit", "shotclock flags audit new_model --json"))
@click.argument("name", required=False)
@common
@click.pass_obj
def audit(shell: Shell, name: str | None) -> None:
    """Show who set flags, or flag NAME, to what, when and why; the oldest first."""
    from shotclock.engine.flagging import SCOPE  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    with closing(shell.store(settings)) as store:
        found = store.read(lambda view: view.entries("audit", scope=SCOPE, member=name, limit=_LAST))
    shell.document([{"at": entry.at, "flag": entry.member, **entry.body} for entry in found])
    for text in table(_record(entry) for entry in found):
        shell.say(text)


def _declare(shell: Shell, store: "Store", settings: "Settings", pipeline: Path | None) -> None:
    if pipeline is None:
        return
    from shotclock.spec import load  # noqa: PLC0415 - not for --help

    plan = load(pipeline)
    with shell.coordinator(store, settings) as coordinator:
        coordinator.declare_flags(plan)


def _split(store: "Store", name: str, value: str, percent: str | None) -> "Split":
    from shotclock.flags.described import where  # noqa: PLC0415 - not for --help
    from shotclock.model import BUCKETS, share_of, split_of  # noqa: PLC0415 - likewise

    known = {state.name: state.declared for state in store.read(lambda view: view.flags())}
    if name not in known:
        raise UsageError(where(name, known))
    try:
        return split_of(known[name], value, BUCKETS if percent is None else share_of(percent))
    except ValueError as error:
        raise UsageError(str(error)) from error


def _views(store: "Store", settings: "Settings") -> "list[FlagView]":
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import rollback  # noqa: PLC0415 - likewise

    today = SystemClock().now().date()
    return store.read(lambda view: rollback.views(view, settings, today))


def _witnesses(store: "Store", settings: "Settings", flag: "FlagView") -> "list[Witness]":
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import rollback  # noqa: PLC0415 - likewise

    now = SystemClock().now()
    return store.read(lambda view: rollback.witnesses(view, settings, now, {flag.name: (flag.split, flag.version)}))


def _line(one: "FlagView") -> tuple[str, ...]:
    mark = "expired" if one.expired else ""
    runs = f"{len(one.runs)} runs carry something else" if one.runs else ""
    said = "; ".join(word for word in (one.declared.purpose, mark, runs) if word)
    return (one.name, one.value, one.origin, f"v{one.version}", one.declared.binding, one.declared.owner, said)


def _details(one: "FlagView", witnesses: "list[Witness]") -> list[str]:
    flag = one.declared
    rows = [
        ("value", f"{one.value} ({one.origin}, version {one.version})"),
        ("purpose", flag.purpose),
        ("owner", flag.owner),
        ("binding", f"{flag.binding}, for each {flag.key}"),
        ("default", f"{flag.default}; safe {flag.safe}"),
        *(
            (word, ", ".join(names))
            for word, names in (("requires", flag.requires), ("excludes", flag.excludes))
            if names
        ),
        *([("alias", flag.alias)] if flag.alias else []),
        *(
            [("set by", f"{one.actor} at {one.at:%Y-%m-%d %H:%M:%S}Z: {one.reason or 'no reason given'}")]
            if one.actor
            else []
        ),
    ]
    told = [f"{witness.process}: {believed(witness)}" for witness in witnesses]
    return [f"{one.name}", *table(rows, "  "), *_warnings(one), *told]


def believed(witness: "Witness") -> str:
    """Say what a process believes."""
    said = ", ".join(f"{name} {rule.split} (v{rule.version}, {rule.origin})" for name, rule in witness.believes.items())
    return f"believes {said}" if said else "has not told what it believes"


def _warnings(one: "FlagView") -> list[str]:
    said = [f"{run} carries something else" for run in one.runs]
    if one.expired:
        said.append(f"{one.name} has expired on {one.declared.expires}: remove it from the file")
    if one.origin in {"kill_switch", "environment", "combination"}:
        said.append(f"here {one.name} is {one.value} by its {one.origin.replace('_', ' ')}, whatever is set")
    return said


def _record(entry: "Entry") -> tuple[str, ...]:
    said = entry.body
    change = f"{said['before']} -> {said['after']}"
    return (f"{entry.at:%Y-%m-%d %H:%M:%S}Z", entry.member, said["what"], change, said["actor"], said["reason"])
