"""Reports from outside, by name: finding whom they speak of, answering, and storing what was answered."""

from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from shotclock.core import leases, parts, settling
from shotclock.engine import flow, late, rolls
from shotclock.engine.desk import Desk
from shotclock.errors import UsageError
from shotclock.model import (
    ACCEPTING,
    Answer,
    Contract,
    Kind,
    Note,
    Phase,
    PhasePlan,
    Plan,
    Report,
    Run,
    RunId,
    digest,
    lookalike,
    member_name,
    names_generation,
)

ROWS_MOST = 2**63
"""A number of rows beyond this is a mistake, and fits no table."""
REASON_MOST = 10_000
"""Characters of a reason: one line for people, not a log."""


def look_ahead(desk: Desk, reports: Sequence[Report]) -> None:
    """Find the items that many reports speak of in one question for each phase, before they are taken one by one."""
    by_phase: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        with suppress(ValueError):  # it is refused where it is taken
            by_phase.setdefault((report.run, report.phase), []).append(member_name(report.member))
    for (run_id, name), members in by_phase.items():
        phase = item_phase(desk, run_id, name) if len(members) > 1 else None
        if phase is not None:
            found = desk.aside.ordinals(rolls.facts(phase), members)
            desk.found.update({(phase.id, member): ordinal for member, ordinal in found.items()})


def item_phase(desk: Desk, run_id: str, name: str) -> Phase | None:
    """Return the phase that reports name, if it is there and has items."""
    try:
        identity = RunId.parse(run_id)
    except ValueError:
        return None  # it is refused where it is taken
    run = desk.aside.run(str(identity)) if names_generation(run_id) else desk.newest(identity)
    phase = None if run is None else desk.phase_of(run.id, name)
    return None if phase is None or desk.plan_of(phase).items is None else phase


def record(desk: Desk, report: Report) -> Answer:
    """Take one report: what is accepted, contradicts, comes late or is parked is stored with this unit of work."""
    report, identity = _checked(desk, report)
    explicit = names_generation(report.run)
    run = desk.aside.run(str(identity)) if explicit else desk.newest(identity)
    if run is None:
        return _park(desk, identity, report, f"there is no run {identity}")
    plan = desk.plan(run.id)
    phase = desk.phase_of(run.id, report.phase)
    if phase is None:
        why = f"{plan.pipeline} has no phase {report.phase}{_nearest_phase(plan, report)}"
        return _park(desk, identity, report, why)
    own = plan.phase(phase.name)
    if report.member in own.absent:
        return Answer(kind="withdrawn", detail=f"{report.member} is not in mode {run.mode}")
    return _record_known(desk, report, run, phase, own, explicit=explicit)


def _checked(desk: Desk, report: Report) -> tuple[Report, RunId]:
    """Normalise the names of a report; raise `UsageError` for one that nothing could be made of."""
    try:
        identity = RunId.parse(report.run)
        name = member_name(report.member)
    except ValueError as error:
        raise UsageError(str(error)) from error
    wrong = unfit(report, desk.settings.payload_bytes)
    if wrong is not None:
        message = f"{report.run} {report.phase} {name}: {wrong}"
        raise UsageError(message)
    return report if name is report.member else replace(report, member=name), identity


def unfit(report: Report, most: int) -> str | None:
    """Say why nothing can be made of a report's content."""
    return _unfit_outputs(report, most) or _unfit_numbers(report)


def _unfit_outputs(report: Report, most: int) -> str | None:
    if not report.outputs:
        return None
    try:
        outputs = msgspec.json.encode(report.outputs)
    except (TypeError, ValueError, OverflowError) as error:
        return f"outputs are not JSON: {error}"
    if msgspec.json.decode(outputs) != report.outputs:
        return "outputs are not JSON: they come back different, as numbers that are not finite do"
    if len(outputs) > most:
        return f"outputs have {len(outputs)} bytes, more than {most}: store a reference"
    return None


