"""Runs: which waiting phases may start or must be skipped, and how a run ends.

State table of a run (terminal ones in capitals; `superseded` is a mark beside a kept outcome)::

    running -> COMPLETE   every phase is done, no opening was partial
            -> PARTIAL    every phase is done, an opening was partial, an input was stale
            -> FAILED     a phase failed, or was skipped because one did; max_age
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from shotclock.model import PHASE_OVER, Phase, PhaseState, Plan, RunState


class Ending(Struct, frozen=True, kw_only=True):
    """How a run ended, and why where it is not complete."""

    state: RunState
    reason: str | None = None


def ending(phases: Sequence[Phase]) -> Ending | None:
    """Return how a run ends, or None while a phase is not over; branches never stop each other."""
    if any(phase.state not in PHASE_OVER for phase in phases):
        return None
    broken = next((phase for phase in phases if phase.state == "failed"), None)
    broken = broken or next((phase for phase in phases if phase.state == "skipped"), None)
    if broken is not None:
        return Ending(state="failed", reason=f"{broken.name}: {broken.failure}")
    short = [phase.name for phase in phases if phase.ruling is not None and phase.ruling.partial]
    if short:
        return Ending(state="partial", reason=f"opened partial: {', '.join(short)}")
    stale = [f"{phase.name} ({', '.join(phase.stale_inputs)})" for phase in phases if phase.stale_inputs]
    if stale:
        return Ending(state="partial", reason=f"stale_inputs: {'; '.join(stale)}")
    return Ending(state="complete")


def skipped_for(plan: Plan, name: str, states: Mapping[str, PhaseState]) -> str | None:
    """Return the upstream phase for which a waiting phase must be skipped, as soon as one failed or was skipped."""
    return next((need for need in plan.phase(name).needs if states[need] in {"failed", "skipped"}), None)


def may_start(plan: Plan, name: str, states: Mapping[str, PhaseState]) -> bool:
    """Say whether every upstream phase of this run is done, its `then` included."""
    return all(states[need] == "done" for need in plan.phase(name).needs)


def below(plan: Plan, name: str) -> frozenset[str]:
    """Return the names of all phases that stand on `name`, directly or not."""
    found: set[str] = set()
    for phase in plan.phases:
        if name in phase.needs or found.intersection(phase.needs):
            found.add(phase.name)
    return frozenset(found)
