"""`alerts`: what operators were told, whether it arrives, and who has taken it on or does not want to hear it."""

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from shotclock.cli.operating import actor
from shotclock.cli.shell import Shell, common, examples, one_line, table

if TYPE_CHECKING:
    from datetime import datetime

    from shotclock.model import Alert, Silence
    from shotclock.ports import Outlet

FAILED = 1


@click.group(
    epilog=examples("shotclock alerts list", "shotclock alerts test", "shotclock alerts ack 3f9a1c"),
)
@common
def alerts() -> None:
    """Show what operators were told, prove that it arrives, take it on, or silence it for a while."""


class _Span(click.ParamType[timedelta]):
    """A duration such as 2h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 - the signature of the base
        from shotclock.amounts import duration  # noqa: PLC0415 - not for --help

        try:
            span = duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if span <= timedelta(0):
            self.fail("must be longer than zero", param, ctx)
        return span


@alerts.command(epilog=examples("shotclock alerts test", "shotclock alerts test slack --json"))
@click.argument("channels", nargs=-1, metavar="[CHANNEL]…")
@common
@click.pass_obj
def test(shell: Shell, channels: tuple[str, ...]) -> int:
    """Send a test alert through each channel that is configured, or through those named, and say what became of it.

    Exit codes: 0 every channel took it, 1 one did not, 2 wrong use, such as a channel without an address.
    """
    from shotclock.channels import open_channels  # noqa: PLC0415 - not for --help
    from shotclock.engine.relay import LogChannel  # noqa: PLC0415 - likewise
    from shotclock.errors import UsageError  # noqa: PLC0415 - likewise

    outlets = open_channels(shell.settings(), LogChannel())
    unknown = sorted(set(channels) - {outlet.name for outlet in outlets})
    if unknown:
        message = f"there is no channel {unknown[0]}; there are {', '.join(outlet.name for outlet in outlets)}"
        raise UsageError(message)
    tried = [_tried(outlet) for outlet in outlets if not channels or outlet.name in channels]
    for one in tried:
        shell.document(one)
        shell.say(one_line(f"{one['channel']}: {one['error'] or 'delivered'}"))
    return FAILED if any(one["error"] for one in tried) else 0


def _tried(outlet: "Outlet") -> dict[str, Any]:
    """Return what became of a test alert in a channel."""
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.errors import BusError  # noqa: PLC0415 - likewise

    said = {
        "fact": "test",
        "severity": "info",
        "state": "open",
        "run": "",
        "phase": "",
        "text": "this is a test: alerts of shotclock arrive here",
        "names": [],
        "command": "shotclock alerts list",
        "since": SystemClock().now().isoformat(),
    }
    try:
        outlet.channel.send(said)
    except Exception as error:  # noqa: BLE001 - whatever a channel raises is what is asked for here
        why = str(error) if isinstance(error, BusError) else f"{type(error).__name__}: {error}"
        return {"channel": outlet.name, "delivered": False, "error": why}
    return {"channel": outlet.name, "delivered": True, "error": None}


@alerts.command("list", epilog=examples("shotclock alerts list", "shotclock alerts list --all --json"))
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@common
@click.pass_obj
def list_(shell: Shell, *, everything: bool) -> None:
    """Show the alerts that are not over: how often each came, who has taken it on, how it fared in each channel.

    Silences that hold are shown after them.
    """
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import alerting  # noqa: PLC0415 - likewise

    now = SystemClock().now()
    with closing(shell.store(shell.settings())) as store:
        found = store.read(lambda view: alerting.records(view, over=everything))
        held = [one for one in store.read(alerting.silences) if now < one.until]
    shell.document({"alerts": found, "silences": held})
    for line in table(_row(alert, now) for alert in found):
        shell.say(line)
    for one in held:
        shell.say(one_line(_silenced(one)))
    if not found and not held:
        shell.say("no alerts")


def _row(alert: "Alert", now: "datetime") -> tuple[str, ...]:
    from shotclock.amounts import words  # noqa: PLC0415 - not for --help

    state = "over" if alert.over_at is not None else "open"
    by = f"taken on by {alert.acknowledged.actor}" if alert.acknowledged is not None else ""
    fared = ", ".join(
        f"{channel} {one.state}{f' ({one.error})' if one.error else ''}" for channel, one in alert.channels.items()
    )
    said = "; ".join(word for word in (alert.text, by, fared) if word)
    age = f"{words(now - alert.last_at)} ago"
    return (alert.id, alert.severity, state, alert.fact, f"{alert.count}x", age, said)


def _silenced(one: "Silence") -> str:
    fields = (("fact", one.fact), ("pipeline", one.pipeline), ("run", one.run), ("channel", one.channel))
    what = ", ".join(f"{name} {value}" for name, value in fields if value) or "everything"
    why = f": {one.reason}" if one.reason else ""
    return f"silence {one.id}: {what}, until {one.until:%Y-%m-%d %H:%M} UTC, by {one.actor}{why}"


@alerts.command(epilog=examples('shotclock alerts ack 3f9a1c --reason "on it"'))
@click.argument("alert")
@click.option("--reason", default="", help="Why, or what is done; kept with it.")
@actor
@common
@click.pass_obj
def ack(shell: Shell, alert: str, reason: str, actor: str) -> None:
    """Take ALERT on: it is told no more however often it comes, until it is over, which is told."""
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import steering  # noqa: PLC0415 - likewise
    from shotclock.model import Acknowledged  # noqa: PLC0415 - likewise

    settings, now = shell.settings(), SystemClock().now()
    with closing(shell.store(settings)) as store:
        by = Acknowledged(actor=actor, reason=reason, at=now)
        taken = steering.acknowledge(store, settings, now, alert, by)
    shell.document(taken)
    assert taken.acknowledged is not None
    shell.say(f"{taken.id} is taken on by {one_line(taken.acknowledged.actor)}")


@alerts.command(
    epilog=examples(
        "shotclock alerts silence --pipeline nba --for 2h",
        'shotclock alerts silence --fact parked --channel slack --for 1d --reason "a migration"',
    )
)
@click.option("--fact", default="", help="Only this fact, such as blocked.")
@click.option("--pipeline", default="", help="Only of this pipeline.")
@click.option("--run", default="", help="Only of this run.")
@click.option("--channel", default="", help="Only in this channel.")
@click.option("--for", "span", type=_Span(), required=True, help="For how long, such as 2h.")
@click.option("--reason", default="", help="Why; kept with it and shown.")
@actor
@common
@click.pass_obj
def silence(  # noqa: PLR0913 - the options of a command
    shell: Shell, *, fact: str, pipeline: str, run: str, channel: str, span: timedelta, reason: str, actor: str
) -> None:
    """Tell nothing that fits for a while: records are made, and what still holds when it ends is told then.

    What is left out means any; nothing but --for silences everything. The log hears everything nevertheless.
    """
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import steering  # noqa: PLC0415 - likewise
    from shotclock.model import Silence  # noqa: PLC0415 - likewise

    now = SystemClock().now()
    what = Silence(
        id="", fact=fact, pipeline=pipeline, run=run, channel=channel, reason=reason, actor=actor, at=now, until=now
    )
    with closing(shell.store(shell.settings())) as store:
        made = steering.silence(store, now, what, span)
    shell.document(made)
    shell.say(one_line(_silenced(made)))


@alerts.command(epilog=examples("shotclock alerts unsilence 81d0e2"))
@click.argument("silence")
@actor
@common
@click.pass_obj
def unsilence(shell: Shell, silence: str, actor: str) -> None:
    """End SILENCE before its time."""
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine import steering  # noqa: PLC0415 - likewise

    with closing(shell.store(shell.settings())) as store:
        ended = steering.unsilence(store, SystemClock().now(), silence, actor)
    shell.document(ended)
    shell.say(f"silence {ended.id} has ended")