def _unfit_numbers(report: Report) -> str | None:
    if len(report.reason or "") > REASON_MOST:
        return f"the reason has more than {REASON_MOST} characters"
    if report.rows is not None and not 0 <= report.rows < ROWS_MOST:
        return f"rows is {report.rows}, not a number of rows"
    if report.part is not None and report.part.number < 1:
        return f"parts are numbered from 1, not {report.part.number}"
    return None


def _record_known(desk: Desk, report: Report, run: Run, phase: Phase, own: PhasePlan, *, explicit: bool) -> Answer:
    """Take a report about a known phase."""
    if phase.state == "waiting" and run.state == "running":
        if own.items is None and own.member(report.member) is None:
            return _park(desk, run.identity, report, unknown_member(own, report.member))
        return _park(
            desk, run.identity, report, "the phase has not started; the report counts when it does", early=True
        )
    ordinal = desk.found.get((phase.id, report.member))
    if ordinal is None:
        ordinal = rolls.find(desk.aside, own, phase, report.member)
    if ordinal is None:
        return _park(desk, run.identity, report, unknown_member(own, report.member))
    task = desk.task_at(rolls.facts(phase), ordinal) or rolls.task_of(phase.id, ordinal, own.members[ordinal])
    if own.items is None:
        report = replace(report, member=own.members[ordinal].name)
    subject = settling.Subject(
        run=run,
        names_generation=explicit,
        phase=phase,
        task=task,
        ordinal=ordinal,
        late=_late_reports(desk, run, phase, settling.kind_of(task, ordinal), report),
        contract=contract_at(own, ordinal),
    )
    return _store(desk, subject, report, settling.answer(subject, report))


def contract_at(own: PhasePlan, ordinal: int) -> Contract:
    """Return the contract of a member."""
    return own.members[ordinal].contract if own.items is None else own.items.contract


def _late_reports(desk: Desk, run: Run, phase: Phase, kind: Kind, report: Report) -> tuple[Report, ...]:
    """Return what was kept as late of a member: of an active phase only those of withdrawn ones are."""
    if phase.state == "active" and run.state == "running" and kind != "withdrawn":
        return ()
    kept = desk.aside.entries("late", scope=run.id, phase=report.phase, member=report.member)
    said_by_name = (entry.body for entry in kept if "outcome" in entry.body)
    return tuple(msgspec.convert(body, Report) for body in said_by_name)


def _store(desk: Desk, subject: settling.Subject, report: Report, answer: Answer) -> Answer:
    """Write what the answer promises."""
    if answer.kind == "conflict" and _seen(desk, subject, report):
        answer = Answer(kind="duplicate", detail=f"the same was stored before; the member is {subject.kind}")
    match answer.kind:
        case "accepted":
            return _accept(desk, subject, report)
        case "duplicate" | "fenced":
            desk.tx.tally(subject.run.id, f"{subject.phase.name}.{answer.kind}")
        case "late":
            _keep(desk, "late", subject, report)
            late.consider(desk, subject, report)
        case "withdrawn":
            kept = desk.tx.entries("late", scope=subject.run.id, phase=subject.phase.name, member=report.member)
            desk.tx.remove_entries([entry.id for entry in kept])
            _keep(desk, "late", subject, report)
        case "conflict":
            _keep_conflict(desk, subject, report)
        case "parked":
            raise AssertionError(answer)
        case _ as never:
            assert_never(never)
    return answer


def _seen(desk: Desk, subject: settling.Subject, report: Report) -> bool:
    """Say whether the same content was stored before, as a settlement since superseded or as a conflict."""
    run, phase, member = subject.run.id, subject.phase.name, report.member
    said = {"outcome": report.outcome, "reason": report.reason, "rows": report.rows, "outputs": report.outputs}
    kept = [
        msgspec.convert(entry.body, Report)
        for entry in desk.tx.entries("conflict", scope=run, phase=phase, member=member)
    ]
    if any(said == {name: getattr(other, name) for name in said} for other in kept):
        return True
    kind = settling.settled_kind(report, subject.contract)
    past = [entry.body for entry in desk.tx.entries("past", scope=run, phase=phase, member=member)]
    notes = [msgspec.convert(body["note"], Note) for body in past if body["kind"] == kind]
    return any((note.reason, note.rows, note.outputs) == (report.reason, report.rows, report.outputs) for note in notes)


