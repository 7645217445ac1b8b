"""`flags ramp`: a flag that goes from share to share by itself, and how it stands."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from shotclock.cli.operating import actor
from shotclock.cli.shell import Shell, common, examples, table
from shotclock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shotclock.engine.ramping import Order, RampView, Steer, Watch
    from shotclock.model import FlagRamp, Metric

STEERS: "Mapping[str, Steer]" = {"pause": "pause", "freeze": "freeze", "resume": "resume"}
_COST = "there is no guard for cost: no fact about the cost of a run is kept yet"


@click.command(
    short_help="Give a flag to more and more units.",
    epilog=examples(
        "shotclock flags ramp new_model --stages 10,50,100 --hold 4h --guard unsatisfied --guard retries:1.5",
        "shotclock flags ramp new_model",
        "shotclock flags ramp new_model pause",
    ),
)
@click.argument("name")
@click.argument("action", type=click.Choice(["status", *STEERS]), default="status")
@click.option("--stages", metavar="LIST", help="Begin: the shares in percent, such as 10,50,100.")
@click.option("--hold", default="4h", show_default=True, help="How long each stage is watched at least.")
@click.option(
    "--guard",
    "guards",
    multiple=True,
    metavar="METRIC[:TIMES]",
    help="What must not become worse: unsatisfied, retries; for whole runs duration, lateness. [default: unsatisfied]",
)
@click.option("--reason", default="", help="Why; kept with it and shown.")
@actor
@common
@click.pass_obj
def ramp(  # noqa: PLR0913, PLR0917 - the arguments and options of the command
    shell: Shell,
    name: str,
    action: str,
    stages: str | None,
    hold: str,
    guards: tuple[str, ...],
    reason: str,
    actor: str,
) -> None:
    """Ramp flag NAME through --stages, or show, pause, freeze or resume its ramp.

    It goes on when units with the flag do no worse than those without, in the same runs; where they do worse, the flag
    is given to nobody at once. Paused, it stays and is still rolled back; frozen, nothing happens by itself.
    """
    if stages is not None and action != "status":
        message = f"--stages begins a ramp, and {action} is for one that is there: give one of them"
        raise UsageError(message)
    order = None if stages is None else _order(stages, hold, guards, actor, reason)
    settings = shell.settings()
    with closing(shell.store(settings)) as store, shell.coordinator(store, settings) as coordinator:
        from shotclock.engine import ramping  # noqa: PLC0415 - not for --help

        if order is not None:
            coordinator.ramp_flag(name, order)
        elif action in STEERS:
            coordinator.steer_ramp(name, STEERS[action], actor=actor, reason=reason)
        coordinator.look_at_ramps()
        view = store.read(lambda view: ramping.view_of(view, name))
        now = coordinator.clock.now()
    shell.document(view)
    for text in _lines(view, now):
        shell.say(text)


def _order(stages: str, hold: str, guards: tuple[str, ...], actor: str, reason: str) -> "Order":
    from shotclock.amounts import duration  # noqa: PLC0415 - likewise
    from shotclock.engine.ramping import Order  # noqa: PLC0415 - not for --help
    from shotclock.model import share_of  # noqa: PLC0415 - likewise

    try:
        shares = tuple(share_of(part) for part in stages.split(","))
        span = duration(hold)
    except ValueError as error:
        raise UsageError(str(error)) from error
    watched = tuple(_guard(text) for text in guards or ("unsatisfied",))
    return Order(stages=shares, hold=span, guards=watched, actor=actor, reason=reason)


def _guard(text: str) -> "tuple[Metric, float]":
    from shotclock.model import METRICS  # noqa: PLC0415 - not for --help

    name, _, times = text.partition(":")
    metric = next((metric for metric in METRICS if metric == name), None)
    if metric is None:
        known = _COST if name == "cost" else f"there is no guard {name}"
        message = f"{known}; expected one of {', '.join(METRICS)}"
        raise UsageError(message)
    try:
        return metric, float(times or 2)
    except ValueError as error:
        message = f"{text!r}: expected a number after the colon, such as {name}:1.5"
        raise UsageError(message) from error


def _lines(view: "RampView", now: datetime) -> list[str]:
    ramp = view.ramp
    stages = ", ".join(f"{share / 100:g}%" for share in ramp.stages)
    head = f"{ramp.name}: {ramp.state.replace('_', ' ')} at {view.share} of {stages}; {ramp.runs} runs counted"
    rows = [_row(watch) for watch in view.watches]
    return [head, *table(rows, "  "), _next(ramp, now)]


def _row(watch: "Watch") -> tuple[str, ...]:
    seen = watch.seen
    sides = f"{seen.flagged_bad} of {seen.flagged} with it, {seen.others_bad} of {seen.others} without"
    more = f"about {watch.more_runs} runs, {watch.more_units} units more" if watch.more_runs else ""
    return (f"{watch.metric} x{watch.worse:g}", watch.verdict, f"{sides} in {watch.runs} runs", more)


def _next(ramp: "FlagRamp", now: datetime) -> str:
    from shotclock.amounts import words  # noqa: PLC0415 - not for --help

    if ramp.ended:
        return ramp.ended
    if ramp.state != "ramping":
        return f"go on: shotclock flags ramp {ramp.name} resume"
    left = ramp.since + ramp.hold - now
    held = f"held for {words(left)} more" if left > timedelta(0) else "its hold is over"
    return f"{held}, and until every guard is good"
