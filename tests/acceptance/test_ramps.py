"""A flag is ramped by command: it is carried on between commands, and taken back by itself where it breaks things."""

from tests.acceptance.house import House

FILE = """
flags:
  new_model: {owner: models, purpose: "a new model", key: item}
phases:
  predict:
    items: "shop.steps:items"
    run: "shop.steps:many"
    execution: {chunk: 100, attempts: 1}
    gate: {tolerate: {failed: 100%}}
"""
STEPS = """
def items(ctx):
    for number in range(200):
        yield Item(f"i{number}", {})

def many(ctx, items):
    return {item.id: Permanent("wrong") if ctx.flag("new_model", key=item.id) else Succeeded() for item in items}
"""


def test_a_flag_that_breaks_what_it_is_given_to_is_taken_back_within_a_few_runs(house: House) -> None:
    house.pipeline("shop", FILE, STEPS)
    house("run", "shop", "2025-01-15")
    begun = house("flags", "ramp", "new_model", "--stages", "10,50,100", "--hold", "4h", "--guard", "unsatisfied")
    assert begun.lines[0] == "new_model: ramping at 10% of 10%, 50%, 100%; 0 runs counted"
    for day in range(16, 20):
        house("run", "shop", f"2025-01-{day}")
    told = house("flags", "ramp", "new_model")
    assert told.lines[0].startswith("new_model: rolled back at 10%")
    assert "bad: unsatisfied: " in told.lines[-1]
    assert house("flags", "list").lines[0].startswith("new_model  off")
    paused = house("flags", "ramp", "new_model", "pause")
    assert paused.code == 2
    assert "is over: bad" in paused.err


def test_what_is_not_known_cannot_guard(house: House) -> None:
    house.pipeline("shop", FILE, STEPS)
    house("run", "shop", "2025-01-15")
    for guard, why in (("cost", "no fact about the cost"), ("duration", "known of whole runs"), ("x", "no guard x")):
        refused = house("flags", "ramp", "new_model", "--stages", "10,100", "--guard", guard)
        assert (refused.code, why in refused.err) == (2, True)
    paused = house("flags", "ramp", "new_model", "pause")
    assert (paused.code, "has no ramp" in paused.err) == (2, True)
