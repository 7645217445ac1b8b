"""What a late report sets off: nothing, a word to downstream, or a new generation after others had time to settle."""

from msgspec.structs import replace

from shotclock.core import late, settling
from shotclock.core.late import LateReport, Limits
from shotclock.engine import rolls
from shotclock.engine.desk import Desk
from shotclock.model import PHASE_OVER, Report, Run


def consider(desk: Desk, subject: settling.Subject, report: Report) -> None:
    """Act on a late report as the phase's policy says; the report itself is kept already."""
    phase = subject.phase
    policy = desk.plan_of(phase).gate.late
    if policy == "record" or subject.run.superseded or phase.state == "skipped" or report.part is not None:
        return  # a part alone never satisfies its member
    said = LateReport(
        importance=rolls.importance_of(subject.task),
        stood=subject.kind,
        says=settling.settled_kind(report, subject.contract),
        first_at=desk.now if phase.rerun_at is None else phase.rerun_at - desk.settings.late_settling,
    )
    limits = Limits(settling=desk.settings.late_settling, most=desk.settings.max_reruns)
    asks = late.wanted(policy, said, _automatic(desk, subject.run), limits)
    if asks.act == "amend":
        _amend(desk, subject, report)
    if asks.act == "rerun":
        # One that is not over has its own next look, which must not wait for others to settle; its end sees to this.
        desk.change(phase, rerun_at=asks.at, due_at=asks.at if phase.state in PHASE_OVER else phase.due_at)


def _amend(desk: Desk, subject: settling.Subject, report: Report) -> None:
    """Tell every phase that stands on this one, and operators, what came after it had opened without it; each once."""
    phase = subject.phase
    said = {"from": phase.name, "member": report.member, "outcome": report.outcome, "rows": report.rows}
    for below in desk.plan(phase.run).downstream(phase.name):
        body = {"run": phase.run, "phase": below.name, **said, "outputs": report.outputs}
        desk.post(f"amended:{phase.id}:{report.member}:{below.name}", "amended", phase.run, body)
    text = f"amended: {report.member} came late; downstream has used what was there"
    desk.alert(phase, "amended", text, turn=report.member, names=(report.member,))


def _automatic(desk: Desk, run: Run) -> int:
    """Count the generations of a key and mode that late reports made."""
    identities = (replace(run.identity, generation=number) for number in range(1, run.generation + 1))
    earlier = (desk.tx.run(str(identity)) for identity in identities)
    return sum(1 for other in earlier if other is not None and other.cause == "late")
