"""`validate`: what is wrong with a pipeline file, or what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shotclock.cli.planning import check_plan, parameters, plan_of
from shotclock.cli.shell import Shell, common, examples, table

if TYPE_CHECKING:
    from shotclock.model import PhasePlan


@click.command(
    epilog=examples("shotclock validate pipelines/nba", "shotclock validate pipelines/nba --mode same_day --json"),
)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.option("--mode", help="The mode to show.")
@parameters
@common
@click.pass_obj
def validate(shell: Shell, pipeline: Path, mode: str | None, params: dict[str, object]) -> None:
    """Check the file of PIPELINE and import every function it names; print the plan if all is well.

    Everything wrong is named at once, a line each, with the line of the file.

    Exit codes: 0 fine, 2 something is wrong.
    """
    plan = plan_of(pipeline, mode, params)
    check_plan(plan, shell.settings())
    shell.document(plan)
    zone = f"{plan.key_name} ({plan.key_type}, {plan.timezone})"
    shell.say(f"{plan.pipeline}: fine; key {zone}, mode {plan.mode}, {len(plan.phases)} phases")
    for line in table((_row(phase) for phase in plan.phases), indent="  "):
        shell.say(line)
    for phase in plan.phases:
        if phase.fresh is not None:
            shell.note(f"note: {phase.name} asks for fresh inputs; one that states no `as_of` is not judged")


def _row(phase: "PhasePlan") -> tuple[str, str, str, str, str]:
    needs = [*phase.needs, *(f"{name} of the previous run" for name in phase.needs_previous)]
    work = phase.execution
    how = work.mode if work.mode == "sequential" else f"{work.mode} x{work.max_workers}"
    return phase.name, _roll(phase), how, "; ".join(_gate(phase)), f"after {', '.join(needs)}" if needs else ""


def _roll(phase: "PhasePlan") -> str:
    """Return who is expected."""
    if phase.items is not None:
        return f"items of {phase.items.source}"
    counts = {"critical": 0, "required": 0, "optional": 0}
    for member in phase.members:
        counts[member.importance] += 1
    return ", ".join(f"{number} {importance}" for importance, number in counts.items() if number) or "nobody"


def _gate(phase: "PhasePlan") -> Iterator[str]:
    """Yield the gate's rules and clocks, short."""
    from shotclock.amounts import words  # noqa: PLC0415 - likewise
    from shotclock.engine.timing import need_words  # noqa: PLC0415 - not for --help

    gate = phase.gate
    yield "all" if gate.need is None else f"all, or {need_words(gate.need)}"
    if str(gate.tolerate) != "0":
        yield f"{gate.tolerate} tolerated"
    if gate.deadline is not None:
        anchor = gate.deadline.anchor.kind.replace("_", " ")
        yield f"deadline {words(gate.deadline.after)} from {anchor}, then {gate.deadline.then}"
    if gate.stall is not None:
        yield f"stall {words(gate.stall.after)}"
    if gate.grace:
        yield f"grace {words(gate.grace)}"
    if gate.check is not None:
        yield f"check {gate.check}"
    if phase.then is not None:
        yield f"then {phase.then}"
