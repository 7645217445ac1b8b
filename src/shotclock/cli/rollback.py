"""`rollback`: flags off everywhere, with each process's belief before and after, and who still runs with them."""

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import click

from shotclock.cli.operating import actor
from shotclock.cli.shell import Shell, common, examples, table
from shotclock.errors import ShotclockError, StoreError, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from shotclock.engine.coordinator import Coordinator
    from shotclock.engine.flagging import Turned
    from shotclock.engine.rollback import Targets, Witness
    from shotclock.model import Run
    from shotclock.ports import Store
    from shotclock.settings import Settings


class Wish(NamedTuple):
    """What was asked for."""

    names: tuple[str, ...]
    """None: all flags."""
    undo: bool
    now: bool
    actor: str
    reason: str


class Outcome(NamedTuple):
    """What came of it."""

    turned: "list[Turned]"
    witnesses: "list[Witness]"
    runs: "list[tuple[Run, tuple[str, ...]]]"
    again: dict[str, str | None]
    """The new generation of each run that was started again; None where none could be made."""
    waited: "timedelta"


@click.command(
    epilog=examples(
        'shotclock rollback new_model --reason "wrong predictions"',
        'shotclock rollback --all --now --reason "all of it"',
        "shotclock rollback new_model --undo",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every flag of the store.")
@click.option("--now", is_flag=True, help="Start runs that carry another value again, as new generations without it.")
@click.option("--undo", is_flag=True, help="Bring back what the last rollback took away.")
@click.option("--switch", is_flag=True, help="Use the kill switch in the home folder, not the store.")
@click.option("--reason", default="", help="Why; kept with it and shown.")
@actor
@common
@click.pass_obj
def rollback(  # noqa: PLR0913 - the arguments and options of the command
    shell: Shell,
    names: tuple[str, ...],
    reason: str,
    actor: str,
    *,
    everything: bool,
    now: bool,
    undo: bool,
    switch: bool,
) -> int:
    """Turn each flag NAME, or all, to its safe value in one commit, then wait until every live process believes it.

    Where the store cannot be used, the kill switch is thrown: a file in the home folder, stronger than the store.

    Exit codes: 0 everybody believes it, 1 somebody does not or cannot tell, 2 wrong use.
    """
    if bool(names) == everything:
        message = "name the flags, or give --all for all of them"
        raise UsageError(message)
    wish = Wish(names=names, undo=undo, now=now, actor=actor, reason=reason)
    settings = shell.settings()
    off = _throw(shell, settings, wish) if switch or undo else None
    if switch:
        return _by_switch(shell, settings, wish, off or frozenset())
    try:
        with closing(shell.store(settings)) as store, shell.coordinator(store, settings) as coordinator:
            return _by_store(shell, coordinator, store, settings, wish)
    except StoreError as error:
        shell.note(f"the store cannot be used: {error}")
        return _by_switch(shell, settings, wish, _throw(shell, settings, wish))


def _by_store(shell: Shell, coordinator: "Coordinator", store: "Store", settings: "Settings", wish: Wish) -> int:
    """Set the flags in the store, wait, and say what came of it."""
    from shotclock.clock import SystemClock, stopwatch  # noqa: PLC0415 - not for --help
    from shotclock.engine import rollback as looking  # noqa: PLC0415 - likewise

    clock, names = SystemClock(), list(wish.names)
    stood = _targets(store, wish)
    before = store.read(lambda view: looking.witnesses(view, settings, clock.now(), stood))
    _tell(shell, "before", before)
    act = coordinator.bring_back if wish.undo else coordinator.roll_back
    turned = act(names, actor=wish.actor, reason=wish.reason)
    for one in turned:
        shell.say(f"{one.name}: {one.before} -> {one.after} (version {one.version})")
    if not turned:
        shell.say("nothing to bring back" if wish.undo else "every flag is at its safe value already")
    targets, passed = _targets(store, wish), stopwatch()
    after = looking.wait_for(store, settings, clock, targets)
    waited = passed()
    _tell(shell, "after", after)
    runs = store.read(lambda view: looking.carrying(view, targets))
    again = _start_again(shell, coordinator, runs) if wish.now else {}
    _tell_runs(shell, runs, again, wish)
    return _end(shell, Outcome(turned=turned, witnesses=after, runs=runs, again=again, waited=waited))


def _targets(store: "Store", wish: Wish) -> "Targets":
    """Return what must be believed of the flags that the wish is about, as the store has them."""
    states = store.read(lambda view: view.flags())
    return {one.name: (one.stands, one.version) for one in states if not wish.names or one.name in wish.names}


def _start_again(
    shell: Shell, coordinator: "Coordinator", runs: "list[tuple[Run, tuple[str, ...]]]"
) -> dict[str, str | None]:
    """Make new generations of runs without the flags; return their ids, None where one cannot be made."""
    from shotclock.engine.plans import plan_again  # noqa: PLC0415 - not for --help

    made: dict[str, str | None] = {}
    for run, flags in runs:
        named = f"{run.id.partition('#')[0]}#{run.generation}"
        try:
            plan = plan_again(coordinator, run, {})
            made[run.id] = coordinator.rerun_without(named, plan, flags).id
        except ShotclockError as error:
            shell.note(f"{run.id} goes on: {error}; stop it with: {shell.command(f'shotclock halt {run.id}')}")
            made[run.id] = None
    return made


def _tell(shell: Shell, when: str, witnesses: "list[Witness]") -> None:
    from shotclock.cli.flags import believed  # noqa: PLC0415 - not for --help

    rows = [(f"{when}:", one.process, one.kind, believed(one)) for one in witnesses]
    for text in table(rows):
        shell.say(text)


def _tell_runs(
    shell: Shell, runs: "list[tuple[Run, tuple[str, ...]]]", again: dict[str, str | None], wish: Wish
) -> None:
    for run, flags in runs:
        what = f"started again as {again[run.id]}" if again.get(run.id) else "goes on with it until it is over"
        shell.say(f"{run.id} carries another value of {', '.join(flags)}: {what}")
    if runs and not wish.now and not wish.undo:
        command = " ".join(("shotclock rollback", *(wish.names or ("--all",)), "--now"))
        shell.say(f"start them again without it: {shell.command(command)}")


def _end(shell: Shell, came: Outcome) -> int:
    """Write the document, and name whoever does not believe it; return the exit code."""
    from shotclock.cli.flags import believed  # noqa: PLC0415 - not for --help
    from shotclock.cli.wording import span  # noqa: PLC0415 - likewise

    silent = [one for one in came.witnesses if not one.confirmed]
    runs = [{"run": run.id, "flags": names, "again": came.again.get(run.id)} for run, names in came.runs]
    shell.document(
        {
            "by": "store",
            "flags": came.turned,
            "processes": came.witnesses,
            "runs": runs,
            "confirmed": not silent,
            "seconds": round(came.waited.total_seconds(), 3),
        }
    )
    for one in silent:
        shell.note(f"not confirmed by {one.process}, last heard of at {one.beat_at:%H:%M:%S}Z: {believed(one)}")
    number = len(came.witnesses)
    shell.say(f"confirmed by {number - len(silent)} of {number} processes after {span(came.waited)}")
    return 1 if silent or None in came.again.values() else 0


def _throw(shell: Shell, settings: "Settings", wish: Wish) -> frozenset[str]:
    """Change the kill switch; return all that it turns off now."""
    from shotclock.engine import switches  # noqa: PLC0415 - not for --help

    names = wish.names or (switches.ALL,)
    if not wish.undo:
        return switches.kill(settings, names)
    if switches.killed(settings):
        shell.say(f"{switches.kill_switch(settings)}: taken back for {', '.join(names)}")
    return switches.revive(settings, names)


def _by_switch(shell: Shell, settings: "Settings", wish: Wish, off: frozenset[str]) -> int:
    """Say what the kill switch turns off: nobody can confirm it without the store."""
    from shotclock.amounts import words  # noqa: PLC0415 - likewise
    from shotclock.engine.switches import kill_switch  # noqa: PLC0415 - not for --help

    names = sorted(off)
    shell.document({"by": "kill_switch", "file": str(kill_switch(settings)), "off": names, "confirmed": False})
    shell.say(f"{kill_switch(settings)} turns off: {', '.join(names) or 'nothing'}")
    shell.say(f"processes with this home folder read it within {words(settings.flags_bound)}; others do not see it")
    return 0 if wish.undo else 1
