"""What must be true of a home folder: right after somebody was killed in it, and when the story is over."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shotclock.engine import alerting
from shotclock.model import KINDS, PHASE_OVER, SATISFIED, Phase, Run, Task
from shotclock.ports import Snapshot, Store
from shotclock.stores.rows import outgoing_of
from shotclock.testing.crashes import Drill
from tests.crash import steps, story


def require(held: object, what: str) -> None:
    """Raise an error that says what does not hold."""
    if not held:
        raise AssertionError(what)


def _with_store(home: Path, check: Callable[[Store], None]) -> None:
    store = story.opened(home)
    try:
        check(store)
    finally:
        store.close()


def after_a_kill(home: Path) -> None:
    """Check what holds at any moment: whoever looks in between must see no half of anything."""
    _with_store(home, lambda store: _whole(home, store))
    files = [path for name in ("staged", "published") for path in (home / name).rglob("*.txt")]
    for path in files:
        if not path.name.startswith("."):
            steps.lines(path)
    _fenced(home)


def _whole(home: Path, store: Store) -> None:
    store.read(_exact)
    _told(home, store)
    answers = {line["word"]: line["answer"] for line in story.noted(home / "answers")}
    store.read(lambda view: _kept(view, answers))


def _runs(view: Snapshot) -> list[Run]:
    return view.runs(superseded=True)


def _exact(view: Snapshot) -> None:
    """Check that counts count rows, that who has opened has an opening, and that what follows was posted with it."""
    current = [run.id for run in _runs(view) if not run.superseded]
    require(len(current) <= 1, f"{current} are all current")
    for run in _runs(view):
        for phase in view.phases(run.id):
            if phase.source is None:
                _counts(phase, view.tasks(phase.id))
            opened = phase.state in {"opened", "done"} or phase.opened_at is not None
            require(opened == (view.opening(phase.id) is not None), f"{run.id} {phase.name}: {phase.state}, opening?")
            ended = view.task(phase.id, "then", 0)
            require(phase.state != "done" or ended is None or ended.state == "ended", f"{phase.name}: its then runs")
            sealed = phase.name == "fan" and phase.sealed and phase.source is None
            require(not sealed or phase.size == steps.ITEMS, f"{run.id} {phase.name} has {phase.size} members")
        over = all(phase.state in PHASE_OVER for phase in view.phases(run.id))
        require(over == (run.state != "running"), f"{run.id} is {run.state}, its phases are over: {over}")


def _counts(phase: Phase, tasks: list[Task]) -> None:
    kinds = [KINDS[code] for task in tasks for code in task.kinds]
    satisfied = sum(kind in SATISFIED for kind in kinds)
    found = (len(kinds), satisfied, kinds.count("pending"))
    told = (phase.size, phase.counts.satisfied, phase.counts.pending)
    require(found == told, f"{phase.run} {phase.name} says {told}, its rows say {found}")


def _told(home: Path, store: Store) -> None:
    """Check that what must be told was posted with the fact, and that what is marked as told was told.

    Whoever was not killed goes on: what must be there is read after what calls for it.
    """
    phases = store.read(_phases)
    posted = {str(row[1]): row for table, row in store.dump() if table == "outbox"}
    told = [line["body"] for line in story.noted(home / "told")]
    for key, row in posted.items():
        message = outgoing_of(row)
        if message.route == "alert":
            held = f"notice:log:{key}" in posted and _is_recorded(store, message.body)
            require(not row[4] or held, f"{key} is marked as recorded, and has no record or no notice")
        elif message.route != "look":
            body = message.body.get("said", message.body)
            require(not row[4] or body in told, f"{key} is marked as delivered, and nobody was told")
    for phase in phases:
        started = phase.started_at is not None and phase.source is None
        require(not started or f"handover:{phase.id}:1" in posted, f"{phase.name} started, and no hand-over is posted")
        partial = phase.opened_at is not None and phase.source is None and phase.ruling and phase.ruling.partial
        require(not partial or f"alert:{phase.id}:opening:" in posted, f"{phase.name} is partial without an alert")


def _is_recorded(store: Store, said: Mapping[str, Any]) -> bool:
    """Say whether there is a record of a fact."""
    known = store.read(alerting.records)
    return any((alert.fact, alert.phase) == (said["fact"], said["phase"]) for alert in known)


def _phases(view: Snapshot) -> list[Phase]:
    return [phase for run in _runs(view) for phase in view.phases(run.id)]


def _kept(view: Snapshot, answers: dict[str, Any]) -> None:
    """Check that what was answered is in the store."""
    run = view.run(story.RUN)
    require(run is not None or "start" not in answers, "the run was started, and is not there")
    for member, word in (("a", "early a"), ("b", "b")):
        settled = run is not None and _kind(view, run, member) in SATISFIED
        parked = any(entry.member == member for entry in view.entries("parked", scope=story.RUN))
        require(word not in answers or settled or parked, f"{member} was answered {answers.get(word)}, and is lost")
    late = [entry.member for entry in view.entries("late", scope=story.RUN, phase="intake")]
    require("late c" not in answers or "c" in late, f"c was answered {answers.get('late c')}, and is lost")
    require("again" not in answers or view.run(f"{story.RUN}#3") is not None, "the third generation is lost")


def _kind(view: Snapshot, run: Run, member: str) -> str:
    phase = view.phase_of(run.id, "intake")
    assert phase is not None
    task = view.task_at(phase.id, "abc".index(member))
    return "" if task is None else KINDS[task.kinds[0]]


def _fenced(home: Path) -> None:
    """Check that the warehouse's rows and the token that owns them came together."""
    if not (home / "warehouse.duckdb").exists():
        return
    with story.warehouse(home).reading() as connection:
        tables = {str(row[0]) for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        owners, commits = (
            connection.execute(f"SELECT generation, token FROM {name}").fetchall() if name in tables else []  # noqa: S608 - two names
            for name in ("owner", "shotclock_commits")
        )
        scores = connection.execute("SELECT item FROM scores").fetchall() if "scores" in tables else []
    require(owners == commits, f"the rows are those of {owners}, the token says {commits}")
    require(len(scores) == len(set(scores)), f"rows are there twice: {scores}")
    require(len(scores) == (steps.ITEMS if owners else 0), f"{owners} has only {scores}")


def when_over(home: Path) -> None:
    """Check that nothing was lost, nothing doubled, and everything told; and what was published."""
    after_a_kill(home)
    _with_store(home, _ended)
    published = home / "published" / "day" / "2025-01-15" / "scores.txt"
    wanted = "".join(f'["i{number}", "abc {number**2}"]\n' for number in range(steps.ITEMS)) + "end\n"
    require(published.read_text(encoding="utf-8") == wanted, f"{published} says {published.read_text('utf-8')}")
    story.drop(home)


def _ended(store: Store) -> None:
    require(not story.unsent(store), f"never delivered: {story.unsent(store)}")
    states = store.read(lambda view: [(run.id, run.state, run.superseded) for run in _runs(view)])
    wanted = [(f"{story.RUN}#3", "complete", False), (f"{story.RUN}#2", "complete", True), (story.RUN, "partial", True)]
    require(states == wanted, f"the runs are {states}")
    require(not store.read(lambda view: view.leased()), "a task is still leased")
    require(not store.read(lambda view: view.entries("parked", scope=story.RUN)), "a report is still parked")
    conflicts = store.read(lambda view: view.entries("conflict", scope=story.RUN))
    require(len(conflicts) == 1, f"one contradiction was said, {len(conflicts)} are kept")


DRILL = Drill(lives={"engine": story.engine, "door": story.door}, killed=after_a_kill, over=when_over)
