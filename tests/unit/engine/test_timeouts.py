"""A task that hangs is cut at its timeout, a worker that dies fails only its task, and the others go on."""

import os
import select
from datetime import timedelta
from pathlib import Path

import pytest

from shotclock.errors import MemberError
from shotclock.model import Member, PhasePlan
from tests.unit.engine.shop import PATIENCE, Shop

SHORT = timedelta(milliseconds=300)

HANGS = """
    let_go = threading.Event()
    def hangs(ctx):
        mark(ctx, os.getpid())
        let_go.wait()
        return Succeeded()
    def fine(ctx): return Succeeded()
"""


def test_a_thread_that_hangs_is_cut_while_others_go_on(shop: Shop) -> None:
    shop.write(HANGS)
    engine = shop.engine()
    run = engine.until_over(shop.start(engine, shop.members("hangs", "fine", timeout=SHORT)).id)
    assert shop.kinds() == ["timed_out", "succeeded"]
    assert shop.notes()[0].reason == "cut at its timeout of 300ms"
    assert run.state == "failed"
    shop.steps.let_go.set()


def test_members_that_wait_for_one_another_all_run_at_once(shop: Shop) -> None:
    shop.write("""
        meeting = threading.Barrier(6)
        def meets(ctx):
            meeting.wait()
            return Succeeded()
        a = b = c = d = e = f = meets
    """)
    assert shop.run(shop.members(*"abcdef", max_workers=6)).state == "complete"


def test_what_a_thread_says_after_its_timeout_counts_no_longer(shop: Shop) -> None:
    shop.write("""
        let_go, ended = threading.Event(), threading.Event()
        def late(ctx):
            if ctx.attempt == 1:
                let_go.wait()
                ended.set()
                return Succeeded(rows=1)
            let_go.set()
            ended.wait()
            return Succeeded(rows=2)
    """)
    assert shop.run(shop.members("late", timeout=SHORT, attempts=2)).state == "complete"
    assert shop.notes()[0].rows == 2


def test_a_child_that_hangs_is_killed_at_its_timeout_while_others_go_on(shop: Shop) -> None:
    shop.write(HANGS)
    shop.run(one_by_one(shop, "fine", "hangs", "fine"))
    assert shop.kinds() == ["succeeded", "timed_out", "succeeded"]
    (child,) = shop.marks()
    with pytest.raises(ProcessLookupError):
        os.kill(int(child), 0)


def test_a_child_that_refuses_to_end_is_killed(shop: Shop) -> None:
    shop.write("""
        def fine(ctx): return Succeeded()
        def stubborn(ctx):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                threading.Event().wait(ctx.attempt)
    """)
    shop.run(one_by_one(shop, "fine", "stubborn"))
    assert shop.kinds() == ["succeeded", "timed_out"]


def one_by_one(shop: Shop, *functions: str) -> PhasePlan:
    """Return a phase for one child, which is warm when it comes to a function whose time is short."""
    members = tuple(
        Member(name=f"m{place}", run=shop.path(name), timeout=None if name == "fine" else SHORT)
        for place, name in enumerate(functions)
    )
    return shop.phase(members=members, mode="process", max_workers=1)


@pytest.mark.parametrize(
    ("death", "how"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL, as the system does when memory runs out"),
        ("os._exit(7)", "ended by itself, exit code 7"),
    ],
)
def test_a_child_that_dies_fails_only_its_task(shop: Shop, death: str, how: str) -> None:
    shop.write(f"""
        def dies(ctx): {death}
        def fine(ctx): return Succeeded(rows=os.getpid())
    """)
    shop.run(shop.members("fine", "dies", mode="process", attempts=2))
    assert shop.kinds() == ["succeeded", "failed"]
    assert shop.notes()[1].reason == f"its process {how}"


def test_a_child_takes_no_more_memory_than_its_phase_allows_and_is_not_used_again_after(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a", "b", "c"]
        def work(ctx, items):
            mark(ctx, os.getpid())
            if items[0].id == "b":
                bytearray(2 << 30)
            return {item.id: Succeeded() for item in items}
    """)
    phase = shop.items("items", "work", mode="process", max_workers=1, memory=1 << 30)
    assert shop.run(phase).state == "failed"
    assert shop.notes()[1].reason == "out of memory (limit 1GB)"
    assert [kind for kind in shop.kinds() if kind != "succeeded"] == ["failed"]
    first, second, third = shop.marks()
    assert (first == second, second == third) == (True, False)


def test_what_a_child_started_dies_with_it_at_the_timeout(shop: Shop) -> None:
    shop.write("""
        import subprocess, sys
        def starts(ctx):
            child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, 1); signal.pause()"])
            mark(ctx, child.pid)
            signal.pause()
        def fine(ctx): return Succeeded()
    """)
    shop.run(one_by_one(shop, "fine", "starts"))
    assert shop.kinds() == ["succeeded", "timed_out"]
    (started,) = shop.marks()
    gone(int(started))


def test_a_copy_that_a_dying_child_has_made_keeps_nobody_waiting(shop: Shop) -> None:
    shop.write("""
        def copies(ctx):
            copy = os.fork()
            if copy == 0:
                signal.pause()
            mark(ctx, copy)
            os.kill(os.getpid(), signal.SIGSEGV)
    """)
    shop.run(shop.members("copies", mode="process"))
    assert shop.notes()[0].reason == "its process was killed by SIGSEGV"
    (copy,) = shop.marks()
    gone(int(copy))


def gone(pid: int) -> None:
    """Wait until a process that was killed is seen to be, whoever must take note of its end."""
    handle = os.pidfd_open(pid) if Path(f"/proc/{pid}").exists() else None
    if handle is not None:
        ready, _, _ = select.select([handle], [], [], PATIENCE.total_seconds())
        os.close(handle)
        assert ready


def test_a_child_that_died_is_replaced_and_a_living_one_is_used_again(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a", "b", "c", "d"]
        def work(ctx, items):
            mark(ctx, os.getpid())
            if items[0].id == "b" and ctx.attempt == 1:
                os._exit(1)
            return {item.id: Succeeded() for item in items}
    """)
    run = shop.run(shop.items("items", "work", mode="process", max_workers=1, attempts=2))
    assert run.state == "complete"
    children = shop.marks()
    assert len(children) == 5
    assert len(set(children)) == 2


def test_a_child_logs_where_its_parent_does(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.write("""
        def speaks(ctx):
            ctx.log.warning("half way of %s", ctx.member)
            return Succeeded()
    """)
    shop.run(shop.members("speaks", mode="process"))
    assert ("shotclock.member.raw.speaks", 30, "half way of speaks") in caplog.record_tuples


def test_too_many_threads_left_behind_end_the_engine_with_what_to_do(shop: Shop) -> None:
    shop.write(HANGS)
    names = [f"hangs{number}" for number in range(shop.settings.abandoned_threads + 1)]
    members = tuple(Member(name=name, run=shop.path("hangs")) for name in names)
    phase = shop.phase(members=members, max_workers=len(names), timeout=SHORT)
    with pytest.raises(MemberError, match=r"5 functions hang past their timeout: raw.hangs0, .* use mode: process"):
        shop.run(phase)
    shop.steps.let_go.set()
