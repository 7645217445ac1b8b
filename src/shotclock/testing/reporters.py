"""Reporters outside: reports repeated, reordered, delayed, contradicted, misnamed, in parts, early and too late."""

from datetime import timedelta

from msgspec.structs import replace

from shotclock.engine.coordinator import Coordinator
from shotclock.model import Answer, OutcomeKind, PartOf, PhasePlan, Report
from shotclock.testing.lots import HOUR, MINUTE, SECOND, Lots
from shotclock.testing.tap import Change
from shotclock.testing.world import World

OUTCOMES: tuple[OutcomeKind, ...] = ("succeeded", "succeeded", "succeeded", "empty", "skipped", "failed")
WRONG = ("M0", "m-0", "alias0", "nobody")


def set_going(world: World, run: str) -> None:
    """Plan what all reporters of a run will say, and when."""
    for phase in world.options.plan.phases:
        for name in _names(world, phase):
            if not world.lots.chance(world.options.silent):
                _plan(world, run, phase, name)


def startle(world: World) -> None:
    """Let reporters speak of the phases that a fault has left between their decision and their opening."""
    for record in world.checks.records.values() if world.faulty else ():
        names = _names(world, record.own) if record.phase.state == "closing" else []
        for name in world.lots.some(names, 0.5):
            report = _report(world.lots, record.run.id, record.own.name, name)
            world.later(world.lots.span(timedelta(0), 2 * SECOND), lambda report=report: send(world, [report]))  # type: ignore[misc]  # bound now


def _names(world: World, phase: PhasePlan) -> list[str]:
    """Return who reports: outside members by name or alias, now and then one that a worker settles."""
    lots = world.lots
    if phase.items is not None:
        listed = [name for page in world.options.items[phase.name] for name in page]
        return listed if phase.items.run is None else list(lots.some(listed, 0.03))
    chosen = [member for member in phase.members if member.external or lots.chance(0.1)]
    return [lots.pick((member.name, *member.aliases)) for member in chosen]


def _plan(world: World, run: str, phase: PhasePlan, name: str) -> None:
    """Plan one member's reports: the one it means, repeats of it, and what contradicts it."""
    lots = world.lots
    base = lots.span(timedelta(0), 2 * HOUR) if lots.chance(0.7) else lots.span(timedelta(0), 20 * MINUTE)
    for report in _said(lots, _report(lots, run, phase.name, name)):
        repeats = lots.number(2, 5) if lots.chance(0.3) else 1
        for _ in range(repeats):
            wait = base + lots.span(timedelta(0), lots.pick((SECOND, 5 * MINUTE, HOUR)))
            world.later(wait, lambda report=report: send(world, [report]))  # type: ignore[misc]  # bound now
    if lots.chance(0.06):
        world.later(base, lambda: send(world, [_misnamed(lots, _report(lots, run, phase.name, name))]))
    for hours in (2, 3, 4, 5):
        if lots.chance(0.1):
            world.later(base + hours * HOUR, lambda: send(world, [_report(lots, run, phase.name, name)]))


def _report(lots: Lots, run: str, phase: str, name: str) -> Report:
    outcome = lots.pick(OUTCOMES)
    stem = run.partition("#")[0]
    text = lots.pick((run, run, run, run, f"{stem}#1", f"{stem}#2"))
    reason = None if outcome == "succeeded" else lots.pick(("r1", "r2"))
    return Report(run=text, phase=phase, member=name, outcome=outcome, reason=reason, rows=lots.pick((None, 0, 1, 2)))


def _said(lots: Lots, report: Report) -> list[Report]:
    """Return what a member says: once, after notes, in parts, or in contradiction to itself."""
    if lots.chance(0.15):
        parts = lots.number(1, 3)
        return [_part(lots, report, number, parts) for number in range(1, parts + 1)]
    said = [report]
    if lots.chance(0.15):
        said.append(replace(report, outcome="failed", reason="not there yet", retry=True))
    if lots.chance(0.2):
        said.append(replace(report, rows=(report.rows or 0) + 1, outcome=lots.pick(OUTCOMES)))
    return said


def _part(lots: Lots, report: Report, number: int, parts: int) -> Report:
    last = number == parts
    outcome: OutcomeKind = "succeeded" if lots.chance(0.85) else "failed"
    part = PartOf(number=number, of=parts) if lots.chance(0.5) else PartOf(number=number, last=last)
    return replace(report, outcome=outcome, part=part, retry=outcome == "failed" and lots.chance(0.4))


def _misnamed(lots: Lots, report: Report) -> Report:
    wrong = (
        replace(report, member=lots.pick(WRONG)),
        replace(report, phase="p9"),
        replace(report, run="sim/2025-02-30"),
        replace(report, token=lots.number(0, 3)),
    )
    return lots.pick(wrong)


def send(world: World, reports: list[Report]) -> None:
    """Send reports in one message, sometimes one of them twice in it; what was lost is sent again."""
    if world.lots.chance(0.05):
        reports = [*reports, reports[0]]
    again = lambda: world.later(world.lots.span(SECOND, 10 * MINUTE), lambda: send(world, reports))  # noqa: E731 - bound to this call
    world.bus.carry(lambda: _deliver(world, reports), lost=again)


def _deliver(world: World, reports: list[Report]) -> None:
    """Hand reports to a coordinator, and hold its answers against the store."""

    def work(coordinator: Coordinator) -> list[Answer]:
        for report in reports:
            world.answers.sent(report)
        return coordinator.report(reports)

    def done(given: list[Answer], changes: list[Change]) -> None:
        for answer in given:
            world.count(f"answer {answer.kind}")
        world.history[-1] += f": {', '.join(answer.kind for answer in given)}"
        world.answers.reported(reports, given, changes)

    first = reports[0]
    said = f"{first.outcome} rows={first.rows} part={first.part and first.part.number} retry={first.retry}"
    world.attempt(f"report {first.run} {first.phase} {first.member} {said}", work, done)