def _keep(desk: Desk, kind: Literal["late", "conflict"], subject: settling.Subject, report: Report) -> None:
    body = msgspec.to_builtins(report)
    desk.keep(kind, subject.run.id, phase=subject.phase.name, member=report.member, body=body)


def _keep_conflict(desk: Desk, subject: settling.Subject, report: Report) -> None:
    """Keep the first few conflicts of a member; count the rest."""
    kept = desk.tx.entries("conflict", scope=subject.run.id, phase=report.phase, member=report.member)
    if len(kept) < desk.settings.conflicts:
        _keep(desk, "conflict", subject, report)
    else:
        desk.tx.tally(subject.run.id, f"{report.phase}.conflict")


def _accept(desk: Desk, subject: settling.Subject, report: Report) -> Answer:
    """Settle the member, or add its part; the phase's gate is decided with it."""
    if report.part is not None:
        return _accept_part(desk, subject, report)
    kind = settling.settled_kind(report, subject.contract)
    note = settling.note_of(report, kind, subject.contract, desk.now)
    if kind == "pending":
        _note(desk, subject, note)
        return Answer(kind="accepted", detail="noted; the member stays pending")
    return _settle(desk, subject, report, settling.settle(subject.task, subject.ordinal, kind, note))


def _note(desk: Desk, subject: settling.Subject, note: Note) -> None:
    """Keep a failure that will be retried as a note on the pending member."""
    task = subject.task
    desk.put_task(replace(task, notes={**task.notes, subject.ordinal: note}, error=note.reason), task.token)
    desk.rang = True


def _alone(desk: Desk, subject: settling.Subject) -> settling.Subject:
    """Give a member that reports in parts a task of its own: parts are kept by task."""
    if subject.task.hi - subject.task.lo == 1:
        return subject
    first, *others = leases.apart(subject.task, subject.ordinal)
    desk.tx.put_tasks([(first, subject.task.token)])
    desk.tx.add_tasks(others)
    own = next(task for task in (first, *others) if task.lo == subject.ordinal)
    return replace(subject, task=own)


def _accept_part(desk: Desk, subject: settling.Subject, report: Report) -> Answer:
    contradiction = parts.contradiction(subject.task, report)
    if contradiction is not None:
        _keep_conflict(desk, subject, report)
        return Answer(kind="conflict", detail=contradiction)
    subject = _alone(desk, subject)
    task = parts.add_part(subject.task, report)
    whole = parts.whole(task, subject.contract, desk.now)
    if whole is not None and settling.kind_of(task, subject.ordinal) != whole.kind:
        settled = settling.settle(task, subject.ordinal, whole.kind, whole.note)
        return _settle(desk, subject, report, settled)
    desk.put_task(task, task.token)
    phase = flow.mark_started(desk, subject.phase)
    if task.parts != subject.task.parts:
        phase = desk.change(phase, first_at=phase.first_at or desk.now, progress_at=desk.now)
    desk.touch(phase)
    return Answer(kind="accepted", detail=f"part {len(task.parts)} of {task.parts_total or 'an unknown number'}")


def _settle(desk: Desk, subject: settling.Subject, report: Report, settled: settling.Settled) -> Answer:
    """Write a settlement, the one it supersedes to history, and the phase's counts."""
    task = settling.fenced(settled.task) if report.override else settled.task
    if settled.was != "pending":
        old = {"kind": settled.was, "note": msgspec.to_builtins(subject.note)}
        desk.keep("past", subject.run.id, phase=subject.phase.name, member=report.member, body=old)
    if report.override:
        _audit(desk, subject, report)
        desk.rang = True
    desk.put_task(task, subject.task.token)
    phase = flow.mark_started(desk, subject.phase)
    importance = rolls.importance_of(task)
    phase = desk.put(settling.moved(phase, importance, settled.was, settled.kind, 1, desk.now))
    desk.touch(phase)
    return accepted(report, settled.kind)


def accepted(report: Report, kind: Kind) -> Answer:
    """Return the answer to a report that settles its member."""
    return Answer(kind="accepted", detail=f"{report.member} is {kind}")


