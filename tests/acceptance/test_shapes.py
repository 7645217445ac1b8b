"""What runs beside what is told of a file and of a run, before and while it runs."""

from tests.acceptance.house import DAY, House

FILE = """
modes: {short: {}}
phases:
  raw: {members: {games: {run: "small.steps:games"}, odds: {run: "small.steps:games"}}}
  other: {members: {games: {run: "small.steps:games"}}}
  items:
    needs: [raw]
    items: "small.steps:names"
    run: "small.steps:work"
    execution: {mode: parallel, max_workers: 4, max_in_flight: 3, chunk: 2}
"""
STEPS = """
def games(ctx): return Succeeded()
def names(ctx): return [Item("one")]
def work(ctx, items): return {item.id: Succeeded() for item in items}
"""


def test_a_file_tells_its_waves_and_how_many_tasks_run_at_once(house: House) -> None:
    house.pipeline("small", FILE, STEPS)
    lines = house("explain", "small", "--plan").lines
    assert lines[0].startswith("small: 3 phases in 2 waves; one process holds 1000 tasks at most")
    assert [line for line in lines if not line.startswith("    ")][1:] == [
        "wave 1",
        "  raw: 1 task at once in a process, 2 over all; beside other",
        "  other: 1 task at once in a process, 1 over all; beside raw, items",
        "wave 2",
        "  items: 3 tasks at once in a process, 3 over all; beside other",
    ]
    assert "    execution.max_in_flight  3 at once over all processes" in lines


def test_a_run_tells_the_same_of_the_plan_it_keeps(house: House) -> None:
    folder = house.pipeline("small", FILE, STEPS)
    told = house("explain", "small", "--plan", "--mode", "short", "--json").document
    assert house("run", "small", DAY, "--mode", "short").code == 0
    folder.rename(folder.with_name("elsewhere"))
    assert house("explain", f"small/{DAY}/short", "--plan", "--json").document == told
    assert (told["mode"], told["waves"]) == ("short", [["raw", "other"], ["items"]])


def test_what_is_neither_a_file_nor_a_run_is_refused(house: House) -> None:
    assert house("explain", "nothing", "--plan").code == 2
    missing = house("explain", f"small/{DAY}")
    assert (missing.code, "PHASE" in missing.err) == (2, True)
