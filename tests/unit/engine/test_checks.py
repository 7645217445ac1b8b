"""A gate's check has the last word: yes opens, and anything else is a veto that says why."""

from datetime import timedelta

import pytest

from shotclock.model import Gate
from shotclock.settings import Settings
from tests.unit.engine.shop import Shop


def checked(shop: Shop, **more: timedelta) -> None:
    """Run a phase whose gate is checked by `look` until that was answered."""
    engine = shop.engine()
    run = shop.start(engine, shop.members("fine", gate=Gate(check=shop.path("look")), **more))

    def tick() -> None:
        if shop.phase_of().vote is not None:
            engine.stop()

    engine.until_over(run.id, tick, timedelta(milliseconds=5))


def test_a_check_that_says_yes_lets_the_phase_open(shop: Shop) -> None:
    shop.write("""
        def fine(ctx): return Succeeded(outputs={"n": 2})
        def look(ctx, ruling):
            (settled,) = ctx.settled()
            return ruling.reason == "all" and settled.outputs == {"n": 2} and ctx.phase == "raw"
    """)
    assert shop.run(shop.members("fine", gate=Gate(check=shop.path("look")))).state == "complete"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("return False", "PACKAGE.steps:look said no"),
        ("return 'too few players'", "too few players"),
        ("return None", "PACKAGE.steps:look returned NoneType; return True, False or why not"),
        ("raise KeyError('rows')", "PACKAGE.steps:look raised KeyError: 'rows' (PACKAGE/steps.py:13)"),
    ],
)
def test_a_check_that_says_anything_else_vetoes_with_its_reason(shop: Shop, answer: str, why: str) -> None:
    shop.write(f"""
        def fine(ctx): return Succeeded()
        def look(ctx, ruling): {answer}
    """)
    checked(shop)
    phase = shop.phase_of()
    assert phase.state == "active"
    assert phase.vote is not None
    assert (phase.vote.yes, phase.vote.reason) == (False, why.replace("PACKAGE", shop.package))
    assert phase.mark is not None
    assert phase.mark.kind == "vetoed"


def test_a_check_that_hangs_is_a_no_and_its_late_answer_changes_nothing(shop: Shop) -> None:
    shop.settings = Settings(home=shop.settings.home, check=timedelta(milliseconds=50))
    shop.write("""
        let_go = threading.Event()
        def fine(ctx): return Succeeded()
        def look(ctx, ruling):
            let_go.wait()
            return True
    """)
    checked(shop)
    vote = shop.phase_of().vote
    shop.steps.let_go.set()
    assert vote is not None
    assert vote.reason == f"{shop.path('look')} did not answer within 50ms"
    assert shop.phase_of().state == "active"