def _audit(desk: Desk, subject: settling.Subject, report: Report) -> None:
    body = {"what": "override", "actor": report.actor, "outcome": report.outcome, "reason": report.reason}
    desk.keep("audit", subject.run.id, phase=report.phase, member=report.member, body=body)


def signal(desk: Desk, phase: Phase, name: str) -> None:
    """Take a signal that a phase's deadline counts from; one that came early counts at the phase's start."""
    deadline = desk.plan_of(phase).gate.deadline
    if deadline is None or deadline.anchor.signal != name:
        declare = f"deadline: {{from: {{signal: {name}}}}}"
        message = f"{phase.run} {phase.name} waits for no signal {name}; declare it in its gate: {declare}"
        raise UsageError(message)
    if phase.signal_at is None and phase.state in ACCEPTING:
        desk.touch(desk.change(phase, signal_at=desk.now))


# --- parked reports ------------------------------------------------------------------------------------------------


def _park(desk: Desk, identity: RunId, report: Report, why: str, *, early: bool = False) -> Answer:
    """Keep a report that nothing is known of yet, until a run, phase, alias or member of that name appears."""
    scope = str(replace(identity, generation=1))
    body = msgspec.to_builtins(report)
    mark = digest(msgspec.json.encode(replace(report, token=None, actor=None)))
    kind: Literal["early", "parked"] = "early" if early else "parked"
    kept = desk.tx.entries(kind, scope=scope, phase=report.phase, member=report.member)
    if any(entry.digest == mark for entry in kept):
        desk.tx.tally(scope, f"{report.phase}.duplicate")
        return Answer(kind="duplicate", detail=f"parked before: {why}")
    if not early and desk.tx.count_entries("parked", scope_prefix=f"{identity.pipeline}/") >= desk.settings.parked:
        full = f"{desk.settings.parked} reports are parked for {identity.pipeline}"
        message = f"{report.run} {report.phase} {report.member}: not stored: {full}; first {why}"
        raise UsageError(message)
    desk.keep(kind, scope, phase=report.phase, member=report.member, digest=mark, body=body)
    desk.rang = True
    if not early and not kept:
        text = {"fact": "parked", "run": scope, "phase": report.phase, "text": f"{scope}: a report is parked: {why}"}
        name = {"names": [report.member], "command": f"shotclock status {scope}"}
        desk.post(f"alert:parked:{scope}:{report.phase}:{report.member}", "alert", scope, text | name)
    return Answer(kind="parked", detail=why)


def replay(desk: Desk, phase: Phase) -> list[str]:
    """Take the parked reports of a phase that has started, or whose names have changed; return the answers' kinds."""
    answers: list[str] = []
    run = desk.run(phase.run)
    own = desk.plan_of(phase)
    scope = str(replace(run.identity, generation=1))
    kept = desk.tx.entries("early", scope=scope, phase=phase.name)
    kept += desk.tx.entries("parked", scope=scope, phase=phase.name)
    for entry in kept:
        report = msgspec.convert(entry.body, Report)
        elsewhere = names_generation(report.run) and RunId.parse(report.run) != run.identity
        if elsewhere or rolls.find(desk.tx, own, desk.phase(phase.id), report.member) is None:
            continue
        desk.tx.remove_entries([entry.id])
        current = desk.phase(phase.id)
        answers.append(_record_known(desk, report, run, current, own, explicit=names_generation(report.run)).kind)
    return answers


def _nearest_phase(plan: Plan, report: Report) -> str:
    near = get_close_matches(report.phase, [phase.name for phase in plan.phases], n=1)
    return f"; the nearest is {near[0]}" if near else ""


def unknown_member(own: PhasePlan, member: str) -> str:
    """Name the nearest member of a roll, by what a reader would take for the same."""
    names = {lookalike(name): member.name for member in own.members for name in (member.name, *member.aliases)}
    near = get_close_matches(lookalike(member), names, n=1)
    hint = f"; the nearest is {names[near[0]]}" if near else ""
    return f"{own.name} has no member {member}{hint}"
