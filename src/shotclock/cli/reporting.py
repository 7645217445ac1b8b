"""`report` and `signal`: what members outside say."""

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from shotclock.cli.shell import Shell, common, examples
from shotclock.errors import UsageError

if TYPE_CHECKING:
    from shotclock.model import OutcomeKind, PartOf, Report
    from shotclock.ports import Snapshot

OUTCOMES: Final = ("succeeded", "empty", "skipped", "failed")
EXIT: Final = {"accepted": 0, "duplicate": 0, "conflict": 3, "late": 3, "parked": 3, "withdrawn": 3, "fenced": 1}
"""0 counted, 3 stored without counting, 1 not stored."""
NOT_STORED: Final = 1


@click.command(
    epilog=examples(
        "shotclock report nba/2025-01-15 raw odds succeeded --rows 120",
        'shotclock report nba/2025-01-15 raw odds failed --reason "source is down" --retry',
        "shotclock report nba/2025-01-15 raw odds succeeded --part 2 --of 3",
    ),
)
@click.argument("run")
@click.argument("phase")
@click.argument("member")
@click.argument("outcome", type=click.Choice(OUTCOMES))
@click.option("--rows", type=click.IntRange(0), help="How many rows it made; checked against the member's contract.")
@click.option("--output", "pairs", multiple=True, metavar="NAME=VALUE", help="An output for the phases after it.")
@click.option("--outputs", "document", metavar="JSON", help="All outputs, as a JSON object.")
@click.option("--reason", help="Why it was skipped, is empty or has failed.")
@click.option("--as-of", type=click.DateTime(), help="How recent its data is, in UTC.")
@click.option("--retry", is_flag=True, help="With failed: only a note, the member stays pending.")
@click.option("--part", type=click.IntRange(1), help="Number of the part reported on.")
@click.option("--of", "total", type=click.IntRange(1), help="How many parts there are.")
@click.option("--last", is_flag=True, help="This part is the last one.")
@click.option("--override", is_flag=True, help="Settle a member that a worker of ours is working on.")
@click.option("--actor", help="Who reports.")
@common
@click.pass_obj
def report(  # noqa: PLR0913 - the arguments and options of the command
    shell: Shell,
    *,
    run: str,
    phase: str,
    member: str,
    outcome: "OutcomeKind",
    rows: int | None,
    pairs: tuple[str, ...],
    document: str | None,
    reason: str | None,
    as_of: datetime | None,
    retry: bool,
    part: int | None,
    total: int | None,
    last: bool,
    override: bool,
    actor: str | None,
) -> int:
    """Report the OUTCOME (succeeded, empty, skipped or failed) of MEMBER in PHASE of RUN, and print the answer.

    What is accepted is stored when this returns; sending it again does no harm. A RUN without #GENERATION means the
    newest one. A report for a run that does not exist yet is parked and counts when it starts.

    Exit codes: 0 accepted or duplicate; 3 stored but not counting (late, conflict, parked, withdrawn); 1 not stored.
    """
    from shotclock.model import Report  # noqa: PLC0415 - not for --help

    made = Report(
        run=run,
        phase=phase,
        member=member,
        outcome=outcome,
        reason=reason,
        rows=rows,
        outputs=_outputs(pairs, document),
        as_of=as_of.replace(tzinfo=UTC) if as_of is not None else None,
        retry=retry,
        part=_part(part, total, last=last),
        override=override,
        actor=actor,
    )
    return _send(shell, made)


def _outputs(pairs: tuple[str, ...], document: str | None) -> dict[str, Any]:
    """Return the outputs of both options; a value of ``--output`` is text."""
    import json  # noqa: PLC0415 - not for --help

    try:
        outputs = json.loads(document) if document is not None else {}
    except ValueError as error:
        message = f"--outputs is not JSON: {error}"
        raise UsageError(message) from error
    if not isinstance(outputs, dict):
        message = '--outputs must be a JSON object, such as \'{"file": "odds.csv"}\''
        raise UsageError(message)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            message = f"--output {pair!r} is not NAME=VALUE"
            raise UsageError(message)
        outputs[name] = value
    return outputs


def _part(number: int | None, total: int | None, *, last: bool) -> "PartOf | None":
    from shotclock.model import PartOf  # noqa: PLC0415 - not for --help

    if number is None and (total is not None or last):
        message = "--of and --last speak of a part: give its number with --part"
        raise UsageError(message)
    if number is not None and total is not None and number > total:
        message = f"--part {number} is more than --of {total}"
        raise UsageError(message)
    return None if number is None else PartOf(number=number, of=total, last=last)


def _send(shell: Shell, made: "Report") -> int:
    """Hand a report in, print its answer and return the exit code."""
    from msgspec.structs import replace  # noqa: PLC0415 - not for --help

    settings = shell.settings()
    with closing(shell.store(settings)) as store:
        named = replace(made, run=store.read(lambda view: _named(view, made.run)))
        try:
            with shell.coordinator(store, settings) as coordinator:
                (answer,) = coordinator.report([named])
        except UsageError as error:
            return shell.fail([f"not stored: {error}"], NOT_STORED)
    shell.document({"answer": answer.kind, "detail": answer.detail, "exit": EXIT[answer.kind]})
    shell.say(f"{answer.kind}: {answer.detail}" if answer.detail else answer.kind)
    return EXIT[answer.kind]


def _named(view: "Snapshot", text: str) -> str:
    """Return the run a report speaks of in its text form; it need not be there."""
    from msgspec.structs import replace  # noqa: PLC0415 - not for --help

    from shotclock.engine.naming import identity_of  # noqa: PLC0415 - likewise
    from shotclock.model import names_generation  # noqa: PLC0415 - likewise

    identity = identity_of(view, text)
    return str(identity if names_generation(text) else replace(identity, generation=1))


@click.command(
    epilog=examples("shotclock signal nba/2025-01-15 raw lines_closed"),
)
@click.argument("run")
@click.argument("phase")
@click.argument("name")
@common
@click.pass_obj
def signal(shell: Shell, run: str, phase: str, name: str) -> None:
    """Give the signal NAME, from which the deadline of PHASE of RUN counts; the first one counts."""
    from shotclock.cli.operating import coordinated  # noqa: PLC0415 - not for --help

    with coordinated(shell, run) as (coordinator, run_id):
        coordinator.signal(run_id, phase, name)
        shell.document({"run": run_id, "phase": phase, "signal": name})
        shell.say(f"{run_id} {phase}: signal {name} is given")
