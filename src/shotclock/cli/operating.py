"""What operators do to runs: `halt`, `resume`, `force`, `withdraw`, `readmit`."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shotclock.cli.shell import Shell, common, examples
from shotclock.errors import UsageError

if TYPE_CHECKING:
    from shotclock.engine.coordinator import Coordinator

F = TypeVar("F", bound=Callable[..., Any])
EVERYTHING = "*"


def _who() -> str:
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "operator"


actor = click.option("--actor", default=_who, help="Who does it; kept with it (default: the user's name).")
reason = click.option("--reason", required=True, help="Why; kept with it and shown.")


@contextmanager
def coordinated(shell: Shell, run: str) -> "Iterator[tuple[Coordinator, str]]":
    """Give a coordinator and the text form of a run that is there."""
    from shotclock.engine.naming import find_run  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    with closing(shell.store(settings)) as store:
        found = store.read(lambda view: find_run(view, run))
        with shell.coordinator(store, settings) as coordinator:
            yield coordinator, found.id


@click.command(
    epilog=examples('shotclock force nba/2025-01-15 raw --reason "the source is gone for good"'),
)
@click.argument("run")
@click.argument("phase")
@reason
@actor
@common
@click.pass_obj
def force(shell: Shell, run: str, phase: str, reason: str, actor: str) -> None:
    """Open PHASE of RUN now, past critical members, a veto or a block; whoever is missing is named, it is partial."""
    with coordinated(shell, run) as (coordinator, run_id):
        coordinator.force(run_id, phase, actor=actor, reason=reason)
        shell.document({"run": run_id, "phase": phase, "forced": True})
        shell.say(f"{run_id} {phase}: forced open")


@click.command(
    epilog=examples('shotclock withdraw nba/2025-01-15 raw odds --reason "no odds today"'),
)
@click.argument("run")
@click.argument("phase")
@click.argument("member")
@reason
@actor
@common
@click.pass_obj
def withdraw(shell: Shell, run: str, phase: str, member: str, reason: str, actor: str) -> None:
    """Take MEMBER, which is not satisfied, out of the roll of PHASE; it is listed, and the phase not partial for it."""
    with coordinated(shell, run) as (coordinator, run_id):
        answer = coordinator.withdraw(run_id, phase, member, actor=actor, reason=reason)
        shell.document(answer)
        shell.say(f"{run_id} {phase}: {answer.detail}")


@click.command(epilog=examples("shotclock readmit nba/2025-01-15 raw odds"))
@click.argument("run")
@click.argument("phase")
@click.argument("member")
@actor
@common
@click.pass_obj
def readmit(shell: Shell, run: str, phase: str, member: str, actor: str) -> None:
    """Take MEMBER, which was withdrawn, back into the roll; a report that came meanwhile counts."""
    with coordinated(shell, run) as (coordinator, run_id):
        answer = coordinator.readmit(run_id, phase, member, actor=actor)
        shell.document(answer)
        shell.say(f"{run_id} {phase}: {answer.detail}")


def _scoped(command: F) -> F:
    """Add what a halt is for: a pipeline, a run, or everything."""
    everything = click.option("--all", "everything", is_flag=True, help="Everything in the store.")
    return click.argument("scope", required=False)(everything(command))


@click.command(
    epilog=examples(
        'shotclock halt nba --reason "bad deploy"',
        'shotclock halt nba/2025-01-15 --reason "wrong file"',
        'shotclock halt --all --reason "maintenance"',
    ),
)
@_scoped
@reason
@actor
@common
@click.pass_obj
def halt(shell: Shell, scope: str | None, reason: str, actor: str, *, everything: bool) -> None:
    """Stop dispatch, openings, consolidations and deliveries of SCOPE, a pipeline or a run, or of everything.

    Reports are still taken, clocks run on; what is overdue is decided when it is resumed.
    """
    with _scope(shell, scope, everything=everything) as (coordinator, named):
        coordinator.halt(named, actor=actor, reason=reason)
        shell.document({"halted": named})
        shell.say(f"halted: {_words(named)}; `shotclock resume {_argument(named)}` ends it")


@click.command(epilog=examples("shotclock resume nba", "shotclock resume --all"))
@_scoped
@actor
@common
@click.pass_obj
def resume(shell: Shell, scope: str | None, actor: str, *, everything: bool) -> None:
    """End the halt of SCOPE, a pipeline or a run, or the one of everything."""
    with _scope(shell, scope, everything=everything) as (coordinator, named):
        held = [one.scope for one in coordinator.store.read(lambda view: view.halts()) if one.until is None]
        if named not in held:
            message = f"{_words(named)} is not halted; halted: {', '.join(map(_argument, held)) or 'nothing'}"
            raise UsageError(message)
        coordinator.resume(named, actor=actor)
        shell.document({"resumed": named})
        shell.say(f"resumed: {_words(named)}")


@contextmanager
def _scope(shell: Shell, scope: str | None, *, everything: bool) -> "Iterator[tuple[Coordinator, str]]":
    """Give a coordinator and the scope: a pipeline or run that is there, or everything."""
    if (scope is None) != everything:
        message = "name a pipeline or a run, or give --all for everything"
        raise UsageError(message)
    from shotclock.engine.naming import scope_of  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    with closing(shell.store(settings)) as store:
        named = EVERYTHING if scope is None else store.read(lambda view: scope_of(view, scope))
        with shell.coordinator(store, settings) as coordinator:
            yield coordinator, named


def _words(scope: str) -> str:
    return "everything" if scope == EVERYTHING else scope


def _argument(scope: str) -> str:
    return "--all" if scope == EVERYTHING else scope
