"""Scenes of a gate, as examples write them and as properties draw them."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from shotclock.core.gate import Scene
from shotclock.model import (
    Amount,
    Anchor,
    Counts,
    Deadline,
    Force,
    Gate,
    Halt,
    Need,
    Phase,
    PhasePlan,
    Stall,
    Tally,
    Tier,
    Vote,
)

START = datetime(2025, 1, 15, 11, tzinfo=UTC)
MAX_AGE = timedelta(hours=48)
CHECK_AGAIN = timedelta(minutes=5)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def at(number: float) -> datetime:
    """Return the instant so many minutes after the start."""
    return START + minutes(number)


def counts(critical: str = "", required: str = "", optional: str = "") -> Counts:
    """Count members written as letters: p(ending), s(ucceeded), e(mpty), k (skipped), f(ailed), w(ithdrawn)."""
    kinds = {"p": "pending", "s": "succeeded", "e": "empty", "k": "skipped", "f": "failed", "w": "withdrawn"}
    tallies = [
        Tally(**{kind: letters.count(letter) for letter, kind in kinds.items()})
        for letters in (critical, required, optional)
    ]
    return Counts(critical=tallies[0], required=tallies[1], optional=tallies[2])


def a_scene(gate: Gate, roll: Counts, *, plan: PhasePlan | None = None, **changes: Any) -> Scene:  # noqa: ANN401 - fields of two values
    """Return a phase that started at the start; `changes` are fields of the phase, or else of the scene."""
    own = {name: changes.pop(name) for name in list(changes) if name not in Scene.__struct_fields__}
    phase = Phase(
        **{
            "run": "nba/2025-01-15",
            "name": "raw",
            "index": 0,
            "state": "active",
            "started_at": START,
            "sealed": True,
            "counts": roll,
            **own,
        }
    )
    around = {
        "key": "2025-01-15",
        "timezone": "America/New_York",
        "run_started_at": START,
        "max_age": MAX_AGE,
        "ours": False,
        "stall_least": minutes(30),
        "check_again": CHECK_AGAIN,
        **changes,
    }
    return Scene(phase=phase, plan=plan or PhasePlan(name="raw", gate=gate), **around)


def a_halt(since: float, until: float | None = None) -> Halt:
    return Halt(scope="*", since=at(since), until=None if until is None else at(until), actor="ann", reason="test")


# --- drawn ---------------------------------------------------------------------------------------------------------

few = st.sampled_from([0, 0, 0, 1, 2, 3])
spans = st.integers(0, 24).map(lambda number: minutes(5 * number))
long_spans = st.integers(1, 24).map(lambda number: minutes(5 * number))
tallies = st.builds(Tally, pending=few, succeeded=few, skipped=few, failed=few, suspect=few, withdrawn=few)
rolls = st.one_of(
    st.builds(Counts, critical=st.just(Tally()) | tallies, required=tallies, optional=st.just(Tally()) | tallies),
    st.builds(Counts, required=st.builds(Tally, succeeded=few, failed=few), optional=tallies),
    st.just(Counts(required=Tally(withdrawn=2))),
)
amounts = st.one_of(
    st.builds(Amount, count=st.integers(0, 6)),
    st.builds(Amount, percent=st.integers(0, 100).map(Decimal)),
)
needs = st.builds(Need, amount=amounts, of=st.sampled_from(["members", "optional"]))
anchors = st.one_of(
    st.sampled_from([Anchor(), Anchor(kind="run_start"), Anchor(kind="signal", signal="odds")]),
    st.builds(
        Anchor,
        kind=st.just("clock"),
        at=st.integers(0, 23).map(lambda hour: time(hour, 30)),
        day=st.integers(-1, 1),
    ),
)
deadlines = st.builds(Deadline, after=long_spans, anchor=anchors, then=st.sampled_from(["open", "block", "fail"]))
gates = st.builds(
    Gate,
    need=st.none() | needs,
    tiers=st.lists(st.builds(Tier, after=spans, need=needs), max_size=2).map(tuple),
    tolerate=st.just(Amount(count=0)) | amounts,
    grace=spans,
    deadline=st.none() | deadlines,
    expected_by=st.none() | spans,
    stall=st.none() | st.builds(Stall, after=long_spans, need=st.none() | needs),
    hopeless=st.sampled_from(["fail", "open", "block"]),
    empty=st.sampled_from(["open", "refuse"]),
    check=st.none() | st.just("nba.raw:check"),
)


@st.composite
def instants(draw: st.DrawFn, now: datetime) -> datetime | None:
    """Draw an instant between the start and `now`, or none."""
    return draw(st.none() | st.integers(0, int((now - START) / minutes(5))).map(lambda number: at(5 * number)))


@st.composite
def halts(draw: st.DrawFn, now: datetime) -> tuple[Halt, ...]:
    """Draw halts that have begun by `now`, some still in force, some with a known end."""
    drawn = draw(st.lists(st.tuples(spans, st.none() | long_spans), max_size=3))
    return tuple(
        Halt(scope="*", since=now - back, until=None if length is None else now - back + length)
        for back, length in drawn
    )


@st.composite
def votes(draw: st.DrawFn, now: datetime) -> Vote:
    said = draw(st.integers(0, 2))
    seldom = st.sampled_from([0, 0, 0, 1])
    return Vote(yes=draw(seldom) > 0, at=now - minutes(2 * said), changes=draw(seldom), worse=draw(seldom))


@st.composite
def phases(draw: st.DrawFn, now: datetime) -> Phase:
    seldom = st.sampled_from([False, False, False, True])
    return Phase(
        run="nba/2025-01-15",
        name="raw",
        index=0,
        state="active",
        started_at=START,
        counts=draw(rolls),
        sealed=not draw(seldom),
        enumeration_failed=draw(seldom),
        budget_spent=draw(seldom),
        first_at=draw(instants(now)),
        signal_at=draw(st.just(at(-5)) | instants(now)),
        progress_at=draw(instants(now)),
        retry_until=draw(st.none() | spans.map(lambda span: now - minutes(30) + span)),
        grace_since=draw(instants(now)),
        stalled_at=draw(instants(now)),
        vote=draw(st.none() | votes(now)),
        asking_until=draw(st.sampled_from([None, None, None, now - minutes(1), now + minutes(3)])),
        force=draw(st.sampled_from([None] * 20 + [Force(actor="ann", reason="go", at=START)])),
    )


@st.composite
def moments(draw: st.DrawFn) -> tuple[Scene, datetime]:
    """Draw a scene, and an instant to decide at."""
    now = at(5 * draw(st.integers(0, 30)))
    scene = Scene(
        phase=draw(phases(now)),
        plan=PhasePlan(name="raw", gate=draw(gates)),
        key="2025-01-15",
        timezone="America/New_York",
        run_started_at=START - minutes(10),
        max_age=draw(st.sampled_from([MAX_AGE] * 5 + [minutes(60)])),
        halts=draw(st.just(()) | st.just(()) | halts(now)),
        ours=draw(st.booleans()),
        stall_least=minutes(30),
        check_again=CHECK_AGAIN,
    )
    return scene, now
